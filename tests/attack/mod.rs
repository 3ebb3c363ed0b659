//! The server under attack: what is served, what is refused, and what it costs. Each test prints its figures, one line
//! that begins with the test's name. `ARCA_ATTACK_SCALE` (a number, 1 unless said otherwise) makes them longer.

mod bodies;
mod certificates;
mod connections;
mod floods;
mod framing;
mod h2;
mod handshakes;
mod paths;
mod timing;

pub(crate) use bodies::bombs;

use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::{Certificates, Client, Process, Wire};

/// How many times as long, or as large, as in a quick run the tests are.
#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says how long they may take")]
pub(crate) fn scale() -> usize {
    std::env::var("ARCA_ATTACK_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1).clamp(1, 1000)
}

/// The server as it is shipped, unsealed, in a process of its own.
struct Target {
    process: Process,
    share: String,
    root: Client,
    folder: TempDir,
}

impl Target {
    fn start() -> Self {
        Self::with("")
    }

    /// One whose listener has these lines more in its configuration.
    fn with(lines: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let certificates = Certificates::write(folder.path());
        let config = folder.path().join("arca.hcl");
        let text = fs::read_to_string(&config).unwrap();
        fs::write(&config, text.replace("listener \"tcp\" {\n", &format!("listener \"tcp\" {{\n  {lines}"))).unwrap();
        let process = Process::start(folder.path(), &certificates);
        let (share, token) = process.initialise();
        process.unseal(&share);
        let root = process.anonymous().with_token(&token);
        Self { process, share, root, folder }
    }

    /// A connection that says what it likes, with the operator's certificate.
    fn wire(&self) -> Wire {
        let (ca, client) = self.process.certificates();
        Wire::connect(self.process.address, ca, Some(client))
    }

    /// Begins to watch how much memory the server holds. It has served before, and has what it needs for that.
    fn watch(&self) -> Watched<'_> {
        self.root.get("sys/mounts").is(200);
        self.process.forget_peak();
        Watched { process: &self.process, before: self.process.resident() }
    }
}

/// How much memory a server holds beyond what it held before.
struct Watched<'a> {
    process: &'a Process,
    before: u64,
}

impl Watched<'_> {
    /// MiB more at most until now, which must be fewer than `bound`.
    #[track_caller]
    fn held(&self, bound: u64) -> u64 {
        let held = self.process.peak().saturating_sub(self.before) >> 20;
        assert!(held < bound, "{held} MiB");
        held
    }
}

/// What someone else sees of the server while it is attacked: how many requests were served, and the slowest of them.
#[derive(Default)]
struct Served {
    count: usize,
    slowest: Duration,
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} others served, the slowest within {:.0?}", self.count, self.slowest)
    }
}

impl Served {
    /// Asks once, which must be answered.
    fn ask(&mut self, client: &Client) {
        let start = Instant::now();
        client.get("sys/health").is(200);
        self.slowest = self.slowest.max(start.elapsed());
        self.count += 1;
    }
}
