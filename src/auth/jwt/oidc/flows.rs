//! `Flows`: the logins that began and have not ended.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::auth::jwt::roles::CallbackMode;
use crate::auth::jwt::token::Claims;
use crate::engine::Txn;
use crate::secret::SecretText;
use crate::time::Timestamp;

/// How long a login may take.
const LIFE: Duration = Duration::from_mins(10);

/// The most logins at a time. With one more the oldest ends: whoever begins logins that nobody ends cannot keep others
/// from theirs for longer than they go on.
const MOST: usize = 8192;

/// A login that began.
pub(super) struct Flow {
    pub(super) role: String,
    /// Whether the provider sends the browser to this server.
    pub(super) mode: CallbackMode,
    pub(super) redirect_uri: String,
    /// What the token of the provider must repeat.
    pub(super) nonce: String,
    /// What the client must repeat; empty where it sent nothing.
    pub(super) client_nonce: SecretText,
    /// What proves to the provider that the code comes to whom it is for (RFC 7636).
    pub(super) verifier: SecretText,
    /// Where the login was begun.
    pub(super) address: Option<IpAddr>,
    pub(super) began: Timestamp,
    pub(super) stage: Stage,
}

/// How far a login is.
pub(super) enum Stage {
    /// The browser is at the provider.
    Away,
    /// It came back with a form, and the client has not fetched its token yet.
    Back(Returned),
    /// It came back to this server, and what the provider said was verified.
    Proved(Claims),
    /// The client came with this, and what the provider said was verified, but the login could not be committed. The code
    /// is good once only, so whoever comes with the same again is believed.
    Redeemed(Returned, Claims),
}

/// What the browser came back with.
#[derive(Default)]
pub(super) struct Returned {
    pub(super) code: Option<SecretText>,
    pub(super) id_token: Option<SecretText>,
    /// What the page that answered the form made the browser know, and nobody else: whoever repeats it says that the login
    /// is theirs. Nothing once that was said, or where it need not be.
    pub(super) awaits: Option<SecretText>,
}

impl Returned {
    /// Whether `confirmation` is what was given to the browser alone.
    pub(super) fn is_confirmed_by(&self, confirmation: Option<&SecretText>) -> bool {
        match (&self.awaits, confirmation) {
            (Some(awaited), Some(confirmation)) => awaited.ct_eq(confirmation),
            (Some(_), None) => false,
            (None, _) => true,
        }
    }

