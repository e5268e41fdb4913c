use std::sync::Arc;
use std::time::Instant;

use mbs_core::macros::MacrosPackage;

use super::*;
use crate::buildroot::Buildroots;
use crate::programs::Program;

struct Room {
    directory: tempfile::TempDir,
    sandbox: Sandbox,
    buildroots: Buildroots,
}

impl Room {
    async fn new() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let sandbox = crate::testing::sandbox(directory.path()).await?;
        let programs = crate::testing::programs(&Program::FOR_RPMBUILD)?;
        let layers = directory.path().join("layers");
        let buildroots = Buildroots::new(layers, sandbox.clone(), programs).await.unwrap();
        Some(Self { directory, sandbox, buildroots })
    }

    async fn layer(&self, rpms: &[(PathBuf, RpmHeader)]) -> Arc<Layer> {
        let rpms =
            rpms.iter().filter(|(_, header)| !header.is_source()).map(|(path, _)| path.clone()).collect();
        self.buildroots.layer(&[rpms]).await.unwrap()
    }

    /// A directory with these files, as a checkout would be.
    fn checkout(&self, name: &str, files: &[(&str, &str)]) -> Source {
        let directory = self.directory.path().join("git").join(name);
        fs::create_dir_all(&directory).unwrap();
        for (file, text) in files {
            fs::write(directory.join(file), text).unwrap();
        }
        Source::Directory(directory)
    }

    async fn build(&self, layer: &Layer, package: &str, source: &Source) -> Outcome {
        let directory = self.directory.path().join("tasks").join(package);
        fs::create_dir_all(&directory).unwrap();
        let place = Place { directory: &directory, layer, limit: Duration::from_secs(120) };
        build(&self.sandbox, &place, package, source).await.unwrap()
    }

    async fn built(&self, layer: &Layer, package: &str, source: &Source) -> Vec<(PathBuf, RpmHeader)> {
        match self.build(layer, package, source).await {
            Outcome::Built(rpms) => rpms,
            Outcome::Failed(reason) => panic!("{reason}\n{}", self.log(package)),
        }
    }

    async fn failure(&self, layer: &Layer, package: &str, source: &Source) -> String {
        match self.build(layer, package, source).await {
            Outcome::Built(rpms) => panic!("{rpms:?}"),
            Outcome::Failed(reason) => reason,
        }
    }

    fn log(&self, package: &str) -> String {
        let directory = self.directory.path().join("tasks").join(package);
        ["root.log", "build.log"]
            .map(|name| fs::read_to_string(directory.join(name)).unwrap_or_default())
            .concat()
    }
}

fn nevras(rpms: &[(PathBuf, RpmHeader)]) -> Vec<String> {
    rpms.iter().map(|(_, header)| header.nevra.to_string()).collect()
}

const MACROS_SPEC: &str = "\
%global dist .module_f34+1+abc
Name: module-build-macros
Version: 0.1
Release: 1%{dist}
Summary: Macros
License: MIT
Source1: macros.zz-modules
BuildArch: noarch
%description
%install
mkdir -p %{buildroot}/etc/rpm
install -p -m 644 %{SOURCE1} %{buildroot}/etc/rpm/macros.zz-modules
%files
/etc/rpm/macros.zz-modules
";

fn macros() -> Source {
    let macros = "%dist .module_f34+1+abc\n%modularitylabel app:1:1:abc\n".into();
    Source::Macros(MacrosPackage { spec: MACROS_SPEC.into(), macros })
}

const LIBA_SPEC: &str = "\
Name: liba
Version: 1.10
Release: 1%{?dist}
Summary: A library
License: MIT
Source0: liba.c
BuildRequires: gcc
%description
%package devel
Summary: Header
Requires: liba = %{version}-%{release}
%description devel
%build
gcc -shared -fPIC -Wl,-soname,liba.so.1 -o liba.so.1 %{SOURCE0}
%install
mkdir -p %{buildroot}%{_libdir} %{buildroot}/usr/include %{buildroot}%{_rpmmacrodir}
install -m 755 liba.so.1 %{buildroot}%{_libdir}/
ln -s liba.so.1 %{buildroot}%{_libdir}/liba.so
echo 'int liba(void);' >%{buildroot}/usr/include/liba.h
echo '%%liba_says hello' >%{buildroot}%{_rpmmacrodir}/macros.liba
%files
%{_libdir}/liba.so.1
%files devel
%{_libdir}/liba.so
/usr/include/liba.h
%{_rpmmacrodir}/macros.liba
";

