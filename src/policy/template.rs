//! Placeholders in the paths of rules: `{{identity.entity.id}}` and the like.

use std::collections::BTreeMap;

/// What placeholders can stand for: the identity behind a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TemplateFacts {
    /// The entity, if the token has one.
    pub entity: Option<EntityFacts>,
    /// The groups that the entity is in.
    pub groups: Vec<GroupFacts>,
}

/// An entity as placeholders see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EntityFacts {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
    /// By accessor of the mount, the one alias that counts there: where an entity has several on a mount, the one that
    /// logged in.
    pub aliases: BTreeMap<String, AliasFacts>,
}

/// An alias as placeholders see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AliasFacts {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What the auth method knows of it.
    pub metadata: BTreeMap<String, String>,
    /// What operators wrote beside it.
    pub custom_metadata: BTreeMap<String, String>,
}

/// A group as placeholders see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GroupFacts {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
}

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Placeholder(Selector),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Selector {
    AliasCustomMetadata {
        accessor: String,
        key: String,
    },
    AliasId {
        accessor: String,
    },
    AliasMetadata {
        accessor: String,
        key: String,
    },
    AliasName {
        accessor: String,
    },
    EntityId,
    EntityMetadata {
        key: String,
    },
    EntityName,
    GroupId {
        name: String,
    },
    GroupMetadataById {
        id: String,
        key: String,
    },
    GroupMetadataByName {
        name: String,
        key: String,
    },
    GroupName {
        id: String,
    },
    /// Something else, which never has a value.
    Unknown,
}

/// Why a template has no value. The rule that it belongs to is dropped; everything else goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoValue {
    /// The identity does not have what a placeholder asks for.
    Unresolved,
    /// A value is empty, or could make the rule match more than itself.
    Unsafe,
}

impl Template {
    /// Reads a template; nothing if braces are not closed, or closed without being opened.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, tail)) = rest.split_once("{{") {
            let (inside, tail) = tail.split_once("}}")?;
            if literal.contains("}}") || inside.contains("{{") {
                return None;
            }
            parts.push(Part::Literal(literal.to_owned()));
            parts.push(Part::Placeholder(Selector::parse(inside.trim())));
            rest = tail;
        }
        parts.push(Part::Literal(rest.to_owned()));
        (!rest.contains("}}")).then(|| Self { parts, text: text.to_owned() })
    }

    /// The text as it is written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether there is a placeholder in it.
    pub(super) fn has_placeholder(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Placeholder(_)))
    }

    /// The text with every placeholder replaced.
    pub(super) fn resolve(&self, facts: &TemplateFacts) -> Result<String, NoValue> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Placeholder(selector) => {
                    let value = selector.value(facts).ok_or(NoValue::Unresolved)?;
                    text.push_str(if is_safe(value) { value } else { return Err(NoValue::Unsafe) });
                }
            }
        }
        Ok(text)
    }
}

/// Whether a value, put into a path, stands for itself only.
fn is_safe(value: &str) -> bool {
    let special = |character: char| matches!(character, '*' | '+' | '/') || character.is_control();
    !value.is_empty() && value != "." && value != ".." && !value.contains(special)
}

impl Selector {
    fn parse(text: &str) -> Self {
        Self::known(text).unwrap_or(Self::Unknown)
    }

    fn known(text: &str) -> Option<Self> {
        let text = text.strip_prefix("identity.")?;
        match text {
            "entity.id" => return Some(Self::EntityId),
            "entity.name" => return Some(Self::EntityName),
            _ => {}
        }
        if let Some(key) = text.strip_prefix("entity.metadata.") {
            return Some(Self::EntityMetadata { key: key.to_owned() });
        }
        if let Some(alias) = text.strip_prefix("entity.aliases.") {
            return Self::alias(alias);
        }
        if let Some(group) = text.strip_prefix("groups.ids.") {
            if let Some((id, key)) = group.split_once(".metadata.") {
                return Some(Self::GroupMetadataById { id: id.to_owned(), key: key.to_owned() });
            }
            return group.strip_suffix(".name").map(|id| Self::GroupName { id: id.to_owned() });
        }
        let group = text.strip_prefix("groups.names.")?;
        if let Some((name, key)) = group.split_once(".metadata.") {
            return Some(Self::GroupMetadataByName { name: name.to_owned(), key: key.to_owned() });
        }
        group.strip_suffix(".id").map(|name| Self::GroupId { name: name.to_owned() })
    }

    fn alias(text: &str) -> Option<Self> {
        let (accessor, field) = text.split_once('.')?;
        let accessor = accessor.to_owned();
        if let Some(key) = field.strip_prefix("metadata.") {
            return Some(Self::AliasMetadata { accessor, key: key.to_owned() });
        }
        if let Some(key) = field.strip_prefix("custom_metadata.") {
            return Some(Self::AliasCustomMetadata { accessor, key: key.to_owned() });
        }
        match field {
            "id" => Some(Self::AliasId { accessor }),
            "name" => Some(Self::AliasName { accessor }),
            _ => None,
        }
    }

