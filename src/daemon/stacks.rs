//! What functions that have returned left on the stacks of threads. Nobody can look there but a debugger, and nothing
//! overwrites it while a sealed server does nothing.

use std::hint::black_box;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// How far a stack is overwritten, in bytes: several times as deep as a request goes. It is without optimisation that the
/// frames are large.
const DEPTH: usize = if cfg!(debug_assertions) { 1 << 20 } else { 256 << 10 };
/// How much of it at a time.
const FRAME: usize = 8 << 10;
/// How long the threads wait for each other.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is tried again when a thread has something else to do for so long.
const ATTEMPTS: usize = 5;

/// Overwrites the unused part of the stacks of all of the runtime's workers.
pub(super) async fn wipe() {
    for _ in 0..ATTEMPTS {
        if wipe_together().await {
            return;
        }
    }
    tracing::warn!("a thread was busy for so long that its stack could not be wiped");
}

/// Overwrites the unused part of this thread's stack.
pub(super) fn wipe_own() {
    overwrite(DEPTH);
}

/// Has every worker overwrite its own stack, and keeps those that are there waiting until all are, so that none does it
/// twice; whether all came.
async fn wipe_together() -> bool {
    let runtime = Handle::current();
    let workers = runtime.metrics().num_workers();
    let meeting = Arc::new(Meeting::default());
    let tasks = TaskTracker::new();
    let (met, spawned) = (meeting.clone(), tasks.clone());
    // Not from a worker: it would keep the tasks that it makes to itself.
    let inviting = tokio::task::spawn_blocking(move || {
        for _ in 0..workers {
            let met = met.clone();
            spawned.spawn_on(
                async move {
                    met.attend(workers);
                    wipe_own();
                },
                &runtime,
            );
        }
        wipe_own();
    });
    let _ = inviting.await;
    tasks.close();
    tasks.wait().await;
    meeting.is_complete(workers)
}

/// Threads that wait for each other.
#[derive(Default)]
struct Meeting {
    here: Mutex<usize>,
    more: Condvar,
}

impl Meeting {
    /// Waits until `all` are here, or for too long.
    fn attend(&self, all: usize) {
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        *here += 1;
        self.more.notify_all();
        while *here < all {
            let (waited, timeout) = self.more.wait_timeout(here, PATIENCE).unwrap_or_else(PoisonError::into_inner);
            here = waited;
            if timeout.timed_out() {
                // Whoever comes now finds nobody: it does not count.
                *here = here.saturating_sub(1);
                return;
            }
        }
    }

    fn is_complete(&self, all: usize) -> bool {
        *self.here.lock().unwrap_or_else(PoisonError::into_inner) >= all
    }
}

/// Puts zeros where the frames of functions were that this thread called before.
#[inline(never)]
fn overwrite(depth: usize) {
    let mut frame = [0_u8; FRAME];
    black_box(&mut frame);
    if depth > FRAME {
        overwrite(depth - FRAME);
    }
    // The frame is in use until here: without this the call above would be a jump that reuses it.
    black_box(&frame);
}
