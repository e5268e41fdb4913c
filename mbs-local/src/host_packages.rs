//! What a host without an RPM database counts as providing.
//!
//! On Debian `BuildRequires: gcc` can only be checked if something says that gcc is there. This derives the
//! capabilities of one virtual package from what is installed: Debian's package names (and the names that
//! RPM distributions use for the same thing), the executables, pkg-config files, CMake, Perl and Python
//! packages. A guess where the worlds differ, never a check of contents. A host with an RPM database does not need it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{AtPath as _, LocalError};

/// Capability names and their versions; `None`: unknown, so that RPM takes it for whatever version is required.
pub type Capabilities = BTreeMap<String, Option<String>>;

/// What stands for RPM's own build environment wherever `rpmbuild` runs.
const ALWAYS: [&str; 6] =
    ["rpm-build", "redhat-rpm-config", "fedora-release", "system-release", "perl-generators", "glibc-common"];

/// Debian's name and what RPM distributions call the same thing.
const OTHER_NAMES: [(&str, &str); 20] = [
    ("g++", "gcc-c++"),
    ("libc6", "glibc"),
    ("libc6-dev", "glibc-devel"),
    ("libc6-dev", "kernel-headers"),
    ("perl", "perl-interpreter"),
    ("perl", "perl-devel"),
    ("perl", "perl-macros"),
    ("python3", "python3-libs"),
    ("python3-dev", "python3-devel"),
    ("pkg-config", "pkgconf-pkg-config"),
    ("pkgconf", "pkgconfig"),
    ("xz-utils", "xz"),
    ("procps", "procps-ng"),
    ("gettext", "gettext-devel"),
    ("zlib1g-dev", "zlib-devel"),
    ("libssl-dev", "openssl-devel"),
    ("libncurses-dev", "ncurses-devel"),
    ("libbz2-dev", "bzip2-devel"),
    ("liblzma-dev", "xz-devel"),
    ("uuid-dev", "libuuid-devel"),
];

/// Collects what is installed below this root directory (`/`).
///
/// # Errors
/// If the list of Debian packages is there but cannot be read. Everything else that is missing is simply not provided.
pub fn capabilities(root: &Path) -> Result<Capabilities, LocalError> {
    let mut found = Capabilities::new();
    found.extend(ALWAYS.map(|name| (name.to_owned(), None)));
    add_debian_packages(root, &mut found)?;
    add_executables(root, &mut found);
    let libraries = library_directories(root);
    for directory in &libraries {
        add_pkgconfig(&directory.join("pkgconfig"), &mut found);
        add_cmake(&directory.join("cmake"), &mut found);
    }
    add_python(&root.join("usr/lib/python3/dist-packages"), &mut found);
    add_perl(root, &libraries, &mut found);
    Ok(found)
}

fn add_debian_packages(root: &Path, found: &mut Capabilities) -> Result<(), LocalError> {
    let path = root.join("var/lib/dpkg/status");
    let status = match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        status => status.at(&path)?,
    };
    for stanza in String::from_utf8_lossy(&status).split("\n\n") {
        let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let (Some(name), Some(version)) = (field("Package:"), field("Version:")) else { continue };
        if field("Status:").is_some_and(|status| status.ends_with(" installed")) {
            add_names(name, &upstream_version(version), found);
        }
    }
    Ok(())
}

fn add_names(debian: &str, version: &Option<String>, found: &mut Capabilities) {
    let mut names = vec![debian.to_owned()];
    names
        .extend(OTHER_NAMES.iter().filter(|(name, _)| *name == debian).map(|(_, other)| (*other).to_owned()));
    if let Some(stem) = debian.strip_suffix("-dev") {
        names.push(format!("{stem}-devel"));
        names.extend(stem.strip_prefix("lib").map(|short| format!("{short}-devel")));
    }
    for name in names {
        found.insert(name, version.clone());
    }
}

/// `1:2.36-9+deb12u1` is upstream's 2.36; `None` if RPM could not compare what is left.
fn upstream_version(debian: &str) -> Option<String> {
    let without_epoch = debian.split_once(':').map_or(debian, |(_, rest)| rest);
    let upstream = without_epoch.rsplit_once('-').map_or(without_epoch, |(upstream, _)| upstream);
    let upstream = upstream.split('+').next().unwrap_or_default();
    comparable(upstream)
}

fn comparable(version: &str) -> Option<String> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '~' | '^');
    (!version.is_empty() && version.chars().all(is_fine)).then(|| version.to_owned())
}

fn add_executables(root: &Path, found: &mut Capabilities) {
    for directory in ["usr/bin", "usr/sbin"] {
        for name in names_in(&root.join(directory)) {
            found.insert(format!("/{directory}/{name}"), None);
            found.insert(format!("/{}/{name}", directory.trim_start_matches("usr/")), None);
        }
    }
}

