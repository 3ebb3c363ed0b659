//! The straight line that every request takes, and the only one.

mod authorise;
mod catch;
mod counting;
mod facts;
mod help;
mod idle;
mod intents;
mod listing;
mod meter;
mod opening;
mod placing;
mod render;
mod request;
mod response;
mod scrape;
mod settle;

pub use request::{AuditedHeader, Counted, Request};
pub use response::{Audited, Response};

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::audit::{Admitted, Entry};
use crate::engine::{Answer, Caller, Cx, CxParts, Mount};
use crate::error::{Error, Kind, Result};
use crate::policy::Permit;
use crate::sys::{Found, Routed, Router};
use crate::vault::{Unsealed, Vault};

use intents::Recorder;
use meter::Meter;
use response::Outcome;

/// How often a request whose records were changed by another one is tried again.
const ATTEMPTS: usize = 64;

/// The line, with the parts of the API that belong to the core.
pub struct Pipeline {
    vault: Arc<Vault>,
    router: &'static Router,
}

impl Pipeline {
    /// The line in front of `vault`.
    pub fn new(vault: Arc<Vault>) -> Arc<Self> {
        Arc::new(Self { vault, router: Router::shared() })
    }

    /// The vault behind the line.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// Answers a request. Runs to its end although the client may hang up: nothing is left half done or unaudited.
    pub async fn handle(self: &Arc<Self>, request: Request) -> Audited {
        let line = self.clone();
        let Ok(unsealed) = self.vault.unsealed() else {
            return self.vault.finish(async move { line.answer_sealed(request).await }).await;
        };
        let answering = unsealed.clone();
        // A panic outside the handler is this request's too: its connection goes on.
        let answer = catch::panics(async move { line.answer_audited(&answering, request).await });
        unsealed.core.finish(answer).await.unwrap_or_else(|error| Audited::failure(&error))
    }

    /// While sealed there is neither a key to hash with nor a caller to know: only what is public answers.
    async fn answer_sealed(&self, mut request: Request) -> Audited {
        let outcome = catch::panics(self.turn(&mut request)).await.flatten();
        Audited::unaudited(&request, outcome)
    }

    async fn turn(&self, request: &mut Request) -> Result<Response> {
        if let Some(fault) = request.fault.take() {
            return Err(fault);
        }
        let hit = self
            .router
            .turning_hit(request.operation, &request.path)
            .ok_or_else(|| self.vault.unsealed().err().unwrap_or_else(Error::sealed))?;
        Permit::public(hit.info.route.access).ok_or_else(Error::sealed)?;
        if hit.info.root_only && !request.namespace.is_empty() {
            return Err(root_only());
        }
        let (deps, mount) = (self.vault.deps_while_sealed(), Mount::NONE);
        let mut cx = Cx::new(CxParts {
            caller: None,
            token: request.token.as_ref(),
            client: &request.client,
            mount: &mount,
            path: &request.path,
            deps: &deps,
            intents: &intents::Unrecorded,
        });
        let mut answer = self.router.turning.call(&self.vault, &hit, &request.body, &mut cx).await?;
        answer.warnings.extend(cx.into_parts().1);
        Response::bare(answer)
    }

    /// Every request to an unsealed vault: audited before it is done and before it is answered.
    async fn answer_audited(&self, root: &Arc<Unsealed>, mut request: Request) -> Audited {
        let mut meter = Meter::start(self.vault.parts(), &request);
        let (placed, misplaced) = match placing::place(root, &mut request) {
            Ok(placed) => (Some(placed), None),
            Err(error) => (None, Some(error)),
        };
        let unsealed = placed.as_ref().map_or(root, |placed| &placed.unsealed);
        let _landing = opening::in_flight(unsealed, &request);
        let fault = request.fault.take().or(misplaced);
        let mut entry = opening::entry(unsealed, &request);
        let mut outcome = Outcome::default();
        let mut known = Known { entry: &mut entry, outcome: &mut outcome, meter: &mut meter };
        let answered = catch::panics(self.answer(unsealed, &request, fault, &mut known)).await.flatten();
        let mut audited = Audited::close(entry, &request, answered, &meter).await;
        if let Some(token_id) = outcome.spent_token() {
            unsealed.revoke_in_background(token_id);
        }
        audited.headers = outcome.into_headers();
        meter.answered(audited.status, placed.as_ref().map(|placed| placed.unsealed.namespace.path.as_str()));
        if unsealed.core.seal_was_asked() {
            self.vault.seal_behind_this_request();
        }
        audited
    }

