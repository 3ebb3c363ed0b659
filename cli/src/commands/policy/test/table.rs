//! The table: policies, identities, and the cases that are expected of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arca::hcl::{self, Block, Item, Misshapen, Object, Position, Value};
use arca::policy::{AliasFacts, DEFAULT_POLICY, EntityFacts, GroupFacts, Policy, PolicyName, Source, TemplateFacts};
use arca::time::Timestamp;

use crate::error::{Error, Result};
use crate::input;

use super::case::Case;

/// Everything in one file.
#[derive(Debug)]
pub(super) struct Table {
    /// The policies by name.
    pub(super) policies: BTreeMap<String, Source>,
    /// The cases in the order in which they are written.
    pub(super) cases: Vec<Case>,
    /// The time at which they are checked, if it is fixed.
    pub(super) now: Option<Timestamp>,
}

impl Table {
    /// Reads a table; files that it names are looked for in `folder`.
    pub(super) fn parse(text: &str, folder: &Path) -> Result<Self> {
        let document = hcl::parse(text.as_bytes()).map_err(|error| Error::local(error.to_string()))?;
        let mut now = None;
        for item in document.items() {
            match item.name() {
                "policy" | "identity" | "case" => {}
                "now" => now = Some(moment(item)?),
                _ => return Err(at(item.position(), "expected policy, identity, case or now")),
            }
        }
        let policies = policies(&document, folder)?;
        let identities = named(&document, "identity")?
            .into_iter()
            .map(|(name, block)| Ok((name, identity(block.body)?)))
            .collect::<Result<BTreeMap<String, TemplateFacts>>>()?;
        let cases: Vec<Case> = named(&document, "case")?
            .into_iter()
            .map(|(name, block)| Case::parse(name, &block, &policies, &identities))
            .collect::<Result<_>>()?;
        if cases.is_empty() {
            return Err(Error::local("there is no case in it").advise("Add at least one: case \"name\" { … }."));
        }
        Ok(Self { policies, cases, now })
    }
}

/// The policies of the file, and those that every vault has.
fn policies(document: &Object, folder: &Path) -> Result<BTreeMap<String, Source>> {
    let built_in = |name: &str, policy: Policy| (name.to_owned(), source(policy));
    let default = Policy::parse(PolicyName::default_policy(), DEFAULT_POLICY);
    let default = default.map_err(|error| Error::local(error.to_string()))?;
    let mut policies = BTreeMap::from([built_in("root", Policy::root()), built_in("default", default)]);
    for (name, block) in named(document, "policy")? {
        let policy_name = PolicyName::parse(&name).map_err(|error| at(block.position, &error.to_string()))?;
        if policy_name.is_fixed() {
            return Err(at(block.position, "this policy is built in and cannot be written"));
        }
        let text = policy_text(&block, folder)?;
        let policy = Policy::parse(policy_name.clone(), &text)
            .map_err(|error| Error::local(format!("policy \"{policy_name}\": {error}")))?;
        policies.insert(policy_name.as_str().to_owned(), source(policy));
    }
    Ok(policies)
}

fn policy_text(block: &Block<'_>, folder: &Path) -> Result<String> {
    let mut text = None;
    for item in block.body.items() {
        let value = item.value().as_text().ok_or_else(|| at(item.position(), "expected a text"))?;
        text = Some(match item.name() {
            "file" => input::file(&folder.join(value))?.to_string(),
            "text" => value.to_owned(),
            _ => return Err(at(item.position(), "expected file or text")),
        });
    }
    text.ok_or_else(|| at(block.position, "a policy has a file or a text"))
}

fn source(policy: Policy) -> Source {
    Source { namespace_id: "root".into(), policy: Arc::new(policy), expires: None }
}

/// Who asks, as the placeholders of policies see them.
fn identity(body: &Object) -> Result<TemplateFacts> {
    let mut entity = EntityFacts::default();
    for item in body.items() {
        match item.name() {
            "id" => entity.id = text(item)?,
            "name" => entity.name = text(item)?,
            "metadata" => entity.metadata = texts_by_name(item)?,
            "alias" | "group" => {}
            _ => return Err(at(item.position(), "expected id, name, metadata, alias or group")),
        }
    }
    for (accessor, block) in named(body, "alias")? {
        entity.aliases.insert(accessor, alias(block.body)?);
    }
    let groups = named(body, "group")?.into_iter().map(|(name, block)| group(name, block.body));
    Ok(TemplateFacts { groups: groups.collect::<Result<_>>()?, entity: Some(entity) })
}

fn alias(body: &Object) -> Result<AliasFacts> {
    let mut alias = AliasFacts::default();
    for item in body.items() {
        match item.name() {
            "id" => alias.id = text(item)?,
            "name" => alias.name = text(item)?,
            "metadata" => alias.metadata = texts_by_name(item)?,
            "custom_metadata" => alias.custom_metadata = texts_by_name(item)?,
            _ => return Err(at(item.position(), "expected id, name, metadata or custom_metadata")),
        }
    }
    Ok(alias)
}

