//! The certificates that `arca tls bootstrap` makes.

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::program::Program;

/// A folder with an authority, a server's certificate and those of two clients.
#[derive(Debug)]
pub(crate) struct Certificates {
    folder: PathBuf,
}

/// A certificate and its key.
#[derive(Debug)]
pub(crate) struct Pair {
    /// The certificate, in PEM.
    pub(crate) certificate: PathBuf,
    /// Its private key, in PEM.
    pub(crate) key: PathBuf,
}

impl Certificates {
    /// Makes them in `folder`, for the server at 127.0.0.1 and for these clients.
    pub(crate) fn make(arca: &Path, folder: PathBuf, clients: [&str; 2]) -> Result<Self, Failure> {
        let clients = clients.map(|name| format!("-client={name}"));
        let out = format!("-out={}", folder.display());
        Program::new(arca).words("tls bootstrap").arg(out).args(clients).capture()?;
        Ok(Self { folder })
    }

    /// The authority's certificate.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The server's.
    pub(crate) fn server(&self) -> Pair {
        self.pair("server")
    }

    /// The client's of this name.
    pub(crate) fn client(&self, name: &str) -> Pair {
        self.pair(&format!("client-{name}"))
    }

    fn pair(&self, name: &str) -> Pair {
        let file = |ending| self.folder.join(format!("{name}{ending}"));
        Pair { certificate: file(".pem"), key: file("-key.pem") }
    }
}
