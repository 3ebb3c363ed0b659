//! The files of the store change behind the server's back.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{Certificates, Client, Process, files_below};

/// How long one of redb's pages is, in bytes.
const PAGE: u64 = 4096;

fn start(folder: &Path, certificates: &Certificates, share: &str, token: &str) -> (Process, Client) {
    let process = Process::start(folder, certificates);
    process.unseal(share);
    let root = process.anonymous().with_token(token);
    (process, root)
}

/// A server with so many secrets, its share and its root token.
fn written(folder: &Path, certificates: &Certificates, secrets: usize) -> (Process, Client, String, String) {
    let process = Process::start(folder, certificates);
    let (share, token) = process.initialise();
    process.unseal(&share);
    let root = process.anonymous().with_token(&token);
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    for n in 0..secrets {
        root.post(&format!("kv/{n}"), json!({"n": n, "text": "x".repeat(3_000)})).ok();
    }
    (process, root, share, token)
}

#[test]
fn a_check_of_a_running_server_sees_what_became_of_its_files() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::write(folder.path());
    let (_process, root, ..) = written(folder.path(), &certificates, 40);
    let check = || root.post("sys/storage/check", json!({})).data();
    let before = check();
    assert_eq!(before["sound"], true, "{before}");

    let store =
        files_below(&folder.path().join("store")).into_iter().find(|path| path.ends_with("vault.redb")).unwrap();
    let file = File::options().read(true).write(true).open(store).unwrap();
    let mut page = vec![0; usize::try_from(PAGE).unwrap()];
    // Behind the page that says where all others are, without which nothing could be said of them.
    for number in 1..file.metadata().unwrap().len() / PAGE {
        file.read_exact_at(&mut page, number * PAGE).unwrap();
        if page.iter().any(|byte| *byte != 0) {
            file.write_all_at(&[page[2000] ^ 1], number * PAGE + 2000).unwrap();
        }
    }
    let after = check();
    assert_eq!(after["sound"], false, "{after}");
    // What it has in memory is served, and can be saved.
    assert_eq!(root.get("kv/7").data()["n"], 7);
    let (status, _, backup) = root.bytes("sys/storage/raft/snapshot");
    assert!(status == 200 && backup.len() > 40 * 3_000, "{status}: {} bytes", backup.len());
}

#[test]
fn a_store_that_was_put_back_and_written_on_stays_sealed_under_a_checkpoint() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::write(folder.path());
    let (mut process, _, share, token) = written(folder.path(), &certificates, 3);
    assert!(process.stop());
    let store = folder.path().join("store");
    let files = files_below(&store);
    let kept: Vec<(_, Vec<u8>)> = files.iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();

    let (mut process, root) = start(folder.path(), &certificates, &share, &token);
    root.post("kv/new", json!({"n": 1})).ok();
    let checkpoint = folder.path().join("checkpoint.json");
    fs::write(&checkpoint, root.post("sys/storage/checkpoint", json!({})).data().to_string()).unwrap();
    assert!(process.stop());

    // The folder is put back to what it was, and written on until its number is higher than that of the checkpoint.
    for (path, bytes) in kept {
        fs::write(path, bytes).unwrap();
    }
    let (mut process, root) = start(folder.path(), &certificates, &share, &token);
    for n in 0..30 {
        root.post(&format!("kv/other/{n}"), json!({"n": n})).ok();
    }
    assert!(process.stop());
    let config = folder.path().join("arca.hcl");
    let text = fs::read_to_string(&config).unwrap();
    for check_on_unseal in [true, false] {
        let more = format!("checkpoint_file = {checkpoint:?}\ncheck_on_unseal = {check_on_unseal}\n");
        fs::write(&config, format!("{text}{more}")).unwrap();
        let mut process = Process::start(folder.path(), &certificates);
        let client = process.anonymous();
        let refused = client.post("sys/unseal", json!({"key": share})).refuses(500, "the vault stays sealed");
        assert!(refused.text.contains("put back to a state before it, and written on since"), "{}", refused.text);
        assert_eq!(client.get("sys/seal-status").ok().json()["sealed"], true);
        assert!(process.stop());
    }
    // Without it nobody can tell.
    fs::write(&config, text).unwrap();
    let (_process, root) = start(folder.path(), &certificates, &share, &token);
    assert_eq!(root.get("kv/other/7").data()["n"], 7);
}
