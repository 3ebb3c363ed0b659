//! What the figures are held against.

use std::fmt::Write as _;

use super::contender::Kind;
use super::measure::{Measured, Sample};
use super::scale::Growing;
use super::table::{Results, Spread};

/// A figure and its bound.
struct Target {
    what: String,
    bound: Bound,
    found: Option<f64>,
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

/// A table of all targets of which there are figures.
pub(super) fn markdown(results: &Results) -> String {
    let mut text = "| ratio | target | measured | |\n|---|---|---|---|\n".to_owned();
    for target in targets(results) {
        let Some(found) = target.found else { continue };
        let verdict = if target.bound.holds(found) { "met" } else { "missed" };
        let _ = writeln!(text, "| {} | {} | {found:.3} | {verdict} |", target.what, target.bound.text());
    }
    text
}

fn targets(results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    for one in &results.workloads {
        targets.extend(of_workload(one));
    }
    let idle = |kind: Kind| results.idle.iter().find(|(one, _)| *one == kind).map(|(_, bytes)| *bytes);
    targets.push(most("idle memory to OpenBao's".to_owned(), 0.2, divided(idle(Kind::Arca), idle(Kind::Peer))));
    if let Some((arca, peer)) = results.both(Growing::Leases) {
        let (at, memory) = (arca.count, divided(Some(arca.resident), Some(peer.resident)));
        targets.push(most(format!("memory with {at} leases to OpenBao's"), 0.1, memory));
        targets.push(most(format!("start with {at} leases to OpenBao's"), 0.05, Some(arca.start / peer.start)));
    }
    if let Some((arca, peer)) = results.both(Growing::Secrets) {
        let what = format!("disk for a secret to OpenBao's, of {}", arca.count);
        targets.push(most(what, 0.333, Some(arca.disk_each() / peer.disk_each())));
    }
    targets
}

fn of_workload(one: &Measured) -> Vec<Target> {
    let to_peer = |figure: fn(&Sample) -> f64| middle(one.ratio(Kind::Arca, Kind::Peer, figure));
    let to_floor = |kind| middle(one.ratio(kind, Kind::Floor, |sample| sample.rate));
    let rate = |least: f64| {
        let what = format!("{}: operations a second to OpenBao's", one.name);
        Target { what, bound: Bound::Least(least), found: to_peer(|sample| sample.rate) }
    };
    let name = one.name.as_str();
    if name.starts_with("read") {
        let p99 = most(format!("{name}: p99 to OpenBao's"), 0.1, to_peer(|sample| as_float(sample.p99)));
        let floor = |kind, least| Target {
            what: format!("{name}: {} to the floor", Kind::name(kind)),
            bound: Bound::Least(least),
            found: to_floor(kind),
        };
        return vec![rate(10.0), p99, floor(Kind::Arca, 0.5), floor(Kind::Unaudited, 0.7)];
    }
    if name.starts_with("write") || name.starts_with("cas") || name.contains("login") {
        return vec![rate(5.0)];
    }
    if name.starts_with("new connection") { vec![rate(1.5)] } else { Vec::new() }
}

fn most(what: String, most: f64, found: Option<f64>) -> Target {
    Target { what, bound: Bound::Most(most), found }
}

fn middle(spread: Option<Spread>) -> Option<f64> {
    spread.map(|spread| spread.median)
}

fn divided(a: Option<u64>, b: Option<u64>) -> Option<f64> {
    Some(as_float(a?) / as_float(b?))
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits behind the point")]
fn as_float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_at_their_edge() {
        assert!(Bound::Least(5.0).holds(5.0) && !Bound::Least(5.0).holds(4.9));
        assert!(Bound::Most(0.1).holds(0.1) && !Bound::Most(0.1).holds(0.11));
    }
}
