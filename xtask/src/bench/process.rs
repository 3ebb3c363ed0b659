//! What a process uses, as the kernel counts it (proc(5)).

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A reading of a process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    /// The processor's time so far, in seconds.
    pub(super) cpu_seconds: f64,
    /// What is in memory now, in bytes.
    pub(super) resident_bytes: u64,
}

impl Usage {
    /// Reads what the process `id` uses.
    pub(super) fn of(id: u32) -> Result<Self, Failure> {
        let stat = read(&format!("/proc/{id}/stat"))?;
        // The second field is the program's name in parentheses, which may have blanks.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let ticks: u32 = fields.skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum();
        let status = read(&format!("/proc/{id}/status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = resident.and_then(|text| text.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        // Linux counts hundredths of a second on every architecture that Rust's standard library knows.
        Ok(Self { cpu_seconds: f64::from(ticks) / 100.0, resident_bytes: kibibytes.unwrap_or_default() * 1024 })
    }
}

fn read(path: &str) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::file(Path::new(path), &error))
}

/// What the files in a folder and its folders take up on the disk, in bytes.
pub(super) fn disk_bytes(folder: &Path) -> Result<u64, Failure> {
    use std::os::unix::fs::MetadataExt;
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    let mut total = 0;
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| Failure::file(&folder, &error))? {
            let path = entry.map_err(|error| Failure::file(&folder, &error))?.path();
            let metadata = fs::symlink_metadata(&path).map_err(|error| Failure::file(&path, &error))?;
            if metadata.is_dir() { open.push(path) } else { total += metadata.blocks() * 512 }
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_can_read_itself() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.resident_bytes > 1 << 20);
        assert!(usage.cpu_seconds >= 0.0);
    }
}
