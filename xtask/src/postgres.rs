//! A PostgreSQL of our own: in a folder, on a port, gone at the end.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::debian;
use crate::failure::Failure;
use crate::folder::{self, Folder};
use crate::port;
use crate::program::{Ended, Program, find};
use crate::running::Running;

/// How long it may take to start.
const STARTS_WITHIN: Duration = Duration::from_mins(1);

/// The superuser.
pub(crate) const ADMIN: &str = "postgres";

/// A running PostgreSQL with one superuser, listening on 127.0.0.1 alone.
#[derive(Debug)]
pub(crate) struct Postgres {
    running: Running,
    programs: PathBuf,
    /// Its port.
    pub(crate) port: u16,
    /// The superuser's password.
    pub(crate) password: String,
}

impl Postgres {
    /// Makes a cluster in a new folder of `folder`, and starts it.
    pub(crate) fn start(folder: &Folder, password: &str) -> Result<Self, Failure> {
        let programs = programs().ok_or_else(|| {
            Failure::new("PostgreSQL is not installed", "With Debian: apt-get install postgresql (it need not run).")
        })?;
        let home = folder.private("postgres")?;
        let data = home.join("data");
        let password_file = home.join("password");
        folder::write(&password_file, password)?;
        if debian::is_root() {
            Program::new("chown").args(["-R", ADMIN]).arg(&home).capture()?;
        }
        own(&programs.join("initdb"))
            .folder(&home)
            .words("--no-sync --no-locale -E UTF8 -A scram-sha-256 -U postgres --pwfile")
            .arg(&password_file)
            .arg("-D")
            .arg(&data)
            .capture()?;
        let port = port::free()?;
        let running = own(&programs.join("postgres"))
            .folder(&home)
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string()])
            .words("-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off")
            .start(&folder.path().join("postgres.log"))?;
        let mut server = Self { running, programs, port, password: password.to_owned() };
        server.wait()?;
        Ok(server)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.running.id()
    }

    /// Executes `sql` as the superuser.
    pub(crate) fn admin(&self, database: &str, sql: &str) -> Result<String, Failure> {
        let ended = self.psql(ADMIN, &self.password, database, sql)?;
        match ended.code {
            0 => Ok(ended.out),
            _ => Err(Failure::new(
                format!("PostgreSQL refused a statement of its superuser: {}", ended.err),
                "See postgres.log in the temporary folder.",
            )),
        }
    }

    /// Executes `sql` with psql, as a program of this user would.
    pub(crate) fn psql(&self, user: &str, password: &str, database: &str, sql: &str) -> Result<Ended, Failure> {
        Program::new(self.programs.join("psql"))
            .words("-X -A -t -w -v ON_ERROR_STOP=1 -h 127.0.0.1 -p")
            .arg(self.port.to_string())
            .args(["-U", user, "-d", database, "-c", sql])
            .env("PGPASSWORD", password)
            .env("PGCONNECT_TIMEOUT", "10")
            .end()
    }

    /// Leaves it running at the end.
    pub(crate) fn keep(self) {
        self.running.keep();
    }

    fn wait(&mut self) -> Result<(), Failure> {
        let (programs, port) = (self.programs.clone(), self.port.to_string());
        self.running.until(STARTS_WITHIN, || {
            let asked = Program::new(programs.join("pg_isready")).args(["-q", "-h", "127.0.0.1", "-p", &port]).end()?;
            Ok(asked.code == 0)
        })
    }
}

/// A program of PostgreSQL. It refuses to run as root, and `setpriv`, other than `runuser`, leaves no process between it
/// and us.
fn own(program: &Path) -> Program {
    if debian::is_root() {
        Program::new("setpriv").words("--reuid=postgres --regid=postgres --init-groups --").arg(program)
    } else {
        Program::new(program)
    }
}

/// The folder of the newest installed PostgreSQL's programs.
pub(crate) fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop().map(|(_, folder)| folder).or_else(|| Some(find("initdb")?.parent()?.to_owned()))
}
