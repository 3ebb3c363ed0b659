//! `POST /v1/sys/policies/explain`: why a request may or may not go ahead, and the smallest rule that would let it.
//!
//! The answer has rules of policies in it, so it takes a policy that allows this path; whoever has one may ask about any
//! token whose value or accessor they know, and about any policies. Nothing is done or looked up at the path that is
//! asked about: whether a write would create or update there is for the one who asks to say.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::api::{ApiPath, LooseInt, Operation, StringList, Ttl};
use crate::engine::{Caller, Cx, Data, Endpoint, Resolved, Route};
use crate::error::{Error, Result};
use crate::policy::{Asked, Existence, Explanation, PolicyName, Question};
use crate::secret::ClientToken;
use crate::sys::{NoPath, Router};
use crate::vault::{Basis, LookedUp, Unsealed};

/// Which request, and whose: of the token that asks, unless one of `token`, `accessor` and `policies` is given.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct ExplainPolicies {
    /// The path of the request, without `/v1/`.
    #[serde(default)]
    path: String,
    /// What the request does there: read, create, update (or write, the same), patch, delete, list or scan.
    #[serde(default)]
    operation: String,
    /// The token that would make it.
    token: Option<ClientToken>,
    /// The accessor of the token that would make it.
    accessor: Option<String>,
    /// The policies that it would be made with.
    policies: Option<StringList>,
    /// The fields that it would send; of a list the query.
    parameters: Option<Map<String, Value>>,
    /// For how long its answer would be wrapped.
    #[serde(default)]
    wrap_ttl: Ttl,
}

/// The request as policies see it, and what they say about it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Explained {
    /// The path that policies decide about.
    path: String,
    /// What the request does there.
    operation: &'static str,
    #[serde(flatten)]
    explanation: Explanation,
}

/// What can be asked about: the word, the operation, and whether a write finds something there.
const OPERATIONS: [(&str, Operation, Existence); 8] = [
    ("read", Operation::Read, Existence::Unknown),
    ("create", Operation::Write, Existence::Absent),
    ("update", Operation::Write, Existence::Exists),
    ("write", Operation::Write, Existence::Exists),
    ("patch", Operation::Patch, Existence::Unknown),
    ("delete", Operation::Delete, Existence::Unknown),
    ("list", Operation::List, Existence::Unknown),
    ("scan", Operation::Scan, Existence::Unknown),
];

impl Endpoint for ExplainPolicies {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Data<Explained>;
    const ROUTE: Route = Route::write("policies/explain").summary("Why a request may or may not go ahead");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<Explained>> {
        let known = OPERATIONS.iter().find(|(word, ..)| *word == self.operation);
        let (word, operation, existence) = known.copied().ok_or_else(|| {
            let words: Vec<&str> = OPERATIONS.iter().map(|(word, ..)| *word).collect();
            Error::invalid(format!("operation must be one of {}", words.join(", ")))
        })?;
        let path = asked_path(&self.path, operation)?;
        let caller = self.subject(unsealed, cx).await?;
        let route = Router::shared().route(unsealed, operation, &path)?;
        let existence = match &route.resolved {
            Resolved::Found(hit) if existence == Existence::Absent => {
                // An endpoint that does not tell a creation from an update has every write count as an update.
                let known = Router::shared().existence(unsealed, route.target.as_ref(), hit, &caller).await?;
                if known == Existence::Unknown { known } else { existence }
            }
            Resolved::Found(_) => existence,
            Resolved::OtherOperation | Resolved::Nothing => {
                cx.warn("no endpoint answers this operation on this path");
                Existence::Unknown
            }
        };
        let Basis { sources, facts, within } = unsealed.basis(&caller).await?;
        let parameters = self.parameters.unwrap_or_default();
        let asked = Asked {
            access: route.access(),
            existence,
            wrap_ttl: Some(self.wrap_ttl.duration()).filter(|ttl| *ttl > Duration::ZERO),
            limit: list_limit(operation, &parameters)?,
            parameters: &parameters,
        };
        let inside = ApiPath::parse(&format!("{within}{}", route.canonical));
        let inside = inside.map_err(|error| Error::invalid(error.to_string()))?;
        let question = Question { operation, path: &inside, asked };
        let explanation = Explanation::of(&sources, &facts, cx.now(), &question)?;
        Ok(Data::new(Explained { path: route.canonical.as_str().to_owned(), operation: word, explanation }))
    }
}

impl ExplainPolicies {
    /// Whose request it would be.
    async fn subject(&self, unsealed: &Arc<Unsealed>, cx: &mut Cx<'_>) -> Result<Caller> {
        let unknown = |what: &str| Error::invalid(format!("1 error occurred:\n\t* invalid {what}\n\n"));
        match (&self.token, &self.accessor, &self.policies) {
            (None, None, None) => Ok(cx.caller()?.clone()),
            (Some(token), None, None) => {
                let LookedUp { id, record, .. } = unsealed.look_up(token).await?.ok_or_else(|| unknown("token"))?;
                unsealed.holder(id, &record).await?.ok_or_else(Error::bad_token)
            }
            (None, Some(accessor), None) => {
                let (id, record) = unsealed.by_accessor(accessor).await?.ok_or_else(|| unknown("accessor"))?;
                unsealed.holder(id, &record).await?.ok_or_else(Error::bad_token)
            }
            (None, None, Some(names)) => with_policies(unsealed, &names.clone().filled(), cx).await,
            _ => Err(Error::invalid("give one of token, accessor and policies, or none of them")),
        }
    }
}

/// Someone without an identity who has these policies and no others.
async fn with_policies(unsealed: &Arc<Unsealed>, names: &[String], cx: &mut Cx<'_>) -> Result<Caller> {
    let mut policies = Vec::with_capacity(names.len());
    for name in names {
        let name = PolicyName::parse(name).map_err(|error| Error::invalid(error.to_string()))?;
        policies.push(name.as_str().to_owned());
    }
    let caller = Caller { policies, namespace_id: unsealed.namespace.id.clone(), ..Caller::default() };
    let Basis { sources, .. } = unsealed.basis(&caller).await?;
    for name in &caller.policies {
        if !sources.iter().any(|source| source.policy.name().as_str() == name) {
            cx.warn(format!("there is no policy {name:?}, so it gives nothing"));
        }
    }
    Ok(caller)
}

/// The path as a request for `operation` has it.
fn asked_path(text: &str, operation: Operation) -> Result<ApiPath> {
    let text = text.strip_prefix('/').unwrap_or(text);
    let path = ApiPath::parse(text).map_err(|error| Error::invalid(error.to_string()))?;
    if path.as_str().is_empty() {
        return Err(Error::invalid("path must be supplied"));
    }
    Ok(if operation.is_listing() { path.into_folder() } else { path })
}

/// How many keys a list would ask for.
fn list_limit(operation: Operation, parameters: &Map<String, Value>) -> Result<Option<i64>> {
    let Some(limit) = parameters.get("limit").filter(|_| operation.is_listing()) else { return Ok(None) };
    let limit: LooseInt =
        serde_json::from_value(limit.clone()).map_err(|_| Error::invalid("limit must be a whole number"))?;
    Ok(Some(limit.0))
}
