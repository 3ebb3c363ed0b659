//! Transactions that get in each other's way: PostgreSQL does not wait where two of them change the rights on the same table
//! or database, but fails the second one.

use std::time::Duration;

use tokio::time::sleep;

use super::super::plugin::{Failure, Reason};

/// How often something is tried. Of those that meet one gets through each time, and leases are revoked 16 at a time.
const TRIES: u32 = 24;
/// How much longer each wait is than the one before.
const STEP: Duration = Duration::from_millis(5);

/// Does `work`, again and again where nothing was done because another transaction got in its way.
pub(super) async fn until_done<F: Future<Output = Result<(), Failure>>>(work: impl Fn() -> F) -> Result<(), Failure> {
    for tried in 1..TRIES {
        match work().await {
            Err(failure) if failure.reason == Reason::Contended => sleep(STEP.saturating_mul(tried)).await,
            outcome => return outcome,
        }
    }
    work().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn what_is_in_the_way_for_a_while_is_waited_for() {
        for (in_the_way, reason, tries, is_done) in [
            (0, Reason::Contended, 1, true),
            (5, Reason::Contended, 6, true),
            (TRIES, Reason::Contended, TRIES, false),
            (5, Reason::Unknown, 1, false),
            (5, Reason::Refused("42501".to_owned()), 1, false),
        ] {
            let tried = Cell::new(0);
            let outcome = until_done(|| async {
                tried.set(tried.get() + 1);
                if tried.get() > in_the_way { Ok(()) } else { Err(Failure::new(reason.clone())) }
            })
            .await;
            assert_eq!((tried.get(), outcome.is_ok()), (tries, is_done), "{reason:?} {in_the_way}");
        }
    }
}
