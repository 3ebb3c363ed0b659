//! `arca operator backup FILE`, and `arca operator raft snapshot save FILE`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::client::{Call, Client};
use crate::error::{Error, Result, os_message};
use crate::output::Output;

/// Takes a backup of the whole store while the server goes on serving. It is encrypted: restoring it takes the unseal keys
/// of now. The file appears once all of it is there. One that is there already is not replaced unless -force is given.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,
    /// Replace a file that is there already
    #[arg(long)]
    force: bool,
}

/// Where the backup goes.
#[derive(clap::Args)]
pub(crate) struct Target {
    /// The file, or - for standard output
    file: PathBuf,
}

impl Args {
    /// Takes the backup.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        self.target.fill(self.force, client, output)
    }
}

impl Target {
    /// Takes the backup. Whether it `replaces` a file that is there already, or is refused then.
    pub(super) fn fill(self, replaces: bool, client: &Client, output: &mut Output) -> Result<()> {
        let call = Call::get("sys/storage/raft/snapshot").unwrapped();
        let doing = |error: Error| error.context("Error taking the backup");
        if self.file.as_os_str() == "-" {
            let mut done = Done::default();
            let written = client.download(&call, &mut |piece| {
                output.bytes(piece)?;
                done.advance(piece.len(), output)
            });
            output.progress("")?;
            return written.map_err(doing);
        }
        let mut partial = Partial::create(&self.file, replaces)?;
        let mut done = Done::default();
        let written = client.download(&call, &mut |piece| {
            partial.write(piece)?;
            done.advance(piece.len(), output)
        });
        output.progress("")?;
        written.map_err(doing)?;
        partial.complete()?;
        output.success(&format!("The backup is in {}: {} bytes", self.file.display(), done.bytes))
    }
}

/// How much there is already.
#[derive(Default)]
struct Done {
    bytes: u64,
    shown: u64,
}

impl Done {
    fn advance(&mut self, bytes: usize, output: &mut Output) -> Result<()> {
        self.bytes += bytes as u64;
        if self.bytes - self.shown >= STEP {
            self.shown = self.bytes;
            output.progress(&format!("{} MiB", self.bytes / (1024 * 1024)))?;
        }
        Ok(())
    }
}

/// A file that has its name once it is complete; until then another, and it goes if it never is.
struct Partial {
    path: PathBuf,
    beside: PathBuf,
    file: File,
    replaces: bool,
    complete: bool,
}

impl Partial {
    fn create(path: &Path, replaces: bool) -> Result<Self> {
        admit(path, replaces)?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let beside = path.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside);
        let file = file.map_err(|error| unwritable(path, &error))?;
        Ok(Self { path: path.to_owned(), beside, file, replaces, complete: false })
    }

    fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.file.write_all(piece).map_err(|error| unwritable(&self.path, &error))
    }

    fn complete(mut self) -> Result<()> {
        // It may have come meanwhile.
        admit(&self.path, self.replaces)?;
        let folder = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let renamed = self.file.sync_all().and_then(|()| fs::rename(&self.beside, &self.path));
        self.complete = renamed.is_ok();
        renamed.and_then(|()| File::open(folder)?.sync_all()).map_err(|error| unwritable(&self.path, &error))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.complete {
            drop(fs::remove_file(&self.beside));
        }
    }
}

/// Refuses a file that is there: it may be the last good backup, and the store of today a hurt one.
fn admit(path: &Path, replaces: bool) -> Result<()> {
    if replaces || fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    Err(Error::local(format!("Error writing {}: there is such a file already", path.display()))
        .advise("Give another name, or -force to replace it."))
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::local(format!("Error writing {}: {}", path.display(), os_message(error)))
        .advise("Check the path, who may write there, and the space.")
}

/// So many bytes from one picture of the progress to the next.
const STEP: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_that_is_not_completed_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b");
        let mut partial = Partial::create(&path, false).unwrap();
        partial.write(b"half").unwrap();
        drop(partial);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut partial = Partial::create(&path, false).unwrap();
        partial.write(b"whole").unwrap();
        partial.complete().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_there_is_replaced_only_when_that_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b");
        let filled = |partial: Result<Partial>, text: &str| {
            let mut partial = partial?;
            partial.write(text.as_bytes())?;
            partial.complete()
        };
        let partial = Partial::create(&path, false).unwrap();
        fs::write(&path, "last week's").unwrap();
        for partial in [Ok(partial), Partial::create(&path, false)] {
            let refused = filled(partial, "new").unwrap_err().to_string();
            assert!(refused.contains(path.to_str().unwrap()) && refused.contains("-force"), "{refused}");
            assert_eq!(fs::read(&path).unwrap(), b"last week's");
        }
        filled(Partial::create(&path, true), "new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_backup_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b");
        Partial::create(&path, false).unwrap().complete().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
