//! The files of a log: their order, and how far the reading of them has got.

use std::fs::File;
use std::io::{self, BufReader, Read, stdin};
use std::path::{Path, PathBuf};

use arca::chain::{Verifier, first_seq};

use crate::error::{Error, Result, os_message};
use crate::output::Output;

/// Puts the files of a log in order, by the number of the first line in each. One in which no number can be read keeps its
/// place behind the file before it. A compressed file beside the one that it replaces is left out: the server was stopped
/// before it removed the other. Whether that changed anything.
pub(super) fn sort(logs: &mut Vec<PathBuf>) -> Result<bool> {
    let given = logs.clone();
    let has_plain = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "gz") && given.contains(&path.with_extension(""))
    };
    logs.retain(|path| !has_plain(path));
    let mut before = 0;
    let mut numbered = Vec::with_capacity(logs.len());
    for path in logs.iter() {
        let found = File::open(path).and_then(|file| first_seq(BufReader::new(file)));
        before = found.map_err(|error| unreadable(path, &error))?.unwrap_or(before);
        numbered.push((before, path.clone()));
    }
    numbered.sort_by_key(|(first, _)| *first);
    let sorted: Vec<PathBuf> = numbered.into_iter().map(|(_, path)| path).collect();
    let changed = given != sorted;
    *logs = sorted;
    Ok(changed)
}

/// Whether a log comes through standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Has the verifier read all files, and says on a terminal how far it is.
pub(super) fn read(logs: &[PathBuf], verifier: &mut Verifier, output: &mut Output) -> Result<()> {
    let length =
        |path: &PathBuf| if is_stdin(path) { None } else { std::fs::metadata(path).ok().map(|file| file.len()) };
    let mut progress = Progress { done: 0, shown: 0, total: logs.iter().filter_map(length).sum(), output };
    for path in logs {
        let read = if is_stdin(path) {
            verifier.read(&mut stdin().lock())
        } else {
            File::open(path).and_then(|file| {
                let watched = Watched { file, progress: &mut progress };
                verifier.read(&mut BufReader::with_capacity(BUFFER, watched))
            })
        };
        read.map_err(|error| unreadable(path, &error))?;
    }
    progress.output.progress("")
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::local(format!("Error reading {}: {}", path.display(), os_message(error)))
        .advise("Check the path and who may read it.")
}

/// How much of all files was read.
struct Progress<'o> {
    done: u64,
    shown: u64,
    total: u64,
    output: &'o mut Output,
}

impl Progress<'_> {
    fn advance(&mut self, bytes: usize) {
        self.done += bytes as u64;
        if self.done - self.shown >= STEP {
            self.shown = self.done;
            // Who reads the outcome does not miss the way to it.
            let _ = self.output.progress(&bar(self.done, self.total));
        }
    }
}

/// A bar, the share, and the bytes of the total.
fn bar(done: u64, total: u64) -> String {
    let share = done.min(total).saturating_mul(100).checked_div(total).unwrap_or(0);
    let filled = usize::try_from(share / 4).unwrap_or(0);
    let mebibytes = |bytes: u64| bytes / (1024 * 1024);
    format!(
        "[{}{}] {share:3}%  {} of {} MiB",
        "=".repeat(filled),
        " ".repeat(25_usize.saturating_sub(filled)),
        mebibytes(done),
        mebibytes(total)
    )
}

/// A file whose reading is counted.
struct Watched<'p, 'o> {
    file: File,
    progress: &'p mut Progress<'o>,
}

impl Read for Watched<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.advance(read);
        Ok(read)
    }
}

const BUFFER: usize = 256 * 1024;
/// So many bytes from one picture of the bar to the next.
const STEP: u64 = 8 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_the_share() {
        assert_eq!(bar(0, 0), format!("[{}]   0%  0 of 0 MiB", " ".repeat(25)));
        assert_eq!(bar(50 << 20, 100 << 20), format!("[{}{}]  50%  50 of 100 MiB", "=".repeat(12), " ".repeat(13)));
        assert!(bar(u64::MAX, 1 << 20).starts_with(&format!("[{}] 100%", "=".repeat(25))));
    }
}
