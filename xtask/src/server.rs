//! A running `arcad`.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::failure::Failure;
use crate::program::Program;
use crate::running::Running;

/// How long it may take until it listens.
const STARTS_WITHIN: Duration = Duration::from_mins(1);

/// A server, listening on 127.0.0.1.
#[derive(Debug)]
pub(crate) struct Server {
    running: Running,
}

/// What it takes to start one.
#[derive(Debug)]
pub(crate) struct Launch {
    /// The program.
    pub(crate) arcad: PathBuf,
    /// The configuration file.
    pub(crate) config: PathBuf,
    /// Where its log goes.
    pub(crate) log: PathBuf,
    /// The port that the configuration names.
    pub(crate) port: u16,
}

impl Launch {
    /// Checks the configuration as an operator would before a restart.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        Program::new(&self.arcad).words("config check").arg(&self.config).capture().map(drop)
    }

    /// Starts it, and waits until it listens.
    pub(crate) fn start(&self) -> Result<Server, Failure> {
        let option = format!("--config={}", self.config.display());
        let mut running = Program::new(&self.arcad).arg(option).start(&self.log)?;
        running.until(STARTS_WITHIN, || Ok(TcpStream::connect(("127.0.0.1", self.port)).is_ok()))?;
        Ok(Server { running })
    }
}

impl Server {
    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.running.id()
    }

    /// Ends it with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.running.kill();
    }

    /// Leaves it running at the end.
    pub(crate) fn keep(self) {
        self.running.keep();
    }
}

/// A path as a text of the configuration language.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
