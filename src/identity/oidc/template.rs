//! Placeholders in the claims of a role: `{{identity.entity.name}}` becomes the JSON of what it stands for.

use serde_json::{Value, json};

use crate::api::Ttl;
use crate::error::{Error, Result};
use crate::policy::{AliasFacts, EntityFacts, TemplateFacts};
use crate::time::Timestamp;

/// The template with every placeholder filled. What an entity does not have is an empty text, or an empty object; a
/// placeholder that nothing ever stands for is refused.
pub(super) fn filled(template: &str, facts: &TemplateFacts, now: Timestamp) -> Result<String> {
    let unbalanced = || Error::invalid("error parsing template: unbalanced templating characters");
    let mut text = String::new();
    let mut rest = template;
    while let Some((literal, tail)) = rest.split_once("{{") {
        let (inside, tail) = tail.split_once("}}").ok_or_else(unbalanced)?;
        if literal.contains("}}") || inside.contains("{{") {
            return Err(unbalanced());
        }
        text.push_str(literal);
        text.push_str(&value(inside.trim(), facts, now)?.to_string());
        rest = tail;
    }
    if rest.contains("}}") {
        return Err(unbalanced());
    }
    text.push_str(rest);
    Ok(text)
}

fn value(placeholder: &str, facts: &TemplateFacts, now: Timestamp) -> Result<Value> {
    let nobody = EntityFacts::default();
    let entity = facts.entity.as_ref().unwrap_or(&nobody);
    match placeholder {
        "identity.entity.id" => return Ok(json!(entity.id)),
        "identity.entity.name" => return Ok(json!(entity.name)),
        "identity.entity.metadata" => return Ok(json!(entity.metadata)),
        "identity.entity.groups.ids" => {
            return Ok(facts.groups.iter().map(|group| group.id.as_str()).collect());
        }
        "identity.entity.groups.names" => {
            return Ok(facts.groups.iter().map(|group| group.name.as_str()).collect());
        }
        "time.now" => return Ok(json!(now.unix_seconds())),
        _ => {}
    }
    if let Some(key) = placeholder.strip_prefix("identity.entity.metadata.") {
        return Ok(json!(entity.metadata.get(key).map(String::as_str).unwrap_or_default()));
    }
    if let Some(alias) = placeholder.strip_prefix("identity.entity.aliases.") {
        return of_alias(alias, entity);
    }
    let moved = |duration: &str| {
        let duration = Ttl::parse(duration).map_err(|why| Error::invalid(format!("error parsing template: {why}")))?;
        i64::try_from(duration.seconds()).map_err(|_| Error::invalid("error parsing template: invalid duration"))
    };
    if let Some(duration) = placeholder.strip_prefix("time.now.plus.") {
        return Ok(json!(now.unix_seconds().saturating_add(moved(duration)?)));
    }
    if let Some(duration) = placeholder.strip_prefix("time.now.minus.") {
        return Ok(json!(now.unix_seconds().saturating_sub(moved(duration)?)));
    }
    Err(unknown())
}

fn of_alias(text: &str, entity: &EntityFacts) -> Result<Value> {
    let (accessor, field) = text.split_once('.').ok_or_else(unknown)?;
    let nobody = AliasFacts::default();
    let alias = entity.aliases.get(accessor).unwrap_or(&nobody);
    let text = |value: Option<&String>| json!(value.map(String::as_str).unwrap_or_default());
    match field {
        "id" => Ok(json!(alias.id)),
        "name" => Ok(json!(alias.name)),
        "metadata" => Ok(json!(alias.metadata)),
        "custom_metadata" => Ok(json!(alias.custom_metadata)),
        _ => match (field.strip_prefix("metadata."), field.strip_prefix("custom_metadata.")) {
            (Some(key), _) => Ok(text(alias.metadata.get(key))),
            (None, Some(key)) => Ok(text(alias.custom_metadata.get(key))),
            (None, None) => Err(unknown()),
        },
    }
}

fn unknown() -> Error {
    Error::invalid("error parsing template: no value could be found for one of the template directives")
}

/// What the fuzz target runs: a template (behind the first line) is filled or refused, and a name (the first line) stays
/// within the text that it is put in.
#[doc(hidden)]
pub fn fuzz(text: &str) {
    let (name, template) = text.split_once('\n').unwrap_or(("", text));
    let metadata = [("key".to_owned(), name.to_owned())].into();
    let entity = EntityFacts { name: name.to_owned(), metadata, ..EntityFacts::default() };
    let facts = TemplateFacts { entity: Some(entity), ..TemplateFacts::default() };
    let fill = |template: &str| filled(template, &facts, Timestamp::from_unix_seconds(1_800_000_000));
    let is_plain = !template.contains("{{") && !template.contains("}}");
    match fill(template) {
        // Each placeholder has at least four characters, and no value is longer than the metadata.
        Ok(text) => {
            assert!(!is_plain || text == template);
            assert!(text.len() <= template.len() * (6 * name.len() + 20));
        }
        Err(_) => assert!(!is_plain),
    }
    let named = fill(r#"{"name":{{identity.entity.name}},"all":{{identity.entity.metadata}}}"#);
    let named = named.ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    assert_eq!(named, Some(json!({"name": name, "all": {"key": name}})));
}