    async fn answer(
        &self,
        unsealed: &Arc<Unsealed>,
        request: &Request,
        fault: Option<Error>,
        known: &mut Known<'_>,
    ) -> Result<Response> {
        // What is wrong with a request is as good a way to keep the server busy as any other: it counts too.
        if let Some(fault) = fault {
            let route = self.router.route(unsealed, request.operation, &request.path).ok();
            counting::count(unsealed, request, route.as_ref(), known).await?;
            return Err(fault);
        }
        let routed = self.router.route(unsealed, request.operation, &request.path)?;
        known.meter.route(&routed);
        counting::count(unsealed, request, Some(&routed), known).await?;
        let checking = Instant::now();
        let caller = self.caller(unsealed, request, &routed, known).await?;
        known.outcome.describe(known.entry, request, &routed);
        let permit = self.authorise(unsealed, request, &routed, caller.as_deref(), known).await?;
        let checked = known.meter.metrics().requests.token_checks.since(checking);
        known.meter.step("authorise", checking, checked);
        let admitted = known.admit(permit).await?;
        if request.operation == crate::api::Operation::Help {
            return self.help(request, &routed);
        }
        let routed = routed.found()?;
        if routed.hit.info.root_only && !unsealed.namespace.is_root() {
            return Err(root_only());
        }
        let working = Instant::now();
        let asking = Asking { caller: caller.as_deref(), admitted: &admitted, meter: known.meter };
        for _ in 0..ATTEMPTS {
            match self.attempt(unsealed, request, &routed, &asking).await {
                Err(error) if error.kind() == Kind::Conflict => {}
                settled => {
                    asking.meter.worked(working);
                    return settled;
                }
            }
        }
        Err(Error::new(Kind::Unavailable, "too many requests change the same record; try again"))
    }

    /// One try: the handler, then one commit of all it changed, its lease, its token and its wrapping.
    async fn attempt(
        &self,
        unsealed: &Arc<Unsealed>,
        request: &Request,
        routed: &Found,
        asking: &Asking<'_>,
    ) -> Result<Response> {
        let Asking { caller, admitted, meter } = *asking;
        let disabled = || Error::not_found("the mount was disabled meanwhile");
        let _stay = routed.target.engine().map(|point| point.gate.let_in().ok_or_else(disabled)).transpose()?;
        let intents = Recorder::new(unsealed, caller);
        let mut cx = Cx::new(CxParts {
            caller,
            token: request.token.as_ref(),
            client: &request.client,
            mount: routed.mount(),
            path: &request.path,
            deps: &unsealed.deps,
            intents: &intents,
        })
        .wrapping(request.wrap_ttl);
        let mut undo = None;
        let done = async {
            let idle = routed.hit.info.idle_fields(&request.body)?;
            let calling = Instant::now();
            let called = self.call(unsealed, routed, request, admitted, &mut cx).await;
            meter.step_since("engine", calling);
            let answer = called?;
            let (mut txn, warnings, left) = cx.into_parts();
            undo = left;
            let answer = listing::visible(answer, admitted.permit(), unsealed, request, caller).await?;
            let answer = idle::told_in(with(answer, warnings), idle);
            let response = settle::settle(unsealed, request, routed, caller, answer, &mut txn).await?;
            let committing = Instant::now();
            let committed = unsealed.commit(txn).await;
            meter.step_since("storage commit", committing);
            committed.map(|()| response)
        };
        match done.await {
            Ok(response) => Ok(Response { undo, ..response }),
            Err(error) => {
                intents.give_up(&error).await;
                if let Some(undo) = undo {
                    undo.run().await;
                }
                Err(error)
            }
        }
    }

    async fn call(
        &self,
        unsealed: &Arc<Unsealed>,
        routed: &Found,
        request: &Request,
        admitted: &Admitted,
        cx: &mut Cx<'_>,
    ) -> Result<Answer> {
        match &routed.target {
            Routed::Turning => self.router.turning.call(&self.vault, &routed.hit, &request.body, cx).await,
            Routed::System(_) => self.router.system.call(unsealed, &routed.hit, &request.body, cx).await,
            Routed::Token(_) => self.router.token.call(unsealed, &routed.hit, &request.body, cx).await,
            Routed::Identity(_) => self.router.identity.call(unsealed, &routed.hit, &request.body, cx).await,
            Routed::Unopened(_) => Err(Error::internal("a mount that is not open was called")),
            Routed::Engine(_, engine) => engine.call(admitted, &routed.hit, &request.body, cx).await,
        }
    }
}

/// Who asks, that it is on record, and what counts.
#[derive(Clone, Copy)]
struct Asking<'a> {
    caller: Option<&'a Caller>,
    admitted: &'a Admitted,
    meter: &'a Meter,
}

/// What becomes known of a request on its way: for its audit entry, for its answer, and for whoever counts.
struct Known<'a> {
    entry: &'a mut Entry,
    outcome: &'a mut Outcome,
    meter: &'a mut Meter,
}

impl Known<'_> {
    /// Puts the request on record.
    async fn admit(&mut self, permit: Permit) -> Result<Admitted> {
        let start = Instant::now();
        let admitted = self.entry.admit(permit).await;
        let requests = &self.meter.metrics().requests;
        let end = requests.audited_requests.since(start);
        self.meter.step("audit request", start, end);
        if admitted.is_err() {
            requests.unaudited_requests.add();
        }
        admitted
    }
}

fn root_only() -> Error {
    Error::invalid("operation only available in root namespace")
}

fn with(mut answer: Answer, warnings: Vec<Cow<'static, str>>) -> Answer {
    answer.warnings.extend(warnings);
    answer
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
