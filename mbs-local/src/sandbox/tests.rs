use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command as StdCommand;

use super::*;
use crate::supervise::{is_over, wait_until_over};

/// Set in the process that is to be killed: the directory of its build.
const DOOMED: &str = "MBS_TEST_DOOMED_DIRECTORY";

const LIMIT: Duration = Duration::from_secs(60);

struct Room {
    directory: tempfile::TempDir,
    sandbox: Sandbox,
}

impl Room {
    /// `None` if this machine has no namespaces and the tests need not insist.
    async fn new() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("build")).unwrap();
        let sandbox = crate::testing::sandbox(directory.path()).await?;
        Some(Self { directory, sandbox })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    async fn run_over(&self, layer: Option<&Path>, script: &str) -> Result<Ended, LocalError> {
        let (build, log, lock) = (self.path("build"), self.path("log"), self.path("lock"));
        let inside = Inside { layer, directory: &build, log: &log, lock: &lock, limit: LIMIT };
        self.sandbox.run(&inside, ["sh", "-c", script]).await
    }

    async fn run(&self, script: &str) -> Result<Ended, LocalError> {
        self.run_over(None, script).await
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }
}

#[tokio::test]
async fn layer_lies_over_the_host_and_what_is_written_there_is_thrown_away() {
    let Some(room) = Room::new().await else { return };
    let layer = room.path("layer");
    fs::create_dir_all(layer.join("etc/rpm")).unwrap();
    fs::write(layer.join("etc/rpm/macros.zz-modules"), "from the layer\n").unwrap();
    let script = "cat /etc/rpm/macros.zz-modules; echo changed >/etc/rpm/macros.zz-modules; touch /usr/new; test -d /usr/bin";
    assert!(room.run_over(Some(&layer), script).await.unwrap() == Ended::Well, "{}", room.log());
    assert_eq!(room.log(), "from the layer\n");
    assert_eq!(fs::read_to_string(layer.join("etc/rpm/macros.zz-modules")).unwrap(), "from the layer\n");
    assert!(!Path::new("/usr/new").exists());
}

#[tokio::test]
async fn own_directory_is_the_home_and_outlives_the_command() {
    let Some(room) = Room::new().await else { return };
    assert!(room.run("pwd >\"$HOME/where\"").await.unwrap() == Ended::Well, "{}", room.log());
    assert_eq!(fs::read_to_string(room.path("build/where")).unwrap(), "/builddir\n");
}

#[tokio::test]
async fn only_harmless_devices_and_no_network_are_inside() {
    let Some(room) = Room::new().await else { return };
    room.run("ls /dev; ls /sys/class/net; ls -d /home/*").await.unwrap();
    let mut words: Vec<String> = room.log().split_whitespace().map(str::to_owned).collect();
    words.retain(|word| {
        !["ls:", "cannot", "access", "'/home/*':", "No", "such", "file", "or", "directory"].contains(&&**word)
    });
    let devices = [
        "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "urandom", "zero",
    ];
    assert_eq!(words[..devices.len()], devices);
    assert_eq!(words[devices.len()..], ["lo"]);
}

#[tokio::test]
async fn exit_code_of_the_command_is_never_taken_for_one_of_the_programs_around_it() {
    let Some(room) = Room::new().await else { return };
    for code in ["1", "7", "119", "120", "121"] {
        assert_eq!(room.run(&format!("exit {code}")).await.unwrap(), Ended::Badly);
    }
    assert_eq!(room.run("kill -KILL $$").await.unwrap(), Ended::Badly);
}