const PROG_SPEC: &str = "\
Name: prog
Version: 1
Release: %{liba_says}.1%{?dist}
Summary: A program
License: GPL-2.0-or-later
BuildRequires: liba-devel >= 1.9 gcc make /usr/bin/gcc
%description
%build
echo '#include <liba.h>' >prog.c
echo 'int main(void) { return liba() - 42; }' >>prog.c
gcc -o prog prog.c -la
./prog
%install
install -D prog %{buildroot}/usr/bin/prog
%files
/usr/bin/prog
";

fn liba(room: &Room) -> Source {
    room.checkout("liba", &[("liba.spec", LIBA_SPEC), ("liba.c", "int liba(void) { return 42; }\n")])
}

#[tokio::test]
async fn later_component_is_built_against_earlier_ones_with_their_macros() {
    let Some(room) = Room::new().await else { return };
    let empty = room.layer(&[]).await;
    let mut tag = room.built(&empty, "module-build-macros", &macros()).await;
    assert_eq!(nevras(&tag)[1], "module-build-macros-0:0.1-1.module_f34+1+abc.noarch");
    let batch_1 = room.layer(&tag).await;
    tag.extend(room.built(&batch_1, "liba", &liba(&room)).await);
    assert!(nevras(&tag).contains(&"liba-0:1.10-1.module_f34+1+abc.src".to_owned()), "{:?}", nevras(&tag));
    let batch_2 = room.layer(&tag).await;
    let prog = room.built(&batch_2, "prog", &room.checkout("prog", &[("prog.spec", PROG_SPEC)])).await;
    let (_, program) = &prog[1];
    assert_eq!(program.nevra.release, "hello.1.module_f34+1+abc");
    assert_eq!(program.modularity_label.as_deref(), Some("app:1:1:abc"));
    assert!(program.requires.contains(&"liba.so.1()(64bit)".to_owned()), "{:?}", program.requires);
    assert_eq!(program.build_nvr().unwrap().to_string(), "prog-1-hello.1.module_f34+1+abc");
    assert!(room.log("prog").contains("liba-devel-0:1.10-1.module_f34+1+abc"), "{}", room.log("prog"));
}

#[tokio::test]
async fn build_dependency_that_nobody_built_is_named() {
    let Some(room) = Room::new().await else { return };
    let layer = room.layer(&[]).await;
    let spec = PROG_SPEC.replace("%{liba_says}.", "");
    let reason = room.failure(&layer, "prog", &room.checkout("prog", &[("prog.spec", &spec)])).await;
    assert_eq!(reason, "missing build dependencies: liba-devel >= 1.9");
}

#[tokio::test]
async fn given_source_rpm_is_made_anew_with_our_dist_tag() {
    let Some(room) = Room::new().await else { return };
    let empty = room.layer(&[]).await;
    let given = room.built(&empty, "liba", &liba(&room)).await.remove(0);
    assert_eq!(given.1.nevra.to_string(), "liba-0:1.10-1.src");
    let kept = room.directory.path().join("kept.src.rpm");
    fs::copy(&given.0, &kept).unwrap();
    let macros = room.built(&empty, "module-build-macros", &macros()).await;
    let again = room.built(&*room.layer(&macros).await, "liba", &Source::SourceRpm(kept)).await;
    assert_eq!(nevras(&again)[0], "liba-0:1.10-1.module_f34+1+abc.src");
}

#[tokio::test]
async fn broken_phase_is_named_with_what_the_compiler_said() {
    let Some(room) = Room::new().await else { return };
    let layer = room.layer(&[]).await;
    let source =
        room.checkout("liba", &[("liba.spec", LIBA_SPEC), ("liba.c", "int liba(void) { return 42 }\n")]);
    let reason = room.failure(&layer, "liba", &source).await;
    assert!(reason.starts_with("%build failed: ") && reason.contains("error: expected ';'"), "{reason}");
}

#[tokio::test]
async fn source_that_is_not_in_the_repository_is_named() {
    let Some(room) = Room::new().await else { return };
    let layer = room.layer(&[]).await;
    let reason = room.failure(&layer, "liba", &room.checkout("liba", &[("liba.spec", LIBA_SPEC)])).await;
    assert!(reason.contains("source file liba.c is not beside the spec file"), "{reason}");
}

