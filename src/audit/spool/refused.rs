//! `refused.log`: lines that the other side will never take. They are kept here for whoever looks into it.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::FILE_MODE;

/// Keeps a line (without its newline). The file is on disk before the spool goes on behind the line. Fails when the file
/// would become larger than `max_bytes`: then the shipper stays where it is, and nothing is lost.
pub(super) fn keep(folder: &Path, line: &[u8], max_bytes: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).mode(FILE_MODE).open(folder.join(NAME))?;
    let before = file.metadata()?.len();
    if before.saturating_add(line.len() as u64) > max_bytes {
        return Err(io::Error::new(
            ErrorKind::StorageFull,
            "refused.log is as large as spool_max_bytes; find out why lines are refused, and move the file away",
        ));
    }
    let mut whole = Vec::with_capacity(line.len() + 1);
    whole.extend_from_slice(line);
    whole.push(b'\n');
    file.write_all(&whole).and_then(|()| file.sync_data()).inspect_err(|_| drop(file.set_len(before)))
}

const NAME: &str = "refused.log";