/// `/usr/lib64`, `/usr/lib`, `/usr/share` and the directories of Debian's architectures.
fn library_directories(root: &Path) -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> =
        ["usr/lib64", "usr/lib", "usr/share"].map(|name| root.join(name)).to_vec();
    let of_architectures =
        names_in(&root.join("usr/lib")).into_iter().filter(|name| name.contains("-linux-gnu"));
    directories.extend(of_architectures.map(|name| root.join("usr/lib").join(name)));
    directories
}

fn add_pkgconfig(directory: &Path, found: &mut Capabilities) {
    for name in names_in(directory) {
        let Some(module) = name.strip_suffix(".pc") else { continue };
        let text = fs::read_to_string(directory.join(&name)).unwrap_or_default();
        let version = text.lines().find_map(|line| line.strip_prefix("Version:")).map(str::trim);
        found.insert(format!("pkgconfig({module})"), version.and_then(comparable));
    }
}

fn add_cmake(directory: &Path, found: &mut Capabilities) {
    for package in names_in(directory) {
        for file in names_in(&directory.join(&package)) {
            let name = file.strip_suffix("Config.cmake").or_else(|| file.strip_suffix("-config.cmake"));
            if let Some(name) = name {
                found.insert(format!("cmake({name})"), None);
            }
        }
    }
}

fn add_python(directory: &Path, found: &mut Capabilities) {
    for entry in names_in(directory) {
        let stem = entry.strip_suffix(".dist-info").or_else(|| entry.strip_suffix(".egg-info"));
        let Some((name, rest)) = stem.and_then(|stem| stem.split_once('-')) else { continue };
        let version = rest.split('-').next().and_then(comparable);
        let normal = name.to_ascii_lowercase().replace(['_', '.'], "-");
        found.insert(format!("python3dist({normal})"), version.clone());
        found.insert(format!("python3-{normal}"), version);
    }
}

fn add_perl(root: &Path, libraries: &[PathBuf], found: &mut Capabilities) {
    let mut directories = vec![root.join("usr/share/perl5")];
    for library in libraries {
        directories.push(library.join("perl-base"));
        for versions in [library.join("perl"), library.join("perl5")] {
            directories.extend(names_in(&versions).into_iter().map(|version| versions.join(version)));
        }
    }
    for directory in directories {
        add_perl_modules(&directory, "", 4, found);
    }
}

fn add_perl_modules(directory: &Path, prefix: &str, depth: usize, found: &mut Capabilities) {
    for name in names_in(directory) {
        if let Some(module) = name.strip_suffix(".pm") {
            found.insert(format!("perl({prefix}{module})"), None);
        } else if depth > 0 && name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            add_perl_modules(&directory.join(&name), &format!("{prefix}{name}::"), depth - 1, found);
        }
    }
}

/// File names of a directory, sorted; empty if it is none.
fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let files = [
            (
                "var/lib/dpkg/status",
                "Package: libfoo-dev\nStatus: install ok installed\nVersion: 1:2.3.4-5+deb12u1\n\n\
                 Package: g++\nStatus: install ok installed\nVersion: 4:12.2.0-3\n\n\
                 Package: gone\nStatus: deinstall ok config-files\nVersion: 1-1\n",
            ),
            ("usr/bin/make", ""),
            ("usr/lib/x86_64-linux-gnu/pkgconfig/foo.pc", "Name: foo\nVersion: 2.3.4\n"),
            ("usr/share/pkgconfig/odd.pc", "Version: ${number}\n"),
            ("usr/lib/x86_64-linux-gnu/cmake/Foo/FooConfig.cmake", ""),
            ("usr/lib/python3/dist-packages/Foo_Bar-1.2.egg-info", ""),
            ("usr/share/perl/5.36/File/Copy.pm", ""),
        ];
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn installed_packages_are_provided_under_both_names_with_upstreams_version() {
        let found = capabilities(host().path()).unwrap();
        let version = Some(Some("2.3.4".to_owned()));
        assert_eq!(found.get("libfoo-dev").cloned(), version);
        assert_eq!(found.get("libfoo-devel").cloned(), version);
        assert_eq!(found.get("foo-devel").cloned(), version);
        assert_eq!(found.get("gcc-c++").cloned(), Some(Some("12.2.0".to_owned())));
        assert!(!found.contains_key("gone"));
    }

    #[test]
    fn files_of_the_host_become_capabilities() {
        let found = capabilities(host().path()).unwrap();
        assert_eq!(found["pkgconfig(foo)"].as_deref(), Some("2.3.4"));
        assert_eq!(found["pkgconfig(odd)"], None);
        assert_eq!(found["python3dist(foo-bar)"].as_deref(), Some("1.2"));
        for name in ["/usr/bin/make", "/bin/make", "cmake(Foo)", "perl(File::Copy)", "rpm-build"] {
            assert!(found.contains_key(name), "{name}");
        }
    }

    #[test]
    fn host_without_debian_packages_still_provides_its_programs() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("usr/bin")).unwrap();
        fs::write(root.path().join("usr/bin/gcc"), "").unwrap();
        assert!(capabilities(root.path()).unwrap().contains_key("/usr/bin/gcc"));
    }
}
