//! `Routes`: the endpoints of one target. The only list of them: serving, help, OpenAPI and the proofs read it.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

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
type SchemaOf = fn(&mut SchemaGenerator) -> Schema;
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
    body: SchemaOf,
    path: SchemaOf,
    own: Arc<OwnFields>,
    shared: Arc<SharedFields>,
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

    /// Which fields of a body or query do nothing; none where the endpoint takes any.
    pub fn idle_fields(&self, body: &Body) -> Result<IdleFields> {
        let mut idle = IdleFields::default();
        if body.is_empty() || *self.own.takes_any.get_or_init(|| self.takes_any()) {
            return Ok(idle);
        }
        let in_path = self.own.in_path.get_or_init(|| properties(self.path).unwrap_or_default());
        for (name, _) in body.fields()? {
            if in_path.contains(&name) {
                idle.replaced.push(name);
            } else if !self.shared.known().contains(&name) {
                idle.unknown.push(name);
            }
        }
        Ok(idle)
    }

    /// Whether a caller may send any field: a write that names none, or that says so. A read without fields takes none.
    fn takes_any(&self) -> bool {
        let schema = inlined(self.body);
        let is_write = matches!(self.route.operation, Operation::Write | Operation::Patch);
        let names_none = schema.get("properties").is_none();
        (is_write && names_none) || schema.get("additionalProperties").is_some_and(|extra| extra != false)
    }
}

/// The fields of a request that do nothing, each kind sorted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct IdleFields {
    /// Nothing at the path knows them. What another operation of the path knows is no mistake: there are clients that send the
    /// same fields to all of them.
    pub unknown: Vec<String>,
    /// The path names them too. What the path says holds.
    pub replaced: Vec<String>,
}

/// What is worked out once for an endpoint, when it is first sent a field.
#[derive(Default)]
struct OwnFields {
    takes_any: OnceLock<bool>,
    in_path: OnceLock<BTreeSet<String>>,
}

/// The fields that any of the operations at one path knows.
#[derive(Default)]
struct SharedFields {
    operations: Vec<(SchemaOf, &'static [&'static str])>,
    known: OnceLock<BTreeSet<String>>,
}

impl SharedFields {
    /// The same with one more operation.
    fn with(&self, body: SchemaOf, aliases: &'static [&'static str]) -> Self {
        let operations = self.operations.iter().copied().chain([(body, aliases)]).collect();
        Self { operations, known: OnceLock::new() }
    }

    fn known(&self) -> &BTreeSet<String> {
        self.known.get_or_init(|| {
            let names = self.operations.iter().flat_map(|(body, aliases)| {
                let aliases = aliases.iter().map(|name| (*name).to_owned());
                properties(*body).unwrap_or_default().into_iter().chain(aliases)
            });
            names.collect()
        })
    }
}

/// A schema without references to others.
fn inlined(schema: SchemaOf) -> Schema {
    let mut settings = schemars::generate::SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    schema(&mut settings.into_generator())
}

/// The names of the fields that a schema has, if it names any.
fn properties(schema: SchemaOf) -> Option<BTreeSet<String>> {
    Some(inlined(schema).get("properties")?.as_object()?.keys().cloned().collect())
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
        let shared = Arc::new(self.shared_at(E::ROUTE.pattern).with(E::json_schema, E::ALIASES));
        for entry in self.entries.iter_mut().filter(|entry| entry.info.route.pattern == E::ROUTE.pattern) {
            entry.info.shared = shared.clone();
        }
        let info = RouteInfo {
            route: E::ROUTE,
            root_only: self.root_only,
            own: Arc::default(),
            shared,
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

    fn shared_at(&self, pattern: &str) -> Arc<SharedFields> {
        let there = self.entries.iter().find(|entry| entry.info.route.pattern == pattern);
        there.map(|entry| entry.info.shared.clone()).unwrap_or_default()
    }

    /// The route for `operation` on `path` (below the mount, without a slash at its end).
    pub fn resolve(&self, operation: Operation, path: &str) -> Resolved {
        let mut known = false;
        for (index, entry) in self.entries.iter().enumerate() {
            let Some(params) = entry.pattern.matches(path, operation.is_listing()) else { continue };
            if entry.info.route.operation != operation {
                // What cannot be listed has no list: clients take this for an empty one, and 405 for a fault. What has a list
                // and cannot be scanned is told apart from it.
                known |= !operation.is_listing() || entry.info.route.operation.is_listing();
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