#[tokio::test]
async fn spec_file_that_cannot_be_parsed_is_the_packages_fault() {
    let Some(room) = Room::new().await else { return };
    let layer = room.layer(&[]).await;
    let reason = room.failure(&layer, "x", &room.checkout("x", &[("x.spec", "Name: x\n")])).await;
    assert!(reason.starts_with("no source RPM can be made: "), "{reason}");
}

#[tokio::test]
async fn trivial_package_builds_and_says_how_long_that_took() {
    let Some(room) = Room::new().await else { return };
    let layer = room.layer(&[]).await;
    let began = Instant::now();
    room.built(&layer, "module-build-macros", &macros()).await;
    println!("a trivial package took {:?}", began.elapsed());
}

#[tokio::test]
async fn package_that_fills_only_a_device_is_at_fault() {
    let Some(room) = Room::new().await else { return };
    let layer = room.layer(&[]).await;
    let spec = MACROS_SPEC.replace("%files\n", "%check\n/bin/echo x >/dev/full\n%files\n");
    let source = room.checkout("full", &[("full.spec", &spec), ("macros.zz-modules", "%x y\n")]);
    let reason = room.failure(&layer, "full", &source).await;
    assert!(reason.contains("No space left on device"), "{reason}");
}

/// Set in the process that has a small disk: where that is mounted.
const SMALL_DISK: &str = "MBS_TEST_SMALL_DISK";

/// Not a test of its own: what [`full_disk_is_not_the_packages_fault`] runs in a namespace.
#[test]
fn small_disk_is_told_from_the_packages_fault() {
    let Some(home) = std::env::var_os(SMALL_DISK).map(PathBuf::from) else { return };
    let full = packages_fault("%install failed".into(), &home);
    assert!(matches!(full, Err(LocalError::DiskFull { .. })), "{full:?}");
}

#[tokio::test]
async fn full_disk_is_not_the_packages_fault() {
    let Some(room) = Room::new().await else { return };
    let home = room.directory.path();
    let mut unshare = std::process::Command::new("unshare");
    if room.sandbox.privilege() == crate::sandbox::Privilege::UserNamespace {
        unshare.args(["--user", "--map-root-user"]);
    }
    let script = "mount -t tmpfs -o size=1m tmpfs \"$0\" && exec \"$@\"";
    unshare.args(["--mount", "sh", "-c", script]).arg(home).arg(std::env::current_exe().unwrap());
    unshare.args(["--exact", "rpmbuild::tests::small_disk_is_told_from_the_packages_fault"]);
    let ended = unshare.env(SMALL_DISK, home).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    assert_eq!(packages_fault("%check failed".into(), home).unwrap(), "%check failed");
}

const REPLACING_SPEC: &str = "\
Name: evil
Version: 1
Release: 1
Summary: Replaces what is collected
License: MIT
BuildArch: noarch
%description
%files
%clean
";

#[tokio::test]
async fn host_never_follows_a_link_to_where_the_rpms_should_be() {
    let Some(room) = Room::new().await else { return };
    let layer = room.layer(&[]).await;
    let victim = room.directory.path().join("victim");
    fs::create_dir_all(&victim).unwrap();
    let precious = room.built(&layer, "module-build-macros", &macros()).await.remove(1).0;
    fs::copy(precious, victim.join("precious.src.rpm")).unwrap();
    for (place, script) in [
        ("rpmbuild/RPMS", "cd /builddir/rpmbuild; rm -r RPMS; ln -s VICTIM RPMS"),
        ("rpmbuild/SRPMS", "cd /builddir/rpmbuild; rm -r SRPMS; ln -s VICTIM SRPMS"),
        ("rpmbuild", "cd /builddir; mv rpmbuild other; ln -s other rpmbuild"),
        ("a.rpm", "ln -s VICTIM/precious.src.rpm /builddir/rpmbuild/RPMS/a.rpm"),
    ] {
        let spec = format!("{REPLACING_SPEC}{}\n", script.replace("VICTIM", victim.to_str().unwrap()));
        let reason = room.failure(&layer, "evil", &room.checkout("evil", &[("evil.spec", &spec)])).await;
        assert!(reason.starts_with(&format!("the build left {place} that is no ")), "{reason}");
        assert!(victim.join("precious.src.rpm").is_file(), "{place}");
    }
}