#[tokio::test]
async fn failure_of_the_programs_around_a_command_is_no_failure_of_the_command() {
    let Some(mut room) = Room::new().await else { return };
    let stub = room.path("stub");
    room.sandbox.unshare.clone_from(&stub);
    for script in ["echo unshare failed >&2; exit 1", "kill -KILL $$"] {
        fs::write(&stub, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
        let error = room.run("true").await.unwrap_err();
        assert!(error.to_string().contains("unshare failed"), "{error}");
    }
}

#[tokio::test]
async fn namespace_that_cannot_be_prepared_says_what_was_refused() {
    let Some(room) = Room::new().await else { return };
    let error = room.run_over(Some(&room.path("missing layer")), "true").await.unwrap_err();
    assert!(
        matches!(&error, LocalError::NoSandbox { reason } if reason.contains("missing layer")),
        "{error}"
    );
}

#[tokio::test]
async fn paths_with_colons_commas_and_spaces_are_no_trouble() {
    let Some(room) = Room::new().await else { return };
    let (layer, build) = (room.path("a:b, c/layer"), room.path("a:b, c/build"));
    fs::create_dir_all(layer.join("usr/odd")).unwrap();
    fs::create_dir_all(&build).unwrap();
    let (log, lock) = (room.path("log"), room.path("lock"));
    let inside = Inside { layer: Some(&layer), directory: &build, log: &log, lock: &lock, limit: LIMIT };
    let status = room.sandbox.run(&inside, ["test", "-d", "/usr/odd"]).await.unwrap();
    assert_eq!(status, Ended::Well, "{}", room.log());
}

#[tokio::test]
async fn process_left_behind_by_the_command_dies_with_it() {
    let Some(room) = Room::new().await else { return };
    assert!(room.run("setsid sleep 1000 & exit 0").await.unwrap() == Ended::Well);
    wait_until_over(&room.path("lock")).await.unwrap();
}

#[tokio::test]
async fn time_limit_kills_everything() {
    let Some(room) = Room::new().await else { return };
    let (build, log, lock) = (room.path("build"), room.path("log"), room.path("lock"));
    let limit = Duration::from_millis(500);
    let inside = Inside { layer: None, directory: &build, log: &log, lock: &lock, limit };
    let error = room.sandbox.run(&inside, ["sh", "-c", "setsid sleep 1000 & sleep 1000"]).await.unwrap_err();
    assert!(matches!(error, LocalError::TimedOut { .. }), "{error}");
    wait_until_over(&lock).await.unwrap();
}

#[tokio::test]
async fn dropping_the_run_kills_everything() {
    let Some(room) = Room::new().await else { return };
    let lock = room.path("lock");
    let started = room.path("build/started");
    std::process::Command::new("mkfifo").arg(&started).status().unwrap();
    {
        let run = room.run("echo >started; setsid sleep 1000 & sleep 1000");
        let seen = tokio::task::spawn_blocking(move || fs::read_to_string(started));
        tokio::select! {
            ended = run => panic!("{ended:?}"),
            seen = seen => assert_eq!(seen.unwrap().unwrap(), "\n"),
        }
    }
    wait_until_over(&lock).await.unwrap();
}

#[tokio::test]
async fn second_command_does_not_start_while_the_first_holds_the_lock() {
    let Some(room) = Room::new().await else { return };
    let held = File::create(room.path("lock")).unwrap();
    held.lock().unwrap();
    assert!(!is_over(&room.path("lock")).unwrap());
    let error = room.run("true").await.unwrap_err();
    assert!(matches!(error, LocalError::Unusable(_)), "{error}");
}

/// Not a test of its own: the program that [`build_dies_with_the_program_that_started_it`] kills.
#[tokio::test]
async fn doomed_program_builds_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DOOMED).map(PathBuf::from) else { return };
    let sandbox = crate::testing::sandbox(&directory).await.unwrap();
    let (build, log, lock) = (directory.join("build"), directory.join("log"), directory.join("lock"));
    let inside = Inside { layer: None, directory: &build, log: &log, lock: &lock, limit: LIMIT };
    let script = "echo >started; (setsid sleep \"$0\" & exec sleep \"$0\") & exec sleep \"$0\"";
    let ended = sandbox.run(&inside, ["sh", "-c", script, &unique_time(&directory)]).await;
    panic!("the build ended before it was killed: {ended:?}");
}

#[tokio::test]
async fn build_dies_with_the_program_that_started_it() {
    let Some(room) = Room::new().await else { return };
    let started = room.path("build/started");
    StdCommand::new("mkfifo").arg(&started).status().unwrap();
    let mut doomed = StdCommand::new(std::env::current_exe().unwrap())
        .args(["--exact", "sandbox::tests::doomed_program_builds_until_it_is_killed", "--nocapture"])
        .env(DOOMED, room.directory.path())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(File::open(&started).unwrap()).read_line(&mut line).unwrap();
    assert!(!is_over(&room.path("lock")).unwrap(), "{}", room.log());
    doomed.kill().unwrap();
    doomed.wait().unwrap();
    wait_until_over(&room.path("lock")).await.unwrap();
    assert_eq!(processes_with_argument(&unique_time(room.directory.path())), Vec::<PathBuf>::new());
}

/// A time that no other run of these tests sleeps, for the directory's name is unique.
fn unique_time(directory: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    directory.hash(&mut hasher);
    format!("1000.{}", hasher.finish())
}

