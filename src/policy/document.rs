//! `Policy`: a policy's text, read and checked.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde_json::Value as Json;

use super::capability::{Capabilities, Capability};
use super::error::PolicyError;
use super::listing::ListFilter;
use super::name::PolicyName;
use super::parameters::ParameterRules;
use super::permit::WrapBounds;
use super::template::Template;
use crate::api::Ttl;
use crate::hcl::{self, Block, Item, Kind, Number, Position, Value};
use crate::time::Timestamp;

/// A policy's text and the rules in it.
#[derive(Clone, Debug)]
pub struct Policy {
    name: PolicyName,
    text: String,
    rules: Vec<PathRule>,
    templated: bool,
}

/// One `path` block.
#[derive(Clone, Debug)]
pub(super) struct PathRule {
    /// The path pattern, without a slash at its start.
    pub(super) path: Template,
    pub(super) line: u32,
    pub(super) terms: Terms,
    pub(super) expires: Option<Timestamp>,
}

/// What a rule gives and asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    pub(super) capabilities: Capabilities,
    pub(super) parameters: ParameterRules,
    pub(super) wrap_bounds: WrapBounds,
    /// The most keys that one list may have.
    pub(super) page_limit: Option<u32>,
    pub(super) list_filters: Vec<ListFilter>,
}

impl Policy {
    /// Reads a policy's text: HCL or JSON, or either of them in base64.
    pub fn parse(name: PolicyName, text: &str) -> Result<Self, PolicyError> {
        if text.is_empty() {
            return Err(PolicyError::Empty);
        }
        let decoded = BASE64.decode(text.trim().as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        // Blanks alone are base64 of nothing, and no less a text for it.
        let text = decoded.filter(|decoded| !decoded.is_empty()).unwrap_or_else(|| text.to_owned());
        let rules = rules(&text)?;
        Ok(Self::with_rules(name, text, rules))
    }

    pub(super) fn with_rules(name: PolicyName, text: String, rules: Vec<PathRule>) -> Self {
        let templated = rules.iter().any(|rule| rule.path.has_placeholder());
        Self { name, text, rules, templated }
    }

    /// The policy that allows everything. It has no text and no rules; [`super::Acl`] knows it by its name.
    pub fn root() -> Self {
        Self::with_rules(PolicyName::root(), String::new(), Vec::new())
    }

    /// The policy's name.
    pub fn name(&self) -> &PolicyName {
        &self.name
    }

    /// The text, as it was written; if it came in base64, what it decodes to.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether what it allows depends on who asks.
    pub fn is_templated(&self) -> bool {
        self.templated
    }

    pub(super) fn rules(&self) -> &[PathRule] {
        &self.rules
    }
}

fn rules(text: &str) -> Result<Vec<PathRule>, PolicyError> {
    let document = hcl::parse(text.as_bytes())?;
    for item in document.items() {
        if !matches!(item.name(), "name" | "path") {
            return Err(PolicyError::unknown_key(item.name(), item.position()));
        }
    }
    document.blocks("path", 1)?.iter().map(rule).collect()
}

fn rule(block: &Block<'_>) -> Result<PathRule, PolicyError> {
    let position = block.labels.first().map_or(block.position, |label| label.position);
    let pattern = block.labels.first().map_or("", |label| label.text.as_str());
    let path = path(pattern).map_err(|what| PolicyError::rule(position, what))?;
    let mut rule = PathRule { path, line: position.line, terms: Terms::default(), expires: None };
    let mut legacy = Capabilities::default();
    for item in block.body.items() {
        read(item, &mut rule, &mut legacy)?;
    }
    rule.terms.capabilities = rule.terms.capabilities.union(legacy);
    let Terms { capabilities, wrap_bounds, list_filters, .. } = &rule.terms;
    if wrap_bounds.min.zip(wrap_bounds.max).is_some_and(|(min, max)| max < min) {
        return Err(PolicyError::rule(position, "max_wrapping_ttl cannot be less than min_wrapping_ttl"));
    }
    if !list_filters.is_empty() && !capabilities.has(Capability::List) && !capabilities.has(Capability::Scan) {
        let what = "list_scan_response_keys_filter_path needs to be used on a path with the list capability";
        return Err(PolicyError::rule(position, what));
    }
    Ok(rule)
}

/// The pattern of a rule. One slash at its start means nothing, since requests have none.
fn path(text: &str) -> Result<Template, &'static str> {
    const LONGEST: usize = 4096;
    let text = text.strip_prefix('/').unwrap_or(text);
    if text.contains("+*") {
        return Err("invalid use of wildcards ('+*' is forbidden)");
    }
    if text.len() > LONGEST {
        return Err("a path has at most 4096 bytes");
    }
    Template::parse(text).ok_or("failed to validate policy templating: unbalanced templating characters")
}

