//! What `deploy/Dockerfile` says, without a container: hadolint has nothing to say of it, and it does what
//! `cargo xtask image` tries.

use crate::failure::Failure;
use crate::folder;
use crate::program::Program;
use crate::python::Python;
use crate::say;
use crate::workspace;

const PATH: &str = "deploy/Dockerfile";
/// How cargo builds the programs; the platform that they are for comes with `--target`.
pub(crate) const BUILD: &str = "auditable build --locked --release --package arca --package arca-cli";
/// The user, and the group, that the server has in the image; `deploy/assemble.sh` makes them.
pub(crate) const USER: &str = "10001:10001";

/// Checks its form and its steps; takes a second.
pub(crate) fn check() -> Result<(), Failure> {
    let root = workspace::root();
    let python = Python::provide("checks", &root.join("deploy/checks/requirements.txt"))?;
    Program::new(python.program("hadolint")).arg(root.join(PATH)).show()?;
    let assembling = folder::read_text(&root.join("deploy/assemble.sh"))?;
    let manifest = folder::read_text(&root.join("Cargo.toml"))?;
    fits(&text()?, &assembling, &manifest)?;
    say::done("hadolint has nothing to say, and the steps are those that `cargo xtask image` tries");
    Ok(())
}

/// Its text.
pub(crate) fn text() -> Result<String, Failure> {
    folder::read_text(&workspace::root().join(PATH))
}

/// The value of a variable that it sets, in quotes.
pub(crate) fn variable(text: &str, name: &str) -> Result<String, Failure> {
    let value = text.split_once(&format!("{name}=\"")).and_then(|(_, rest)| rest.split_once('"'));
    let missing = || wrong(&format!("does not set {name}"), "Set it as ENV NAME=\"…\".");
    value.map(|(value, _)| value.to_owned()).ok_or_else(missing)
}

/// Fails if it builds, assembles or starts anything else than what is tried.
fn fits(text: &str, assembling: &str, manifest: &str) -> Result<(), Failure> {
    for name in ["CARGO_AUDITABLE", "RUSTFLAGS", "CFLAGS"] {
        variable(text, name)?;
    }
    let steps = text.replace("\\\n", " ");
    let build = steps.split_once("cargo auditable ").and_then(|(_, rest)| rest.split_once(" && "));
    let (options, _) = build.ok_or_else(|| wrong("does not build with cargo auditable", "See xtask/src/image.rs."))?;
    let options = options.replace("--target \"$(rustc --print host-tuple)\"", "");
    if sorted(&format!("auditable {options}")) != sorted(BUILD) {
        let advice = format!("It is `cargo {BUILD}` that is tried: change both.");
        return Err(wrong(&format!("builds with {options:?}"), &advice));
    }
    let rust = manifest.split_once("rust-version = \"").and_then(|(_, rest)| rest.split_once('"'));
    let (rust, _) = rust.ok_or_else(|| Failure::answer("Cargo.toml names no rust-version"))?;
    for line in [
        format!("FROM docker.io/library/rust:{rust}-"),
        "&& deploy/assemble.sh /out \"target/$(rustc --print host-tuple)/release\"".to_owned(),
        "\nFROM scratch\n".to_owned(),
        "\nCOPY --from=build /out/ /\n".to_owned(),
        format!("\nUSER {USER}\n"),
        "\nENTRYPOINT [\"/usr/local/bin/arcad\"]\n".to_owned(),
        "\nCMD [\"--config=/etc/arca/arca.hcl\"]\n".to_owned(),
    ] {
        if !steps.contains(&line) {
            return Err(wrong(&format!("does not say {:?}", line.trim()), "See xtask/src/image.rs, which tries it."));
        }
    }
    let last = steps.split_once("\nFROM scratch\n").map_or("", |(_, last)| last);
    let known = ["COPY", "USER", "EXPOSE", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"];
    if let Some(line) = last.lines().find(|line| !known.iter().any(|word| line.starts_with(word))) {
        return Err(wrong(&format!("does more in its last stage: {line}"), "There is nothing there that could."));
    }
    if !assembling.contains(&format!("arca:x:{USER}:")) {
        return Err(Failure::answer(format!("deploy/assemble.sh makes no user {USER}")));
    }
    Ok(())
}

fn sorted(words: &str) -> Vec<&str> {
    let mut words: Vec<&str> = words.split_whitespace().collect();
    words.sort_unstable();
    words
}

fn wrong(what: &str, advice: &str) -> Failure {
    Failure::new(format!("{PATH} {what}"), advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_from_the_dockerfile() {
        let text = text().unwrap();
        assert!(variable(&text, "RUSTFLAGS").unwrap().contains("+crt-static"));
        assert!(variable(&text, "CFLAGS").unwrap().contains("-fstack-protector-strong"));
        assert!(variable(&text, "CARGO_AUDITABLE").unwrap().starts_with("0."));
        assert!(variable(&text, "OTHER").is_err());
    }

    #[test]
    fn steps_that_nobody_tries_are_found() {
        let (text, read) = (text().unwrap(), |path: &str| folder::read_text(&workspace::root().join(path)).unwrap());
        let (assembling, manifest) = (read("deploy/assemble.sh"), read("Cargo.toml"));
        assert!(fits(&text, &assembling, &manifest).is_ok());
        for (from, to) in [
            ("--locked --release", "--release"),
            ("--package arca-cli", "--package arca-cli --package other"),
            ("cargo auditable build", "cargo build"),
            ("rust:1.", "rust:2."),
            ("assemble.sh /out", "assemble.sh /elsewhere"),
            ("FROM scratch", "FROM docker.io/library/debian:12"),
            ("/out/ /\n", "/out/ /\nRUN true\n"),
            ("USER 10001:10001", "USER 0:0"),
            ("bin/arcad\"]", "bin/arca\"]"),
            ("--config=/etc/arca/arca.hcl", "--dev"),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text, "{from} is not there");
            assert!(fits(&changed, &assembling, &manifest).is_err(), "{to}");
        }
        assert!(fits(&text, &assembling.replace("10001:10001:", "0:0:"), &manifest).is_err());
    }
}