/// Begins the script with a set-up that goes on after what it waited for was killed.
const HELD_OPEN: &str = "#!/bin/sh
hold='chmod() { unset -f chmod; sleep 1000 & echo >\"$directory/started\"; wait $! || :; chmod \"$@\"; }'
shift
script=$1
shift
exec /bin/sh -c \"$hold
$script\" \"$@\"
";

#[tokio::test]
async fn program_that_dies_during_the_set_up_leaves_nothing_behind() {
    let Some(mut room) = Room::new().await else { return };
    let (build, lock, sh) = (room.path("build"), room.path("lock"), room.path("sh"));
    let started = build.join("started");
    StdCommand::new("mkfifo").arg(&started).status().unwrap();
    fs::write(&sh, HELD_OPEN).unwrap();
    fs::set_permissions(&sh, fs::Permissions::from_mode(0o755)).unwrap();
    room.sandbox.sh = sh;
    let mut outer = room.sandbox.outer_command(&lock);
    outer.arg(&build).args(["", room.sandbox.overlay_options(), "sh", "-c", "touch begun; sleep 1000"]);
    let mut child = outer.stdin(std::process::Stdio::piped()).spawn().unwrap();
    let seen = tokio::task::spawn_blocking(move || fs::read_to_string(started));
    assert_eq!(seen.await.unwrap().unwrap(), "\n");
    drop(child.stdin.take());
    let ended = tokio::time::timeout(Duration::from_secs(30), child.wait()).await;
    assert!(!ended.expect("the build is started although nobody waits for it").unwrap().success());
    wait_until_over(&lock).await.unwrap();
}

fn processes_with_argument(argument: &str) -> Vec<PathBuf> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok).map(|entry| entry.path());
    let has_it = |path: &PathBuf| {
        let command = fs::read(path.join("cmdline")).unwrap_or_default();
        command.split(|byte| *byte == 0).any(|word| word == argument.as_bytes())
    };
    processes.filter(has_it).collect()
}

#[tokio::test]
async fn root_inside_may_neither_set_the_kernel_nor_mount_nor_make_devices() {
    let Some(room) = Room::new().await else { return };
    let attempts = "p=$(cat /proc/sys/kernel/core_pattern)
        (echo \"$p\" >/proc/sys/kernel/core_pattern) && echo SET
        [ ! -e /proc/sysrq-trigger ] || (: >>/proc/sysrq-trigger) && [ -w /proc/sysrq-trigger ] && echo TRIGGERED
        mknod /builddir/disk b 8 0 && echo MADE
        mount -t tmpfs tmpfs /mnt && echo MOUNTED
        mount -o remount,bind,rw /proc/sys && echo REMOUNTED
        unshare --user --map-root-user --mount mount -o remount,bind,rw /proc/sys && echo REMOUNTED
        grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs)' /proc/self/status
        touch /builddir/mine && chown 0:0 /builddir/mine && echo owned";
    room.run(attempts).await.unwrap();
    let log = room.log();
    for word in ["SET", "TRIGGERED", "MADE", "MOUNTED", "REMOUNTED"] {
        assert!(!log.lines().any(|line| line == word), "{log}");
    }
    for line in ["CapPrm:\t00000000000400fb", "CapEff:\t00000000000400fb", "NoNewPrivs:\t1", "owned"] {
        assert!(log.lines().any(|other| other == line), "{line}: {log}");
    }
}

