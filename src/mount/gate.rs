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
