//! Mutants: the code is made wrong in one small place, and the tests are to notice. docs/security/mutants.md has what came
//! of it, and what became of those that were not noticed.
//!
//! What costs time is building the tests, once for each mutant. So a module is built with the layers that it rests on, and
//! without those above it, which takes seconds in place of minutes: the table in `src/lib.rs` says which those are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::folder;
use crate::program::{self, Program};
use crate::say;
use crate::workspace::{self, cargo};

/// Options of the search for mutants.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only this module; may be given several times
    #[arg(long, value_name = "MODULE")]
    only: Vec<String>,
    /// One of so many mutants, always the same ones
    #[arg(long, default_value_t = 1, value_name = "N")]
    sample: u32,
    /// With --sample: others, which 0 to N-1 of the so many stand for
    #[arg(long, default_value_t = 0, value_name = "I")]
    offset: u32,
    /// Only those whose line in `cargo mutants --list` matches this regular expression; may be given several times
    #[arg(long, value_name = "REGEX")]
    named: Vec<String>,
}

/// What the security of all else rests on, in the order of what is looked at first.
const MODULES: [&str; 6] = ["policy", "token", "seal", "barrier", "chain", "audit"];

/// Tries the mutants of the last commit.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    if program::find("cargo-mutants").is_none() {
        return Err(Failure::new("cargo-mutants is missing", "Run `cargo install cargo-mutants --locked`."));
    }
    if args.offset >= args.sample {
        return Err(Failure::new("there is no such part of the mutants", "Give an --offset from 0 to below --sample."));
    }
    let tree = Tree::check_out()?;
    let all = MODULES.map(str::to_owned);
    let modules = if args.only.is_empty() { all.as_slice() } else { args.only.as_slice() };
    for module in modules {
        let found = tree.try_module(module, args)?;
        say::done(&format!("{module}: {found}"));
    }
    Ok(())
}

/// A checkout of its own, in which the code may be wrong for a moment.
struct Tree {
    folder: PathBuf,
}

impl Tree {
    fn check_out() -> Result<Self, Failure> {
        let folder = workspace::target().join("mutants/tree");
        let advice = "Remove what is left of an earlier run: git worktree remove --force target/mutants/tree";
        Program::new("git")
            .words("worktree add --detach")
            .arg(&folder)
            .folder(workspace::root())
            .advise(advice)
            .show()?;
        Ok(Self { folder })
    }

    fn try_module(&self, module: &str, args: &Args) -> Result<String, Failure> {
        let lib = self.folder.join("src/lib.rs");
        let whole = folder::read_text(&lib)?;
        let unknown = || {
            let advice = "Name a module of the table in src/lib.rs.";
            Failure::new(format!("there is no module {module}"), advice)
        };
        folder::write(&lib, up_to(&whole, module).ok_or_else(unknown)?)?;
        let results = workspace::target().join("mutants").join(module);
        let ran = cargo(&command(module, args))
            .args(args.named.iter().map(|name| format!("--re={name}")))
            .arg("--output")
            .arg(&results)
            .args(["--", "--", &format!("{module}::")])
            .folder(&self.folder)
            // Of its own: another cargo in the same folder would hold the tests up, and with them what is measured here.
            .env("CARGO_TARGET_DIR", workspace::target().join("mutants/build"))
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            // A property that is violated is violated by few cases; the smallest one is of no interest.
            .env("PROPTEST_CASES", "24")
            .env("PROPTEST_MAX_SHRINK_ITERS", "1")
            .show();
        folder::write(&lib, whole)?;
        // It fails as well when it has done its work and a mutant was missed.
        let counted = counted(&results.join("mutants.out"));
        if counted.is_none() {
            ran?;
        }
        Ok(counted.unwrap_or_else(|| "no such mutants".to_owned()))
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let removed = Program::new("git").words("worktree remove --force").arg(&self.folder).folder(workspace::root());
        // The next run says what to do about it.
        let _ = removed.end();
    }
}

/// What `cargo mutants` is asked for: all but what the fuzz targets run, which is an instrument. It runs the tests over the
/// code as it is first: were they to fail there, all would count as caught. Five times as long as they take there, and 20
/// seconds at least, is what a mutant has.
fn command(module: &str, args: &Args) -> String {
    let Args { sample, offset, .. } = args;
    format!(
        "mutants --in-place --package arca --file src/{module}/** --shard {offset}/{sample} --sharding round-robin \
         --exclude-re fuzz --cargo-arg=--lib"
    )
}

