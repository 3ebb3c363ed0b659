//! How a built program is hardened, by what stands in its headers (elf(5)), as `readelf` shows them.

use std::path::Path;

use crate::failure::Failure;
use crate::program::Program;
use crate::say;
use crate::workspace::{self, Profile};

/// What `readelf` says of a program: its header, its segments, its dynamic section.
struct Headers(String);

/// Checks the programs of a release build.
pub(crate) fn run() -> Result<(), Failure> {
    let binaries = workspace::build(Profile::Release)?;
    for program in [&binaries.arcad, &binaries.arca] {
        check(program)?;
        has_stack_protector(program)?;
    }
    Ok(())
}

/// Fails if nothing in a program that asks for the C library asks it for what ends it over a stack that was overrun.
fn has_stack_protector(program: &Path) -> Result<(), Failure> {
    let text = Program::new("readelf").words("-W --dyn-syms").arg(program).capture()?;
    if text.contains("__stack_chk_fail") {
        return Ok(());
    }
    let advice = "The parts in C are to be built with CFLAGS=-fstack-protector-strong, as .cargo/config.toml says.";
    Err(Failure::new(format!("{} has no stack protector", program.display()), advice))
}

/// Fails if a program lacks something that makes it harder to take over.
pub(crate) fn check(program: &Path) -> Result<(), Failure> {
    let text = Program::new("readelf").words("-W --file-header --segments --dynamic").arg(program).capture()?;
    let lacking = Headers(text).lacking();
    if lacking.is_empty() {
        say::done(&format!(
            "{}: PIE, full RELRO, no executable stack, nothing both written and run",
            program.display()
        ));
        return Ok(());
    }
    let advice =
        "rustc links so by default; look for linker options in .cargo/config.toml, RUSTFLAGS and build scripts.";
    Err(Failure::new(format!("{} is not hardened: {}", program.display(), lacking.join("; ")), advice))
}

impl Headers {
    /// What is not as it should be.
    fn lacking(&self) -> Vec<&'static str> {
        let checks = [
            (self.has_line(&["Type:", "DYN"]), "it is not position-independent (PIE)"),
            (self.has_line(&["GNU_RELRO"]), "it has no part that is read-only after relocation (RELRO)"),
            (self.binds_now(), "it resolves functions late, so that their table stays writable (no full RELRO)"),
            (self.flags("GNU_STACK").is_some_and(|flags| !flags.contains('E')), "its stack is executable"),
            (!self.loads_writable_code(), "it has memory that is both written and run"),
            (!self.has_line(&["(TEXTREL)"]), "its code is changed at start (TEXTREL)"),
            (
                !self.has_line(&["(RPATH)"]) && !self.has_line(&["(RUNPATH)"]),
                "it looks for libraries in places of its own",
            ),
        ];
        checks.into_iter().filter_map(|(fine, what)| (!fine).then_some(what)).collect()
    }

    fn has_line(&self, words: &[&str]) -> bool {
        self.0.lines().any(|line| words.iter().all(|word| line.contains(word)))
    }

    fn binds_now(&self) -> bool {
        self.has_line(&["(BIND_NOW)"])
            || self.has_line(&["(FLAGS)", "BIND_NOW"])
            || self.has_line(&["(FLAGS_1)", "NOW"])
    }

    /// What may be done with the first segment of this kind: `R`, `W`, `E`.
    fn flags(&self, kind: &str) -> Option<String> {
        self.segments(kind).next()
    }

    fn loads_writable_code(&self) -> bool {
        self.segments("LOAD").any(|flags| flags.contains('W') && flags.contains('E'))
    }

    /// The flags of the segments of a kind: what stands between five numbers and the alignment.
    fn segments<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = String> + 'a {
        self.0.lines().filter_map(move |line| {
            let mut words = line.split_whitespace();
            if words.next()? != kind {
                return None;
            }
            let words: Vec<&str> = words.skip(5).collect();
            Some(words.split_last()?.1.concat())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
  Type:                              DYN (Position-Independent Executable file)
  Type           Offset   VirtAddr           PhysAddr           FileSiz  MemSiz   Flg Align
  LOAD           0x000000 0x0000000000000000 0x0000000000000000 0x2ba6e4 0x2ba6e4 R   0x1000
  LOAD           0x2ba700 0x00000000002bb700 0x00000000002bb700 0x9d0a5f 0x9d0a5f R E 0x1000
  LOAD           0xc8b160 0x0000000000c8d160 0x0000000000c8d160 0x0aaf38 0x0ac0a0 RW  0x1000
  GNU_RELRO      0xc8b160 0x0000000000c8d160 0x0000000000c8d160 0x0a9ea0 0x0a9ea0 R   0x1
  GNU_STACK      0x000000 0x0000000000000000 0x0000000000000000 0x000000 0x000000 RW  0
 0x000000000000001e (FLAGS)              BIND_NOW
 0x000000006ffffffb (FLAGS_1)            Flags: NOW PIE
";

    fn lacking(text: &str) -> Vec<&'static str> {
        Headers(text.to_owned()).lacking()
    }

    #[test]
    fn a_hardened_program_lacks_nothing() {
        assert_eq!(lacking(GOOD), Vec::<&str>::new());
    }

    #[test]
    fn each_lack_is_found() {
        for (from, to, what) in [
            ("DYN (Position", "EXEC (Position", "PIE"),
            ("GNU_RELRO ", "GNU_OTHER ", "RELRO"),
            ("NOW", "LAZY", "full RELRO"),
            ("0x000000 RW  0\n", "0x000000 RWE 0\n", "stack"),
            ("0x0ac0a0 RW ", "0x0ac0a0 RWE", "written and run"),
            ("(FLAGS) ", "(TEXTREL) ", "TEXTREL"),
            ("(FLAGS) ", "(RUNPATH) ", "libraries"),
        ] {
            let found = lacking(&GOOD.replace(from, to));
            assert!(found.len() == 1 && found[0].contains(what), "{what}: {found:?}");
        }
        assert!(lacking("").len() >= 4, "a file that is no program passes nothing");
    }
}
