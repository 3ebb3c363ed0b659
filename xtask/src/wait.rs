//! Waiting for other programs.

use std::time::{Duration, Instant};

use crate::failure::Failure;

/// How often is looked.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until `ready` says so. It fails when `ready` does, and with `late` when `limit` has passed.
pub(crate) fn until(
    limit: Duration,
    mut ready: impl FnMut() -> Result<bool, Failure>,
    late: impl FnOnce() -> Failure,
) -> Result<(), Failure> {
    let start = Instant::now();
    while !ready()? {
        if start.elapsed() > limit {
            return Err(late());
        }
        pause();
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "another program's progress can only be asked for, not awaited")]
fn pause() {
    std::thread::sleep(PAUSE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_comes_is_given_up() {
        let late = || Failure::new("late", "");
        assert_eq!(until(Duration::ZERO, || Ok(false), late).unwrap_err().what, "late");
        assert!(until(Duration::ZERO, || Ok(true), late).is_ok());
    }

    #[test]
    fn a_failure_ends_the_waiting() {
        let broken = until(Duration::from_mins(1), || Err(Failure::new("broken", "")), || Failure::new("late", ""));
        assert_eq!(broken.unwrap_err().what, "broken");
    }
}
