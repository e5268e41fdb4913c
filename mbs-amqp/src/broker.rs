//! A throw-away RabbitMQ for tests, from the distribution's programs: on free ports of this machine, in a folder of its own, as
//! another user where root starts it. It ends with the process that started it, however that ends, and leaves nothing.
//!
//! Users are `guest`, with that password, and `mbs`, who logs in with the certificate `client.pem`; both may do everything.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use mbs_http::Secret;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa,
    KeyPair,
};

use crate::{Identity, Settings};

/// Where distributions keep the programs: of Debian, and of Fedora below a folder with the version.
const PLACES: [&str; 2] = ["/usr/lib/rabbitmq/bin", "/usr/lib/rabbitmq/lib"];

/// How long a broker may take to come up.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many brokers this process has started.
static STARTED: AtomicU64 = AtomicU64::new(0);

/// Runs the broker until its own input ends, which it does with the process that holds the other end; then it goes with all
/// it made. `stop` keeps what it made.
const KEEPER: &str = r#"
"$1/rabbitmq-server" </dev/null >>"$2/log" 2>&1 &
server=$!
read -r order
if [ "$order" = stop ]; then kill "$server"; else kill -9 "$server"; fi
wait "$server"
[ "$order" = stop ] || { epmd -kill >/dev/null 2>&1; rm -rf "$2"; }
"#;

