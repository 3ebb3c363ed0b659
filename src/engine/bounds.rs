//! How long tokens and leases last: what was asked for, within the bounds that hold.

use crate::api::Ttl;
use crate::time::Timestamp;

/// The lengths that bound a grant. Zero is «says nothing».
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    /// When nothing is asked for.
    pub default_ttl: Ttl,
    /// The longest, from the start; with a period the longest that one grant lasts, from now.
    pub max_ttl: Ttl,
    /// Each renewal makes it last this long again, without end.
    pub period: Ttl,
    /// The longest, from the start, whatever else is said.
    pub explicit_max_ttl: Ttl,
}

/// A granted length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// The length. What is left until a bound is rounded up to a whole second.
    pub ttl: Ttl,
    /// What it must not go beyond, for all the rounding; nothing where no bound stands at a moment.
    pub latest: Option<Timestamp>,
    /// What the caller reads where the length was cut short.
    pub warnings: Vec<String>,
}

impl Granted {
    /// When it ends, if it is granted at `now`.
    pub fn expires(&self, now: Timestamp) -> Timestamp {
        let end = now.plus(self.ttl.duration());
        self.latest.map_or(end, |latest| end.min(latest))
    }

    /// The same, ended at `latest` at the latest.
    #[must_use]
    pub fn until(mut self, latest: Timestamp, now: Timestamp) -> Self {
        let left = left(latest, now);
        if self.ttl > left {
            self.warnings = vec![capped("TTL", self.ttl, left)];
            self.ttl = left;
        }
        self.latest = Some(self.latest.map_or(latest, |known| known.min(latest)));
        self
    }
}

/// The length of a new grant.
pub fn grant(asked: Ttl, bounds: Bounds) -> Granted {
    let longest = bounds.max_ttl.shorter(bounds.explicit_max_ttl);
    let (what, wanted) =
        if bounds.period.is_zero() { ("TTL", asked.or(bounds.default_ttl)) } else { ("period", bounds.period) };
    let (ttl, warning) = within(what, wanted, longest);
    Granted { ttl, latest: None, warnings: warning.into_iter().collect() }
}

/// The length of a renewal at `now` of what began at `start`. `asked` zero is the default. Nothing is granted where no
/// time is left, rather than «for ever».
pub fn renewed(asked: Ttl, bounds: Bounds, start: Timestamp, now: Timestamp) -> Granted {
    let longest = bounds.max_ttl.shorter(bounds.explicit_max_ttl);
    let (wanted, warning, bound) = if bounds.period.is_zero() {
        (asked.or(bounds.default_ttl), None, longest)
    } else {
        let (period, warning) = within("period", bounds.period, longest);
        (period, warning, bounds.explicit_max_ttl)
    };
    let mut warnings: Vec<String> = warning.into_iter().collect();
    if bound.is_zero() {
        return Granted { ttl: wanted, latest: None, warnings };
    }
    let latest = start.plus(bound.duration());
    let left = left(latest, now);
    if wanted > left {
        warnings.push(capped("TTL", wanted, left));
    }
    Granted { ttl: if wanted.is_zero() { left } else { wanted.min(left) }, latest: Some(latest), warnings }
}

/// `wanted` within `bound`, and what its caller reads if it is cut short. Zero is the bound itself.
fn within(what: &str, wanted: Ttl, bound: Ttl) -> (Ttl, Option<String>) {
    if bound.is_zero() {
        return (wanted, None);
    }
    let warning = (wanted > bound).then(|| capped(what, wanted, bound));
    (if wanted.is_zero() { bound } else { wanted.min(bound) }, warning)
}

/// What is left until `latest`, rounded up: who asks in the first second for as long as can be gets all of it.
fn left(latest: Timestamp, now: Timestamp) -> Ttl {
    let left = latest.since(now);
    Ttl::from_seconds(left.as_secs() + u64::from(left.subsec_nanos() > 0))
}

fn capped(what: &str, wanted: Ttl, bound: Ttl) -> String {
    let (wanted, bound) = (shown(wanted), shown(bound));
    format!("{what} of {wanted:?} exceeded the effective max_ttl of {bound:?}; {what} value is capped accordingly")
}

