//! Moments that repeat, as cron writes them: minute, hour, day of the month, month, day of the week, in UTC.

use std::ops::RangeInclusive;

use time::{Duration, OffsetDateTime};

use crate::time::Timestamp;

/// A cron expression: for each field a bit for each value that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether the day of the month and the day of the week are both restricted: then either may fit.
    either_day: bool,
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const MALFORMED: &str = "rotation_schedule must be a cron expression of five fields (minute, hour, day of the month, \
    month, day of the week), like \"0 3 * * SUN\"";

/// How far ahead a moment is looked for: 29 February comes every 8 years at the least.
const HORIZON: Duration = Duration::days(366 * 9);

impl Cron {
    /// Reads an expression that fits some moment; the error is a sentence for the caller.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let expanded = match text.trim() {
            "@hourly" => "0 * * * *",
            "@daily" | "@midnight" => "0 0 * * *",
            "@weekly" => "0 0 * * 0",
            "@monthly" => "0 0 1 * *",
            "@yearly" | "@annually" => "0 0 1 1 *",
            other => other,
        };
        let fields: Vec<&str> = expanded.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return Err(MALFORMED) };
        let weekday_bits = field(weekdays, 0..=7, &WEEKDAYS, 0)?;
        let is_restricted = |text: &str| !text.starts_with(['*', '?']);
        let cron = Self {
            minutes: field(minutes, 0..=59, &[], 0)?,
            hours: field(hours, 0..=23, &[], 0)?,
            days: field(days, 1..=31, &[], 0)?,
            months: field(months, 1..=12, &MONTHS, 1)?,
            // Sunday is 0 and 7.
            weekdays: (weekday_bits | weekday_bits >> 7) & 0x7f,
            either_day: is_restricted(days) && is_restricted(weekdays),
        };
        // 30 February is well written and never comes.
        cron.after(Timestamp::from_unix_seconds(0)).map(|_| cron).ok_or("rotation_schedule fits no moment")
    }

    /// The first moment after `moment` that fits; nothing where there is none, or none that can be told.
    pub(super) fn after(&self, moment: Timestamp) -> Option<Timestamp> {
        let start = OffsetDateTime::from_unix_timestamp(moment.unix_seconds().div_euclid(60) * 60).ok()?;
        let mut at = start + Duration::minutes(1);
        let horizon = start + HORIZON;
        while at < horizon {
            if !fits(self.months, u8::from(at.month())) || !self.fits_day(at) {
                at = at.replace_time(time::Time::MIDNIGHT) + Duration::days(1);
            } else if !fits(self.hours, at.hour()) {
                at += Duration::minutes(60 - i64::from(at.minute()));
            } else if !fits(self.minutes, at.minute()) {
                at += Duration::minutes(1);
            } else {
                return Some(Timestamp::from_unix_seconds(at.unix_timestamp())).filter(|next| *next > moment);
            }
        }
        None
    }

    fn fits_day(&self, at: OffsetDateTime) -> bool {
        let by_month = fits(self.days, at.day());
        let by_week = fits(self.weekdays, at.weekday().number_days_from_sunday());
        if self.either_day { by_month || by_week } else { by_month && by_week }
    }
}

fn fits(bits: u64, value: u8) -> bool {
    bits & 1 << value != 0
}

/// The bits of a field: ranges, steps and lists of numbers or names, the first of which stands for `first`.
fn field(text: &str, range: RangeInclusive<u8>, names: &[&str], first: u8) -> Result<u64, &'static str> {
    let mut bits = 0;
    for item in text.split(',') {
        let (span, step) = item.split_once('/').map_or((item, None), |(span, step)| (span, Some(step)));
        let number = |text: &str| {
            let named = names.iter().zip(first..).find(|(name, _)| text.eq_ignore_ascii_case(name));
            let value = named.map_or_else(|| text.parse().ok(), |(_, value)| Some(value));
            value.filter(|value| range.contains(value) && !text.starts_with('+')).ok_or(MALFORMED)
        };
        let (low, high) = match span.split_once('-') {
            _ if span == "*" || span == "?" => (*range.start(), *range.end()),
            Some((low, high)) => (number(low)?, number(high)?),
            None if step.is_some() => (number(span)?, *range.end()),
            None => (number(span)?, number(span)?),
        };
        let step = step.map_or(Ok(1), |step| step.parse::<usize>().map_err(|_| MALFORMED))?;
        if low > high || step == 0 {
            return Err(MALFORMED);
        }
        bits |= (low..=high).step_by(step).fold(0, |bits, value| bits | 1 << value);
    }
    Ok(bits)
}

