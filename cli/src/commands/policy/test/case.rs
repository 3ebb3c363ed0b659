//! One case: a request, and what is expected to come of it.

use std::collections::BTreeMap;
use std::time::Duration;

use arca::api::{ApiPath, Operation, Ttl};
use arca::hcl::{Block, Item};
use arca::policy::{Access, Asked, Existence, Explanation, Question, Source, TemplateFacts};
use arca::time::Timestamp;
use serde_json::{Map, Value};

use crate::error::{Error, Result};

use super::table::{at, text, texts};

/// A request, and what is expected to come of it.
#[derive(Debug)]
pub(super) struct Case {
    /// How the table calls it.
    pub(super) name: String,
    /// The policies of the token, each of which is in the table.
    pub(super) policies: Vec<String>,
    /// The path as policies see it.
    pub(super) path: ApiPath,
    /// The operation as the table has it.
    pub(super) word: String,
    /// Whether the request is expected to be allowed.
    pub(super) expect_allowed: bool,
    operation: Operation,
    existence: Existence,
    facts: TemplateFacts,
    sudo: bool,
    parameters: Map<String, Value>,
    wrap_ttl: Option<Duration>,
}

const OPERATIONS: &str = "operation must be one of read, create, update, write, patch, delete, list and scan";

impl Case {
    /// Reads a case.
    pub(super) fn parse(
        name: String,
        block: &Block<'_>,
        policies: &BTreeMap<String, Source>,
        identities: &BTreeMap<String, TemplateFacts>,
    ) -> Result<Self> {
        let items = Items { block };
        items.are_among(&["policies", "identity", "path", "operation", "parameters", "wrap_ttl", "sudo", "expect"])?;
        let names = items.required("policies", "a case has policies")?;
        let names: Vec<String> = texts(names)?.iter().map(|name| name.trim().to_lowercase()).collect();
        if let Some(lost) = names.iter().find(|name| !policies.contains_key(*name)) {
            return Err(at(block.position, &format!("there is no policy {lost:?} in this table")));
        }
        let word = text(items.required("operation", "a case has an operation")?)?;
        let (operation, existence) = operation(&word).ok_or_else(|| at(block.position, OPERATIONS))?;
        let path = text(items.required("path", "a case has a path")?)?;
        let path = ApiPath::parse(path.strip_prefix('/').unwrap_or(&path));
        let path = path.map_err(|error| at(block.position, &error.to_string()))?;
        let expect_allowed = match text(items.required("expect", "a case has an expectation")?)?.as_str() {
            "allow" => true,
            "deny" => false,
            _ => return Err(at(block.position, "expect is allow or deny")),
        };
        Ok(Self {
            name,
            policies: names,
            path: if operation.is_listing() { path.into_folder() } else { path },
            word,
            expect_allowed,
            operation,
            existence,
            facts: items.facts(identities)?,
            sudo: items.find("sudo").map_or(Ok(false), truth)?,
            parameters: items.find("parameters").map_or(Ok(Map::new()), object)?,
            wrap_ttl: items.find("wrap_ttl").map(ttl).transpose()?.filter(|ttl| !ttl.is_zero()),
        })
    }

    /// What `sources` say about the request at `now`.
    pub(super) fn explain(&self, sources: &[Source], now: Timestamp) -> Result<Explanation> {
        let asked = Asked {
            access: if self.sudo { Access::Sudo } else { Access::Policy },
            existence: self.existence,
            wrap_ttl: self.wrap_ttl,
            limit: self.parameters.get("limit").filter(|_| self.operation.is_listing()).and_then(Value::as_i64),
            parameters: &self.parameters,
        };
        let question = Question { operation: self.operation, path: &self.path, asked };
        Explanation::of(sources, &self.facts, now, &question).map_err(|error| Error::local(error.messages().join("; ")))
    }
}

/// The attributes of a case.
struct Items<'a> {
    block: &'a Block<'a>,
}

impl<'a> Items<'a> {
    fn are_among(&self, known: &[&str]) -> Result<()> {
        match self.block.body.items().iter().find(|item| !known.contains(&item.name())) {
            Some(item) => Err(at(item.position(), &format!("expected one of {}", known.join(", ")))),
            None => Ok(()),
        }
    }

    fn find(&self, name: &str) -> Option<&'a Item> {
        self.block.body.items().iter().rfind(|item| item.name() == name)
    }

    fn required(&self, name: &str, otherwise: &str) -> Result<&'a Item> {
        self.find(name).ok_or_else(|| at(self.block.position, otherwise))
    }

    fn facts(&self, identities: &BTreeMap<String, TemplateFacts>) -> Result<TemplateFacts> {
        let Some(item) = self.find("identity") else { return Ok(TemplateFacts::default()) };
        let name = text(item)?;
        let known = identities.get(&name).cloned();
        known.ok_or_else(|| at(item.position(), &format!("there is no identity {name:?} in this table")))
    }
}

fn operation(word: &str) -> Option<(Operation, Existence)> {
    Some(match word {
        "read" => (Operation::Read, Existence::Unknown),
        "create" => (Operation::Write, Existence::Absent),
        "update" | "write" => (Operation::Write, Existence::Exists),
        "patch" => (Operation::Patch, Existence::Unknown),
        "delete" => (Operation::Delete, Existence::Unknown),
        "list" => (Operation::List, Existence::Unknown),
        "scan" => (Operation::Scan, Existence::Unknown),
        _ => return None,
    })
}

fn truth(item: &Item) -> Result<bool> {
    match text(item)?.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(at(item.position(), "expected true or false")),
    }
}

fn object(item: &Item) -> Result<Map<String, Value>> {
    match item.value().to_json() {
        Value::Object(fields) => Ok(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(at(item.position(), "expected an object"))
        }
    }
}

fn ttl(item: &Item) -> Result<Duration> {
    Ttl::parse(&text(item)?).map(Ttl::duration).map_err(|what| at(item.position(), what))
}
