//! What was measured, and how it is shown.

mod json;
mod plot;
mod table;
mod targets;

use super::contender::Kind;
use super::growth::{Growing, Size};
use super::measure::{Measured, Sample};
use super::stress::{Overloaded, Revoked};

/// Everything that was measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Results {
    /// Memory of servers that were just unsealed, in bytes.
    pub(super) idle: Vec<(Kind, u64)>,
    pub(super) workloads: Vec<Measured>,
    pub(super) overloaded: Vec<Overloaded>,
    pub(super) revoked: Vec<Revoked>,
    pub(super) sizes: Vec<Size>,
}

/// The middle of several values, and the smallest and the greatest.
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

impl Results {
    /// The greatest size of which there are figures of both servers: Arca's and the peer's.
    pub(super) fn both(&self, growing: Growing) -> Option<(&Size, &Size)> {
        let of = |kind: Kind| self.sizes.iter().filter(move |size| size.growing == growing && size.kind == kind);
        of(Kind::Peer).rev().find_map(|peer| Some((of(Kind::Arca).find(|size| size.count == peer.count)?, peer)))
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
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A run of which only the server, the round, and the operations a second matter; p99 is 1 s divided by them.
    pub(super) fn sample(kind: Kind, round: usize, rate: f64) -> Sample {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
        let p99 = (1e6 / rate) as u64;
        let (cpu, load_cpu, load_share) = (1.0, 1.0, 0.5);
        Sample { kind, round, rate, p50: 1, p99, p999: p99, cpu, load_cpu, load_share, resident: 1 << 20, bad: 0 }
    }

    /// A vault of one size, which starts in `start` ms and has `resident` bytes of memory.
    pub(super) fn size(kind: Kind, growing: Growing, count: u64, start: f64, resident: u64) -> Size {
        let (disk, write_rate, read_cpu) = (count * resident, 1000.0, 30.0);
        Size { kind, growing, count, start, resident, resident_loaded: resident, disk, write_rate, read_cpu }
    }

    #[test]
    fn a_spread_is_the_middle_and_the_ends() {
        let spread = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!(spread, Spread { median: 2.0, least: 1.0, most: 3.0 });
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([f64::INFINITY]), None);
    }

    #[test]
    fn rounds_are_compared_with_rounds() {
        let samples = vec![
            sample(Kind::Peer, 0, 10.0),
            sample(Kind::Arca, 0, 100.0),
            sample(Kind::Peer, 1, 20.0),
            sample(Kind::Arca, 1, 100.0),
        ];
        let measured = Measured { name: "read".to_owned(), samples };
        let ratio = measured.ratio(Kind::Arca, Kind::Peer, |sample| sample.rate).unwrap();
        assert_eq!((ratio.least, ratio.most), (5.0, 10.0));
        let results = Results { workloads: vec![measured], ..Results::default() };
        assert!(results.markdown().contains("| read | Arca | 100 |"));
    }

    #[test]
    fn sizes_are_compared_where_both_have_them() {
        let of = |kind, count| size(kind, Growing::Leases, count, 1.0, 1);
        let sizes = vec![of(Kind::Peer, 1_000), of(Kind::Peer, 10_000), of(Kind::Arca, 1_000), of(Kind::Arca, 100_000)];
        let results = Results { sizes, ..Results::default() };
        let (arca, peer) = results.both(Growing::Leases).unwrap();
        assert_eq!((arca.count, peer.count, arca.kind, peer.kind), (1_000, 1_000, Kind::Arca, Kind::Peer));
        assert!(results.both(Growing::Secrets).is_none());
    }
}
