//! The server as it is shipped gives up what it does not need, and works without it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Certificates, Collector, Process, eventually};

/// What Linux says of a process under this name (proc_pid_status(5)).
fn status(process: &Process, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default();
    line.trim().to_owned()
}

fn add_to_configuration(folder: &Path, text: &str) {
    let file = folder.join("arca.hcl");
    let before = fs::read_to_string(&file).unwrap();
    fs::write(file, format!("{before}{text}")).unwrap();
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("server.log")).unwrap()
}

#[test]
fn the_kernel_confines_the_server() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::write(folder.path());
    let mut process = Process::start(folder.path(), &certificates);
    assert_eq!(status(&process, "NoNewPrivs"), "1");
    assert_eq!(status(&process, "Seccomp"), "2", "it is confined to a filter");
    assert_eq!(status(&process, "Seccomp_filters"), "2");
    // Each thread is confined for itself.
    for thread in fs::read_dir(format!("/proc/{}/task", process.id())).unwrap() {
        let text = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        assert!(text.contains("Seccomp:\t2") && text.contains("NoNewPrivs:\t1"), "{text}");
    }
    let limits = fs::read_to_string(format!("/proc/{}/limits", process.id())).unwrap();
    let core: Vec<&str> =
        limits.lines().find(|line| line.starts_with("Max core file size")).unwrap().split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"]);
    let log = log(folder.path());
    assert!(log.contains("the process is confined dumps_kept_out=\"yes\""), "{log}");
    if status(&process, "CapEff").trim_start_matches('0').len() > 3 {
        // Whoever may lock any amount of memory has locked it.
        assert_ne!(status(&process, "VmLck"), "0 kB");
        assert!(log.contains("memory_locked=\"yes\""), "{log}");
    }
    assert!(process.stop());
}

#[test]
fn each_part_can_be_left_out() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::write(folder.path());
    add_to_configuration(
        folder.path(),
        "disable_mlock = true\nsandbox {\n  disable_landlock = true\n  disable_seccomp = true\n}\n",
    );
    let process = Process::start(folder.path(), &certificates);
    assert_eq!(status(&process, "Seccomp"), "0");
    assert_eq!(status(&process, "VmLck"), "0 kB");
    assert!(log(folder.path()).contains(
        "memory_locked=\"off (disable_mlock)\" landlock=\"off (disable_landlock)\" seccomp=\"off (disable_seccomp)\""
    ));
}

/// What `sys/health` says of the process, sealed or not, is what the kernel says of it.
#[test]
fn status_says_how_the_process_is_confined() {
    let none = "disable_mlock = true\nsandbox {\n  disable_landlock = true\n  disable_seccomp = true\n}\n";
    for (more, is_confined) in [("", true), (none, false)] {
        let (folder, outside) = (TempDir::new().unwrap(), TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap());
        let certificates = Certificates::write(folder.path());
        add_to_configuration(folder.path(), &format!("unsafe_allow_api_audit_creation = true\n{more}"));
        let process = Process::start(folder.path(), &certificates);
        let said =
            || process.anonymous().get("sys/health?uninitcode=200&sealedcode=200").is(200).json()["confinement"].take();
        let sealed = said();
        let (share, token) = process.initialise();
        process.unseal(&share);
        assert_eq!(said(), sealed);

        let limits = fs::read_to_string(format!("/proc/{}/limits", process.id())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
        assert_eq!(sealed["dumps_kept_out"], "on");
        let otherwise = if is_confined { "unavailable" } else { "off" };
        let expected = |held: bool| if held { "on" } else { otherwise };
        assert_eq!(status(&process, "Seccomp"), if is_confined { "2" } else { "0" });
        assert_eq!(sealed["seccomp"], expected(status(&process, "Seccomp") == "2"));
        assert_eq!(status(&process, "NoNewPrivs"), if is_confined { "1" } else { "0" });
        assert_eq!(sealed["memory_locked"], expected(status(&process, "VmLck") != "0 kB"));
        // Linux does not say of a process that Landlock confines it; what it cannot do says so.
        let device = json!({"type": "file", "options": {"file_path": outside.path().join("new/audit.log")}});
        let made = process.anonymous().with_token(&token).post("sys/audit/outside", device);
        let landlock = sealed["landlock"].as_str().unwrap();
        if matches!(landlock, "on" | "partial") {
            made.refuses(400, "writable_paths of the block sandbox");
            assert!(is_confined);
        } else {
            made.ok();
            assert_eq!(landlock, otherwise);
        }
        println!("status_says_how_the_process_is_confined: {sealed}");
    }
}

#[test]
fn a_confined_server_reaches_what_it_needs_and_nothing_else() {
    let (folder, more) = (TempDir::new().unwrap(), TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap());
    let outside = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let certificates = Certificates::write(folder.path());
    // By name: the resolver's files and sockets must be within reach.
    let collector = Collector::http(&[]);
    let port = collector.address.port();
    add_to_configuration(
        folder.path(),
        &format!(
            "unsafe_allow_api_audit_creation = true\nsandbox {{ writable_paths = [{:?}] }}\n\
             audit \"http\" \"named\" {{ options {{ url = \"http://localhost:{port}/\" }} }}\n",
            more.path().display().to_string()
        ),
    );
    let mut process = Process::start(folder.path(), &certificates);
    let (share, token) = process.initialise();
    process.unseal(&share);
    let root = process.anonymous().with_token(&token);
    eventually("the collector was found by its name", || (!collector.taken().is_empty()).then_some(()));

    let device = |folder: &Path| json!({"type": "file", "options": {"file_path": folder.join("new/audit.log")}});
    root.post("sys/audit/more", device(more.path())).ok();
    assert!(!fs::read(more.path().join("new/audit.log")).unwrap().is_empty());
    if log(folder.path()).contains("landlock=\"no") {
        println!("LEFT OUT: this kernel has no Landlock");
        return;
    }
    root.post("sys/audit/outside", device(outside.path())).refuses(400, "writable_paths of the block sandbox");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0, "nothing was made there");

    // A certificate that another file takes the place of is read again.
    let (fresh, current) = (folder.path().join("fresh.pem"), folder.path().join("server.pem"));
    fs::copy(&current, &fresh).unwrap();
    fs::rename(&fresh, &current).unwrap();
    let signal = Command::new("kill").args(["-HUP", &process.id().to_string()]).status().unwrap();
    assert!(signal.success());
    eventually("it is read", || log(folder.path()).contains("the certificates were read again").then_some(()));
    process.anonymous().get("sys/health").ok();

    // What it counts about itself it still reads.
    let metrics = root.get("sys/metrics?format=prometheus");
    assert!(metrics.status != 200 || metrics.text.contains("process_open_fds"), "{}", metrics.text);
    assert!(process.stop(), "it ends well when it is asked to");
    let log = log(folder.path());
    assert!(!log.contains("ERROR") && !log.contains("ermission denied"), "{log}");
}
