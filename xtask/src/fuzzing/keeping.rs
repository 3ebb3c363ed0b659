//! Keeps what a target found: those inputs that reach what no seed reaches become seeds.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::folder;
use crate::program::Program;

use super::LONGEST;

/// The most seeds of a target.
const MOST: usize = 150;
/// The most bytes that they have together: the repository holds all of them.
const MOST_BYTES: usize = 64 * 1024;

/// Makes seeds of the corpus of `target`. How many.
pub(super) fn keep(home: &Path, programs: &Path, target: &str) -> Result<usize, Failure> {
    let seeds = home.join("seeds").join(target);
    // libFuzzer puts what its first folder lacks into it: a copy, since not all of that may have room.
    let merged = home.join("target").join("kept").join(target);
    if merged.exists() {
        fs::remove_dir_all(&merged).map_err(|error| Failure::file(&merged, &error))?;
    }
    fs::create_dir_all(&merged).map_err(|error| Failure::file(&merged, &error))?;
    let known = folder::contents(&seeds)?;
    for (path, bytes) in &known {
        folder::write(&merged.join(path.file_name().unwrap_or_default()), bytes)?;
    }
    let ended = Program::new(programs.join(target))
        .words("-set_cover_merge=1 -timeout=10 -rss_limit_mb=2048")
        .arg(format!("-max_len={LONGEST}"))
        .arg(&merged)
        .arg(home.join("corpus").join(target))
        .end()?;
    if ended.code != 0 {
        return Err(Failure::new(format!("What {target} found cannot be merged:\n{}", ended.err), "Run it again."));
    }
    let is_known = |path: &Path| known.iter().any(|(seed, _)| seed.file_name() == path.file_name());
    let found: Vec<_> = folder::contents(&merged)?.into_iter().filter(|(path, _)| !is_known(path)).collect();
    let taken = within(found, known.len(), known.iter().map(|(_, bytes)| bytes.len()).sum());
    for (path, bytes) in &taken {
        folder::write(&seeds.join(path.file_name().unwrap_or_default()), bytes)?;
    }
    Ok(taken.len())
}

/// As many of `found` as there is room for beside so many files of so many bytes together, short and long ones alike.
fn within(mut found: Vec<(PathBuf, Vec<u8>)>, files: usize, bytes: usize) -> Vec<(PathBuf, Vec<u8>)> {
    found.retain(|(_, input)| input.len() <= LONGEST);
    found.sort_by(|(path, input), (other, another)| (input.len(), path).cmp(&(another.len(), other)));
    let room = MOST.saturating_sub(files);
    let step = found.len().div_ceil(room.max(1)).max(1);
    let mut left = MOST_BYTES.saturating_sub(bytes);
    let fits = |(_, input): &(PathBuf, Vec<u8>)| {
        let rest = left.checked_sub(input.len());
        left = rest.unwrap_or(left);
        rest.is_some()
    };
    found.into_iter().step_by(step).filter(fits).take(room).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(lengths: impl Iterator<Item = usize>) -> Vec<(PathBuf, Vec<u8>)> {
        lengths.enumerate().map(|(number, length)| (format!("{number:04}").into(), vec![0; length])).collect()
    }

    #[test]
    fn what_is_kept_has_bounds() {
        let lengths = |taken: &[(PathBuf, Vec<u8>)]| taken.iter().map(|(_, bytes)| bytes.len()).collect::<Vec<_>>();
        assert_eq!(lengths(&within(inputs([3, 1, 5000, 2].into_iter()), 3, 100)), [1, 2, 3]);
        let many = within(inputs(1..=1000), 10, 100);
        assert!(many.len() <= MOST - 10 && many.len() > 60, "{}", many.len());
        assert!(lengths(&many).iter().sum::<usize>() <= MOST_BYTES - 100);
        assert!(lengths(&many).last().is_some_and(|last| *last > 400), "long ones too");
        assert_eq!(within(inputs(1..=10), MOST, 0), []);
        assert_eq!(within(inputs(1..=10), 0, MOST_BYTES), []);
    }
}
