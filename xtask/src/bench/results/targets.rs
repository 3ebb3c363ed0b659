//! What the figures are held against.

use std::fmt::Write as _;

use crate::bench::contender::Kind;
use crate::bench::growth::Growing;
use crate::bench::measure::{Measured, Sample};

use super::{Results, Spread};

/// A figure and its bound.
struct Target {
    what: String,
    bound: Bound,
    /// Nothing if it was not measured.
    found: Option<Spread>,
}

/// What a ratio has to be.
#[derive(Clone, Copy)]
enum Bound {
    Least(f64),
    Most(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::Least(least) => value >= least,
            Self::Most(most) => value <= most,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Least(least) => format!("≥ {least}"),
            Self::Most(most) => format!("≤ {most}"),
        }
    }
}

/// A table of all targets: the middle one of the rounds is held against the bound.
pub(super) fn markdown(results: &Results) -> String {
    let mut text = "| ratio | target | measured | |\n|---|---|---|---|\n".to_owned();
    for Target { what, bound, found } in targets(results) {
        let target = bound.text();
        let _ = match found {
            None => writeln!(text, "| {what} | {target} | | not measured |"),
            Some(Spread { median, least, most }) => {
                let verdict = if bound.holds(median) { "met" } else { "missed" };
                let spread = if least < most { format!(" ({least:.3} to {most:.3})") } else { String::new() };
                writeln!(text, "| {what} | {target} | {median:.3}{spread} | {verdict} |")
            }
        };
    }
    text
}

fn targets(results: &Results) -> Vec<Target> {
    let mut targets: Vec<Target> = results.workloads.iter().flat_map(of_workload).collect();
    let idle = |kind: Kind| results.idle.iter().find(|(one, _)| *one == kind).map(|(_, bytes)| *bytes);
    targets.push(most("idle memory to OpenBao's".to_owned(), 0.2, divided(idle(Kind::Arca), idle(Kind::Peer))));
    targets.extend(of_growth(results));
    targets
}

fn of_workload(one: &Measured) -> Vec<Target> {
    let to_peer = |figure: fn(&Sample) -> f64| one.ratio(Kind::Arca, Kind::Peer, figure);
    let name = one.name.as_str();
    let rate = |bound: f64| least(format!("{name}: operations a second to OpenBao's"), bound, to_peer(|one| one.rate));
    if name.starts_with("read") {
        let p99 = most(format!("{name}: p99 to OpenBao's"), 0.1, to_peer(|sample| as_float(sample.p99)));
        let mut targets = vec![rate(10.0), p99];
        targets.extend(to_floor(one));
        return targets;
    }
    if name.starts_with("write") || name.starts_with("cas") || name.contains("login") {
        return vec![rate(5.0)];
    }
    if name.starts_with("new connection") { vec![rate(1.5)] } else { Vec::new() }
}

/// How near reads come to the floor, and to those without an audit device. One connection alone shows the waiting, not the
/// work, and the floor answers reads of one size.
fn to_floor(one: &Measured) -> Vec<Target> {
    let name = one.name.as_str();
    if name.ends_with(", 1") || one.figures(Kind::Floor, |sample| sample.rate).is_empty() {
        return Vec::new();
    }
    let to = |kind, than| one.ratio(kind, than, |sample: &Sample| sample.rate);
    let mut targets = vec![
        least(format!("{name}: with the audit file, to the floor"), 0.5, to(Kind::Arca, Kind::Floor)),
        least(format!("{name}: with auditing off, to the floor"), 0.7, to(Kind::Unaudited, Kind::Floor)),
    ];
    if name.ends_with(", 64") {
        let what = format!("{name}: with the audit file, to those with auditing off");
        targets.push(least(what, 0.85, to(Kind::Arca, Kind::Unaudited)));
    }
    targets
}

