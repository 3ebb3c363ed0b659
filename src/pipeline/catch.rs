//! A panic in a handler is contained: it becomes an error of this one request.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::error::{Error, Result};

/// The outcome of `work`; a panic in it is an internal error. Whatever that left half changed belonged to this request,
/// and is dropped with it.
///
/// Not an `async fn`, which would have room for `work` twice.
pub(super) fn panics<T>(work: impl Future<Output = T>) -> impl Future<Output = Result<T>> {
    AssertUnwindSafe(work).catch_unwind().map(|outcome| {
        outcome.map_err(|_| {
            tracing::error!("a handler panicked; this is a bug");
            Error::internal("internal error")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let outcome: Result<()> = panics(async { panic!("boom") }).await;
        assert_eq!(outcome.unwrap_err().to_string(), "internal error");
        assert_eq!(panics(async { 1 }).await.unwrap(), 1);
    }
}
