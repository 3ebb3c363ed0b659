//! What a server says that does not start because of a file: which one it is, and what to do.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::{Certificates, Process, program};

fn run(arguments: &[&str]) -> (bool, String) {
    let command = &mut Command::new(program());
    let Output { status, stderr, .. } = command.args(arguments).env_clear().stdin(Stdio::null()).output().unwrap();
    (status.success(), String::from_utf8(stderr).unwrap())
}

/// The configuration of a server whose files are in `folder`, with this in the place of that.
fn config(folder: &Path, of: &str, with: &str) -> String {
    let whole = fs::read_to_string(folder.join("arca.hcl")).unwrap();
    assert!(whole.contains(of), "{of}: {whole}");
    let file = folder.join("changed.hcl");
    fs::write(&file, whole.replacen(of, with, 1)).unwrap();
    file.display().to_string()
}

#[test]
fn every_file_that_cannot_be_read_or_written_is_named() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    Certificates::write(folder);
    let path = |name: &str| folder.join(name).display().to_string();
    let (missing, broken) = (path("missing"), path("broken"));
    fs::write(&broken, "no such thing").unwrap();
    // A folder cannot be made where there is a file.
    let within = path("broken/file");
    for (of, with, named) in [
        ("storage".to_owned(), format!("checkpoint_file = {missing:?}\nstorage"), [&missing, "checkpoint_file"]),
        ("storage".to_owned(), format!("checkpoint_file = {broken:?}\nstorage"), [&broken, "checkpoint_file"]),
        ("storage".to_owned(), format!("log_file = {within:?}\nstorage"), [&within, "log_file"]),
        ("storage".to_owned(), format!("pid_file = {within:?}\nstorage"), [&within, "pid_file"]),
        (path("store"), within.clone(), [&within, "path of the store"]),
        (path("server.pem"), missing.clone(), [&missing, "certificate"]),
        (path("server-key.pem"), missing.clone(), [&missing, "private key"]),
        (path("ca.pem"), missing.clone(), [&missing, "certificate"]),
        (path("ca.pem"), broken.clone(), [&broken, "certificate"]),
        (path("server-key.pem"), path("client-key.pem"), [&path("server.pem"), &path("client-key.pem")]),
        (
            "tls_client_ca_file".to_owned(),
            format!("tls_client_crl_file = {missing:?}\n  tls_client_ca_file"),
            [&missing, "revoked"],
        ),
        (
            "storage".to_owned(),
            format!(
                "telemetry {{\n  otlp_endpoint = \"https://127.0.0.1:1/v1/traces\"\n  \
                 otlp_ca_file = {missing:?}\n}}\nstorage"
            ),
            [&missing, "otlp_ca_file"],
        ),
    ] {
        let (served, text) = run(&["--config", &config(folder, &of, &with)]);
        assert!(!served, "{with}");
        assert!(named.iter().all(|part| text.contains(part)), "{named:?}: {text}");
        assert!(["check ", "give "].iter().any(|advice| text.contains(advice)), "what to do: {text}");
    }

    let whole = path("arca.hcl");
    fs::create_dir_all(folder.join("store/redb")).unwrap();
    for arguments in [
        &["--config", &missing][..],
        &["restore", "--config", &whole, &missing],
        &["restore", "--verify-only", &missing],
        &["restore", "--verify-only", &broken],
        &["check", "--config", &whole, "--checkpoint", &missing],
        &["check", "--config", &whole, "--checkpoint", &broken],
    ] {
        let (done, text) = run(arguments);
        let named = arguments.last().unwrap();
        assert!(!done && text.contains(named), "{arguments:?}: {text}");
    }
}

#[test]
fn the_folder_of_the_log_is_made_and_the_log_has_why_a_start_failed() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let certificates = Certificates::write(folder);
    let running = Process::start(folder, &certificates);
    let log = folder.join("logs/of/arca/server.log");
    let (served, text) = run(&["--config", &config(folder, "storage", &format!("log_file = {log:?}\nstorage"))]);
    let store = folder.join("store").display().to_string();
    let reason = format!("another process has the store in {store} open; stop it first");
    assert!(!served && text.trim() == format!("arcad: {reason}"), "{text}");
    let logged = fs::read_to_string(log).unwrap();
    assert!(logged.contains(&format!("the server ends: {reason}")), "{logged}");
    drop(running);
}
