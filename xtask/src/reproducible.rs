//! Whether the same source gives the same programs: built twice, in two folders of different names, and compared.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::folder;
use crate::program::Program;
use crate::say;
use crate::workspace::{self, cargo};

/// Options of the comparison.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The profile of cargo
    #[arg(long, default_value = "release")]
    profile: String,
    /// Build only this package; may be repeated
    #[arg(long, default_values = ["arca", "arca-cli"])]
    package: Vec<String>,
}

/// Builds what is committed twice and compares; fails if a byte differs.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let base = workspace::target().join("reproducible");
    let _ = fs::remove_dir_all(&base);
    let one = built(&base.join("one"), args)?;
    let other = built(&base.join("another/with/a/longer/name"), args)?;
    if one.is_empty() {
        return Err(Failure::new("These packages have no programs", "Name a package that has one."));
    }
    let mut different = Vec::new();
    for (name, bytes) in &one {
        let twin = other.iter().find(|(other, _)| other == name);
        match twin.and_then(|(_, twin)| difference(bytes, twin)) {
            None if twin.is_some() => say::done(&format!("{name}: the same {} bytes both times", bytes.len())),
            Some(place) => different.push(format!("{name} at byte {place}")),
            None => different.push(format!("{name} is there once only")),
        }
    }
    if different.is_empty() {
        let _ = fs::remove_dir_all(&base);
        return Ok(());
    }
    let advice = format!("Both are left in {} for a comparison, for example with diffoscope.", base.display());
    Err(Failure::new(format!("The programs differ: {}", different.join(", ")), advice))
}

/// The programs of a checkout in `folder`, by name.
fn built(folder: &Path, args: &Args) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let (source, target) = (folder.join("source"), folder.join("target"));
    fs::create_dir_all(&source).map_err(|error| Failure::file(&source, &error))?;
    let archive = folder.join("source.tar");
    Program::new("git")
        .words("archive --format=tar --output")
        .arg(&archive)
        .arg("HEAD")
        .folder(workspace::root())
        .show()?;
    Program::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&source).show()?;
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home =
        home.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"))).unwrap_or_default();
    let (source_name, target_name, home) = (source.display(), target.display(), home.display());
    // Paths get into programs through messages of panics and through __FILE__ of C.
    let rust = format!(
        "--remap-path-prefix={source_name}=/source --remap-path-prefix={target_name}=/target --remap-path-prefix={home}=/cargo"
    );
    let c = format!(
        "-fstack-protector-strong -ffile-prefix-map={source_name}=/source -ffile-prefix-map={target_name}=/target -ffile-prefix-map={home}=/cargo"
    );
    let mut build = cargo("build --locked --profile").arg(&args.profile);
    for package in &args.package {
        build = build.arg("--package").arg(package);
    }
    build
        .folder(&source)
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_INCREMENTAL", "0")
        .env("SOURCE_DATE_EPOCH", "0")
        .env("RUSTFLAGS", rust)
        .env("CFLAGS", c)
        .show()?;
    programs(&target.join(if args.profile == "dev" { "debug" } else { &args.profile }))
}

/// The programs in a folder of cargo: what has no extension and begins as a program does.
fn programs(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| Failure::file(folder, &error))? {
        let path = entry.map_err(|error| Failure::file(folder, &error))?.path();
        if path.is_file() && path.extension().is_none() {
            let bytes = folder::read(&path)?;
            if bytes.starts_with(b"\x7fELF") {
                found.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), bytes));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Where two files differ first.
fn difference(one: &[u8], other: &[u8]) -> Option<usize> {
    let place = one.iter().zip(other).position(|(one, other)| one != other);
    place.or_else(|| (one.len() != other.len()).then(|| one.len().min(other.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_found() {
        assert_eq!(difference(b"abc", b"abc"), None);
        assert_eq!(difference(b"abc", b"abd"), Some(2));
        assert_eq!(difference(b"abc", b"ab"), Some(2));
        assert_eq!(difference(b"", b"a"), Some(0));
    }
}
