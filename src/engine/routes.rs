//! `Routes`: the endpoints of one target. The only list of them: serving, help, OpenAPI and the proofs read it.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::api::Operation;
use crate::error::{Error, Kind, Result};
use crate::policy::Existence;

use super::answer::{Answer, Reply};
use super::body::Body;
use super::cx::{Caller, Cx};
use super::endpoint::{Endpoint, Route};
use super::pattern::{Params, Pattern};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type Call<T> = for<'a> fn(&'a T, &'a Params, &'a Body, &'a mut Cx<'_>) -> BoxFuture<'a, Result<Answer>>;
type Exists<T> = for<'a> fn(&'a T, &'a Params, Option<&'a Caller>) -> BoxFuture<'a, Result<Existence>>;

/// The endpoints of one target.
pub struct Routes<T> {
    entries: Vec<Entry<T>>,
    /// Whether what is added now is there in the root namespace only.
    root_only: bool,
}

struct Entry<T> {
    pattern: Pattern,
    info: RouteInfo,
    call: Call<T>,
    existence: Exists<T>,
}

/// What is known of a route without its target.
#[derive(Clone)]
pub struct RouteInfo {
    /// Where it is, and who may call it.
    pub route: Route,
    /// Whether it is there in the root namespace only: what it does concerns all namespaces.
    pub root_only: bool,
    fields: Arc<std::sync::OnceLock<Option<BTreeSet<String>>>>,
    aliases: &'static [&'static str],
    body: fn(&mut SchemaGenerator) -> Schema,
    path: fn(&mut SchemaGenerator) -> Schema,
    reply: fn(&mut SchemaGenerator) -> Option<Schema>,
}

impl fmt::Debug for RouteInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteInfo").field("route", &self.route).finish_non_exhaustive()
    }
}

impl RouteInfo {
    /// The schema of its body or query.
    pub fn body_schema(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.body)(generator)
    }

    /// The schema of the parameters in its path.
    pub fn path_schema(&self, generator: &mut SchemaGenerator) -> Schema {
        (self.path)(generator)
    }

    /// The schema of the data that it answers with.
    pub fn reply_schema(&self, generator: &mut SchemaGenerator) -> Option<Schema> {
        (self.reply)(generator)
    }

    /// Which fields of a body this endpoint does not know; none where it takes any.
    pub fn unknown_fields(&self, body: &Body) -> Result<Vec<String>> {
        if body.is_empty() {
            return Ok(Vec::new());
        }
        let Some(known) = self.fields.get_or_init(|| self.known_fields()) else { return Ok(Vec::new()) };
        let fields = body.fields()?.into_iter().map(|(name, _)| name);
        Ok(fields.filter(|name| !known.contains(name)).collect())
    }

    /// The names of the fields; nothing where the schema takes any.
    fn known_fields(&self) -> Option<BTreeSet<String>> {
        let mut settings = schemars::generate::SchemaSettings::draft2020_12();
        settings.inline_subschemas = true;
        let schema = (self.body)(&mut settings.into_generator());
        let properties = schema.get("properties")?.as_object()?;
        if schema.get("additionalProperties").is_some_and(|extra| extra != false) {
            return None;
        }
        Some(properties.keys().cloned().chain(self.aliases.iter().map(|name| (*name).to_owned())).collect())
    }
}

/// A route that fits a path, and what its parameters took out of it.
#[derive(Debug)]
pub struct Hit {
    index: usize,
    /// The parameters.
    pub params: Params,
    /// What is known of the route.
    pub info: RouteInfo,
    /// The path below the mount in its one spelling, if it was spelt otherwise.
    pub canonical: Option<String>,
}

/// What a path and an operation lead to.
#[derive(Debug)]
pub enum Resolved {
    /// A route.
    Found(Hit),
    /// The path is known, and this operation is not among its.
    OtherOperation,
    /// Nothing has this path.
    Nothing,
}