/// At the greatest size that both servers reached.
fn of_growth(results: &Results) -> Vec<Target> {
    let (leases, secrets) = (results.both(Growing::Leases), results.both(Growing::Secrets));
    let of = |what: &str, things: &str, count: Option<u64>| match count {
        Some(count) => format!("{what} with {count} {things} to OpenBao's"),
        None => format!("{what} with many {things} to OpenBao's"),
    };
    let lease_count = leases.map(|(arca, _)| arca.count);
    let memory = leases.and_then(|(arca, peer)| divided(Some(arca.resident), Some(peer.resident)));
    let start = leases.and_then(|(arca, peer)| Spread::of([arca.start / peer.start]));
    let disk = secrets.and_then(|(arca, peer)| Spread::of([arca.disk_each() / peer.disk_each()]));
    vec![
        most(of("memory", "leases", lease_count), 0.1, memory),
        most(of("start to unsealed", "leases", lease_count), 0.05, start),
        most(of("disk for a secret", "secrets", secrets.map(|(arca, _)| arca.count)), 0.333, disk),
    ]
}

fn least(what: String, least: f64, found: Option<Spread>) -> Target {
    Target { what, bound: Bound::Least(least), found }
}

fn most(what: String, most: f64, found: Option<Spread>) -> Target {
    Target { what, bound: Bound::Most(most), found }
}

fn divided(a: Option<u64>, b: Option<u64>) -> Option<Spread> {
    Spread::of([as_float(a?) / as_float(b?)])
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits behind the point")]
fn as_float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::super::tests::{sample, size};
    use super::*;

    #[test]
    fn bounds_hold_at_their_edge() {
        assert!(Bound::Least(5.0).holds(5.0) && !Bound::Least(5.0).holds(4.9));
        assert!(Bound::Most(0.1).holds(0.1) && !Bound::Most(0.1).holds(0.11));
    }

    #[test]
    fn every_target_has_a_verdict() {
        let measured = |name: &str, rates: [f64; 4]| {
            let kinds = [Kind::Peer, Kind::Arca, Kind::Unaudited, Kind::Floor];
            let samples = kinds.into_iter().zip(rates).map(|(kind, rate)| sample(kind, 0, rate)).collect();
            Measured { name: name.to_owned(), samples }
        };
        let sizes = vec![
            size(Kind::Peer, Growing::Leases, 10_000, 1000.0, 100),
            size(Kind::Arca, Growing::Leases, 10_000, 40.0, 20),
            size(Kind::Peer, Growing::Secrets, 10_000, 1000.0, 100),
            size(Kind::Arca, Growing::Secrets, 10_000, 40.0, 30),
        ];
        let workloads = vec![
            measured("read 300 B, 64", [100.0, 1000.0, 1100.0, 2100.0]),
            measured("write 300 B, 64", [100.0, 400.0, 1.0, 1.0]),
            measured("cert login (batch token), 64", [100.0, 500.0, 1.0, 1.0]),
            measured("new connection, resumed, 16", [100.0, 140.0, 1.0, 1.0]),
        ];
        let idle = vec![(Kind::Peer, 100), (Kind::Arca, 20)];
        let text = markdown(&Results { idle, workloads, sizes, ..Results::default() });
        for row in [
            "| read 300 B, 64: operations a second to OpenBao's | ≥ 10 | 10.000 | met |",
            "| read 300 B, 64: p99 to OpenBao's | ≤ 0.1 | 0.100 | met |",
            "| read 300 B, 64: with the audit file, to the floor | ≥ 0.5 | 0.476 | missed |",
            "| read 300 B, 64: with auditing off, to the floor | ≥ 0.7 | 0.524 | missed |",
            "| read 300 B, 64: with the audit file, to those with auditing off | ≥ 0.85 | 0.909 | met |",
            "| write 300 B, 64: operations a second to OpenBao's | ≥ 5 | 4.000 | missed |",
            "| cert login (batch token), 64: operations a second to OpenBao's | ≥ 5 | 5.000 | met |",
            "| new connection, resumed, 16: operations a second to OpenBao's | ≥ 1.5 | 1.400 | missed |",
            "| idle memory to OpenBao's | ≤ 0.2 | 0.200 | met |",
            "| memory with 10000 leases to OpenBao's | ≤ 0.1 | 0.200 | missed |",
            "| start to unsealed with 10000 leases to OpenBao's | ≤ 0.05 | 0.040 | met |",
            "| disk for a secret with 10000 secrets to OpenBao's | ≤ 0.333 | 0.300 | met |",
        ] {
            assert!(text.contains(row), "{row}\n{text}");
        }
    }

    #[test]
    fn what_was_not_measured_is_said_to_be_so() {
        let text = markdown(&Results::default());
        assert!(text.contains("| memory with many leases to OpenBao's | ≤ 0.1 | | not measured |"), "{text}");
    }
}