/// Reads one attribute of a rule. Of two with the same name the last one counts; constraints on parameters add up.
fn read(item: &Item, rule: &mut PathRule, legacy: &mut Capabilities) -> Result<(), PolicyError> {
    let value = item.value();
    let fail = |what| PolicyError::rule(value.position, what);
    let terms = &mut rule.terms;
    if !item.labels().is_empty() {
        return Err(PolicyError::rule(item.position(), "an attribute of a rule has no label"));
    }
    match item.name() {
        "comment" => {}
        "policy" => {
            let word =
                value.as_text().ok_or_else(|| fail("policy must be \"deny\", \"read\", \"write\" or \"sudo\""))?;
            *legacy = Capabilities::of_legacy_word(word)
                .ok_or_else(|| fail("invalid policy: it must be \"deny\", \"read\", \"write\" or \"sudo\""))?;
        }
        "capabilities" => terms.capabilities = capabilities(value)?,
        "allowed_parameters" => add(&mut terms.parameters.allowed, value)?,
        "denied_parameters" => add(&mut terms.parameters.denied, value)?,
        "required_parameters" => terms.parameters.required.extend(texts(value)?.map(|(text, _)| text.to_lowercase())),
        "min_wrapping_ttl" => terms.wrap_bounds.min = duration(value)?,
        "max_wrapping_ttl" => terms.wrap_bounds.max = duration(value)?,
        "expiration" => rule.expires = Some(moment(value).ok_or_else(|| fail(EXPIRATION))?),
        "pagination_limit" => terms.page_limit = page_limit(value)?,
        "list_scan_response_keys_filter_path" => {
            let text = value.as_text().ok_or_else(|| fail(FILTER))?;
            terms.list_filters =
                if text.is_empty() { Vec::new() } else { vec![ListFilter::parse(text).ok_or_else(|| fail(FILTER))?] };
        }
        "control_group" => return Err(unsupported("control_group", item.position())),
        "mfa_methods" => return Err(unsupported("mfa_methods", item.position())),
        unknown => return Err(PolicyError::unknown_key(unknown, item.position())),
    }
    Ok(())
}

const EXPIRATION: &str = "expiration must be a time written as RFC 3339, or seconds since 1970";
const FILTER: &str =
    "list_scan_response_keys_filter_path must be a template of {{ .path }} and {{ .key }}, with the key";

fn unsupported(key: &'static str, position: Position) -> PolicyError {
    PolicyError::Unsupported { key, line: position.line }
}

fn capabilities(value: &Value) -> Result<Capabilities, PolicyError> {
    texts(value)?
        .map(|(name, position)| Capability::parse(name).ok_or_else(|| PolicyError::unknown_capability(name, position)))
        .collect()
}

/// The elements of a list of texts.
fn texts(value: &Value) -> Result<impl Iterator<Item = (&str, Position)>, PolicyError> {
    let list = value.as_list().ok_or_else(|| PolicyError::rule(value.position, "expected a list of texts"))?;
    if let Some(other) = list.values().find(|element| element.as_text().is_none()) {
        return Err(PolicyError::rule(other.position, "expected a text"));
    }
    Ok(list.values().filter_map(|element| Some((element.as_text()?, element.position))))
}

/// Adds the keys of an object whose values are lists.
fn add(into: &mut BTreeMap<String, Vec<Json>>, value: &Value) -> Result<(), PolicyError> {
    let expected = "expected an object whose values are lists, as in { \"key\" = [] }";
    let object = value.as_object().ok_or_else(|| PolicyError::rule(value.position, expected))?;
    for item in object.items() {
        let list = item.value().as_list().filter(|_| item.labels().is_empty());
        let list = list.ok_or_else(|| PolicyError::rule(item.value().position, expected))?;
        into.insert(item.name().to_lowercase(), list.values().map(Value::to_json).collect());
    }
    Ok(())
}

/// A duration; zero is none.
fn duration(value: &Value) -> Result<Option<std::time::Duration>, PolicyError> {
    let text = value.as_scalar().ok_or_else(|| PolicyError::rule(value.position, "expected a duration"))?;
    let ttl = Ttl::parse(&text).map_err(|what| PolicyError::rule(value.position, what))?;
    Ok((!ttl.is_zero()).then(|| ttl.duration()))
}

fn moment(value: &Value) -> Option<Timestamp> {
    match &value.kind {
        Kind::Number(Number::Integer(seconds)) => Some(Timestamp::from_unix_seconds(*seconds)),
        Kind::Text(text) => Timestamp::parse(text).or_else(|| text.parse().ok().map(Timestamp::from_unix_seconds)),
        Kind::Bool(_) | Kind::List(_) | Kind::Null | Kind::Number(Number::Float(_)) | Kind::Object(_) => None,
    }
}

/// A number of keys; zero and below is no limit.
fn page_limit(value: &Value) -> Result<Option<u32>, PolicyError> {
    let fail = || PolicyError::rule(value.position, "pagination_limit must be a whole number");
    let limit: i64 = value.as_scalar().and_then(|text| text.parse().ok()).ok_or_else(fail)?;
    Ok((limit > 0).then(|| u32::try_from(limit).unwrap_or(u32::MAX)))
}
