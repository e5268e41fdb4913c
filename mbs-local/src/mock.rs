//! Building with mock: the text of its configuration and its command lines.
//!
//! Decides what mock is told. The chroot, its packages and its isolation are mock's own; ours are the repositories
//! that it installs from. Running it is [`crate::mock_build`]'s.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What a chroot is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MockConfig {
    /// Name of the chroot, unique per module build: the build tag.
    pub root: String,
    /// Architecture to build for, in RPM's words.
    pub arch: String,
    /// Mock's own configuration to start from: the base distribution (`/etc/mock/default.cfg`).
    pub base: PathBuf,
    /// Packages in each chroot beyond the base's own, such as `module-build-macros`.
    pub packages: Vec<String>,
    /// Directories with repositories of the build tag and of those it inherits, the most important first.
    pub repositories: Vec<PathBuf>,
}

impl MockConfig {
    /// Writes the configuration file.
    ///
    /// Repositories come before the base's (`priority`) and show modular packages whatever stream is
    /// enabled (`module_hotfixes`).
    pub fn text(&self) -> String {
        let mut text = format!("include({})\n", quoted(&self.base.to_string_lossy()));
        let packages: Vec<String> = self.packages.iter().map(|package| quoted(package)).collect();
        let options = [
            ("root", quoted(&self.root)),
            ("target_arch", quoted(&self.arch)),
            ("rpmbuild_networking", "False".into()),
            ("use_bootstrap_image", "False".into()),
            ("cleanup_on_success", "True".into()),
            ("cleanup_on_failure", "True".into()),
            ("chroot_additional_packages", quoted(&self.packages.join(" "))),
        ];
        for (name, value) in options {
            let skipped = name == "chroot_additional_packages" && packages.is_empty();
            if !skipped {
                let _infallible = writeln!(text, "config_opts[{}] = {value}", quoted(name));
            }
        }
        text.push_str("config_opts[config_opts['package_manager'] + '.conf'] += \"\"\"\n");
        for (number, path) in self.repositories.iter().enumerate() {
            text.push_str(&repository(number, path));
        }
        text.push_str("\"\"\"\n");
        text
    }
}

/// The arguments that make a source RPM from a spec file and the sources beside it.
pub fn source_rpm_arguments(config: &Path, task: i64, spec: &Path, results: &Path) -> Vec<OsString> {
    let sources = spec.parent().unwrap_or(Path::new("."));
    let mut arguments = common_arguments(config, task, results);
    arguments.push("--buildsrpm".into());
    arguments.extend(["--spec".into(), spec.into(), "--sources".into(), sources.into()]);
    arguments
}

/// The arguments that build a source RPM.
pub fn rebuild_arguments(config: &Path, task: i64, source_rpm: &Path, results: &Path) -> Vec<OsString> {
    let mut arguments = common_arguments(config, task, results);
    arguments.extend(["--rebuild".into(), source_rpm.into()]);
    arguments
}

fn common_arguments(config: &Path, task: i64, results: &Path) -> Vec<OsString> {
    vec![
        "--root".into(),
        config.into(),
        "--uniqueext".into(),
        task.to_string().into(),
        "--resultdir".into(),
        results.into(),
    ]
}

fn repository(number: usize, path: &Path) -> String {
    format!(
        "\n[module-build-{number}]\nname=module-build-{number}\nbaseurl={}\nenabled=1\ngpgcheck=0\npriority={}\n\
         module_hotfixes=1\nmetadata_expire=0\nskip_if_unavailable=0\n",
        file_address(path),
        number + 1,
    )
}

/// A `file:` address in which nothing can end a line, a text or a variable.
fn file_address(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let mut address = String::from("file://");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {
                address.push(char::from(*byte));
            }
            other => {
                let _infallible = write!(address, "%{other:02X}");
            }
        }
    }
    address
}

/// A text as mock's configuration language (Python) writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for c in text.chars() {
        match c {
            '\\' => quoted.push_str("\\\\"),
            '\'' => quoted.push_str("\\'"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> MockConfig {
        MockConfig {
            root: "module-app-1-2-abc-build".into(),
            arch: "x86_64".into(),
            base: "/etc/mock/default.cfg".into(),
            packages: vec!["module-build-macros".into(), "bash".into()],
            repositories: vec!["/state/repos/a:b/12".into(), "/state/repos/base/3".into()],
        }
    }

    #[test]
    fn configuration_starts_from_the_base_and_adds_our_repositories_in_order() {
        let expected = "\
include('/etc/mock/default.cfg')
config_opts['root'] = 'module-app-1-2-abc-build'
config_opts['target_arch'] = 'x86_64'
config_opts['rpmbuild_networking'] = False
config_opts['use_bootstrap_image'] = False
config_opts['cleanup_on_success'] = True
config_opts['cleanup_on_failure'] = True
config_opts['chroot_additional_packages'] = 'module-build-macros bash'
config_opts[config_opts['package_manager'] + '.conf'] += \"\"\"

[module-build-0]
name=module-build-0
baseurl=file:///state/repos/a%3Ab/12
enabled=1
gpgcheck=0
priority=1
module_hotfixes=1
metadata_expire=0
skip_if_unavailable=0

[module-build-1]
name=module-build-1
baseurl=file:///state/repos/base/3
enabled=1
gpgcheck=0
priority=2
module_hotfixes=1
metadata_expire=0
skip_if_unavailable=0
\"\"\"
";
        assert_eq!(config().text(), expected);
    }

    #[test]
    fn text_from_outside_cannot_leave_its_quotes() {
        let mut config = config();
        config.root = "x' + __import__('os').system('id') + '\\\n".into();
        config.repositories = vec!["/a\"\"\"\nimport os\n$x".into()];
        let text = config.text();
        assert!(
            text.contains(r"config_opts['root'] = 'x\' + __import__(\'os\').system(\'id\') + \'\\\n'"),
            "{text}"
        );
        assert!(text.contains("baseurl=file:///a%22%22%22%0Aimport%20os%0A%24x\n"), "{text}");
    }

    #[test]
    fn no_further_packages_leave_the_option_out() {
        let config = MockConfig { packages: Vec::new(), ..config() };
        assert!(!config.text().contains("chroot_additional_packages"));
    }

    #[test]
    fn command_lines_name_configuration_task_and_results() {
        let (config, results) = (Path::new("/t/mock.cfg"), Path::new("/t/results"));
        let source = source_rpm_arguments(config, 7, Path::new("/t/SOURCES/a.spec"), results);
        let common = ["--root", "/t/mock.cfg", "--uniqueext", "7", "--resultdir", "/t/results"];
        let rest = ["--buildsrpm", "--spec", "/t/SOURCES/a.spec", "--sources", "/t/SOURCES"];
        assert_eq!(source, [&common[..], &rest[..]].concat());
        let rebuild = rebuild_arguments(config, 7, Path::new("/t/a.src.rpm"), results);
        assert_eq!(rebuild, [&common[..], &["--rebuild", "/t/a.src.rpm"]].concat());
    }
}
