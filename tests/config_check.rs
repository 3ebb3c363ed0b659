//! `arcad config check`: the text, and the files that it names.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::support::Certificates;

/// Whether it is content, and all that it says.
fn check(words: &[&str], file: &Path) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_arcad"));
    let output = command.args(["config", "check"]).args(words).arg(file).env_clear().output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout) + &text(output.stderr))
}

#[test]
fn what_the_configuration_names_must_be_there() {
    let home = TempDir::new().unwrap();
    drop(Certificates::write(home.path()));
    let config = home.path().join("arca.hcl");
    let (is_good, said) = check(&[], &config);
    assert!(is_good && said == "The configuration is good.\n", "{said}");
    fs::remove_file(home.path().join("server-key.pem")).unwrap();
    let (is_good, said) = check(&[], &config);
    assert!(!is_good && !said.contains("The configuration is good."), "{said}");
    assert!(said.contains("tls_key_file") && said.contains("/server-key.pem\": No such file"), "{said}");
    assert!(!said.contains("tls_cert_file"), "{said}");
    let (is_good, said) = check(&["--without-files"], &config);
    assert!(is_good && said == "The configuration is good.\n", "{said}");
    // What is shipped can be checked anywhere.
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/arca.hcl");
    let (is_good, said) = check(&["--without-files"], &shipped);
    assert!(is_good, "{said}");
}