    /// Whether the browser came back with the same.
    pub(super) fn is(&self, code: Option<&SecretText>, id_token: Option<&SecretText>) -> bool {
        let is_same = |one: Option<&SecretText>, other: Option<&SecretText>| match (one, other) {
            (Some(one), Some(other)) => one.ct_eq(other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        is_same(self.code.as_ref(), code) && is_same(self.id_token.as_ref(), id_token)
    }
}

/// The logins that began and have not ended, by their state.
pub(in crate::auth::jwt) struct Flows(Mutex<Known>);

#[derive(Default)]
struct Known {
    flows: HashMap<String, Flow>,
    /// Their states, the oldest first; some of them may have ended.
    order: VecDeque<String>,
}

impl Flows {
    /// None yet.
    pub(in crate::auth::jwt) fn new() -> Self {
        Self(Mutex::default())
    }

    /// Keeps a login under `state`, as long as it may take.
    pub(super) fn begin(&self, state: String, flow: Flow) {
        let mut known = self.lock();
        known.forget(flow.began);
        known.order.push_back(state.clone());
        known.flows.insert(state, flow);
    }

    /// The login of `state`, which is over with this unless it is put back.
    pub(super) fn take(&self, state: &str, now: Timestamp) -> Option<Flow> {
        self.lock().flows.remove(state).filter(|flow| flow.is_alive(now))
    }

    /// Puts a login back that was taken.
    pub(super) fn put_back(&self, state: String, flow: Flow) {
        self.lock().flows.insert(state, flow);
    }

    /// Ends a login that was taken when `txn` is committed, and puts it back if it is not: after a conflict the request is
    /// done again.
    pub(super) fn end_with(self: &Arc<Self>, state: String, flow: Flow, txn: &mut Txn) {
        let taken = Taken { flows: self.clone(), state, flow: Some(flow) };
        txn.on_commit(move || taken.end());
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A login that was taken, and is put back when this is dropped.
struct Taken {
    flows: Arc<Flows>,
    state: String,
    flow: Option<Flow>,
}

impl Taken {
    fn end(mut self) {
        self.flow = None;
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(flow) = self.flow.take() {
            self.flows.put_back(std::mem::take(&mut self.state), flow);
        }
    }
}

impl Known {
    /// Drops what is over, and the oldest where there are too many.
    fn forget(&mut self, now: Timestamp) {
        while let Some(oldest) = self.order.front() {
            let is_over = self.flows.get(oldest).is_none_or(|flow| !flow.is_alive(now));
            if !is_over && self.order.len() < MOST {
                break;
            }
            self.flows.remove(oldest);
            self.order.pop_front();
        }
        // Logins that were put back after they had been forgotten.
        if self.flows.len() > self.order.len() {
            self.flows.retain(|_, flow| flow.is_alive(now));
        }
    }
}

impl Flow {
    /// Whether this is what the client sent when the login began.
    pub(super) fn is_of(&self, client_nonce: Option<&SecretText>) -> bool {
        let nothing = SecretText::new(String::new());
        self.client_nonce.is_empty() || self.client_nonce.ct_eq(client_nonce.unwrap_or(&nothing))
    }

    /// Whether the client that began the login is the one that sends this: it repeats a nonce, and had sent one.
    pub(super) fn is_surely_of(&self, client_nonce: Option<&SecretText>) -> bool {
        !self.client_nonce.is_empty() && self.is_of(client_nonce)
    }

    fn is_alive(&self, now: Timestamp) -> bool {
        now.since(self.began) < LIFE
    }
}

impl fmt::Debug for Flows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flows")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix_nanos(1_800_000_000_000_000_000);

    fn flow(began: Timestamp) -> Flow {
        Flow {
            role: "dev".to_owned(),
            mode: CallbackMode::Client,
            redirect_uri: String::new(),
            nonce: String::new(),
            client_nonce: SecretText::new("mine".to_owned()),
            verifier: SecretText::new(String::new()),
            address: None,
            began,
            stage: Stage::Away,
        }
    }

    #[test]
    fn a_state_is_good_once_and_for_ten_minutes() {
        let flows = Flows::new();
        flows.begin("a".to_owned(), flow(START));
        flows.begin("b".to_owned(), flow(START));
        assert!(flows.take("c", START).is_none());
        assert!(flows.take("a", START.plus(Duration::from_secs(599))).is_some());
        assert!(flows.take("a", START).is_none());
        assert!(flows.take("b", START.plus(LIFE)).is_none());
        assert!(flows.take("b", START).is_none(), "gone for good");
    }

    #[test]
    fn there_are_never_more_than_that() {
        let flows = Flows::new();
        for number in 0..MOST + 10 {
            flows.begin(number.to_string(), flow(START));
        }
        let known = flows.lock();
        assert_eq!((known.flows.len(), known.order.len()), (MOST, MOST));
        drop(known);
        assert!(flows.take("9", START).is_none() && flows.take("10", START).is_some());
        let later = START.plus(LIFE);
        flows.begin("new".to_owned(), flow(later));
        assert_eq!(flows.lock().order.len(), 1, "what is over leaves nothing behind");
    }

    #[test]
    fn a_client_repeats_what_it_sent() {
        let mut flow = flow(START);
        let said = |text: &str| SecretText::new(text.to_owned());
        assert!(flow.is_of(Some(&said("mine"))));
        assert!(!flow.is_of(Some(&said("yours"))) && !flow.is_of(None) && !flow.is_of(Some(&said(""))));
        flow.client_nonce = said("");
        assert!(flow.is_of(None) && flow.is_of(Some(&said("anything"))));
        assert!(!flow.is_surely_of(None) && !flow.is_surely_of(Some(&said(""))));
    }
}
