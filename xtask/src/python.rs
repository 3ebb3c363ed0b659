//! A Python of our own, with the packages that a file of requirements names.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::folder;
use crate::program::Program;
use crate::say;
use crate::workspace;

/// A virtual environment below the target directory.
#[derive(Debug)]
pub(crate) struct Python {
    home: PathBuf,
}

impl Python {
    /// The environment called `name`; it is made again when the requirements have changed.
    pub(crate) fn provide(name: &str, requirements: &Path) -> Result<Self, Failure> {
        let home = workspace::target().join(format!("{name}-venv"));
        let installed = home.join("installed.txt");
        let python = Self { home };
        let wanted = folder::read(requirements)?;
        if fs::read(&installed).is_ok_and(|bytes| bytes == wanted) && python.program("python").is_file() {
            return Ok(python);
        }
        say::done(&format!("making a Python environment for {name}, this once"));
        let venv = Program::new("python3").words("-m venv --clear").arg(&python.home);
        venv.advise("apt-get install python3-venv").capture()?;
        Program::new(python.program("python"))
            .words("-m pip install --quiet -r")
            .arg(requirements)
            .advise("pip needs to reach a package index, or a folder of wheels (PIP_FIND_LINKS).")
            .show()?;
        folder::write(&installed, wanted)?;
        Ok(python)
    }

    /// A program of the environment: `python`, or what a package has installed.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.home.join("bin").join(name)
    }
}