fn group(name: String, body: &Object) -> Result<GroupFacts> {
    let mut group = GroupFacts { name, ..GroupFacts::default() };
    for item in body.items() {
        match item.name() {
            "id" => group.id = text(item)?,
            "metadata" => group.metadata = texts_by_name(item)?,
            _ => return Err(at(item.position(), "expected id or metadata")),
        }
    }
    Ok(group)
}

/// The blocks called `kind` by their one label.
fn named<'a>(body: &'a Object, kind: &str) -> Result<Vec<(String, Block<'a>)>> {
    let misshapen = |what: Misshapen| at(what.position, &format!("it is written {kind} \"name\" {{ … }}"));
    let blocks = body.blocks(kind, 1).map_err(misshapen)?;
    let mut found: Vec<(String, Block<'a>)> = Vec::with_capacity(blocks.len());
    for block in blocks {
        let name = block.labels.first().map_or_else(String::new, |label| label.text.clone());
        if found.iter().any(|(known, _)| *known == name) {
            return Err(at(block.position, &format!("there is a {kind} of this name already")));
        }
        found.push((name, block));
    }
    Ok(found)
}

/// The text of an attribute.
pub(super) fn text(item: &Item) -> Result<String> {
    item.value().as_scalar().map(Into::into).ok_or_else(|| at(item.position(), "expected a text"))
}

/// The texts of a list.
pub(super) fn texts(item: &Item) -> Result<Vec<String>> {
    let fail = || at(item.position(), "expected a list of texts");
    let list = item.value().as_list().ok_or_else(fail)?;
    list.values().map(|value: &Value| value.as_text().map(str::to_owned).ok_or_else(fail)).collect()
}

fn texts_by_name(item: &Item) -> Result<BTreeMap<String, String>> {
    let object = item.value().as_object().ok_or_else(|| at(item.position(), "expected an object of texts"))?;
    object.items().iter().map(|item| Ok((item.name().to_owned(), text(item)?))).collect()
}

fn moment(item: &Item) -> Result<Timestamp> {
    Timestamp::parse(&text(item)?).ok_or_else(|| at(item.position(), "expected a time written as RFC 3339"))
}

/// A fault of the table, and where it is.
pub(super) fn at(position: Position, what: &str) -> Error {
    Error::local(format!("line {}: {what}", position.line))
        .advise("docs/policy-testing.md shows how a table is written.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> std::result::Result<Table, String> {
        Table::parse(text, Path::new("/nonexistent")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_table_is_written_as_hcl_or_as_json() {
        let hcl = r#"policy "a" { text = "path \"x\" { capabilities = [\"read\"] }" }
                     case "one" { policies = ["a", "default"] path = "x" operation = "read" expect = "allow" }"#;
        let json = r#"{"policy": {"a": {"text": "path \"x\" { capabilities = [\"read\"] }"}},
                       "case": {"one": {"policies": ["a", "default"], "path": "x", "operation": "read", "expect": "allow"}}}"#;
        for text in [hcl, json] {
            let table = read(text).unwrap();
            assert_eq!((table.cases.len(), table.policies.len(), table.cases[0].policies.len()), (1, 3, 2));
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let case = "case \"c\" { policies = [\"default\"] path = \"x\" operation = \"read\" expect = \"allow\" }";
        for (text, says) in [
            ("", "there is no case in it"),
            ("polcy \"a\" {}", "line 1: expected policy, identity, case or now"),
            ("\npolicy \"a\" {}", "line 2: a policy has a file or a text"),
            ("policy \"a\" { file = \"lost.hcl\" }", "Error reading file /nonexistent/lost.hcl"),
            ("policy \"a\" { text = \"pth\" }", "policy \"a\": failed to parse policy"),
            ("policy \"root\" { text = \"#\" }", "line 1: this policy is built in"),
            ("identity \"a\" { nam = 1 }", "line 1: expected id, name"),
            ("now = \"yesterday\"", "line 1: expected a time"),
            (&format!("{case}\n{case}"), "line 2: there is a case of this name already"),
            (&case.replace("allow", "maybe"), "line 1: expect is allow or deny"),
            (&case.replace("\"default\"", "\"lost\""), "line 1: there is no policy \"lost\" in this table"),
            (&case.replace("read", "sing"), "line 1: operation must be one of read"),
            (&case.replace("\"x\"", "\"../x\""), "line 1: relative paths"),
            (&case.replace(" path = \"x\"", ""), "line 1: a case has a path"),
            (&case.replace("path", "identity = \"ann\" path"), "line 1: there is no identity \"ann\" in this table"),
            ("case = 1", "it is written case"),
            ("case \"a\" {", "expected"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn garbage_is_refused() {
        let text = include_str!("../../../../../docs/examples/policies/tests.hcl");
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            // Whatever comes of it, it comes without a panic.
            drop(read(text.get(..end).unwrap()));
        }
    }
}
