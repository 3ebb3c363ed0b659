//! Lines into a file, to the standard output, or nowhere.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::audit::sink::{Housekeeping, Sink, SinkError, locked};
use crate::chain::{Recovered, began, recover};
use crate::time::Timestamp;

use super::archive::{Archive, sync_folder};
use super::{FileOptions, Rotation, Sync, Target};

/// The sink of a device of the type `file`.
#[derive(Debug)]
pub struct FileSink {
    output: Output,
}

#[derive(Debug)]
enum Output {
    File(AppendFile),
    Stdout,
    Discard,
}

#[derive(Debug)]
struct AppendFile {
    path: PathBuf,
    mode: Option<u32>,
    sync: Sync,
    rotation: Rotation,
    file: File,
    /// How much of a failed append is in the file, if that could not be undone at once; in bytes.
    excess: u64,
    archive: Arc<Archive>,
    age: Age,
}

/// How far the file is from being put away.
#[derive(Clone, Copy, Debug, Default)]
struct Age {
    /// How long it is.
    length: u64,
    /// When its first line was written; nothing for one that is still to get it.
    began: Option<Timestamp>,
    /// How often it was written to: what holds its first checkpoint only is not put away.
    appends: u64,
    /// When to try again, after a failure.
    not_before: Option<Timestamp>,
}

impl Age {
    /// That of a file as it is found.
    fn of(file: &mut File) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        let began = if length > 0 { began(BufReader::new(&mut *file))? } else { None };
        Ok(Self { length, began, appends: u64::from(length > 0), not_before: None })
    }
}

impl FileSink {
    /// Opens the file, with its folders (mode 0700) if they are missing, and locks it against other writers.
    pub fn open(options: &FileOptions) -> Result<Self, SinkError> {
        let output = match &options.target {
            Target::File(path) => {
                let mut file = open(path, options.mode)?;
                let age = if options.rotation.is_on() { Age::of(&mut file)? } else { Age::default() };
                let archive = Arc::new(Archive::new(path, options.rotation.clone()));
                let (path, mode, sync) = (path.clone(), options.mode, options.sync);
                let rotation = options.rotation.clone();
                Output::File(AppendFile { path, mode, sync, rotation, file, excess: 0, archive, age })
            }
            Target::Stdout => Output::Stdout,
            Target::Discard => Output::Discard,
        };
        Ok(Self { output })
    }
}

impl Sink for FileSink {
    fn append(&mut self, lines: &[u8]) -> Result<(), SinkError> {
        match &mut self.output {
            Output::File(file) => Ok(file.append(lines)?),
            Output::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(lines)?;
                Ok(stdout.flush()?)
            }
            Output::Discard => Ok(()),
        }
    }

    fn recover(&mut self) -> Result<Recovered, SinkError> {
        match &mut self.output {
            Output::File(file) => {
                let found = recover(&mut file.file)?;
                // Perhaps the server was killed between putting a file away and beginning the next.
                if found == Recovered::nothing() { Ok(file.archive.end()?) } else { Ok(found) }
            }
            Output::Stdout | Output::Discard => Ok(Recovered::nothing()),
        }
    }

    fn reopen(&mut self) -> Result<(), SinkError> {
        match &mut self.output {
            Output::File(file) => file.reopen(),
            Output::Stdout | Output::Discard => Ok(()),
        }
    }

    fn waits(&self) -> bool {
        match &self.output {
            Output::File(file) => file.sync == Sync::Always,
            Output::Stdout | Output::Discard => false,
        }
    }

    fn rotates(&self) -> bool {
        match &self.output {
            Output::File(file) => file.rotation.is_on(),
            Output::Stdout | Output::Discard => false,
        }
    }

    fn is_rotation_due(&self, now: Timestamp, incoming: u64) -> bool {
        match &self.output {
            Output::File(file) => file.is_rotation_due(now, incoming),
            Output::Stdout | Output::Discard => false,
        }
    }

    fn rotate(&mut self, now: Timestamp) -> Result<(), SinkError> {
        match &mut self.output {
            Output::File(file) => {
                file.age.not_before = Some(now.plus(RETRY));
                file.rotate(now)
            }
            Output::Stdout | Output::Discard => Ok(()),
        }
    }

    fn housekeeping(&self) -> Option<Housekeeping> {
        match &self.output {
            Output::File(file) if self.rotates() => {
                let archive = Arc::clone(&file.archive);
                Some(Box::new(move || archive.keep_house()))
            }
            Output::File(_) | Output::Stdout | Output::Discard => None,
        }
    }
}

