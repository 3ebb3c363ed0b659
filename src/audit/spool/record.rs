//! Small files that are there as a whole or not at all: numbers, words, and a checksum on one line.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

use super::FILE_MODE;

/// The line of a record: its words, and the first 16 hexadecimal digits of the SHA-256 hash of them.
pub(super) fn encode(words: &str) -> String {
    format!("{words} {}\n", checksum(words))
}

/// The words of a record after its kind, if it is one of this kind and whole.
pub(super) fn decode<'a>(text: &'a [u8], kind: &str) -> Option<Vec<&'a str>> {
    let line = std::str::from_utf8(text).ok()?.strip_suffix('\n')?;
    let (words, stated) = line.rsplit_once(' ')?;
    let mut rest = words.split(' ');
    (stated == checksum(words) && rest.next() == Some(kind)).then(|| rest.collect())
}

/// Puts a record in the place of the one before.
pub(super) fn store(folder: &Path, name: &str, text: &str, durable: bool) -> io::Result<()> {
    let temporary = folder.join(format!("{name}.tmp"));
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(FILE_MODE).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    if durable {
        file.sync_data()?;
    }
    fs::rename(&temporary, folder.join(name))?;
    if durable { sync_folder(folder) } else { Ok(()) }
}

/// The text of a record; nothing if there is none. No more than a record can have is read.
pub(super) fn load(folder: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(folder.join(name)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    file.take(MAX_RECORD).read_to_end(&mut text)?;
    Ok(Some(text))
}

/// Makes names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn checksum(words: &str) -> String {
    let mut hex = HEXLOWER.encode(digest(&SHA256, words.as_bytes()).as_ref());
    hex.truncate(16);
    hex
}

const MAX_RECORD: u64 = 1024;
