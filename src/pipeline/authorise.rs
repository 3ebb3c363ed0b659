//! Who asks, and whether they may.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value};

use crate::api::Operation;
use crate::engine::{Body, Caller, Resolved};
use crate::error::{Error, Kind, Result};
use crate::policy::{Access, Asked, Existence, Parameters, Permit};
use crate::sys::Route;
use crate::token::{Authenticated, Uses};
use crate::vault::{Unsealed, invalid_wrapping_token};

use super::request::Request;
use super::{Known, Pipeline};

impl Pipeline {
    /// The caller, whom a public endpoint does not ask for.
    pub(super) async fn caller(
        &self,
        unsealed: &Arc<Unsealed>,
        request: &Request,
        route: &Route,
        known: &mut Known<'_>,
    ) -> Result<Option<Arc<Caller>>> {
        if route.access() == Access::Public {
            return Ok(None);
        }
        let token = request.token.as_ref().ok_or_else(Error::bad_token)?;
        let start = Instant::now();
        let found = unsealed.tokens.authenticate(token, request.client.address).await;
        known.meter.metrics().work.token_lookups.since(start);
        let Authenticated { mut caller, record } = found.map_err(|error| refusal(request, error))?;
        let identified = unsealed.identify(&mut caller).await;
        let (caller, is_last) = (Arc::new(caller), record.uses == Uses::Spent);
        // The use was taken: the last one ends the token although the request may be refused.
        known.outcome.known(caller.clone(), record);
        identified?;
        if is_last {
            unsealed.revoke_after_this(&caller.token_id).await?;
        }
        Ok(Some(caller))
    }

    /// The permit, or the refusal: for a path that leads somewhere and for one that does not.
    pub(super) async fn authorise(
        &self,
        unsealed: &Arc<Unsealed>,
        request: &Request,
        route: &Route,
        caller: Option<&Caller>,
        known: &mut Known<'_>,
    ) -> Result<Permit> {
        let access = route.access();
        let Some(caller) = caller else { return Permit::public(access).ok_or_else(Error::bad_token) };
        let acl = unsealed.acl(caller, unsealed.deps.clock.now()).await?;
        let matched = acl.rule(request.operation, &route.canonical);
        // The audit log tells a write that makes something from one that changes it.
        let is_told = request.operation == Operation::Write && !known.entry.is_idle();
        let existence = match &route.resolved {
            Resolved::Found(hit) if is_told || matched.needs_existence() => {
                self.router.existence(unsealed, route.target.as_ref(), hit, caller).await?
            }
            Resolved::Found(_) | Resolved::OtherOperation | Resolved::Nothing => Existence::Unknown,
        };
        if request.operation == Operation::Write && existence == Existence::Absent {
            known.entry.operation("create");
            known.meter.creates();
        }
        let fields = LazyFields { body: &request.body, parsed: OnceCell::new() };
        matched.authorise(&Asked {
            access,
            existence,
            wrap_ttl: request.wrap_ttl,
            limit: list_limit(request)?,
            parameters: &fields,
        })
    }
}

/// What a caller without a good token reads. Whoever unwraps with a wrapping token that is spent reads so.
fn refusal(request: &Request, error: Error) -> Error {
    #[derive(serde::Deserialize)]
    struct Named {
        token: Option<serde::de::IgnoredAny>,
    }
    let unwraps_itself = request.operation == Operation::Write
        && request.path.as_str() == "sys/wrapping/unwrap"
        && request.body.decode::<Named>().is_ok_and(|named| named.token.is_none());
    if unwraps_itself && error.kind() == Kind::Forbidden { invalid_wrapping_token() } else { error }
}

/// How many keys the caller of a list asks for, if they do.
fn list_limit(request: &Request) -> Result<Option<i64>> {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Paged {
        limit: Option<crate::api::LooseInt>,
    }
    if !request.operation.is_listing() || request.body.is_empty() {
        return Ok(None);
    }
    Ok(request.body.decode::<Paged>()?.limit.map(|limit| limit.0))
}

/// The fields of a body, parsed when a rule has something to say about them and not before.
struct LazyFields<'a> {
    body: &'a Body,
    parsed: OnceCell<Map<String, Value>>,
}

impl Parameters for LazyFields<'_> {
    fn fields(&self) -> Result<&Map<String, Value>> {
        if let Some(fields) = self.parsed.get() {
            return Ok(fields);
        }
        let fields = self.body.decode()?;
        Ok(self.parsed.get_or_init(|| fields))
    }
}