impl AppendFile {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.take_back()?;
        let mut left = lines;
        let written = write_all(&mut self.file, &mut left).and_then(|()| match self.sync {
            Sync::Os => Ok(()),
            Sync::Always => self.file.sync_data(),
        });
        let taken = (lines.len() - left.len()) as u64;
        if let Err(error) = written {
            self.excess = taken;
            // If this fails too, it is tried again before anything else is written.
            let _ = self.take_back();
            return Err(error);
        }
        self.age.length += taken;
        self.age.appends += 1;
        Ok(())
    }

    /// Takes what a failed append has left out of the file. Where that ends is asked now, since whoever rotates the file
    /// may have cut it.
    fn take_back(&mut self) -> io::Result<()> {
        if self.excess > 0 {
            let length = self.file.metadata()?.len();
            let end = length.saturating_sub(self.excess);
            if end < length {
                self.file.set_len(end)?;
            }
            self.excess = 0;
        }
        Ok(())
    }

    fn is_rotation_due(&self, now: Timestamp, incoming: u64) -> bool {
        let Age { length, began, appends, not_before } = self.age;
        if !self.rotation.is_on() || appends < 2 || not_before.is_some_and(|time| now < time) {
            return false;
        }
        let too_large = self.rotation.bytes.is_some_and(|most| length.saturating_add(incoming) > most);
        let too_old = self.rotation.age.zip(began).is_some_and(|(most, began)| now.since(began) >= most);
        too_large || too_old
    }

    /// Gives the file its last name and opens an empty one under the log's.
    fn rotate(&mut self, now: Timestamp) -> Result<(), SinkError> {
        let metadata = self.file.metadata()?;
        if !metadata.is_file() || !is_same(&self.file, &self.path) {
            // Someone else has moved it: there is nothing of ours under its name.
            self.reopen()?;
            self.age = Age { began: Some(now), ..Age::default() };
            return Ok(());
        }
        self.file.sync_data()?;
        let away = self.archive.next_name(now)?;
        std::fs::rename(&self.path, &away)?;
        let mode = self.mode.unwrap_or_else(|| metadata.permissions().mode() & 0o666);
        match open(&self.path, Some(mode)) {
            Ok(file) => self.file = file,
            Err(error) => {
                put_back(&away, &self.path)?;
                return Err(error);
            }
        }
        self.excess = 0;
        self.age = Age { began: Some(now), ..Age::default() };
        Ok(sync_folder(&self.path)?)
    }

    fn reopen(&mut self) -> Result<(), SinkError> {
        if is_same(&self.file, &self.path) {
            return Ok(());
        }
        self.file.sync_data()?;
        self.file = open(&self.path, self.mode)?;
        self.excess = 0;
        if self.rotation.is_on() {
            self.age = Age::of(&mut self.file)?;
        }
        Ok(())
    }
}

