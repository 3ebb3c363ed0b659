//! A panic in a handler is contained: it becomes an error of this one request.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use crate::error::{Error, Result};

/// The outcome of `work`; a panic in it is an internal error.
pub(super) async fn panics<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    Caught(pin!(work)).await
}

struct Caught<'a, F>(Pin<&'a mut F>);

impl<T, F: Future<Output = Result<T>>> Future for Caught<'_, F> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // Whatever the panic left half changed belonged to this request, and is dropped with it.
        catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context))).unwrap_or_else(|_| {
            tracing::error!("a handler panicked; this is a bug");
            Poll::Ready(Err(Error::internal("internal error")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let outcome: Result<()> = panics(async { panic!("boom") }).await;
        assert_eq!(outcome.unwrap_err().to_string(), "internal error");
        assert_eq!(panics(async { Ok(1) }).await.unwrap(), 1);
    }
}