/// Users, and what they may.
const DEFINITIONS: &str = r#"{
  "vhosts": [{"name": "/"}],
  "users": [
    {"name": "guest", "password_hash": "bWJzITzgmXDOxxk43SGqFvm1xMTY9M95sNThBJjJY9HtpSTJ", "tags": "administrator"},
    {"name": "mbs", "password_hash": "", "tags": ""}
  ],
  "permissions": [
    {"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
    {"user": "mbs", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
  ]
}
"#;

/// What keeps a broker from starting.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// RabbitMQ is not installed.
    #[error("no RabbitMQ is installed: there is nothing in {}", PLACES.join(", "))]
    Missing,
    /// A program could not be run, or a file not be written.
    #[error("{what}: {source}")]
    Machine {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// Certificates could not be made.
    #[error("certificates for the tests: {0}")]
    Certificates(#[from] rcgen::Error),
    /// It did not come up; what it said last.
    #[error("RabbitMQ does not start: {0}")]
    Broken(String),
}

/// A broker.
#[derive(Debug)]
pub struct Broker {
    folder: PathBuf,
    programs: PathBuf,
    name: String,
    ports: Ports,
    keeper: Mutex<Option<Child>>,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    plain: u16,
    tls: u16,
    /// For the language's own network: among nodes, and of the one that knows their ports.
    nodes: u16,
    names: u16,
}

impl Broker {
    /// Starts a broker, and returns when it takes connections.
    ///
    /// # Errors
    /// Any: there is nothing to test with.
    pub fn start() -> Result<Self, BrokerError> {
        let programs = programs().ok_or(BrokerError::Missing)?;
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("mbs-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(format!("mbs-rabbitmq-{}-{number}", std::process::id()));
        let ports = free_ports().map_err(machine("there are no free ports"))?;
        let broker = Self { folder, programs, name, ports, keeper: Mutex::new(None) };
        broker.furnish()?;
        broker.resume()?;
        Ok(broker)
    }

    /// Returns where it is, for `guest`.
    pub fn url(&self) -> Secret {
        Secret::new(format!("amqp://guest:guest@{}", self.address()))
    }

    /// Returns where it takes plain connections.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.plain).into()
    }

    /// Returns settings for encrypted connections as `mbs`.
    pub fn over_tls(&self) -> Settings {
        let file = |name: &str| self.folder.join(name);
        Settings {
            ca: Some(file("ca.pem")),
            identity: Some(Identity { cert: file("client.pem"), key: file("client.key") }),
            ..Settings::new(Secret::new(format!("amqps://localhost:{}", self.ports.tls)))
        }
    }

    /// Stops it, as a package's update does. What is durable stays.
    ///
    /// # Errors
    /// `Machine`.
    pub fn stop(&self) -> Result<(), BrokerError> {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut keeper) = keeper.take() else { return Ok(()) };
        let told = keeper.stdin.take().map(|mut order| order.write_all(b"stop\n")).transpose();
        told.and_then(|_| keeper.wait()).map(drop).map_err(machine("the broker cannot be stopped"))
    }

    /// Starts it again after a stop, and returns when it takes connections.
    ///
    /// # Errors
    /// Any.
    pub fn resume(&self) -> Result<(), BrokerError> {
        let mut command = self.command(Path::new("/bin/sh"));
        command.args(["-c", KEEPER, "keeper"]).arg(&self.programs).arg(&self.folder).stdin(Stdio::piped());
        let keeper = command.spawn().map_err(machine("sh cannot be run"))?;
        *self.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
        self.wait()
    }

    /// Runs `rabbitmqctl`.
    ///
    /// # Errors
    /// It cannot be run, or says no.
    pub fn control(&self, arguments: &[&str]) -> Result<(), BrokerError> {
        let mut command = self.command(&self.programs.join("rabbitmqctl"));
        let done = command.args(["--quiet", "--node", &self.node()]).args(arguments).output();
        let done = done.map_err(machine("rabbitmqctl cannot be run"))?;
        match done.status.success() {
            true => Ok(()),
            false => Err(BrokerError::Broken(String::from_utf8_lossy(&done.stderr).into_owned())),
        }
    }

    fn node(&self) -> String {
        format!("{}@localhost", self.name)
    }

    /// Makes the folder with all that the broker reads.
    fn furnish(&self) -> Result<(), BrokerError> {
        std::fs::create_dir(&self.folder).map_err(machine("the broker's folder cannot be made"))?;
        for (file, text) in self.certificates()?.into_iter().chain(self.configuration()) {
            std::fs::write(self.folder.join(file), text)
                .map_err(machine("the broker's files cannot be written"))?;
        }
        if let Some((uid, gid)) = other_user() {
            let given = std::os::unix::fs::chown(&self.folder, Some(uid), Some(gid));
            given.map_err(machine("the broker's folder cannot be given away"))?;
        }
        Ok(())
    }

    fn configuration(&self) -> [(&'static str, String); 3] {
        let folder = self.folder.display();
        let Ports { plain, tls, .. } = self.ports;
        let configuration = format!(
            "listeners.tcp.1 = 127.0.0.1:{plain}
listeners.ssl.1 = 127.0.0.1:{tls}
ssl_options.cacertfile = {folder}/ca.pem
ssl_options.certfile = {folder}/server.pem
ssl_options.keyfile = {folder}/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
ssl_cert_login_from = common_name
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = EXTERNAL
load_definitions = {folder}/definitions.json
log.console = true
log.file = false
"
        );
        [
            ("rabbitmq.conf", configuration),
            ("plugins", "[rabbitmq_auth_mechanism_ssl].\n".to_owned()),
            ("definitions.json", DEFINITIONS.to_owned()),
        ]
    }

    /// Makes certificates: of an authority, the broker and the user `mbs`.
    fn certificates(&self) -> Result<[(&'static str, String); 5], BrokerError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let made = |names: &[&str], common: &str| -> Result<(Certificate, KeyPair), rcgen::Error> {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            let mut params = CertificateParams::new(names)?;
            params.distinguished_name = DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, common);
            let key = KeyPair::generate()?;
            Ok((params.signed_by(&key, &authority)?, key))
        };
        let (server, server_key) = made(&["localhost"], "broker")?;
        let (client, client_key) = made(&[], "mbs")?;
        Ok([
            ("ca.pem", authority.pem()),
            ("server.pem", server.pem()),
            ("server.key", server_key.serialize_pem()),
            ("client.pem", client.pem()),
            ("client.key", client_key.serialize_pem()),
        ])
    }

    /// Makes a command of the user who is not root, with what the broker's programs read from the environment.
    fn command(&self, program: &Path) -> Command {
        use std::os::unix::process::CommandExt as _;
        let file = |name: &str| self.folder.join(name);
        let mut command = Command::new(program);
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", &self.folder);
        command.env("ERL_EPMD_PORT", self.ports.names.to_string()).env("ERL_EPMD_ADDRESS", "127.0.0.1");
        command.env("RABBITMQ_NODENAME", self.node()).env("RABBITMQ_DIST_PORT", self.ports.nodes.to_string());
        command.env("RABBITMQ_CONF_ENV_FILE", "/dev/null").env("RABBITMQ_CONFIG_FILE", file("rabbitmq"));
        command.env("RABBITMQ_ADVANCED_CONFIG_FILE", file("advanced.config"));
        command.env("RABBITMQ_ENABLED_PLUGINS_FILE", file("plugins"));
        command.env("RABBITMQ_MNESIA_BASE", file("data")).env("RABBITMQ_LOG_BASE", file("logs"));
        command.env("RABBITMQ_GENERATED_CONFIG_DIR", file("generated"));
        // Few threads, which do not wait busily, and no process between the keeper and the broker.
        command.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none");
        command.env("RUNNING_UNDER_SYSTEMD", "true");
        if let Some((uid, gid)) = other_user() {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Waits until it answers, over TLS too, which it listens for last.
    fn wait(&self) -> Result<(), BrokerError> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if self.answers() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(20).collect();
        Err(BrokerError::Broken(last.into_iter().rev().collect::<Vec<_>>().join("\n")))
    }

    fn answers(&self) -> bool {
        let says = |port| -> io::Result<TcpStream> { TcpStream::connect((Ipv4Addr::LOCALHOST, port)) };
        let greeted = says(self.ports.plain).and_then(|mut broker| {
            broker.set_read_timeout(Some(Duration::from_secs(5)))?;
            broker.write_all(b"AMQP\x00\x00\x09\x01")?;
            broker.read_exact(&mut [0])
        });
        greeted.is_ok() && says(self.ports.tls).is_ok()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        match keeper.take() {
            Some(mut keeper) => {
                drop(keeper.stdin.take());
                drop(keeper.wait());
            }
            None => drop(std::fs::remove_dir_all(&self.folder)),
        }
    }
}

fn free_ports() -> io::Result<Ports> {
    let held = [(); 4].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let mut ports = [0; 4];
    for (port, held) in ports.iter_mut().zip(&held) {
        *port = held.as_ref().map_err(|error| io::Error::from(error.kind()))?.local_addr()?.port();
    }
    let [plain, tls, nodes, names] = ports;
    Ok(Ports { plain, tls, nodes, names })
}

fn programs() -> Option<PathBuf> {
    let [debian, fedora] = PLACES;
    let versions = std::fs::read_dir(fedora).into_iter().flatten().flatten();
    let versions = versions.map(|version| version.path().join("sbin"));
    std::iter::once(PathBuf::from(debian))
        .chain(versions)
        .find(|folder| folder.join("rabbitmq-server").is_file())
}

/// Returns whom to be instead of root; `None` if we are not root.
fn other_user() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let users = std::fs::read_to_string("/etc/passwd").ok().filter(|_| is_root)?;
    let user = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2);
        Some((ids.next()?.parse().ok()?, ids.next()?.parse().ok()?))
    };
    user("rabbitmq").or_else(|| user("nobody"))
}

fn machine(what: &'static str) -> impl FnOnce(io::Error) -> BrokerError {
    move |source| BrokerError::Machine { what: what.to_owned(), source }
}
