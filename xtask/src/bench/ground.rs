//! What every part of the measurement stands on: programs, certificates, a database.

use std::path::{Path, PathBuf};

use crate::certificates::Certificates;
use crate::failure::Failure;
use crate::folder::Folder;
use crate::postgres::Postgres;
use crate::python::Python;
use crate::workspace::{self, Binaries, Profile};

use super::contender::{Contender, Kind};
use super::load::Loader;

/// The superuser's password; it goes into a URL as it is.
pub(super) const PASSWORD: &str = "bench";

/// The programs, the certificates that everyone uses, and a PostgreSQL.
pub(super) struct Ground<'a> {
    pub(super) folder: &'a Folder,
    pub(super) certificates: Certificates,
    pub(super) postgres: Postgres,
    binaries: Binaries,
    load: PathBuf,
    /// The peer's program; nothing if it does not take part.
    peer: Option<PathBuf>,
}

impl<'a> Ground<'a> {
    /// Builds what is to be built, and starts what does not change.
    pub(super) fn lay(folder: &'a Folder, profile: Profile, alone: bool) -> Result<Self, Failure> {
        let binaries = workspace::build(profile)?;
        let load = workspace::build_load(profile)?;
        let peer = if alone { None } else { Some(peer()?) };
        let certificates = Certificates::make(&binaries.arca, folder.private("tls")?, ["operator", "load"])?;
        let postgres = Postgres::start(folder, PASSWORD)?;
        Ok(Self { folder, certificates, postgres, binaries, load, peer })
    }

    /// The load program.
    pub(super) fn loader(&self) -> Loader {
        Loader::new(self.load.clone(), &self.certificates, "load")
    }

    /// A vault of this kind in a folder of its own, initialised and unsealed.
    pub(super) fn vault(&self, kind: Kind, name: &str) -> Result<Contender, Failure> {
        let own = self.folder.private(name)?;
        let program = match kind {
            Kind::Peer => self.peer.as_ref().ok_or_else(|| Failure::answer("the peer takes no part"))?,
            Kind::Arca | Kind::Unaudited | Kind::Floor => &self.binaries.arcad,
        };
        Contender::vault(kind, program, &self.binaries.arca, &own, &self.certificates)
    }

    /// The floor, which answers reads of `keys` secrets with `answer`.
    pub(super) fn floor(&self, keys: u64, answer: &Path) -> Result<Contender, Failure> {
        Contender::floor(&self.load, &self.folder.private("floor")?, &self.certificates, keys, answer)
    }
}

/// The peer's program, out of the packages that the clients' suites use.
fn peer() -> Result<PathBuf, Failure> {
    let requirements = workspace::root().join("tests/clients/requirements.txt");
    Ok(Python::provide("clients", &requirements)?.program("bao"))
}
