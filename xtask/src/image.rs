//! The image without a container: the steps of `deploy/Dockerfile`, and the programs running in the folder that would be
//! its root.

use std::ffi::OsString;
use std::path::Path;
use std::{env, fs, iter};

use crate::debian::is_root;
use crate::dockerfile::{self, variable};
use crate::elf;
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::program::{self, Program};
use crate::say;
use crate::workspace::{self, cargo};

/// What the image has besides its two programs.
const FILES: [&str; 3] = ["etc/group", "etc/nsswitch.conf", "etc/passwd"];
/// A configuration with nothing outside of the image.
const CONFIGURATION: &str = "storage \"redb\" { path = \"/var/lib/arca\" }\n\
                             listener \"tcp\" { address = \"127.0.0.1:8200\" tls_disable = true }\n";

/// Checks the Dockerfile, builds as it does, and runs what it makes as it would.
pub(crate) fn run() -> Result<(), Failure> {
    dockerfile::check()?;
    let text = dockerfile::text()?;
    let platform = Program::new("rustc").words("--print host-tuple").capture()?.trim().to_owned();
    // A target folder of its own: with these flags everything is built anew.
    let target = workspace::target().join("image");
    let build = cargo(dockerfile::BUILD).env("PATH", with_auditable(&variable(&text, "CARGO_AUDITABLE")?)?);
    let mut build = build.arg("--target").arg(&platform);
    for name in ["RUSTFLAGS", "CFLAGS"] {
        build = build.env(name, variable(&text, name)?);
    }
    build.env("CARGO_TARGET_DIR", &target).show()?;
    let programs = target.join(&platform).join("release");
    for name in ["arcad", "arca"] {
        is_static(&programs.join(name))?;
        elf::check(&programs.join(name))?;
        lists_its_crates(&programs.join(name))?;
    }
    if !is_root() {
        say::done("SKIPPED: the root folder of the image is made and entered by root only");
        return Ok(());
    }
    try_out(&programs)
}

/// Installs `cargo auditable` beside what is built, if it is not there. The search path that finds it.
fn with_auditable(version: &str) -> Result<OsString, Failure> {
    let tools = workspace::target().join("tools");
    cargo("install --locked --root").arg(&tools).args(["--version", version, "cargo-auditable"]).show()?;
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = iter::once(tools.join("bin")).chain(env::split_paths(&path));
    env::join_paths(folders).map_err(|error| Failure::answer(&error))
}

/// Fails if a program does not have the list of its crates in it.
fn lists_its_crates(program: &Path) -> Result<(), Failure> {
    if Program::new("readelf").words("-W --section-headers").arg(program).capture()?.contains(".dep-v0") {
        return Ok(());
    }
    Err(Failure::new(
        format!("{} has no list of its crates", program.display()),
        "`cargo auditable` puts it there: see deploy/Dockerfile.",
    ))
}

/// Fails if a program asks for a loader or a library.
fn is_static(program: &Path) -> Result<(), Failure> {
    let text = Program::new("readelf").words("-W --segments --dynamic").arg(program).capture()?;
    if text.contains("INTERP") || text.contains("(NEEDED)") {
        return Err(Failure::new(
            format!("{} is not static", program.display()),
            "See RUSTFLAGS in deploy/Dockerfile.",
        ));
    }
    Ok(())
}

/// Makes the root folder and runs the programs in it, as the user that the image names.
fn try_out(programs: &Path) -> Result<(), Failure> {
    let home = Folder::new("arca-image")?;
    let root = home.path().join("root");
    Program::new(workspace::root().join("deploy/assemble.sh")).arg(&root).arg(programs).show()?;
    let mut files: Vec<String> = Vec::new();
    for (path, _) in folder::contents(&root)? {
        files.push(path.strip_prefix(&root).unwrap_or(&path).display().to_string());
    }
    files.sort();
    let mut expected: Vec<String> = FILES.map(str::to_owned).to_vec();
    expected.extend(["usr/local/bin/arca", "usr/local/bin/arcad"].map(str::to_owned));
    if files != expected {
        return Err(Failure::answer(format!("the image has {files:?}")));
    }
    let user = format!("--userspec={}", dockerfile::USER);
    // By its path: without an environment only a few folders are looked through for it.
    let chroot = program::find("chroot").unwrap_or_else(|| "/usr/sbin/chroot".into());
    let inside = |words: &str| Program::new(&chroot).arg(&user).arg(&root).words(words).env_clear();
    inside("/usr/local/bin/arcad --version").show()?;
    inside("/usr/local/bin/arca -version").show()?;
    let config = root.join("etc/arca/arca.hcl");
    folder::write(&config, CONFIGURATION)?;
    inside("/usr/local/bin/arcad config check /etc/arca/arca.hcl").show()?;
    let size: u64 =
        ["arca", "arcad"].iter().filter_map(|name| fs::metadata(programs.join(name)).ok()).map(|m| m.len()).sum();
    say::done(&format!("the image would have {} files and {} MiB of programs", files.len(), size >> 20));
    Ok(())
}