#[tokio::test]
async fn no_program_of_the_layer_runs_with_the_rights_of_the_script() {
    let Some(room) = Room::new().await else { return };
    let layer = room.path("layer");
    for directory in ["usr/bin", "usr/sbin"] {
        fs::create_dir_all(layer.join(directory)).unwrap();
        for name in ["umount", "rmdir", "ip", "setsid", "setpriv", "chroot"] {
            let path = layer.join(directory).join(name);
            fs::write(&path, "#!/bin/sh\necho ours >&2\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    assert!(
        room.run_over(Some(&layer), "umount; ls -A /home").await.unwrap() == Ended::Well,
        "{}",
        room.log()
    );
    assert_eq!(room.log(), "ours\n");
}

#[tokio::test]
async fn link_left_by_an_earlier_command_is_not_followed() {
    let Some(room) = Room::new().await else { return };
    let victim = room.path("victim");
    fs::create_dir_all(&victim).unwrap();
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o700)).unwrap();
    let script = format!("rmdir tmp; ln -s {0} tmp; rm -rf namespace; ln -s {0} namespace", victim.display());
    assert!(room.run(&script).await.unwrap() == Ended::Well, "{}", room.log());
    assert!(room.run("touch /tmp/written").await.unwrap() == Ended::Well, "{}", room.log());
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 0);
    assert_eq!(fs::metadata(&victim).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn layer_may_lie_below_the_directory_that_it_is_laid_over() {
    let Some(mut room) = Room::new().await else { return };
    let (sh, log, lock) = (room.path("sh"), room.path("log"), room.path("lock"));
    for top in ["opt", "var"] {
        fs::create_dir_all(room.path("layer").join(top).join("ours")).unwrap();
        fs::write(&sh, format!("#!/bin/sh\nmount --bind \"${{0%/*}}\" /{top}\nexec /bin/sh \"$@\"\n"))
            .unwrap();
        fs::set_permissions(&sh, fs::Permissions::from_mode(0o755)).unwrap();
        room.sandbox.sh.clone_from(&sh);
        let [layer, build] = ["layer", "build"].map(|name| Path::new("/").join(top).join(name));
        let inside = Inside { layer: Some(&layer), directory: &build, log: &log, lock: &lock, limit: LIMIT };
        let status = room.sandbox.run(&inside, ["test", "-d", &format!("/{top}/ours")]).await.unwrap();
        assert_eq!(status, Ended::Well, "{}", room.log());
    }
}

#[tokio::test]
async fn what_others_may_not_read_on_the_host_is_not_there() {
    let Some(room) = Room::new().await else { return };
    let layer = room.path("layer");
    fs::create_dir_all(layer.join("etc")).unwrap();
    fs::write(layer.join("etc/gshadow"), "ours").unwrap();
    // With the right to change the root directory, what the programs of the script see is in reach.
    let script = "cat /etc/gshadow; exec 2>/dev/null; cat /etc/passwd >/dev/null && echo passwd
        cat /etc/shadow && echo SHADOW; ls /etc/ssl/private && echo KEYS; cat /etc/ssh/ssh_host_*_key && echo KEYS
        ls -A /srv /var/log /var/cache/apt; [ -d /var/lib ] && [ -w /var/tmp ] && echo var
        perl -e 'mkdir \"/builddir/r\"; chroot \"/builddir/r\"; chdir \"..\" for 1..9; chroot \".\"; exec \"cat\", \"/etc/shadow\"' && echo SHADOW
        find /etc -type f ! -perm -004 ! -name gshadow -exec cat {} +";
    room.run_over(Some(&layer), script).await.unwrap();
    let log = room.log();
    let lines: Vec<&str> = log.lines().filter(|line| !line.is_empty() && !line.ends_with(':')).collect();
    assert_eq!(lines, ["ourspasswd", "var"], "{log}");
}

#[tokio::test]
async fn command_has_a_session_of_its_own_and_no_terminal() {
    let Some(room) = Room::new().await else { return };
    let script = "read -r _ _ _ _ group session terminal _ </proc/self/stat; \
                  [ $session != 0 ] && [ $session = $group ] && echo \"own $terminal\"";
    assert!(room.run(script).await.unwrap() == Ended::Well, "{}", room.log());
    assert_eq!(room.log(), "own 0\n");
}

/// Stands in for a system like Fedora's Atomic ones: prepares such a root directory, then goes on there.
const LINKED_ROOT: &str = "#!/bin/sh
set -eu
new=$(dirname \"$0\")/root
mkdir -p \"$new\"
mount -t tmpfs tmpfs \"$new\"
for entry in /*; do [ ! -L \"$entry\" ] || cp -P \"$entry\" \"$new/\"; done
for entry in usr etc var proc dev tmp; do mkdir \"$new/$entry\"; mount --rbind \"/$entry\" \"$new/$entry\"; done
for entry in opt srv home root mnt; do ln -s usr/share \"$new/$entry\"; done
exec chroot \"$new\" /bin/sh \"$@\"
";

#[tokio::test]
async fn top_directories_of_the_host_may_be_links() {
    let Some(mut room) = Room::new().await else { return };
    let (layer, sh) = (room.path("layer"), room.path("sh"));
    fs::create_dir_all(layer.join("opt/ours")).unwrap();
    fs::write(&sh, LINKED_ROOT).unwrap();
    fs::set_permissions(&sh, fs::Permissions::from_mode(0o755)).unwrap();
    room.sandbox.sh = sh;
    let script = "for d in opt srv home root mnt; do [ ! -L /$d ] || exit 1; done; test -d /opt/ours && test -d /opt/doc && [ -z \"$(ls /home /srv | grep -v :)\" ]";
    assert!(room.run_over(Some(&layer), script).await.unwrap() == Ended::Well, "{}", room.log());
}
