//! When a token is good.

/// `exp`, `nbf` and `iat` of a token, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::auth::jwt) struct Times {
    pub(in crate::auth::jwt) expires: Option<i64>,
    pub(in crate::auth::jwt) not_before: Option<i64>,
    pub(in crate::auth::jwt) issued: Option<i64>,
}

/// How far clocks may be apart, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth::jwt) struct Leeways {
    /// For every comparison.
    pub(in crate::auth::jwt) clock_skew: i64,
    /// How long a token without `exp` is good after its other times.
    pub(in crate::auth::jwt) expiration: i64,
    /// How long before its `exp` a token without `nbf` and `iat` becomes good.
    pub(in crate::auth::jwt) not_before: i64,
}

impl Leeways {
    /// The leeways that a role with these settings has: 0 stands for the default, and anything below it for none.
    pub(in crate::auth::jwt) fn of_role(clock_skew: i64, expiration: i64, not_before: i64) -> Self {
        let or = |set: i64, default: i64| if set == 0 { default } else { set.max(0) };
        Self { clock_skew: or(clock_skew, 60), expiration: or(expiration, 150), not_before: or(not_before, 150) }
    }
}

impl Times {
    /// Whether the token is good at `now`. A time that is left out follows from the others: a token without any has no
    /// end, and is refused. The error is a sentence for the caller.
    pub(in crate::auth::jwt) fn check(self, leeways: Leeways, now: i64) -> Result<(), &'static str> {
        let Self { expires, not_before, issued } = self;
        if expires.is_none() && not_before.is_none() && issued.is_none() {
            return Err("no issued at (iat), not before (nbf), or expiration time (exp) claims in token");
        }
        // At least one of the three is there, so that neither is made up out of nothing.
        let begun = not_before.max(issued).unwrap_or(now);
        let expires = expires.unwrap_or(begun.saturating_add(leeways.expiration));
        let not_before = not_before.or(issued).unwrap_or(expires.saturating_sub(leeways.not_before));
        if now > expires.saturating_add(leeways.clock_skew) {
            return Err("invalid expiration time (exp) claim: token is expired");
        }
        if now.saturating_add(leeways.clock_skew) < not_before {
            return Err("invalid not before (nbf) claim: token not yet valid");
        }
        if issued.is_some_and(|issued| now.saturating_add(leeways.clock_skew) < issued) {
            return Err("invalid issued at (iat) claim: token issued in the future");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    /// `exp`, `nbf` and `iat` from now on; the three leeways of a role.
    fn good(times: [Option<i64>; 3], role: [i64; 3]) -> bool {
        let [expires, not_before, issued] = times.map(|offset| offset.map(|offset| NOW + offset));
        let leeways = Leeways::of_role(role[0], role[1], role[2]);
        Times { expires, not_before, issued }.check(leeways, NOW).is_ok()
    }

    #[test]
    fn a_token_that_never_ends_is_refused() {
        assert!(!good([None, None, None], [0, 0, 0]));
        assert!(!good([None, None, None], [3600, 3600, 3600]));
    }

    #[test]
    fn what_is_left_out_follows_from_the_rest() {
        // The offsets of `exp`, `nbf` and `iat`, and whether a role without leeways of its own takes them.
        for (times, is_good) in [
            ([None, None, Some(0)], true),
            ([None, None, Some(-200)], true),
            ([None, None, Some(-211)], false),
            ([None, Some(0), None], true),
            ([None, Some(-211), None], false),
            ([Some(100), None, None], true),
            ([Some(10_000_000), None, None], false),
            ([Some(-59), None, Some(-100)], true),
            ([Some(-61), None, Some(-100)], false),
            ([Some(-140), None, Some(-200)], false),
            ([Some(500), Some(59), None], true),
            ([Some(500), Some(61), None], false),
            ([Some(500), None, Some(59)], true),
            ([Some(500), None, Some(61)], false),
            ([Some(500), Some(-100), Some(61)], false),
            ([Some(-NOW - 1), None, Some(0)], false),
        ] {
            assert_eq!(good(times, [0, 0, 0]), is_good, "{times:?}");
        }
    }

    #[test]
    fn leeways_widen_and_narrow() {
        for (times, role, is_good) in [
            ([None, None, Some(-61)], [0, -1, 0], false),
            ([None, None, Some(-59)], [0, -1, 0], true),
            ([None, None, Some(-69)], [0, 10, 0], true),
            ([None, None, Some(-71)], [0, 10, 0], false),
            ([Some(-2), None, Some(-100)], [-1, 0, 0], false),
            ([Some(500), Some(40), None], [-1, 0, 0], false),
            ([Some(500), None, Some(40)], [-1, 0, 0], false),
            ([Some(-250), None, Some(-300)], [300, 0, 0], true),
            ([Some(500), None, Some(250)], [300, 0, 0], true),
            ([Some(100), None, None], [0, 0, -1], false),
            ([Some(100), None, None], [0, 0, 300], true),
        ] {
            assert_eq!(good(times, role), is_good, "{times:?} {role:?}");
        }
    }

    #[test]
    fn times_at_the_ends_do_not_wrap() {
        let leeways = Leeways::of_role(i64::MAX, i64::MAX, i64::MAX);
        for time in [i64::MIN, i64::MAX, 0] {
            let _ = Times { expires: Some(time), not_before: Some(time), issued: Some(time) }.check(leeways, NOW);
            let _ = Times { expires: None, not_before: None, issued: Some(time) }.check(leeways, NOW);
            let _ = Times { expires: Some(time), not_before: None, issued: None }.check(leeways, NOW);
        }
    }
}
