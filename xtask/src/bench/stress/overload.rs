//! More requests than fit.

use serde_json::{Value, json};

use crate::bench::Extent;
use crate::bench::contender::{Contender, Kind};
use crate::bench::load::{Loader, Report, Run};
use crate::bench::site::Site;
use crate::bench::workload::SMALL;
use crate::failure::Failure;
use crate::say;

/// How many connections there are to keep the schedule. A request that finds none free waits for one, and its time counts.
const CONNECTIONS: usize = 512;

/// What of that which fits is offered.
const SHARES: [f64; 2] = [0.5, 2.0];

/// How a server took the load that it was offered.
#[derive(Clone, Debug)]
pub(in crate::bench) struct Overloaded {
    pub(in crate::bench) kind: Kind,
    pub(in crate::bench) name: &'static str,
    pub(in crate::bench) round: usize,
    /// What fits: answered a second when each connection waits for its answer.
    pub(in crate::bench) fits: f64,
    /// What was offered, as a multiple of it.
    pub(in crate::bench) share: f64,
    /// Good answers a second.
    pub(in crate::bench) rate: f64,
    /// How long the good answers took from when they were due, in microseconds.
    pub(in crate::bench) p50: u64,
    pub(in crate::bench) p99: u64,
    /// Of what was offered: answered with 429 or 503.
    pub(in crate::bench) refused: f64,
    /// Of what was offered: answered with something else that is no success, or not at all.
    pub(in crate::bench) failed: f64,
    /// Of what was offered: never begun, because all connections waited for answers.
    pub(in crate::bench) unsent: f64,
    /// How much of its one thread the load was busy.
    pub(in crate::bench) load_share: f64,
}

/// Offers each vault half and twice of what fits, reading and writing, `extent.rounds` times.
pub(in crate::bench) fn run(site: &Site, extent: Extent) -> Result<Vec<Overloaded>, Failure> {
    let read = json!({"kind": "read", "path": "/v1/secret/data", "keys": extent.keys});
    let write = json!({"kind": "write", "path": "/v1/secret/data", "keys": extent.keys, "bytes": SMALL, "cas": false});
    let mut all = Vec::new();
    for (name, work) in [("read 300 B", read), ("write 300 B", write)] {
        say::part(&format!("Past saturation: {name}"));
        for round in 0..extent.rounds {
            for vault in site.contenders.iter().filter(|one| matches!(one.kind, Kind::Peer | Kind::Arca)) {
                let offer = Offer { loader: &site.loader, vault, work: &work, seconds: extent.seconds };
                let closed = offer.made(None)?;
                let fits = rate(&closed);
                for share in SHARES {
                    let report = offer.made(Some(fits * share))?;
                    let one = Overloaded { name, round, ..overloaded(vault.kind, fits, share, &report) };
                    say::done(&one.told());
                    all.push(one);
                }
            }
        }
    }
    Ok(all)
}

struct Offer<'a> {
    loader: &'a Loader,
    vault: &'a Contender,
    work: &'a Value,
    seconds: f64,
}

impl Offer<'_> {
    /// Offers `rate` requests a second, or as many as are answered.
    fn made(&self, rate: Option<f64>) -> Result<Report, Failure> {
        let report = self.loader.run(&Run {
            port: self.vault.port,
            server: self.vault.id(),
            token: self.vault.service.clone(),
            connections: CONNECTIONS,
            seconds: self.seconds,
            rate,
            seed: 11,
            work: self.work.clone(),
        })?;
        if report.good == 0 {
            return Err(Failure::answer(format!("{} answered nothing well: {report:?}", self.vault.kind.name())));
        }
        Ok(report)
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are not so many requests")]
fn rate(report: &Report) -> f64 {
    report.good as f64 / report.seconds
}

#[expect(clippy::cast_precision_loss, reason = "there are not so many requests")]
fn overloaded(kind: Kind, fits: f64, share: f64, report: &Report) -> Overloaded {
    let offered = (report.good + report.bad() + report.unsent) as f64;
    let refused = report.refused.iter().filter(|(status, _)| matches!(status, 429 | 503)).map(|(_, count)| count).sum();
    let of_offered = |count: u64| count as f64 / offered;
    Overloaded {
        kind,
        name: "",
        round: 0,
        fits,
        share,
        rate: rate(report),
        p50: report.latency.p50,
        p99: report.latency.p99,
        refused: of_offered(refused),
        failed: of_offered(report.bad() - refused),
        unsent: of_offered(report.unsent),
        load_share: report.own_cpu_seconds / report.seconds,
    }
}

impl Overloaded {
    /// What the server does with what does not fit.
    pub(in crate::bench) fn manner(&self) -> &'static str {
        if self.refused > 0.05 {
            "refuses"
        } else if self.unsent > 0.05 || self.p50 > 500_000 {
            "queues"
        } else {
            "keeps up"
        }
    }

    fn told(&self) -> String {
        format!(
            "{:8} {:>6.0}/s fit, {:.1} times offered: {:>6.0}/s  p50 {:>8} µs  p99 {:>8} µs  refused {:.0} %  \
             failed {:.0} %  unsent {:.0} %  load {:.0} %",
            self.kind.name(),
            self.fits,
            self.share,
            self.rate,
            self.p50,
            self.p99,
            self.refused * 100.0,
            self.failed * 100.0,
            self.unsent * 100.0,
            self.load_share * 100.0,
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::bench::load::Latency;

    #[test]
    fn shares_are_of_all_that_was_offered() {
        let report = Report {
            good: 50,
            refused: BTreeMap::from([(429, 20), (503, 10), (500, 5)]),
            broken: 5,
            last_error: None,
            unsent: 10,
            seconds: 2.0,
            latency: Latency { p50: 1, p99: 2, p999: 3 },
            own_cpu_seconds: 1.0,
            server_cpu_seconds: None,
        };
        let one = overloaded(Kind::Arca, 25.0, 2.0, &report);
        assert_eq!((one.refused, one.failed, one.unsent), (0.3, 0.1, 0.1));
        assert_eq!((one.rate, one.load_share, one.manner()), (25.0, 0.5, "refuses"));
    }
}
