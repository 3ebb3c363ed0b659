//! One workload against every server, in turn, several times.

use crate::failure::Failure;
use crate::say;

use super::Extent;
use super::contender::{Contender, Kind};
use super::load::{Loader, Report, Run};
use super::process::resident_bytes;
use super::site::Site;
use super::workload::{Token, Workload};

/// What one run came to.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) kind: Kind,
    /// Which round, from 0.
    pub(super) round: usize,
    /// Operations a second.
    pub(super) rate: f64,
    /// Microseconds.
    pub(super) p50: u64,
    pub(super) p99: u64,
    pub(super) p999: u64,
    /// What the server used of the processor, in seconds for 10,000 operations.
    pub(super) cpu: f64,
    /// What the load used, likewise.
    pub(super) load_cpu: f64,
    /// How much of its one thread the load was busy; near 1 it is the load that was measured.
    pub(super) load_share: f64,
    /// What the server has in memory afterwards, in bytes.
    pub(super) resident: u64,
    /// Requests that were refused or got no answer.
    pub(super) bad: u64,
}

/// All runs of a workload.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) name: String,
    pub(super) samples: Vec<Sample>,
}

/// Runs `workload` against each server, `extent.rounds` times.
pub(super) fn run(site: &mut Site, workload: &Workload, extent: Extent) -> Result<Measured, Failure> {
    say::part(&workload.name);
    let mut samples = Vec::new();
    for round in 0..extent.rounds {
        for contender in &site.contenders {
            if contender.kind != Kind::Floor || workload.floor {
                let sample = once(&site.loader, contender, workload, extent, round)?;
                say::done(&format!(
                    "{:16} {:>9.0}/s  p50 {:>7} µs  p99 {:>7} µs  p99.9 {:>7} µs  {:>7.3} s CPU/10,000  \
                     load {:>3.0} %  {:>6.1} MiB",
                    contender.kind.name(),
                    sample.rate,
                    sample.p50,
                    sample.p99,
                    sample.p999,
                    sample.cpu,
                    sample.load_share * 100.0,
                    mebibytes(sample.resident),
                ));
                samples.push(sample);
            }
        }
    }
    Ok(Measured { name: workload.name.clone(), samples })
}

/// Bytes in MiB.
#[expect(clippy::cast_precision_loss, reason = "shown with one digit behind the point")]
pub(super) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn once(
    loader: &Loader,
    contender: &Contender,
    workload: &Workload,
    extent: Extent,
    round: usize,
) -> Result<Sample, Failure> {
    let token = match workload.token {
        Token::Service => &contender.service,
        Token::Root => &contender.root,
    };
    let run = Run {
        port: contender.port,
        token: token.clone(),
        connections: workload.connections,
        seconds: extent.seconds,
        rate: None,
        server: contender.id(),
        seed: 1 + round as u64 * 1000,
        work: workload.work.clone(),
    };
    let report = loader.run(&run)?;
    if !report.refused.is_empty() || report.broken > 0 {
        let error = report.last_error.as_deref().unwrap_or("none");
        say::detail(&format!(
            "refused, by status: {:?}; broken: {} (the last: {error})",
            report.refused, report.broken
        ));
    }
    sample(contender, workload, round, &report)
}

#[expect(clippy::cast_precision_loss, reason = "there are not so many requests")]
fn sample(contender: &Contender, workload: &Workload, round: usize, report: &Report) -> Result<Sample, Failure> {
    let kind = contender.kind;
    if report.good == 0 {
        let why = format!("{} answered nothing of \"{}\" well: {report:?}", kind.name(), workload.name);
        return Err(Failure::answer(why));
    }
    let operations = report.good as f64 / f64::from(workload.requests_each);
    Ok(Sample {
        kind,
        round,
        rate: operations / report.seconds,
        p50: report.latency.p50,
        p99: report.latency.p99,
        p999: report.latency.p999,
        cpu: report.server_cpu()? / operations * 10_000.0,
        load_cpu: report.own_cpu_seconds / operations * 10_000.0,
        load_share: report.own_cpu_seconds / report.seconds,
        resident: resident_bytes(contender.id())?,
        bad: report.bad(),
    })
}
