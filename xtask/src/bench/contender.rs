//! A server under test.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::certificates::Certificates;
use crate::failure::Failure;
use crate::folder;
use crate::person::{self, Person, text_at};
use crate::port;
use crate::program::Program;
use crate::running::Running;
use crate::server::quoted;

use super::load::Loader;

/// How long it may take until a server listens, and until an unsealed one answers.
const PATIENCE: Duration = Duration::from_mins(2);

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// OpenBao.
    Peer,
    /// This vault.
    Arca,
    /// This vault without an audit device.
    Unaudited,
    /// The smallest server.
    Floor,
}

impl Kind {
    /// What it is called in tables.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Peer => "OpenBao",
            Self::Arca => "Arca",
            Self::Unaudited => "Arca, audit off",
            Self::Floor => "floor",
        }
    }
}

/// A running server with what its clients need.
#[derive(Debug)]
pub(super) struct Contender {
    pub(super) kind: Kind,
    pub(super) port: u16,
    /// The root token.
    pub(super) root: String,
    /// The token of a service with one policy.
    pub(super) service: String,
    /// Where its store is.
    pub(super) store: PathBuf,
    folder: PathBuf,
    launch: Launch,
    running: Running,
    share: String,
    operator: Option<Person>,
}

/// How it is started.
#[derive(Clone, Debug)]
struct Launch {
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
}

impl Launch {
    fn spawn(&self) -> Result<Running, Failure> {
        Program::new(&self.program).args(&self.arguments).start(&self.log)
    }

    fn start(&self, port: u16) -> Result<Running, Failure> {
        let mut running = self.spawn()?;
        running.until(PATIENCE, || Ok(TcpStream::connect(("127.0.0.1", port)).is_ok()))?;
        Ok(running)
    }
}

impl Contender {
    /// Starts a vault, initialises and unseals it.
    pub(super) fn vault(
        kind: Kind,
        program: &Path,
        arca: &Path,
        folder: &Path,
        certificates: &Certificates,
    ) -> Result<Self, Failure> {
        let (port, store) = (port::free()?, folder.join("store"));
        folder::private(&store)?;
        let config = folder.join("config.hcl");
        folder::write(&config, configuration(kind, port, folder, certificates)?)?;
        let option = format!("-config={}", config.display());
        let arguments = if kind == Kind::Peer { vec!["server".to_owned(), option] } else { vec![format!("-{option}")] };
        let launch = Launch { program: program.to_owned(), arguments, log: folder.join("log") };
        let running = launch.start(port)?;
        let home = folder.join("home");
        folder::private(&home)?;
        let address = format!("https://127.0.0.1:{port}");
        let mut operator = Person::new(arca.to_owned(), home, address, certificates, "operator");
        let made = person::json(operator.arca("operator init -key-shares=1 -key-threshold=1"))?;
        let (share, root) = (text_at(&made, "/unseal_keys_b64/0")?, text_at(&made, "/root_token")?);
        operator.hold(root.clone());
        let (service, folder, operator) = (String::new(), folder.to_owned(), Some(operator));
        let mut contender = Self { kind, port, root, service, store, folder, launch, running, share, operator };
        contender.unseal()?;
        Ok(contender)
    }

    /// Starts the floor, which answers reads of `keys` secrets with `answer`.
    pub(super) fn floor(
        load: &Path,
        folder: &Path,
        certificates: &Certificates,
        keys: u64,
        answer: &Path,
    ) -> Result<Self, Failure> {
        let (port, pair) = (port::free()?, certificates.server());
        let path = |path: &Path| path.display().to_string();
        let arguments = vec![
            "floor".to_owned(),
            format!("--port={port}"),
            format!("--authority={}", path(&certificates.authority())),
            format!("--certificate={}", path(&pair.certificate)),
            format!("--key={}", path(&pair.key)),
            format!("--keys={keys}"),
            format!("--answer={}", path(answer)),
        ];
        let launch = Launch { program: load.to_owned(), arguments, log: folder.join("log") };
        let running = launch.start(port)?;
        let nothing = String::new;
        let (root, service, share) = (nothing(), "none".to_owned(), nothing());
        Ok(Self {
            kind: Kind::Floor,
            port,
            root,
            service,
            store: folder.into(),
            folder: folder.into(),
            launch,
            running,
            share,
            operator: None,
        })
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.running.id()
    }

    /// The command `arca` with these words, as the operator.
    pub(super) fn operator(&self, words: &str) -> Result<Program, Failure> {
        let operator = self.operator.as_ref();
        operator.map(|operator| operator.arca(words)).ok_or_else(|| Failure::answer("the floor has no operator"))
    }

    /// Kills it and starts it again, and says how long it took from then until it answered as an unsealed vault.
    pub(super) fn restart(&mut self, loader: &Loader) -> Result<Duration, Failure> {
        self.running.kill();
        let begin = Instant::now();
        self.running = self.launch.spawn()?;
        let unsealed = loader.unseal(self.port, &self.share, &self.root, PATIENCE);
        let took = begin.elapsed();
        if unsealed.is_err() {
            // If it has ended, its last words say more.
            self.running.until(Duration::ZERO, || Ok(true))?;
        }
        unsealed.map(|()| took)
    }

    /// Ends it, and removes all that it has written.
    pub(super) fn remove(mut self) -> Result<(), Failure> {
        self.running.kill();
        fs::remove_dir_all(&self.folder).map_err(|error| Failure::file(&self.folder, &error))
    }

    fn unseal(&mut self) -> Result<(), Failure> {
        self.operator("operator unseal -")?.input(self.share.clone()).capture()?;
        let operator = self.operator.as_ref().ok_or_else(|| Failure::answer("the floor cannot be unsealed"))?;
        self.running.until(PATIENCE, || Ok(operator.arca("token lookup").end()?.code == 0))
    }
}

/// The same for both vaults: mTLS is required, what is acknowledged is on the disk, a file takes the audit log, and the end of
/// many leases is waited for.
fn configuration(kind: Kind, port: u16, folder: &Path, certificates: &Certificates) -> Result<String, Failure> {
    let pair = certificates.server();
    let store = quoted(&folder.join("store"));
    let storage = match kind {
        Kind::Peer => {
            let cluster = port::free()?;
            format!(
                "storage \"raft\" {{\n  path = {store}\n  node_id = \"bench\"\n}}\n\
                 cluster_addr = \"https://127.0.0.1:{cluster}\"\n"
            )
        }
        Kind::Arca | Kind::Unaudited | Kind::Floor => {
            format!("storage \"redb\" {{\n  path = {}\n}}\n", quoted(&folder.join("store/arca")))
        }
    };
    let audit = match kind {
        Kind::Peer | Kind::Arca => format!(
            "audit \"file\" \"main\" {{\n  options {{\n    file_path = {}\n  }}\n}}\n",
            quoted(&folder.join("audit.log"))
        ),
        Kind::Unaudited | Kind::Floor => String::new(),
    };
    Ok(format!(
        "{storage}{audit}default_max_request_duration = \"1h\"\napi_addr = \"https://127.0.0.1:{port}\"\n\
         listener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  tls_cert_file = {}\n  tls_key_file = {}\n  \
         tls_client_ca_file = {}\n  tls_require_and_verify_client_cert = true\n}}\n",
        quoted(&pair.certificate),
        quoted(&pair.key),
        quoted(&certificates.authority()),
    ))
}
