//! When requests are due.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// When each request is to be begun, over all connections.
#[derive(Debug)]
pub(crate) struct Schedule {
    begin: Instant,
    end: Instant,
    /// From one request to the next; nothing if a connection goes on as soon as it has its answer.
    every: Option<Duration>,
    taken: Cell<u64>,
}

/// A request's place in the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// As soon as possible: the time that it takes is counted from when it is sent.
    AtOnce,
    /// Then, and the time that it takes is counted from then, however late it is sent. What waits for a connection waits for
    /// the server, and a measurement that leaves this out shows an overloaded server as a fast one.
    At(Instant),
}

impl Schedule {
    /// For `seconds` from `begin`, with `rate` requests a second or as many as are answered.
    pub(crate) fn new(begin: Instant, seconds: f64, rate: Option<f64>) -> Self {
        let every = rate.map(|rate| Duration::from_secs_f64(1.0 / rate));
        Self { begin, end: begin + Duration::from_secs_f64(seconds), every, taken: Cell::new(0) }
    }

    /// The next place that no connection has taken; nothing at the end.
    pub(crate) fn next(&self, now: Instant) -> Option<Due> {
        if now >= self.end {
            return None;
        }
        let Some(every) = self.every else { return Some(Due::AtOnce) };
        let due = self.at(every, self.taken.get());
        if due >= self.end {
            return None;
        }
        self.taken.set(self.taken.get() + 1);
        Some(Due::At(due))
    }

    /// How many requests were due until the end and were taken by no connection.
    pub(crate) fn unsent(&self) -> u64 {
        let Some(every) = self.every else { return 0 };
        let all = (self.end - self.begin).as_secs_f64() / every.as_secs_f64();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "there are not so many requests")]
        let all = all.ceil() as u64;
        all.saturating_sub(self.taken.get())
    }

    /// Whether no request is begun any more.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        now >= self.end
    }

    /// Waits until no request is begun any more.
    pub(crate) async fn until_end(&self) {
        tokio::time::sleep_until(self.end.into()).await;
    }

    /// From the beginning until now.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    fn at(&self, every: Duration, number: u64) -> Instant {
        #[expect(clippy::cast_precision_loss, reason = "there are not so many requests")]
        let after = every.as_secs_f64() * number as f64;
        self.begin + Duration::from_secs_f64(after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_evenly_spaced_and_given_once() {
        let begin = Instant::now();
        let schedule = Schedule::new(begin, 1.0, Some(4.0));
        let due: Vec<Due> = std::iter::from_fn(|| schedule.next(begin)).collect();
        let quarter = |number: u32| Due::At(begin + Duration::from_millis(250) * number);
        assert_eq!(due, [quarter(0), quarter(1), quarter(2), quarter(3)]);
        assert_eq!(schedule.unsent(), 0);
    }

    #[test]
    fn what_is_late_keeps_its_place_and_what_is_never_sent_is_counted() {
        let begin = Instant::now();
        let schedule = Schedule::new(begin, 1.0, Some(10.0));
        assert_eq!(schedule.next(begin + Duration::from_millis(900)), Some(Due::At(begin)));
        assert_eq!(schedule.next(begin + Duration::from_secs(1)), None);
        assert_eq!(schedule.unsent(), 9);
    }

    #[test]
    fn without_a_rate_a_request_is_due_at_once_until_the_end() {
        let begin = Instant::now();
        let schedule = Schedule::new(begin, 1.0, None);
        assert_eq!(schedule.next(begin), Some(Due::AtOnce));
        assert_eq!(schedule.next(begin + Duration::from_secs(1)), None);
        assert_eq!(schedule.unsent(), 0);
    }
}
