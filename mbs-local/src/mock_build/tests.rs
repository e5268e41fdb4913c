use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::supervise::wait_until_over;

/// A directory with a task, and a program named mock that runs this script; `$results` is where it puts files.
struct Room {
    directory: tempfile::TempDir,
    mock: Mock,
}

impl Room {
    /// `None` if this machine cannot run mock and the tests need not insist.
    fn new(script: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let bin = directory.path().join("bin");
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir_all(directory.path().join("task")).unwrap();
        fs::create_dir_all(directory.path().join("git")).unwrap();
        fs::write(directory.path().join("git/a.spec"), "Name: a\n").unwrap();
        let find_results = "while [ \"$1\" != --resultdir ]; do shift; done; results=$2; shift 2\n";
        fs::write(bin.join("mock"), format!("#!/bin/sh\n{find_results}{script}\n")).unwrap();
        fs::set_permissions(bin.join("mock"), fs::Permissions::from_mode(0o755)).unwrap();
        let usual = crate::programs::SEARCH_PATH.split(':').map(PathBuf::from);
        let programs = Programs::in_directories([bin].into_iter().chain(usual));
        match Mock::new(&programs, "/etc/mock/default.cfg".into()) {
            Ok(mock) => Some(Self { directory, mock }),
            Err(error) => crate::testing::left_out(&error.to_string()),
        }
    }

    fn task(&self) -> PathBuf {
        self.directory.path().join("task")
    }

    async fn build(&self, limit: Duration) -> Result<Outcome, LocalError> {
        let (directory, source) = (self.task(), Source::Directory(self.directory.path().join("git")));
        let config = self.mock.config("app-build", "x86_64", &[], vec!["/repos/1".into()]);
        let job = MockJob { task: 7, directory: &directory, limit, package: "a", source: &source };
        self.mock.build(&job, &config).await
    }

    fn rpm(&self, name: &str) -> PathBuf {
        let mut builder = rpm::PackageBuilder::new(name, "1", "MIT", "noarch", "A test");
        let path = self.directory.path().join(format!("{name}.rpm"));
        builder.build().unwrap().write_file(&path).unwrap();
        path
    }
}

const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn results_and_logs_of_mock_are_kept() {
    let script = "base=$(dirname \"$0\")/..; echo \"$1\" >>\"$results/build.log\"\n\
                  case $1 in --buildsrpm) cp $base/a.rpm $results/a-1.src.rpm;; --rebuild) cp $base/b.rpm $results/;; esac";
    let Some(room) = Room::new(script) else { return };
    room.rpm("a");
    room.rpm("b");
    let Outcome::Built(rpms) = room.build(LIMIT).await.unwrap() else { panic!("it failed") };
    let names: Vec<String> = rpms.iter().map(|(_, header)| header.nevra.name.clone()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(fs::read_to_string(room.task().join("build.log")).unwrap(), "--rebuild\n");
    assert!(fs::read_to_string(room.task().join("mock.cfg")).unwrap().contains("baseurl=file:///repos/1"));
}

#[tokio::test]
async fn link_among_the_results_of_mock_is_the_packages_fault() {
    let script = "base=$(dirname \"$0\")/..; ln -s $base/b.rpm $results/evil.rpm; ln -s $base/b.rpm $results/build.log\n\
                  [ $1 != --buildsrpm ] || cp $base/a.rpm $results/a-1.src.rpm";
    let Some(room) = Room::new(script) else { return };
    room.rpm("a");
    room.rpm("b");
    let outcome = room.build(LIMIT).await.unwrap();
    assert_eq!(outcome, Outcome::Failed("the build left evil.rpm that is no regular file".into()));
    assert!(!room.task().join("build.log").is_symlink());
}

#[tokio::test]
async fn mock_has_a_session_of_its_own_and_no_terminal() {
    let script = "read -r _ _ _ _ _ session terminal _ </proc/self/stat\n\
                  [ $session = 0 ] && echo 'the session of the user' >&2 || echo \"own $terminal\" >&2; exit 50";
    let Some(room) = Room::new(script) else { return };
    room.build(LIMIT).await.unwrap_err();
    assert_eq!(fs::read_to_string(room.task().join("mock.log")).unwrap(), "own 0\n");
}

#[tokio::test]
async fn package_that_lacks_a_dependency_is_at_fault() {
    let script = "echo \"DEBUG util.py:444:  No matching package to install: 'liba-devel >= 2'\" >$results/root.log; exit 30";
    let Some(room) = Room::new(script) else { return };
    let outcome = room.build(LIMIT).await.unwrap();
    assert_eq!(outcome, Outcome::Failed("missing build dependencies: liba-devel >= 2".into()));
}

#[tokio::test]
async fn mock_that_fails_before_the_package_had_its_turn_is_trouble_of_the_machine() {
    let Some(room) = Room::new("echo 'ERROR: cannot reach the mirror' >&2; exit 50") else { return };
    let error = room.build(LIMIT).await.unwrap_err();
    assert!(matches!(&error, LocalError::Program { said, .. } if said.contains("mirror")), "{error}");
    assert!(error.is_transient());
}

#[tokio::test]
async fn time_limit_kills_mock_and_what_it_left_behind() {
    let Some(room) = Room::new("setsid sleep 1000 & sleep 1000") else { return };
    let error = room.build(Duration::from_millis(500)).await.unwrap_err();
    assert!(matches!(error, LocalError::TimedOut { .. }), "{error}");
    wait_until_over(&room.task().join("lock")).await.unwrap();
}
