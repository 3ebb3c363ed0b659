//! `Gate`: what is to be removed lets no request in any more, and waits for those that are within.

use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// The way into a mount or a namespace. Clones are the same gate.
#[derive(Clone, Debug, Default)]
pub struct Gate(TaskTracker);

/// Keeps a removal waiting until it is dropped.
#[derive(Debug)]
pub struct Stay(#[expect(dead_code, reason = "held for its end")] TaskTrackerToken);

impl Gate {
    /// Lets a request in for as long as the answer is held. Nothing once a removal has begun: what the request makes then
    /// would not be found.
    pub fn let_in(&self) -> Option<Stay> {
        let token = self.0.token();
        // In this order: a removal closes first, and waits then.
        (!self.0.is_closed()).then_some(Stay(token))
    }

    /// Lets no request in any more, and waits for those that are within.
    pub async fn drain(&self) {
        self.0.close();
        self.0.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::schedule::{Meeting, explore, turn};

    #[test]
    fn a_removal_waits_for_all_that_are_within() {
        explore(600, |tasks| {
            let (gate, within) = (Gate::default(), Arc::new(AtomicUsize::new(0)));
            for name in ["a request", "another request"] {
                let (gate, within) = (gate.clone(), within.clone());
                tasks.add_fickle(name, async move {
                    turn().await;
                    let Some(stay) = gate.let_in() else { return };
                    within.fetch_add(1, Ordering::SeqCst);
                    let _leaving = Leaving(within, stay);
                    turn().await;
                });
            }
            for name in ["a removal", "another removal"] {
                let (gate, within) = (gate.clone(), within.clone());
                tasks.add(name, async move {
                    gate.drain().await;
                    assert_eq!(within.load(Ordering::SeqCst), 0);
                    turn().await;
                    assert_eq!(within.load(Ordering::SeqCst), 0);
                    assert!(gate.let_in().is_none());
                });
            }
            || {}
        });
    }

    /// Goes before the stay that it was given.
    struct Leaving(Arc<AtomicUsize>, #[expect(dead_code, reason = "held for its end")] Stay);

    impl Drop for Leaving {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Between the steps of tasks there is more than the order of tasks shows: a request that looks first and counts
    /// itself then is overlooked by a removal on another thread.
    #[test]
    fn threads_do_not_slip_in_behind_a_removal() {
        const ROUNDS: usize = 20_000;
        let gates: Vec<_> = (0..ROUNDS).map(|_| (Gate::default(), AtomicBool::new(false))).collect();
        let meeting = Meeting::default();
        let slipped_in = thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                for (round, (gate, drained)) in gates.iter().enumerate() {
                    meeting.meet(0, round);
                    runtime.block_on(gate.drain());
                    drained.store(true, Ordering::SeqCst);
                }
            });
            let mut slipped_in = 0;
            for (round, (gate, drained)) in gates.iter().enumerate() {
                meeting.meet(1, round);
                if let Some(stay) = gate.let_in() {
                    slipped_in += usize::from(drained.load(Ordering::SeqCst));
                    drop(stay);
                }
            }
            slipped_in
        });
        assert_eq!(slipped_in, 0, "requests were within after a removal had waited for them");
    }
}
