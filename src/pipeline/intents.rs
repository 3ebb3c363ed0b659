//! Records intents for handlers, and gives them up when the request fails.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::api::{ApiPath, Ttl};
use crate::engine::{Bounds, Caller, Intent, Intents, Mount, NewLease, TokenType, Txn};
use crate::error::{Error, Kind, Result};
use crate::lease::{Grant, LeaseOwner};
use crate::secret::SecretJson;
use crate::vault::Unsealed;

/// How long a failed request waits for what it made to be undone.
const PATIENCE: Duration = Duration::from_secs(2);

/// The intents of one try of a request.
pub(super) struct Recorder<'a> {
    unsealed: &'a Arc<Unsealed>,
    caller: Option<&'a Caller>,
    recorded: Mutex<Vec<Recorded>>,
}

struct Recorded {
    lease_id: String,
    mount: String,
    data: SecretJson,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(unsealed: &'a Arc<Unsealed>, caller: Option<&'a Caller>) -> Self {
        Self { unsealed, caller, recorded: Mutex::default() }
    }

    /// The request failed with `error`: what it may have made is undone, also after a restart. The record is written anew,
    /// since the intent may have run out, and been undone, before the thing was made. It is undone at once where what lies
    /// outside of the vault gave its answer, so that nothing is left to be listed; where that may still be at it, or
    /// cannot be reached, in the background.
    pub(super) async fn give_up(self, error: &Error) {
        let is_answered = match error.kind() {
            Kind::Unavailable | Kind::Conflict | Kind::Sealed => false,
            Kind::InvalidRequest
            | Kind::Forbidden
            | Kind::NotFound
            | Kind::MethodNotAllowed
            | Kind::TooLarge
            | Kind::UnsupportedMediaType
            | Kind::RateLimited
            | Kind::Corrupt
            | Kind::Internal
            | Kind::Locked
            | Kind::NotInitialised => true,
        };
        for Recorded { lease_id, mount, data } in self.recorded.into_inner().unwrap_or_else(PoisonError::into_inner) {
            if let Err(error) = self.unsealed.leases.give_up(&lease_id, &mount, data).await {
                tracing::error!(lease = %lease_id, %error, "an intent could not be given up; it runs out by itself");
            } else if is_answered {
                undo_soon(self.unsealed.clone(), lease_id).await;
            }
        }
    }
}

/// Undoes what was given up, and waits a little for it; it goes on in the background if it takes longer, and is tried
/// again if it fails.
async fn undo_soon(unsealed: Arc<Unsealed>, lease_id: String) {
    let core = unsealed.core.clone();
    let undone = core.finish(async move {
        if let Err(error) = unsealed.revoke_lease(&lease_id).await {
            tracing::warn!(lease = %lease_id, %error, "what a failed request made could not be undone; it is tried again");
        }
    });
    let _ = tokio::time::timeout(PATIENCE, undone).await;
}

#[async_trait]
impl Intents for Recorder<'_> {
    async fn record(&self, mount: &Mount, path: &ApiPath, data: SecretJson) -> Result<Intent> {
        let copy = data.copy();
        let new = NewLease { ttl: Ttl::default(), max_ttl: Ttl::default(), renewable: false, data, intent: None };
        let grant = Grant {
            path: path.as_str(),
            mount: &mount.uuid,
            bounds: Bounds::default(),
            owner: LeaseOwner { token_id: self.caller.map_or("", |caller| &caller.token_id), ends: None },
        };
        require_another_use(self.caller)?;
        // A mount or a token that ends from here on finds the intent, and has it undone.
        let mut txn = Txn::new();
        require_owners(self.unsealed, &mount.uuid, self.caller, &mut txn).await?;
        let intent = self.unsealed.leases.intend(new, &grant, &mut txn)?;
        self.unsealed.commit(txn).await?;
        let recorded = Recorded { lease_id: intent.lease_id.clone(), mount: mount.uuid.clone(), data: copy };
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).push(recorded);
        Ok(intent)
    }
}

/// Makes the commit of `txn` fail unless the mount serves and the token of the caller is good at that moment.
pub(super) async fn require_owners(
    unsealed: &Unsealed,
    mount: &str,
    caller: Option<&Caller>,
    txn: &mut Txn,
) -> Result<()> {
    unsealed.mounts.require_serving(mount, txn).await?;
    match caller {
        Some(caller) if caller.token_type == TokenType::Service => {
            unsealed.tokens.require_good(&caller.token_id, txn).await
        }
        Some(_) | None => Ok(()),
    }
}

/// Refuses a lease to a token that ends with this request: what it stands for would be gone before anyone could use it.
pub(super) fn require_another_use(caller: Option<&Caller>) -> Result<()> {
    match caller.and_then(|caller| caller.uses_left) {
        Some(0) => Err(Error::invalid(
            "Secret cannot be returned; token had one use left, so leased credentials were immediately revoked.",
        )),
        Some(_) | None => Ok(()),
    }
}

/// While sealed nothing can be recorded.
pub(super) struct Unrecorded;

#[async_trait]
impl Intents for Unrecorded {
    async fn record(&self, _: &Mount, _: &ApiPath, _: SecretJson) -> Result<Intent> {
        Err(Error::sealed())
    }
}