/// Writes all of `left`, of which what could not be written stays.
fn write_all(file: &mut File, left: &mut &[u8]) -> io::Result<()> {
    while !left.is_empty() {
        match file.write(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => *left = left.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether `path` still leads to `file`, which is locked and so cannot be opened a second time.
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let (ours, named) = (file.metadata().map(identity), std::fs::metadata(path).map(identity));
    matches!((ours, named), (Ok(ours), Ok(named)) if ours == named)
}

/// Gives a file that was put away its name back, unless there is something else under it by now.
fn put_back(away: &Path, path: &Path) -> io::Result<()> {
    if path.exists() { Ok(()) } else { std::fs::rename(away, path) }
}

fn open(path: &Path, mode: Option<u32>) -> Result<File, SinkError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let file = OpenOptions::new().read(true).append(true).create(true).mode(mode.unwrap_or(DEFAULT_MODE)).open(path)?;
    locked(file.try_lock())?;
    if let Some(mode) = mode.filter(|_| file.metadata().is_ok_and(|metadata| metadata.is_file())) {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok(file)
}

const DEFAULT_MODE: u32 = 0o600;
/// How long after a failure the file is put away after all.
const RETRY: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn options(path: &Path, more: &[(&str, &str)]) -> FileOptions {
        let mut options = BTreeMap::from([("file_path".to_owned(), path.display().to_string())]);
        options.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        FileOptions::parse(&options).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_and_folders_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/audit.log");
        let mut sink = FileSink::open(&options(&path, &[("sync", "always")])).unwrap();
        sink.append(b"one\n").unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert!(sink.waits());
        assert_eq!(std::fs::read(&path).unwrap(), b"one\n");
    }

    #[test]
    fn an_existing_file_gets_the_mode_or_keeps_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        std::fs::write(&path, b"old\n").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
        drop(FileSink::open(&options(&path, &[("mode", "0")])).unwrap());
        assert_eq!(mode(&path), 0o664);
        drop(FileSink::open(&options(&path, &[("mode", "0640")])).unwrap());
        assert_eq!(mode(&path), 0o640);
    }

    #[test]
    fn two_devices_cannot_share_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        let first = FileSink::open(&options(&path, &[])).unwrap();
        assert!(matches!(FileSink::open(&options(&path, &[])), Err(SinkError::InUse)));
        drop(first);
        assert!(FileSink::open(&options(&path, &[])).is_ok());
    }

    #[test]
    fn reopening_follows_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        let mut sink = FileSink::open(&options(&path, &[])).unwrap();
        sink.append(b"one\n").unwrap();
        sink.reopen().unwrap();
        sink.append(b"two\n").unwrap();
        let old = folder.path().join("audit.log.1");
        std::fs::rename(&path, &old).unwrap();
        sink.reopen().unwrap();
        sink.append(b"three\n").unwrap();
        assert_eq!(std::fs::read(&old).unwrap(), b"one\ntwo\n");
        assert_eq!(std::fs::read(&path).unwrap(), b"three\n");
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_file_gets_its_name_back_unless_something_else_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let (path, away) = (folder.path().join("audit.log"), folder.path().join("away"));
        std::fs::write(&away, b"one\n").unwrap();
        put_back(&away, &path).unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), away.exists()), (b"one\n".to_vec(), false));
        std::fs::write(&away, b"two\n").unwrap();
        put_back(&away, &path).unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), away.exists()), (b"one\n".to_vec(), true));
    }

    #[test]
    fn a_full_disk_is_an_error_and_a_folder_is_no_file() {
        let full = FileSink::open(&options(Path::new("/dev/full"), &[("mode", "0")]));
        if let Ok(mut sink) = full {
            assert!(matches!(sink.append(b"one\n"), Err(SinkError::Io(_))));
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(FileSink::open(&options(folder.path(), &[])).is_err());
        assert!(FileSink::open(&options(Path::new("/proc/nope/x"), &[])).is_err());
    }

    #[test]
    fn stdout_and_nowhere_take_lines() {
        for target in ["stdout", "discard"] {
            let mut sink = FileSink::open(&options(Path::new(target), &[])).unwrap();
            sink.append(b"").unwrap();
            sink.reopen().unwrap();
            assert_eq!(sink.recover().unwrap(), Recovered::nothing());
        }
    }
}