/// What the fuzz target runs: the moment after another (the first line, in seconds since 1970) that fits an expression (the
/// rest) is later, fits, and has none before it.
#[doc(hidden)]
pub fn fuzz(text: &str) {
    let (moment, expression) = text.split_once('\n').unwrap_or(("0", text));
    let Ok(cron) = Cron::parse(expression) else { return };
    let moment = Timestamp::from_unix_seconds(moment.parse().unwrap_or_default());
    let Some(next) = cron.after(moment) else { return };
    let seconds = next.unix_seconds();
    assert!(next > moment && seconds.rem_euclid(60) == 0);
    let at = OffsetDateTime::from_unix_timestamp(seconds);
    assert!(at.is_ok_and(|at| {
        let in_time = fits(cron.minutes, at.minute()) && fits(cron.hours, at.hour());
        in_time && fits(cron.months, u8::from(at.month())) && cron.fits_day(at)
    }));
    let between = moment.unix_seconds() + (seconds - moment.unix_seconds()) / 2;
    for earlier in [between, seconds - 1] {
        assert_eq!(cron.after(Timestamp::from_unix_seconds(earlier)), Some(next));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn after(cron: &str, moment: &str) -> String {
        Cron::parse(cron).unwrap().after(Timestamp::parse(moment).unwrap()).unwrap().to_string()
    }

    #[test]
    fn the_next_moment() {
        for (cron, moment, next) in [
            ("0 0 * * *", "2026-11-22T03:46:39Z", "2026-11-23T00:00:00Z"),
            ("0 0 * * *", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"),
            ("*/15 * * * *", "2026-11-22T03:46:39Z", "2026-11-22T04:00:00Z"),
            ("30 3 * * SUN", "2026-11-22T03:46:39Z", "2026-11-29T03:30:00Z"),
            ("30 3 * * 7", "2026-11-22T03:46:39Z", "2026-11-29T03:30:00Z"),
            ("0 12 1,15 * *", "2026-11-22T03:46:39Z", "2026-12-01T12:00:00Z"),
            ("0 0 13 * FRI", "2026-11-22T03:46:39Z", "2026-11-27T00:00:00Z"),
            ("0 0 29 2 *", "2026-11-22T03:46:39Z", "2028-02-29T00:00:00Z"),
            ("59 23 31 dec ?", "2026-11-22T03:46:39Z", "2026-12-31T23:59:00Z"),
            ("10-20/5 8-9 * * MON-FRI", "2026-11-20T09:20:00Z", "2026-11-23T08:10:00Z"),
            ("@monthly", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"),
        ] {
            assert_eq!(after(cron, moment), next, "{cron}");
        }
    }

    #[test]
    fn there_is_no_moment_behind_the_last() {
        let last = Timestamp::from_unix_seconds(i64::MAX);
        assert_eq!(Cron::parse("* * * * *").unwrap().after(last), None);
    }

    #[test]
    fn what_fits_nothing_is_refused() {
        for cron in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "0 0 30 2 *",
            "1,,2 * * * *",
            "-1 * * * *",
            "+1 * * * *",
            "@reboot",
            "1/ * * * *",
        ] {
            assert!(Cron::parse(cron).is_err(), "{cron}");
        }
    }

    proptest! {
        #[test]
        fn the_next_moment_is_later_and_fits(seconds in 0_i64..4_000_000_000, minute in 0_u8..60, hour in 0_u8..24) {
            let cron = Cron::parse(&format!("{minute} {hour} * * *")).unwrap();
            let next = cron.after(Timestamp::from_unix_seconds(seconds)).unwrap().unix_seconds();
            prop_assert!(next > seconds && next - seconds <= 86_400);
            prop_assert_eq!(next.rem_euclid(86_400), i64::from(hour) * 3600 + i64::from(minute) * 60);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9*/,?@a-z -]{0,30}") {
            let _ = Cron::parse(&text);
        }
    }
}