    fn value<'a>(&self, facts: &'a TemplateFacts) -> Option<&'a str> {
        let entity = facts.entity.as_ref();
        let alias = |accessor: &str| entity.and_then(|entity| entity.aliases.get(accessor));
        let by_id = |id: &str| facts.groups.iter().find(|group| group.id == id);
        let by_name = |name: &str| facts.groups.iter().find(|group| group.name == name);
        let value = match self {
            Self::AliasCustomMetadata { accessor, key } => alias(accessor)?.custom_metadata.get(key)?,
            Self::AliasId { accessor } => &alias(accessor)?.id,
            Self::AliasMetadata { accessor, key } => alias(accessor)?.metadata.get(key)?,
            Self::AliasName { accessor } => &alias(accessor)?.name,
            Self::EntityId => &entity?.id,
            Self::EntityMetadata { key } => entity?.metadata.get(key)?,
            Self::EntityName => &entity?.name,
            Self::GroupId { name } => &by_name(name)?.id,
            Self::GroupMetadataById { id, key } => by_id(id)?.metadata.get(key)?,
            Self::GroupMetadataByName { name, key } => by_name(name)?.metadata.get(key)?,
            Self::GroupName { id } => &by_id(id)?.name,
            Self::Unknown => return None,
        };
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(key: &str, value: &str) -> BTreeMap<String, String> {
        [(key.to_owned(), value.to_owned())].into_iter().collect()
    }

    fn facts() -> TemplateFacts {
        let alias = |name: &str, team: &str| AliasFacts {
            id: format!("id-{name}"),
            name: name.to_owned(),
            metadata: map("team", team),
            custom_metadata: map("k", "custom"),
        };
        TemplateFacts {
            entity: Some(EntityFacts {
                id: "e1".to_owned(),
                name: "bob".to_owned(),
                metadata: map("dotted.key", "m"),
                aliases: [("acc1".to_owned(), alias("bob", "red")), ("acc2".to_owned(), alias("bob", "blue"))].into(),
            }),
            groups: vec![GroupFacts { id: "g1".to_owned(), name: "ops.eu".to_owned(), metadata: map("x", "y") }],
        }
    }

    #[test]
    fn every_placeholder_has_its_value() {
        for (text, value) in [
            ("a/{{identity.entity.id}}/b", "a/e1/b"),
            ("{{ identity.entity.name }}", "bob"),
            ("{{identity.entity.metadata.dotted.key}}", "m"),
            ("{{identity.entity.aliases.acc1.name}}", "bob"),
            ("{{identity.entity.aliases.acc1.id}}", "id-bob"),
            ("{{identity.entity.aliases.acc1.metadata.team}}", "red"),
            ("{{identity.entity.aliases.acc2.metadata.team}}", "blue"),
            ("{{identity.entity.aliases.acc2.custom_metadata.k}}", "custom"),
            ("{{identity.groups.ids.g1.name}}", "ops.eu"),
            ("{{identity.groups.names.ops.eu.id}}", "g1"),
            ("{{identity.groups.ids.g1.metadata.x}}{{identity.groups.names.ops.eu.metadata.x}}", "yy"),
            ("plain", "plain"),
        ] {
            assert_eq!(Template::parse(text).unwrap().resolve(&facts()).as_deref(), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_not_there_has_none() {
        for text in
            ["{{identity.entity.metadata.no}}", "{{nope}}", "{{}}", "{{identity.groups.ids.g2.name}}", "{{time.now}}"]
        {
            assert_eq!(Template::parse(text).unwrap().resolve(&facts()), Err(NoValue::Unresolved), "{text}");
        }
        let nobody = TemplateFacts::default();
        assert_eq!(Template::parse("{{identity.entity.id}}").unwrap().resolve(&nobody), Err(NoValue::Unresolved));
    }

    #[test]
    fn braces_must_be_in_pairs() {
        for text in ["{{identity.entity.id", "a}}", "{{a{{b}}", "{{a}}b}}", "a}}{{b}}"] {
            assert_eq!(Template::parse(text), None, "{text}");
        }
    }

    #[test]
    fn values_cannot_widen_a_rule() {
        let template = Template::parse("kv/{{identity.entity.name}}/x").unwrap();
        for name in ["a/*", "+", "*", "a/b", "", ".", "..", "a\nb", "x+"] {
            let entity = EntityFacts { name: name.to_owned(), ..EntityFacts::default() };
            let facts = TemplateFacts { entity: Some(entity), groups: Vec::new() };
            assert_eq!(template.resolve(&facts), Err(NoValue::Unsafe), "{name}");
        }
        let entity = EntityFacts { name: "x,root".to_owned(), ..EntityFacts::default() };
        let facts = TemplateFacts { entity: Some(entity), groups: Vec::new() };
        assert_eq!(template.resolve(&facts).as_deref(), Ok("kv/x,root/x"));
    }
}
