//! What was measured, as tables and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::contender::Kind;
use super::measure::{Measured, Sample, mebibytes};
use super::scale::{Growing, Size};
use super::targets;

/// Everything that was measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Results {
    pub(super) idle: Vec<(Kind, u64)>,
    pub(super) workloads: Vec<Measured>,
    pub(super) sizes: Vec<Size>,
}

/// The middle of several ratios, and the smallest and the greatest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Spread {
    /// Of these values; nothing of none.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let median = *values.get(values.len() / 2)?;
        Some(Self { median, least: *values.first()?, most: *values.last()? })
    }
}

impl Measured {
    /// What `figure` gives of the runs against `kind`, one value a round.
    pub(super) fn figures(&self, kind: Kind, figure: impl Fn(&Sample) -> f64) -> Vec<f64> {
        self.samples.iter().filter(|sample| sample.kind == kind).map(figure).collect()
    }

    /// How `a` compares with `b` in `figure`, round by round.
    pub(super) fn ratio(&self, a: Kind, b: Kind, figure: impl Fn(&Sample) -> f64) -> Option<Spread> {
        let (a, b) = (self.figures(a, &figure), self.figures(b, &figure));
        Spread::of(a.into_iter().zip(b).map(|(a, b)| a / b))
    }

    fn rows(&self) -> String {
        let mut text = String::new();
        for kind in [Kind::Peer, Kind::Arca, Kind::Unaudited, Kind::Floor] {
            let median =
                |figure: fn(&Sample) -> f64| Spread::of(self.figures(kind, figure)).map(|spread| spread.median);
            let Some(rate) = median(|sample| sample.rate) else { continue };
            let shown = |figure| median(figure).unwrap_or_default();
            let peer = self.ratio(kind, Kind::Peer, |sample| sample.rate).filter(|_| kind != Kind::Peer);
            let ratio = peer.map_or(String::new(), |spread| {
                format!("{:.1} ({:.1} to {:.1})", spread.median, spread.least, spread.most)
            });
            let _ = writeln!(
                text,
                "| {} | {} | {rate:.0} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.1} | {:.0} | {ratio} |",
                self.name,
                kind.name(),
                shown(|sample| milliseconds(sample.p50)),
                shown(|sample| milliseconds(sample.p99)),
                shown(|sample| milliseconds(sample.p999)),
                shown(|sample| sample.cpu),
                shown(|sample| sample.load_cpu),
                shown(|sample| mebibytes(sample.resident)),
                shown(|sample| f64::from(u32::try_from(sample.bad).unwrap_or(u32::MAX))),
            );
        }
        text
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown with two digits behind the point")]
fn milliseconds(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

impl Results {
    /// The tables.
    pub(super) fn markdown(&self) -> String {
        let mut text = "## Targets\n\n".to_owned();
        text.push_str(&targets::markdown(self));
        text.push_str(
            "\n## Load\n\nEach row is the median of its rounds; times in milliseconds, the processor's time in seconds for \
             10,000 operations. The ratio is that of the operations a second to OpenBao's in the same round, with the \
             smallest and the greatest.\n\n\
             | workload, connections | server | /s | p50 | p99 | p99.9 | CPU | CPU of the load | MiB | refused | ratio |\n\
             |---|---|---|---|---|---|---|---|---|---|---|\n",
        );
        for workload in &self.workloads {
            text.push_str(&workload.rows());
        }
        text.push_str("\n## Memory after the start\n\n| server | MiB |\n|---|---|\n");
        for (kind, bytes) in &self.idle {
            let _ = writeln!(text, "| {} | {:.1} |", kind.name(), mebibytes(*bytes));
        }
        if !self.sizes.is_empty() {
            text.push_str(&self.growth());
        }
        text
    }

    fn growth(&self) -> String {
        let mut text = "\n## Growth\n\n\
             | what | number | server | start to unsealed, s | MiB | disk for one, KiB | written/s | CPU of a read, µs | revoked, s |\n\
             |---|---|---|---|---|---|---|---|---|\n"
            .to_owned();
        for size in &self.sizes {
            let revoked = size.revoked.map_or(String::new(), |seconds| format!("{seconds:.2}"));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.2} | {:.1} | {:.2} | {:.0} | {:.1} | {revoked} |",
                size.growing.name(),
                size.count,
                size.kind.name(),
                size.start,
                mebibytes(size.resident),
                size.disk_each(),
                size.write_rate,
                size.read_cpu,
            );
        }
        text
    }

    /// All figures of all runs.
    pub(super) fn json(&self) -> String {
        let samples =
            self.workloads.iter().flat_map(|one| one.samples.iter().map(|sample| of_sample(&one.name, sample)));
        let idle = self.idle.iter().map(|(kind, bytes)| json!({"server": kind.name(), "resident_bytes": bytes}));
        let sizes = self.sizes.iter().map(of_size);
        let all = json!({
            "runs": samples.collect::<Vec<_>>(),
            "idle": idle.collect::<Vec<_>>(),
            "growth": sizes.collect::<Vec<_>>(),
        });
        format!("{all:#}\n")
    }

    /// The greatest size of which there are figures of both servers.
    pub(super) fn both(&self, growing: Growing) -> Option<(&Size, &Size)> {
        let of = |kind: Kind| self.sizes.iter().filter(move |size| size.growing == growing && size.kind == kind);
        let peer = of(Kind::Peer).next_back()?;
        Some((of(Kind::Arca).find(|size| size.count == peer.count)?, peer))
    }
}

impl Size {
    /// What one takes up on the disk, in KiB.
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits behind the point")]
    pub(super) fn disk_each(&self) -> f64 {
        self.disk as f64 / 1024.0 / self.count as f64
    }
}

fn of_sample(workload: &str, sample: &Sample) -> Value {
    json!({
        "workload": workload, "server": sample.kind.name(), "round": sample.round, "rate": sample.rate,
        "p50_us": sample.p50, "p99_us": sample.p99, "p999_us": sample.p999, "cpu_seconds_per_10000": sample.cpu,
        "load_cpu_seconds_per_10000": sample.load_cpu, "resident_bytes": sample.resident, "refused": sample.bad,
    })
}

fn of_size(size: &Size) -> Value {
    json!({
        "what": size.growing.name(), "count": size.count, "server": size.kind.name(), "start_seconds": size.start,
        "resident_bytes": size.resident, "disk_bytes": size.disk, "written_per_second": size.write_rate,
        "read_cpu_us": size.read_cpu, "revoke_prefix_seconds": size.revoked,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_middle_and_the_ends() {
        let spread = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!(spread, Spread { median: 2.0, least: 1.0, most: 3.0 });
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([f64::INFINITY]), None);
    }

    #[test]
    fn rounds_are_compared_with_rounds() {
        let sample = |kind, round, rate| Sample {
            kind,
            round,
            rate,
            p50: 1,
            p99: 2,
            p999: 3,
            cpu: 1.0,
            load_cpu: 1.0,
            resident: 1 << 20,
            bad: 0,
        };
        let samples = vec![
            sample(Kind::Peer, 0, 10.0),
            sample(Kind::Arca, 0, 100.0),
            sample(Kind::Peer, 1, 20.0),
            sample(Kind::Arca, 1, 100.0),
        ];
        let measured = Measured { name: "read".to_owned(), samples };
        let ratio = measured.ratio(Kind::Arca, Kind::Peer, |sample| sample.rate).unwrap();
        assert_eq!((ratio.least, ratio.most), (5.0, 10.0));
        assert!(measured.rows().contains("| read | Arca | 100 |"));
    }
}
