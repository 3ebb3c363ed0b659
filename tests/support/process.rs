//! `Process`: the server as it is shipped, `arcad`, in a process of its own.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::certificates::Pki;
use super::client::{Client, text_at};
use super::eventually;

/// A running `arcad`; killed, by its own id, when this goes.
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    ca: String,
    client: (String, String),
}

/// The server that is tried: that of this build, or the one that `ARCA_TEST_SERVER` names, as the long runs do.
pub(crate) fn program() -> OsString {
    std::env::var_os("ARCA_TEST_SERVER").unwrap_or_else(|| env!("CARGO_BIN_EXE_arcad").into())
}

/// The files of a server in a folder: certificates and configuration. They outlive the process.
pub(crate) struct Certificates(Pki);

impl Certificates {
    /// Writes them into `folder`, where the store, the audit log and the server's log will be too.
    pub(crate) fn write(folder: &Path) -> Self {
        let pki = Pki::new();
        let path = |name: &str| folder.join(name).display().to_string();
        let files = [
            ("ca.pem", &pki.ca),
            ("server.pem", &pki.server.0),
            ("server-key.pem", &pki.server.1),
            ("client.pem", &pki.client.0),
            ("client-key.pem", &pki.client.1),
        ];
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        let config = format!(
            "storage \"redb\" {{\n  path = {:?}\n}}\n\
             listener \"tcp\" {{\n  address = \"127.0.0.1:0\"\n  tls_cert_file = {:?}\n  tls_key_file = {:?}\n  \
             tls_client_ca_file = {:?}\n  disable_unauthed_rekey_endpoints = false\n  \
             disable_unauthed_generate_root_endpoints = false\n}}\n\
             audit \"file\" \"file\" {{\n  options {{\n    file_path = {:?}\n  }}\n}}\n",
            path("store"),
            path("server.pem"),
            path("server-key.pem"),
            path("ca.pem"),
            path("audit.log"),
        );
        fs::write(folder.join("arca.hcl"), config).unwrap();
        Self(pki)
    }
}

/// An `arcad` that does not listen yet; killed, by its own id, when this goes.
pub(crate) struct Starting {
    child: Option<Child>,
    log: PathBuf,
    /// What was in the log before.
    before: usize,
}

impl Starting {
    /// Starts the server in a folder that has its files.
    pub(crate) fn begin(command: &mut Command, folder: &Path) -> Self {
        let log = folder.join("server.log");
        let before = fs::read_to_string(&log).unwrap_or_default().len();
        let errors = OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let child = command
            .arg("--config")
            .arg(folder.join("arca.hcl"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .unwrap();
        Self { child: Some(child), log, before }
    }

    /// Where it listens, once it does.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        let text = fs::read_to_string(&self.log).ok()?;
        let (_, rest) = text.get(self.before..)?.split_once("listening address=")?;
        rest.split_once('\n')?.0.trim().parse().ok()
    }

    /// The server that listens there.
    pub(crate) fn listens(mut self, address: SocketAddr, certificates: &Certificates) -> Process {
        let Pki { ca, client, .. } = &certificates.0;
        Process { child: self.child.take().unwrap(), address, ca: ca.clone(), client: client.clone() }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Process {
    /// Starts the server in a folder that has its files, and waits until it listens.
    pub(crate) fn start(folder: &Path, certificates: &Certificates) -> Self {
        Self::start_by(&mut Self::command(), folder, certificates)
    }

    /// The program without an environment, for [`Process::start_by`].
    pub(crate) fn command() -> Command {
        let mut command = Command::new(program());
        command.env_clear();
        command
    }

    /// The same by a command of the test's own, which runs the program with the arguments that it is given.
    pub(crate) fn start_by(command: &mut Command, folder: &Path, certificates: &Certificates) -> Self {
        let starting = Starting::begin(command, folder);
        let address = eventually("the server listens", || starting.address());
        starting.listens(address, certificates)
    }

    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A client without a token.
    pub(crate) fn anonymous(&self) -> Client {
        Client::new(self.address, &self.ca, Some((&self.client.0, &self.client.1)))
    }

    /// How many bytes of its memory are in the machine's.
    pub(crate) fn resident(&self) -> u64 {
        const PAGE: u64 = 4096;
        let text = fs::read_to_string(format!("/proc/{}/statm", self.child.id())).unwrap();
        text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * PAGE
    }

    /// How many bytes of its memory are no file's, counted page by page; for a user who may not look,
    /// [`Process::resident`], of which some kernels have an estimate only.
    pub(crate) fn own_memory(&self) -> u64 {
        let Ok(text) = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id())) else {
            return self.resident();
        };
        let line = text.lines().find_map(|line| line.strip_prefix("Anonymous:")).expect("the anonymous memory");
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// The most that [`Process::resident`] has been.
    pub(crate) fn peak(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the most");
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// How many files it has open, connections among them.
    pub(crate) fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Lets [`Process::peak`] begin anew.
    pub(crate) fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
    }

    /// The certificate of its authority, and that of a client with its key.
    pub(crate) fn certificates(&self) -> (&str, (&str, &str)) {
        (&self.ca, (&self.client.0, &self.client.1))
    }

    /// Initialises it with one share; gives the share and the root token.
    pub(crate) fn initialise(&self) -> (String, String) {
        let body = json!({ "secret_shares": 1, "secret_threshold": 1 });
        let made: Value = self.anonymous().post("sys/init", body).ok().json();
        (made["keys_base64"][0].as_str().unwrap().to_owned(), text_at(&made, "root_token"))
    }

    /// Unseals it.
    pub(crate) fn unseal(&self, share: &str) {
        let status = self.anonymous().post("sys/unseal", json!({ "key": share })).ok().json();
        assert_eq!(status["sealed"], false);
    }

    /// Ends it at once, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to read its files again (SIGHUP), and waits until its log, in `folder`, has this word of it.
    #[track_caller]
    pub(crate) fn reload(&self, folder: &Path, word: &str) {
        let log = || fs::read_to_string(folder.join("server.log")).unwrap();
        let before = log().len();
        let asked = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        eventually(word, || log().get(before..)?.contains(word).then_some(()));
    }

    /// Asks it to end (SIGTERM) and waits until it has; whether it ended well.
    pub(crate) fn stop(&mut self) -> bool {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap().success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
