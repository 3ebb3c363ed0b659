//! `Flight`: what is known of a provider, and asking it once for all who wait.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::auth::jwt::token::Key;
use crate::time::Timestamp;

use super::Unavailable;
use super::budget::Budget;
use super::discovery::Discovery;

/// After this long the keys are fetched again, so that one which the provider has taken back is not taken here for good.
const FRESH: Duration = Duration::from_hours(1);

/// How long keys are good while the provider cannot be reached.
const GOOD: Duration = Duration::from_hours(24);

/// What is known, and who asks.
pub(super) struct Flight {
    known: RwLock<Option<Arc<Loaded>>>,
    /// How often the provider was asked, whatever came of it.
    asked: AtomicU64,
    asking: Mutex<Asking>,
}

struct Asking {
    budget: Budget,
    /// What the last request came to.
    failed: Option<Unavailable>,
}

/// What was fetched, and when.
pub(super) struct Loaded {
    pub(super) keys: Vec<Key>,
    pub(super) discovery: Option<Arc<Discovery>>,
    pub(super) since: Timestamp,
}

impl Flight {
    /// Nothing is known.
    pub(super) fn new() -> Self {
        let asking = Asking { budget: Budget::new(), failed: None };
        Self { known: RwLock::new(None), asked: AtomicU64::new(0), asking: Mutex::new(asking) }
    }

    /// What is known, or what is fetched where nothing is.
    pub(super) async fn loaded(
        &self,
        now: Timestamp,
        fetch: impl AsyncFnOnce() -> Result<Loaded, Unavailable>,
    ) -> Result<Arc<Loaded>, Unavailable> {
        let Some(known) = self.known() else { return self.ask(None, now, fetch).await };
        let age = now.since(known.since);
        if age < FRESH {
            return Ok(known);
        }
        // One login an hour fetches them again; meanwhile, and while that fails, the others use what there is.
        match self.asking.try_lock() {
            Ok(asking) => drop(asking),
            Err(_) if age < GOOD => return Ok(known),
            Err(_) => {}
        }
        match self.ask(Some(&known), now, fetch).await {
            Err(_) if age < GOOD => Ok(known),
            outcome => outcome,
        }
    }

    /// What is fetched after `seen`, in which something was missing.
    pub(super) async fn ask(
        &self,
        seen: Option<&Arc<Loaded>>,
        now: Timestamp,
        fetch: impl AsyncFnOnce() -> Result<Loaded, Unavailable>,
    ) -> Result<Arc<Loaded>, Unavailable> {
        let asked = self.asked.load(Ordering::SeqCst);
        let mut asking = self.asking.lock().await;
        // Somebody else was faster.
        match (self.known(), seen) {
            (Some(known), None) => return Ok(known),
            (Some(known), Some(seen)) if !Arc::ptr_eq(&known, seen) => return Ok(known),
            (Some(_), Some(_)) | (None, _) => {}
        }
        if let Some(failed) = asking.failed.filter(|_| self.asked.load(Ordering::SeqCst) != asked) {
            return Err(failed);
        }
        if !asking.budget.take(now) {
            return Err(Unavailable::TooOften);
        }
        let outcome = fetch().await;
        asking.failed = outcome.as_ref().err().copied();
        self.asked.fetch_add(1, Ordering::SeqCst);
        let loaded = Arc::new(outcome?);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(loaded.clone());
        Ok(loaded)
    }

    fn known(&self) -> Option<Arc<Loaded>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;
    use crate::schedule::{Tasks, explore, turn};

    /// A provider that answers after a while, and the flight to it.
    struct Site {
        flight: Flight,
        /// Requests that it is answering.
        open: Cell<u32>,
        /// Requests that it has answered.
        answered: Cell<u32>,
        fails: Cell<bool>,
    }

    /// Ends with the request, also where nobody waits for the answer.
    struct Open<'a>(&'a Cell<u32>);

    impl Drop for Open<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1);
        }
    }

    impl Site {
        fn new(fails: bool) -> Rc<Self> {
            let (open, answered) = (Cell::new(0), Cell::new(0));
            Rc::new(Self { flight: Flight::new(), open, answered, fails: Cell::new(fails) })
        }

        /// Asks on behalf of who waits since so many requests had been `answered`.
        async fn fetch(&self, answered: u32, now: Timestamp) -> Result<Loaded, Unavailable> {
            assert_eq!(self.open.replace(1), 0, "two are asking");
            let _open = Open(&self.open);
            assert_eq!(self.answered.get(), answered, "an answer came while it waited, and it asks again");
            turn().await;
            self.answered.set(answered + 1);
            if self.fails.get() {
                return Err(Unavailable::Content("it is out of order"));
            }
            Ok(Loaded { keys: Vec::new(), discovery: None, since: now })
        }

        async fn loaded(&self, now: Timestamp) -> Result<Arc<Loaded>, Unavailable> {
            let answered = self.answered.get();
            self.flight.loaded(now, async || self.fetch(answered, now).await).await
        }

        async fn refreshed(&self, seen: &Arc<Loaded>, now: Timestamp) -> Result<Arc<Loaded>, Unavailable> {
            let answered = self.answered.get();
            self.flight.ask(Some(seen), now, async || self.fetch(answered, now).await).await
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_000_000 + seconds)
    }

    fn log_in(tasks: &mut Tasks, site: &Rc<Site>, is_fickle: bool, work: impl AsyncFn(&Site) + 'static) {
        let site = site.clone();
        let login = async move { work(&site).await };
        if is_fickle { tasks.add_fickle("a fickle login", login) } else { tasks.add("a login", login) }
    }

    #[test]
    fn who_waits_together_asks_once() {
        explore(600, |tasks| {
            let site = Site::new(false);
            for is_fickle in [false, false, true] {
                log_in(tasks, &site, is_fickle, async |site| {
                    let known = site.loaded(at(0)).await.unwrap();
                    assert!(Arc::ptr_eq(&known, &site.loaded(at(1)).await.unwrap()));
                });
            }
            move || assert_eq!(site.answered.get(), 1)
        });
    }

    #[test]
    fn a_failure_is_that_of_all_who_waited() {
        explore(600, |tasks| {
            let site = Site::new(true);
            for is_fickle in [false, false, true] {
                log_in(tasks, &site, is_fickle, async |site| {
                    if site.loaded(at(0)).await.is_err() {
                        site.fails.set(false);
                        assert!(site.loaded(at(0)).await.is_ok());
                    }
                });
            }
            || {}
        });
    }

    #[test]
    fn nobody_is_given_what_it_has_seen_to_be_too_old() {
        explore(600, |tasks| {
            let site = Site::new(false);
            for is_fickle in [false, false, true] {
                log_in(tasks, &site, is_fickle, async |site| {
                    let seen = site.loaded(at(0)).await.unwrap();
                    let newer = site.refreshed(&seen, at(0)).await.unwrap();
                    assert!(!Arc::ptr_eq(&seen, &newer));
                });
            }
            move || assert!((2..=4).contains(&site.answered.get()), "{}", site.answered.get())
        });
    }

    #[test]
    fn what_is_an_hour_old_is_good_until_there_is_something_newer() {
        explore(600, |tasks| {
            let site = Site::new(false);
            crate::schedule::alone(site.loaded(at(0))).unwrap();
            site.fails.set(true);
            for is_fickle in [false, false, true] {
                log_in(tasks, &site, is_fickle, async |site| {
                    assert_eq!(site.loaded(at(4_000)).await.unwrap().since, at(0));
                });
            }
            || {}
        });
    }
}
