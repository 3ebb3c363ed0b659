//! A PostgreSQL cluster for tests: its own data directory, its own port, TLS on, gone when it is dropped.

use std::io;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

/// The superuser of every cluster.
pub(crate) const ADMIN: &str = "admin";
/// Its password.
pub(crate) const ADMIN_PASSWORD: &str = "admin password/with?odd&characters%";

/// A running cluster. It listens on `localhost`, with TLS and without, and asks everyone for their password.
pub(crate) struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    as_root: bool,
    /// Its port.
    pub(crate) port: u16,
    /// Its own certificate and those around it.
    pub(crate) certificates: Certificates,
    /// The certificate of an authority that it has nothing to do with, in PEM.
    pub(crate) other_authority: String,
}

impl Postgres {
    /// Makes a cluster and starts it.
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let as_root = std::fs::metadata(folder.path()).expect("the temporary folder").uid() == 0;
        let certificates = Certificates::make();
        let other_authority = Certificates::make().authority;
        let cluster = Self { folder, programs: programs(), as_root, port: free_port(), certificates, other_authority };
        let password_file = cluster.folder.path().join("password");
        std::fs::write(&password_file, ADMIN_PASSWORD).expect("the password file");
        for (name, text) in [
            ("authority.crt", &cluster.certificates.authority),
            ("server.crt", &cluster.certificates.server),
            ("server.key", &cluster.certificates.server_key),
        ] {
            std::fs::write(cluster.folder.path().join(name), text).expect("a certificate");
        }
        if as_root {
            // PostgreSQL refuses to run as root.
            let status = Command::new("chown").args(["-R", "postgres"]).arg(cluster.folder.path()).status();
            assert!(status.expect("chown").success(), "the user postgres owns the cluster");
        }
        let mode = Command::new("chmod").arg("0600").arg(cluster.folder.path().join("server.key")).status();
        assert!(mode.expect("chmod").success());
        let data = cluster.data();
        let initialised = cluster
            .program("initdb")
            .args(["--no-sync", "--no-locale", "-E", "UTF8", "-A", "scram-sha-256", "-U", ADMIN])
            .arg("--pwfile")
            .arg(&password_file)
            .arg("-D")
            .arg(&data)
            .output();
        check(initialised, "initdb");
        cluster.resume();
        cluster
    }

    /// Starts it again after [`Postgres::stop`].
    pub(crate) fn resume(&self) {
        let folder = self.folder.path().display();
        let options = format!(
            "-p {port} -c listen_addresses=localhost -c unix_socket_directories='' -c fsync=off -c ssl=on \
             -c ssl_cert_file={folder}/server.crt -c ssl_key_file={folder}/server.key \
             -c ssl_ca_file={folder}/authority.crt -c log_statement=all",
            port = self.port
        );
        let log = self.folder.path().join("log");
        let mut command = self.program("pg_ctl");
        command.args(["-w", "-o", &options, "-D"]).arg(self.data()).arg("-l").arg(&log).arg("start");
        // The server inherits these; a pipe would stay open as long as it runs.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = command.status().expect("pg_ctl");
        assert!(started.success(), "PostgreSQL did not start: {}", self.log());
    }

    /// Stops it at once, as a crash would, and waits until it is gone.
    pub(crate) fn stop(&self) {
        let stopped =
            self.program("pg_ctl").args(["-w", "-m", "immediate", "-D"]).arg(self.data()).arg("stop").output();
        check(stopped, "pg_ctl stop");
    }

    /// Executes `sql` as `user`; what it answers, or what went wrong.
    pub(crate) fn query_as(&self, user: &str, password: &str, sql: &str) -> Result<String, String> {
        let output = Command::new(self.programs.join("psql"))
            .args(["-X", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-h", "localhost", "-U", user, "-d", "postgres"])
            .args(["-p", &self.port.to_string(), "-c", sql])
            .env("PGPASSWORD", password)
            .output()
            .expect("psql");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    /// Executes `sql` as the superuser, which must succeed.
    pub(crate) fn query(&self, sql: &str) -> String {
        self.query_as(ADMIN, ADMIN_PASSWORD, sql).expect(sql)
    }

    /// All that the server logged, every statement among it.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if self.as_root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(self.folder.path());
        command
    }

    /// The id of the server's process, if it runs.
    fn pid(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Its own process only: SIGQUIT ends it and all that it started, at once.
        if let Some(pid) = self.pid() {
            let _ = Command::new("kill").args(["-QUIT", &pid.to_string()]).status();
            let mut patience = 200;
            while self.pid().is_some() && patience > 0 {
                let _ = Command::new("sleep").arg("0.02").status();
                patience -= 1;
            }
        }
    }
}

/// Where the programs of the newest installed PostgreSQL are.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|entry| entry.path()).collect();
    folders.sort_by_key(|folder| folder.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    let others = ["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from);
    let mut candidates = folders.iter().rev().map(|folder| folder.join("bin")).chain(others);
    let complete = |folder: &PathBuf| ["initdb", "pg_ctl", "psql"].iter().all(|name| folder.join(name).exists());
    match candidates.find(complete) {
        Some(folder) => folder,
        None => panic!("these tests need PostgreSQL (initdb, pg_ctl, psql); install the package `postgresql`"),
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn check(output: io::Result<Output>, what: &str) {
    let output = output.unwrap_or_else(|error| panic!("{what} could not be run: {error}"));
    assert!(output.status.success(), "{what} failed: {}", String::from_utf8_lossy(&output.stderr));
}

/// An authority and two certificates of it, in PEM.
pub(crate) struct Certificates {
    /// The authority's own certificate.
    pub(crate) authority: String,
    /// The certificate of the server, for `localhost`.
    pub(crate) server: String,
    server_key: String,
    /// The certificate of a client.
    pub(crate) client: String,
    /// Its key.
    pub(crate) client_key: String,
}

impl Certificates {
    fn make() -> Self {
        let mut params = CertificateParams::new([]).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let issue = |name: &str| {
            let key = KeyPair::generate().expect("a key");
            let mut params = CertificateParams::new([name.to_owned()]).expect("parameters");
            params.distinguished_name.push(DnType::CommonName, name);
            let certificate = params.signed_by(&key, &authority).expect("a certificate");
            (certificate.pem(), key.serialize_pem())
        };
        let (server, server_key) = issue("localhost");
        let (client, client_key) = issue("client");
        Self { authority: authority.pem(), server, server_key, client, client_key }
    }
}
