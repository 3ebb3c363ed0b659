//! What was measured, as tables.

use std::fmt::Write as _;

use crate::bench::contender::Kind;
use crate::bench::measure::{Measured, Sample, mebibytes};

use super::{Results, Spread, targets};

impl Results {
    /// The tables.
    pub(in crate::bench) fn markdown(&self) -> String {
        let mut text = "## Targets\n\n".to_owned();
        text.push_str(&targets::markdown(self));
        if !self.workloads.is_empty() {
            text.push_str(LOAD);
            for workload in &self.workloads {
                text.push_str(&rows(workload));
            }
        }
        if !self.idle.is_empty() {
            text.push_str("\n## Memory of a server that was just unsealed\n\n| server | MiB |\n|---|---|\n");
            for (kind, bytes) in &self.idle {
                let _ = writeln!(text, "| {} | {:.1} |", kind.name(), mebibytes(*bytes));
            }
        }
        if !self.overloaded.is_empty() {
            text.push_str(&self.saturation());
        }
        if !self.revoked.is_empty() {
            text.push_str(&self.revocation());
        }
        if !self.sizes.is_empty() {
            text.push_str(&self.growth());
        }
        text
    }

    fn saturation(&self) -> String {
        let mut text = SATURATION.to_owned();
        for one in &self.overloaded {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.0} | {:.1} | {:.0} | {:.2} | {:.2} | {:.1} | {:.1} | {:.1} | {} | {} |",
                one.name,
                one.kind.name(),
                one.round + 1,
                one.fits,
                one.share,
                one.rate,
                milliseconds(one.p50),
                milliseconds(one.p99),
                one.refused * 100.0,
                one.failed * 100.0,
                one.unsent * 100.0,
                one.manner(),
                busy(one.load_share),
            );
        }
        text
    }

    fn revocation(&self) -> String {
        let mut text =
            "\n## Revoking by a prefix\n\n| server | leases | s | /s | CPU of one, µs |\n|---|---|---|---|---|\n"
                .to_owned();
        for one in &self.revoked {
            let (name, rate) = (one.kind.name(), one.rate());
            let _ = writeln!(text, "| {name} | {} | {:.2} | {rate:.0} | {:.0} |", one.count, one.seconds, one.cpu_each);
        }
        text
    }

    fn growth(&self) -> String {
        let mut text = GROWTH.to_owned();
        for size in &self.sizes {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.0} | {:.1} | {:.1} | {:.0} | {:.0} | {:.1} |",
                size.growing.name(),
                size.count,
                size.kind.name(),
                size.start,
                mebibytes(size.resident),
                mebibytes(size.resident_loaded),
                size.disk_each(),
                size.write_rate,
                size.read_cpu,
            );
        }
        text
    }
}

fn rows(measured: &Measured) -> String {
    let mut text = String::new();
    for kind in [Kind::Peer, Kind::Arca, Kind::Unaudited, Kind::Floor] {
        let median =
            |figure: fn(&Sample) -> f64| Spread::of(measured.figures(kind, figure)).map(|spread| spread.median);
        let Some(rate) = median(|sample| sample.rate) else { continue };
        let shown = |figure| median(figure).unwrap_or_default();
        let peer = measured.ratio(kind, Kind::Peer, |sample| sample.rate).filter(|_| kind != Kind::Peer);
        let ratio = peer.map_or(String::new(), |spread| {
            format!("{:.1} ({:.1} to {:.1})", spread.median, spread.least, spread.most)
        });
        let _ = writeln!(
            text,
            "| {} | {} | {rate:.0} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {} | {:.1} | {:.0} | {ratio} |",
            measured.name,
            kind.name(),
            shown(|sample| milliseconds(sample.p50)),
            shown(|sample| milliseconds(sample.p99)),
            shown(|sample| milliseconds(sample.p999)),
            shown(|sample| sample.cpu),
            shown(|sample| sample.load_cpu),
            busy(shown(|sample| sample.load_share)),
            shown(|sample| mebibytes(sample.resident)),
            shown(|sample| f64::from(u32::try_from(sample.bad).unwrap_or(u32::MAX))),
        );
    }
    text
}

/// How busy the load was, in percent; marked where it may be the load that was measured.
fn busy(share: f64) -> String {
    let mark = if share > 0.9 { " (!)" } else { "" };
    format!("{:.0}{mark}", share * 100.0)
}

#[expect(clippy::cast_precision_loss, reason = "shown with two digits behind the point")]
fn milliseconds(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

const LOAD: &str = "\n## Load\n\nEach row is the median of its rounds; times in milliseconds, the processor's time in seconds for \
    10,000 operations. The ratio is that of the operations a second to OpenBao's in the same round, with the smallest and \
    the greatest. How busy the load's one thread was is in percent; (!) marks where it may be the load that was measured.\n\n\
    | workload, connections | server | /s | p50 | p99 | p99.9 | CPU | CPU of the load | load busy, % | MiB | refused | \
    ratio |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n";

const SATURATION: &str = "\n## Past saturation\n\nHalf and twice of what fits, by a schedule that waits for no answer. Times in \
    milliseconds, of the good answers, counted from when the request was due. The shares are of what was offered, in \
    percent: refused with 429 or 503, failed otherwise, and never sent because all connections waited.\n\n\
    | workload | server | round | fits, /s | offered, times | good, /s | p50 | p99 | refused | failed | unsent | | \
    load busy, % |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";

const GROWTH: &str = "\n## Growth\n\nThe start is that after a kill, to the first answer of the unsealed vault, the middle one of \
    three. Memory is that after the start, and after reads. Disk is what the store has more than that of the empty \
    vault.\n\n\
    | what | number | server | start to unsealed, ms | MiB | MiB after reads | disk for one, B | made/s | CPU of a read, µs \
    |\n|---|---|---|---|---|---|---|---|---|\n";
