//! How long tokens and leases last: what was asked for, within the bounds that hold.

use crate::api::Ttl;
use crate::time::Timestamp;

/// The lengths that bound a grant. Zero is «says nothing».
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    /// When nothing is asked for.
    pub default_ttl: Ttl,
    /// The longest, from the start.
    pub max_ttl: Ttl,
    /// Each renewal makes it last this long again, past `max_ttl`.
    pub period: Ttl,
    /// The longest, from the start, whatever else is said.
    pub explicit_max_ttl: Ttl,
}

/// A granted length, and whether it is shorter than what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The length.
    pub ttl: Ttl,
    /// The bound that cut it short, if one did.
    pub capped_by: Option<Ttl>,
}

impl Granted {
    /// The warning that a caller reads when the length was cut short.
    pub fn warning(&self, asked: Ttl) -> Option<String> {
        let cap = self.capped_by?;
        Some(format!(
            "TTL of {:?} exceeded the effective max_ttl of {:?}; TTL value is capped accordingly",
            shown(asked),
            shown(cap)
        ))
    }
}

/// The length of a new grant.
pub fn grant(asked: Ttl, bounds: Bounds) -> Granted {
    let Bounds { default_ttl, max_ttl, period, explicit_max_ttl } = bounds;
    let start = if period.is_zero() { asked.or(default_ttl) } else { period };
    let max = if period.is_zero() { max_ttl } else { Ttl::default() };
    capped(start, shortest(max, explicit_max_ttl))
}

/// The length of a renewal at `now` of what began at `start`. `asked` zero is the default.
pub fn renewed(asked: Ttl, bounds: Bounds, start: Timestamp, now: Timestamp) -> Granted {
    let Bounds { default_ttl, max_ttl, period, explicit_max_ttl } = bounds;
    let wanted = if period.is_zero() { asked.or(default_ttl) } else { period };
    let max = if period.is_zero() { max_ttl } else { Ttl::default() };
    let bound = shortest(max, explicit_max_ttl);
    if bound.is_zero() {
        return Granted { ttl: wanted, capped_by: None };
    }
    // What is left until the bound may be nothing at all: then nothing is granted, rather than «for ever».
    let left = Ttl::from_seconds(start.plus(bound.duration()).since(now).as_secs());
    if wanted > left { Granted { ttl: left, capped_by: Some(left) } } else { Granted { ttl: wanted, capped_by: None } }
}

fn capped(wanted: Ttl, bound: Ttl) -> Granted {
    if !bound.is_zero() && (wanted > bound || wanted.is_zero()) {
        return Granted { ttl: bound, capped_by: (!wanted.is_zero()).then_some(bound) };
    }
    Granted { ttl: wanted, capped_by: None }
}

/// The shorter of two bounds, of which zero is none.
fn shortest(a: Ttl, b: Ttl) -> Ttl {
    match (a.is_zero(), b.is_zero()) {
        (true, _) => b,
        (_, true) => a,
        (false, false) => a.min(b),
    }
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
        assert_eq!(grant(ttl(0), bounds(60, 100, 0, 0)).ttl, ttl(60));
        assert_eq!(grant(ttl(90), bounds(60, 100, 0, 0)).ttl, ttl(90));
        let cut = grant(ttl(200), bounds(60, 100, 0, 0));
        assert_eq!((cut.ttl, cut.capped_by), (ttl(100), Some(ttl(100))));
        assert_eq!(grant(ttl(200), bounds(60, 100, 500, 0)).ttl, ttl(500));
        assert_eq!(grant(ttl(200), bounds(60, 100, 500, 300)).ttl, ttl(300));
        assert_eq!(grant(ttl(0), bounds(0, 100, 0, 0)), Granted { ttl: ttl(100), capped_by: None });
    }

    #[test]
    fn a_renewal_never_passes_the_bound_and_never_becomes_endless() {
        let start = Timestamp::from_unix_seconds(1000);
        let at = |offset| start.plus(std::time::Duration::from_millis(offset));
        assert_eq!(renewed(ttl(60), bounds(60, 100, 0, 0), start, at(30_000)).ttl, ttl(60));
        assert_eq!(renewed(ttl(60), bounds(60, 100, 0, 0), start, at(90_000)).ttl, ttl(10));
        assert_eq!(renewed(ttl(60), bounds(60, 100, 0, 0), start, at(99_500)).ttl, ttl(0));
        assert_eq!(renewed(ttl(60), bounds(60, 100, 0, 0), start, at(99_500)).capped_by, Some(ttl(0)));
        assert_eq!(renewed(ttl(1), bounds(60, 100, 30, 0), start, at(500_000)).ttl, ttl(30));
    }

    #[test]
    fn lengths_as_go_writes_them() {
        assert_eq!(shown(ttl(5400)), "1h30m");
        assert_eq!(shown(ttl(61)), "1m1s");
        assert_eq!(shown(ttl(5)), "5s");
    }
}
