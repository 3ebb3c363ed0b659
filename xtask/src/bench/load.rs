//! Running the load program.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::certificates::Certificates;
use crate::failure::Failure;
use crate::program::Program;

/// The load program, and as whom it connects.
#[derive(Debug)]
pub(super) struct Loader {
    pub(super) program: PathBuf,
    pub(super) authority: PathBuf,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// One run.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// The port of the server.
    pub(super) port: u16,
    /// The token of the requests.
    pub(super) token: String,
    pub(super) connections: usize,
    pub(super) seconds: f64,
    /// How many requests are due a second, whether answers come or not; without it as many as are answered.
    pub(super) rate: Option<f64>,
    /// The process whose use of the processor is counted.
    pub(super) server: u32,
    pub(super) seed: u64,
    /// What is asked for, as `xtask/load/src/plan.rs` has it.
    pub(super) work: Value,
}

/// What the load program measured.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Report {
    pub(super) good: u64,
    pub(super) refused: BTreeMap<u16, u64>,
    pub(super) broken: u64,
    pub(super) last_error: Option<String>,
    /// Requests that were due and found no connection until the end.
    pub(super) unsent: u64,
    pub(super) seconds: f64,
    pub(super) latency: Latency,
    /// What the load used of the processor, in seconds.
    pub(super) own_cpu_seconds: f64,
    /// What the server used of it.
    pub(super) server_cpu_seconds: Option<f64>,
}

/// How long answers took, in microseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Latency {
    pub(super) p50: u64,
    pub(super) p99: u64,
    pub(super) p999: u64,
}

impl Report {
    /// What the server used of the processor meanwhile, in seconds.
    pub(super) fn server_cpu(&self) -> Result<f64, Failure> {
        self.server_cpu_seconds.ok_or_else(|| Failure::answer("the load was not told the server's process"))
    }

    /// Requests that were refused or broke.
    pub(super) fn bad(&self) -> u64 {
        self.broken + self.refused.values().sum::<u64>()
    }
}

impl Loader {
    /// The load program at `program`, as the client `name`.
    pub(super) fn new(program: PathBuf, certificates: &Certificates, name: &str) -> Self {
        let pair = certificates.client(name);
        Self { program, authority: certificates.authority(), certificate: pair.certificate, key: pair.key }
    }

    /// Makes the load, and waits for its end.
    pub(super) fn run(&self, run: &Run) -> Result<Report, Failure> {
        let plan = json!({
            "address": format!("127.0.0.1:{}", run.port),
            "authority": self.authority, "certificate": self.certificate, "key": self.key,
            "token": run.token, "connections": run.connections, "seconds": run.seconds, "rate": run.rate,
            "server": run.server, "seed": run.seed, "work": run.work,
        });
        let text = Program::new(&self.program).arg("run").input(plan.to_string()).capture()?;
        serde_json::from_str(&text).map_err(|error| Failure::answer(format!("a report of the load: {error}")))
    }

    /// The same, and fails unless all of the `wanted` requests for `what` were answered well.
    pub(super) fn complete(&self, run: &Run, wanted: u64, what: &str) -> Result<Report, Failure> {
        let report = self.run(run)?;
        if report.good == wanted {
            return Ok(report);
        }
        Err(Failure::answer(format!("the server took {} of {wanted} {what}: {report:?}", report.good)))
    }

    /// Unseals the server at `port` as soon as it listens, and returns when it answers to `token`.
    pub(super) fn unseal(&self, port: u16, share: &str, token: &str, patience: Duration) -> Result<(), Failure> {
        let start = json!({
            "address": format!("127.0.0.1:{port}"),
            "authority": self.authority, "certificate": self.certificate, "key": self.key,
            "share": share, "token": token, "patience": patience.as_secs_f64(),
        });
        Program::new(&self.program).arg("start").input(start.to_string()).capture().map(drop)
    }
}
