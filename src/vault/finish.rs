//! `Finish`: work that is done to its end although whoever waits for it goes away.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TrackedFuture;

/// Work that whoever awaits it does, and that goes on in the background if that one stops waiting. So a request that is
/// waited for, as nearly all are, costs no task of its own.
#[must_use = "work is begun when it is awaited"]
pub struct Finish<F: Future<Output: Send> + Send + 'static> {
    /// Nothing once it is done.
    work: Option<Pin<Box<TrackedFuture<F>>>>,
    tasks: TaskTracker,
}

impl<F: Future<Output: Send> + Send + 'static> Finish<F> {
    /// `work`, for which whoever waits for `tasks` waits.
    pub(super) fn new(tasks: &TaskTracker, work: F) -> Self {
        Self { work: Some(Box::pin(tasks.track_future(work))), tasks: tasks.clone() }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for Finish<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_ready() {
            self.work = None;
        }
        polled
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for Finish<F> {
    fn drop(&mut self) {
        // Without a runtime the process is at its end.
        if let (Some(work), Ok(runtime)) = (self.work.take(), Handle::try_current()) {
            self.tasks.spawn_on(work, &runtime);
        }
    }
}

impl<F: Future<Output: Send> + Send + 'static> fmt::Debug for Finish<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finish").field("done", &self.work.is_none()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn what_is_waited_for_is_answered() {
        let tasks = TaskTracker::new();
        assert_eq!(Finish::new(&tasks, async { 7 }).await, 7);
        assert!(tasks.is_empty());
    }

    #[tokio::test]
    async fn what_is_not_waited_for_goes_on() {
        let (tasks, begun, go_on, done) = (TaskTracker::new(), Notify::new(), Arc::new(Notify::new()), Notify::new());
        let (begun, done) = (Arc::new(begun), Arc::new(done));
        let work = {
            let (begun, go_on, done) = (begun.clone(), go_on.clone(), done.clone());
            async move {
                begun.notify_one();
                go_on.notified().await;
                done.notify_one();
            }
        };
        let finish = Finish::new(&tasks, work);
        tokio::select! {
            () = finish => panic!("it waits"),
            () = begun.notified() => {}
        }
        assert_eq!(tasks.len(), 2, "it goes on, and is waited for");
        go_on.notify_one();
        done.notified().await;
        tasks.close();
        tasks.wait().await;
    }

    #[tokio::test]
    async fn what_was_never_begun_is_done_too() {
        let (tasks, done) = (TaskTracker::new(), Arc::new(Notify::new()));
        let telling = done.clone();
        drop(Finish::new(&tasks, async move { telling.notify_one() }));
        done.notified().await;
    }
}
