//! The time in the name of a file that was put away: `20261122T103501.123456Z`, in UTC. As texts they are in order.

use std::fmt;

use crate::time::Timestamp;

/// A moment in whole microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp(i64);

impl Stamp {
    /// The microsecond of a moment.
    pub(super) fn of(moment: Timestamp) -> Self {
        Self(moment.unix_nanos().div_euclid(1000))
    }

    /// Reads one; nothing for any other text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let part = |range| text.get(range).unwrap_or_default();
        let (date, clock) = (part(0..8), part(9..15));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let fraction = part(16..22);
        let fits = text.len() == LEN && [date, clock, fraction].into_iter().all(all_digits);
        if !fits || part(8..9) != "T" || part(15..16) != "." || part(22..23) != "Z" {
            return None;
        }
        let written = format!(
            "{}-{}-{}T{}:{}:{}.{fraction}Z",
            part(0..4),
            part(4..6),
            part(6..8),
            part(9..11),
            part(11..13),
            part(13..15)
        );
        Timestamp::parse(&written).map(Self::of)
    }

    /// The next one.
    pub(super) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = Timestamp::from_unix_seconds(self.0.div_euclid(1_000_000)).to_string();
        let digits: String = seconds.chars().filter(|c| !matches!(c, '-' | ':' | 'Z')).collect();
        write!(f, "{digits}.{:06}Z", self.0.rem_euclid(1_000_000))
    }
}

const LEN: usize = "20261122T103501.123456Z".len();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_stamp_is_the_time_in_utc() {
        let stamp = Stamp::of(Timestamp::from_unix_nanos(1_700_000_000_000_001_999));
        assert_eq!(stamp.to_string(), "20231114T221320.000001Z");
        assert_eq!(stamp.next().to_string(), "20231114T221320.000002Z");
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "",
            "1",
            "20231114T221320.000001",
            "20231314T221320.000001Z",
            "20231114t221320.000001Z",
            "20231114T221320.00000éZ",
        ] {
            assert_eq!(Stamp::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn stamps_are_read_back_and_in_order(one in 0_i64..4_000_000_000_000_000, other in 0_i64..4_000_000_000_000_000) {
            let (one, other) = (Stamp(one), Stamp(other));
            prop_assert_eq!(Stamp::parse(&one.to_string()), Some(one));
            prop_assert_eq!(one.to_string().cmp(&other.to_string()), one.cmp(&other));
        }

        #[test]
        fn any_text_is_a_stamp_or_none(text in "\\PC{0,30}|[0-9]{8}T[0-9]{6}\\.[0-9]{6}Z") {
            Stamp::parse(&text);
        }
    }
}