/// A length without the parts that are zero at its end: `1h30m`.
fn shown(ttl: Ttl) -> String {
    let seconds = ttl.seconds();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, rest) => format!("{rest}s"),
        (0, minutes, 0) => format!("{minutes}m"),
        (0, minutes, rest) => format!("{minutes}m{rest}s"),
        (hours, 0, 0) => format!("{hours}h"),
        (hours, minutes, 0) => format!("{hours}h{minutes}m"),
        (hours, minutes, rest) => format!("{hours}h{minutes}m{rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ttl(seconds: u64) -> Ttl {
        Ttl::from_seconds(seconds)
    }

    fn bounds(default: u64, max: u64, period: u64, explicit: u64) -> Bounds {
        Bounds { default_ttl: ttl(default), max_ttl: ttl(max), period: ttl(period), explicit_max_ttl: ttl(explicit) }
    }

    #[test]
    fn grants() {
        let warned = |granted: Granted| (granted.ttl, granted.warnings);
        assert_eq!(warned(grant(ttl(0), bounds(60, 100, 0, 0))), (ttl(60), vec![]));
        assert_eq!(warned(grant(ttl(90), bounds(60, 100, 0, 0))), (ttl(90), vec![]));
        assert_eq!(warned(grant(ttl(0), bounds(0, 100, 0, 0))), (ttl(100), vec![]));
        for (asked, bounds, length, said) in [
            (200, bounds(60, 100, 0, 0), 100, "TTL of \"3m20s\" exceeded the effective max_ttl of \"1m40s\""),
            (0, bounds(200, 300, 0, 60), 60, "TTL of \"3m20s\" exceeded the effective max_ttl of \"1m\""),
            (20, bounds(60, 100, 500, 0), 100, "period of \"8m20s\" exceeded the effective max_ttl of \"1m40s\""),
            (20, bounds(60, 100, 500, 30), 30, "period of \"8m20s\" exceeded the effective max_ttl of \"30s\""),
        ] {
            let granted = grant(ttl(asked), bounds);
            assert_eq!(granted.ttl, ttl(length));
            assert!(granted.warnings.len() == 1 && granted.warnings[0].starts_with(said), "{:?}", granted.warnings);
        }
        assert_eq!(warned(grant(ttl(200), bounds(60, 100, 50, 0))), (ttl(50), vec![]));
    }

    #[test]
    fn a_renewal_never_passes_the_bound_and_never_becomes_endless() {
        let start = Timestamp::from_unix_seconds(1000);
        let at = |offset| start.plus(std::time::Duration::from_millis(offset));
        let of = |bounds, offset| renewed(ttl(60), bounds, start, at(offset));
        assert_eq!(of(bounds(60, 100, 0, 0), 30_000).ttl, ttl(60));
        assert_eq!(of(bounds(60, 100, 0, 0), 90_000).ttl, ttl(10));
        let last = of(bounds(60, 100, 0, 0), 99_500);
        assert_eq!((last.ttl, last.expires(at(99_500))), (ttl(1), at(100_000)));
        assert_eq!(last.warnings.len(), 1);
        let over = of(bounds(60, 100, 0, 0), 100_000);
        assert_eq!((over.ttl, over.expires(at(100_000))), (ttl(0), at(100_000)));
    }

    #[test]
    fn a_period_starts_anew_and_is_bounded_all_the_same() {
        let start = Timestamp::from_unix_seconds(1000);
        let at = |offset| start.plus(std::time::Duration::from_millis(offset));
        assert_eq!(
            renewed(ttl(1), bounds(60, 100, 30, 0), start, at(500_000)),
            Granted { ttl: ttl(30), ..Granted::default() }
        );
        let capped = renewed(ttl(1), bounds(60, 100, 500, 0), start, at(900_000));
        assert_eq!((capped.ttl, capped.warnings.len()), (ttl(100), 1));
        let both = renewed(ttl(1), bounds(60, 100, 500, 300), start, at(250_000));
        assert_eq!((both.ttl, both.warnings.len()), (ttl(50), 2));
        assert!(both.warnings[1].starts_with("TTL of \"1m40s\" exceeded the effective max_ttl of \"50s\""));
    }

    #[test]
    fn as_long_as_can_be_is_the_whole_length_in_the_first_second() {
        let start = Timestamp::from_unix_seconds(1000);
        let at = |offset| start.plus(std::time::Duration::from_millis(offset));
        let first = renewed(ttl(0), bounds(100, 100, 0, 0), start, at(20));
        assert_eq!((first.ttl, first.warnings.len(), first.expires(at(20))), (ttl(100), 0, at(100_000)));
        let ended = Granted { ttl: ttl(50), ..Granted::default() }.until(at(10_500), at(0));
        assert_eq!((ended.ttl, ended.warnings.len(), ended.expires(at(0))), (ttl(11), 1, at(10_500)));
    }

    #[test]
    fn lengths_as_go_writes_them() {
        assert_eq!(shown(ttl(5400)), "1h30m");
        assert_eq!(shown(ttl(61)), "1m1s");
        assert_eq!(shown(ttl(5)), "5s");
    }
}