impl Resolved {
    /// The route, or the error that says why there is none.
    pub fn found(self) -> Result<Hit> {
        match self {
            Self::Found(hit) => Ok(hit),
            Self::OtherOperation => {
                Err(Error::new(Kind::MethodNotAllowed, "1 error occurred:\n\t* unsupported operation\n\n"))
            }
            Self::Nothing => Err(Error::not_found("1 error occurred:\n\t* unsupported path\n\n")),
        }
    }
}

impl<T: Send + Sync + 'static> Routes<T> {
    /// No endpoints yet.
    pub fn new() -> Self {
        Self { entries: Vec::new(), root_only: false }
    }

    /// Adds what `add` adds, in the root namespace only.
    #[must_use]
    pub fn in_root_only(self, add: impl FnOnce(Self) -> Self) -> Self {
        Self { root_only: false, ..add(Self { root_only: true, ..self }) }
    }

    /// Adds an endpoint.
    #[must_use]
    pub fn endpoint<E: Endpoint<Target = T>>(mut self) -> Self {
        let info = RouteInfo {
            route: E::ROUTE,
            root_only: self.root_only,
            fields: Arc::default(),
            aliases: E::ALIASES,
            body: E::json_schema,
            path: E::Path::json_schema,
            reply: <E::Reply as Reply>::schema,
        };
        let pattern = Pattern::new(E::ROUTE.pattern);
        let entry = Entry { pattern, info, call: call::<E>, existence: existence::<E> };
        let rank = entry.pattern.rank();
        let place = self.entries.partition_point(|other| other.pattern.rank() <= rank);
        self.entries.insert(place, entry);
        self
    }

    /// The route for `operation` on `path` (below the mount, without a slash at its end).
    pub fn resolve(&self, operation: Operation, path: &str) -> Resolved {
        let mut known = false;
        for (index, entry) in self.entries.iter().enumerate() {
            let Some(params) = entry.pattern.matches(path, operation.is_listing()) else { continue };
            if entry.info.route.operation != operation {
                // What cannot be listed has no list: clients take this for an empty one, and 405 for a fault.
                known |= !operation.is_listing();
                continue;
            }
            let canonical = entry.pattern.folds().then(|| entry.pattern.canonical(&params));
            let canonical = canonical.filter(|canonical| canonical != path);
            return Resolved::Found(Hit { index, params, info: entry.info.clone(), canonical });
        }
        if known { Resolved::OtherOperation } else { Resolved::Nothing }
    }

    /// Calls the endpoint of `hit`.
    pub async fn call(&self, target: &T, hit: &Hit, body: &Body, cx: &mut Cx<'_>) -> Result<Answer> {
        let entry = self.entries.get(hit.index).ok_or_else(|| Error::internal("a route is gone"))?;
        (entry.call)(target, &hit.params, body, cx).await
    }

    /// Whether the target of a write is there already.
    pub async fn existence(&self, target: &T, hit: &Hit, caller: Option<&Caller>) -> Result<Existence> {
        let entry = self.entries.get(hit.index).ok_or_else(|| Error::internal("a route is gone"))?;
        (entry.existence)(target, &hit.params, caller).await
    }

    /// Every route, the more particular paths first.
    pub fn infos(&self) -> Vec<RouteInfo> {
        self.entries.iter().map(|entry| entry.info.clone()).collect()
    }
}

impl<T: Send + Sync + 'static> Default for Routes<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Routes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries.iter().map(|entry| entry.info.route)).finish()
    }
}

fn call<'a, E: Endpoint>(
    target: &'a E::Target,
    params: &'a Params,
    body: &'a Body,
    cx: &'a mut Cx<'_>,
) -> BoxFuture<'a, Result<Answer>> {
    Box::pin(async move {
        let path = params.decode::<E::Path>().map_err(Error::invalid)?;
        body.decode::<E>()?.handle(target, path, cx).await?.into_answer()
    })
}

fn existence<'a, E: Endpoint>(
    target: &'a E::Target,
    params: &'a Params,
    caller: Option<&'a Caller>,
) -> BoxFuture<'a, Result<Existence>> {
    Box::pin(async move {
        match params.decode::<E::Path>() {
            Ok(path) => E::existence(target, path, caller).await,
            Err(_) => Ok(Existence::Unknown),
        }
    })
}