/// How many mutants were caught, missed, and so on; nothing if none was tried, as when the tests fail without any.
fn counted(results: &Path) -> Option<String> {
    let count = |kind: &str| {
        let text = fs::read_to_string(results.join(format!("{kind}.txt"))).ok()?;
        Some((kind.to_owned(), text.lines().count()))
    };
    let counts: Option<Vec<_>> = ["caught", "missed", "timeout", "unviable"].into_iter().map(count).collect();
    let counts = counts.filter(|counts| counts.iter().any(|(_, count)| *count > 0))?;
    Some(counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", "))
}

/// `lib.rs` with the modules of the layers up to that of `module` alone; nothing if there is no such module.
fn up_to(lib: &str, module: &str) -> Option<String> {
    let layers = layers(lib);
    let highest = layers.get(module)?;
    let mut kept = String::new();
    // Attributes wait for the module that they are of.
    let mut attributes = String::new();
    for line in lib.lines() {
        let declared =
            line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod ")).map(|rest| rest.trim_end_matches(';'));
        match declared {
            None if line.starts_with("#[") => {
                attributes.push_str(line);
                attributes.push('\n');
            }
            Some(name) if layers.get(name).is_some_and(|layer| layer > highest) => attributes.clear(),
            None | Some(_) => {
                kept.push_str(&std::mem::take(&mut attributes));
                kept.push_str(line);
                kept.push('\n');
            }
        }
    }
    Some(kept)
}

/// The layer of each module, by the table in the documentation of `lib.rs`.
fn layers(lib: &str) -> BTreeMap<String, u32> {
    let mut layers = BTreeMap::new();
    for row in lib.lines().filter_map(|line| line.strip_prefix("//! | ")) {
        let mut cells = row.split('|').map(str::trim);
        let (Some(Ok(layer)), Some(names)) = (cells.next().map(str::parse), cells.next()) else { continue };
        layers.extend(names.split("[`").skip(1).filter_map(|name| Some((name.split_once("`]")?.0.to_owned(), layer))));
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "//! | layer | module | purpose |\n//! | 0 | [`secret`], [`time`] | types |\n//! | 3 | [`policy`] | rules |\n\
                       //! | 9 | [`sys`] | endpoints |\n\npub mod secret;\n#[cfg(feature = \"server\")]\npub mod sys;\n\
                       #[cfg(feature = \"server\")]\npub mod policy;\n#[cfg(test)]\nmod schedule;\npub mod time;\n";

    #[test]
    fn what_lies_above_a_module_is_left_out() {
        let policy = up_to(LIB, "policy").unwrap();
        assert!(
            policy.contains(
                "#[cfg(feature = \"server\")]\npub mod policy;\n#[cfg(test)]\nmod schedule;\npub mod time;\n"
            )
        );
        assert!(!policy.contains("pub mod sys;"));
        assert!(!up_to(LIB, "time").unwrap().contains("pub mod policy;"));
        assert_eq!(up_to(LIB, "sys").as_deref(), Some(LIB));
        assert_eq!(up_to(LIB, "nothing"), None);
    }

    #[test]
    fn where_nothing_was_tried_nothing_is_counted() {
        let results = folder::Folder::new("arca-counted").unwrap();
        assert_eq!(counted(results.path()), None);
        for kind in ["caught", "missed", "timeout", "unviable"] {
            fs::write(results.path().join(format!("{kind}.txt")), "").unwrap();
        }
        assert_eq!(counted(results.path()), None);
        fs::write(results.path().join("missed.txt"), "one\ntwo\n").unwrap();
        assert_eq!(counted(results.path()).as_deref(), Some("0 caught, 2 missed, 0 timeout, 0 unviable"));
    }

    #[test]
    fn every_module_is_in_the_table() {
        let lib = folder::read_text(&workspace::root().join("src/lib.rs")).unwrap();
        for module in MODULES {
            assert!(up_to(&lib, module).is_some(), "{module}");
        }
    }
}
