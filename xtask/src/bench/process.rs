//! What a process uses, as the kernel counts it (proc(5)).

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// What the process `id` has in memory now, in bytes.
pub(super) fn resident_bytes(id: u32) -> Result<u64, Failure> {
    let status = read(&format!("/proc/{id}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = resident.and_then(|text| text.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    let kibibytes =
        kibibytes.ok_or_else(|| Failure::answer(format!("process {id} has no memory; it may have ended")))?;
    Ok(kibibytes * 1024)
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
    use crate::folder::Folder;

    #[test]
    fn a_process_can_read_itself() {
        assert!(resident_bytes(std::process::id()).unwrap() > 1 << 20);
        assert!(resident_bytes(u32::MAX).is_err());
    }

    #[test]
    fn files_of_folders_in_folders_count() {
        let folder = Folder::new("arca-xtask-disk-test").unwrap();
        let inner = folder.private("in").unwrap();
        let empty = disk_bytes(folder.path()).unwrap();
        fs::write(inner.join("file"), vec![1; 100_000]).unwrap();
        assert!(disk_bytes(folder.path()).unwrap() >= empty + 100_000);
    }
}
