//! What a document says, with the place of every item.

use std::borrow::Cow;

use super::error::Position;

/// The inside of a document, a block or an object: items in the order in which they were written.
#[derive(Clone, Debug, Default)]
pub struct Object {
    pub(super) items: Vec<Item>,
    /// Comments behind the last item.
    pub(super) tail: Vec<Comment>,
}

/// `key = value`, `key { … }` or `key "label" { … }`.
#[derive(Clone, Debug)]
pub struct Item {
    /// The first is the item's name, the others are the labels of a block. Never empty.
    pub(super) keys: Vec<Key>,
    pub(super) value: Value,
    /// Whether an equals sign stands between keys and value.
    pub(super) assigned: bool,
    pub(super) margin: Margin,
}

/// A name or a label.
#[derive(Clone, Debug)]
pub struct Key {
    /// What it says, without quotes.
    pub text: String,
    /// Where it begins.
    pub position: Position,
    pub(super) spelling: String,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// Where it begins.
    pub position: Position,
    pub(super) spelling: String,
    /// Whether it begins and ends on the same line.
    pub(super) one_line: bool,
}

/// The kinds of values.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `true` or `false`.
    Bool(bool),
    /// A list.
    List(List),
    /// `null`, which only JSON has.
    Null,
    /// A number.
    Number(Number),
    /// An object.
    Object(Object),
    /// Text, also out of a heredoc.
    Text(String),
}

/// Values in order.
#[derive(Clone, Debug, Default)]
pub struct List {
    pub(super) elements: Vec<Element>,
    /// Comments behind the last element.
    pub(super) tail: Vec<Comment>,
}

/// One value of a list.
#[derive(Clone, Debug)]
pub struct Element {
    /// The value.
    pub value: Value,
    pub(super) margin: Margin,
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number.
    Integer(i64),
    /// Any other; finite.
    Float(f64),
}

/// A comment with its marks.
#[derive(Clone, Debug)]
pub struct Comment {
    pub(super) text: String,
    pub(super) position: Position,
    pub(super) blank_before: bool,
}

/// What stands around an item and means nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Margin {
    /// Comments before it.
    pub(super) leading: Vec<Comment>,
    /// The comment behind it on its last line.
    pub(super) trailing: Option<Comment>,
    /// Whether an empty line stands before it and its comments.
    pub(super) blank_before: bool,
    /// Whether an empty line stands between its comments and it.
    pub(super) gap: bool,
}

/// A block with its labels.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// As many as were asked for.
    pub labels: Vec<&'a Key>,
    /// Where the block begins.
    pub position: Position,
    /// What stands between its braces.
    pub body: &'a Object,
}

/// An item that is not a block of the wanted shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misshapen {
    /// Where.
    pub position: Position,
    /// How many labels a block of this name has.
    pub labels: usize,
}

impl Object {
    /// The items in order.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The blocks called `name` that have `labels` labels, however they are written: `name "label" { … }`,
    /// `name { "label" { … } }`, `name = { … }`, and lists of those, which is how JSON repeats a block.
    pub fn blocks<'a>(&'a self, name: &str, labels: usize) -> Result<Vec<Block<'a>>, Misshapen> {
        let mut found = Vec::new();
        for item in self.items.iter().filter(|item| item.name() == name) {
            item.unfold(labels, &mut found)?;
        }
        Ok(found)
    }
}

impl Item {
    /// The item's name: the first of its keys.
    pub fn name(&self) -> &str {
        self.keys.first().map_or("", |key| &key.text)
    }

    /// The labels behind the name.
    pub fn labels(&self) -> &[Key] {
        self.keys.get(1..).unwrap_or_default()
    }

    /// Where the item begins.
    pub fn position(&self) -> Position {
        self.keys.first().map_or(Position::START, |key| key.position)
    }

    /// What the item holds.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Adds the blocks with `labels` labels that this item stands for to `found`.
    pub fn unfold<'a>(&'a self, labels: usize, found: &mut Vec<Block<'a>>) -> Result<(), Misshapen> {
        unfold(
            Unfolding { position: self.position(), labels: self.labels().iter().collect(), wanted: labels },
            &self.value,
            found,
        )
    }
}

/// A block of which some labels are known.
struct Unfolding<'a> {
    position: Position,
    labels: Vec<&'a Key>,
    wanted: usize,
}

/// The tree is at most [`super::MAX_DEPTH`] deep, and so is this recursion.
fn unfold<'a>(block: Unfolding<'a>, value: &'a Value, found: &mut Vec<Block<'a>>) -> Result<(), Misshapen> {
    let Unfolding { position, labels, wanted } = block;
    let misshapen = Misshapen { position, labels: wanted };
    match &value.kind {
        Kind::Object(body) if labels.len() == wanted => {
            found.push(Block { labels, position, body });
            Ok(())
        }
        Kind::Object(body) if labels.len() < wanted => body.items.iter().try_for_each(|item| {
            let labels = labels.iter().copied().chain(&item.keys).collect();
            unfold(Unfolding { position: item.position(), labels, wanted }, &item.value, found)
        }),
        Kind::List(list) => list.elements.iter().try_for_each(|element| {
            let position = element.value.position;
            unfold(Unfolding { position, labels: labels.clone(), wanted }, &element.value, found)
        }),
        Kind::Object(_) | Kind::Bool(_) | Kind::Null | Kind::Number(_) | Kind::Text(_) => Err(misshapen),
    }
}

impl List {
    /// The values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.elements.iter().map(|element| &element.value)
    }
}

impl Value {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Kind::Text(text) = &self.kind { Some(text) } else { None }
    }

    /// The text, or a number's or boolean's spelling: what HCL gives where text is wanted.
    pub fn as_scalar(&self) -> Option<Cow<'_, str>> {
        match &self.kind {
            Kind::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
            Kind::Number(_) => Some(Cow::Borrowed(&self.spelling)),
            Kind::Text(text) => Some(Cow::Borrowed(text)),
            Kind::List(_) | Kind::Null | Kind::Object(_) => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&List> {
        if let Kind::List(list) = &self.kind { Some(list) } else { None }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object> {
        if let Kind::Object(object) = &self.kind { Some(object) } else { None }
    }

    /// The same as JSON. Of two items with the same name the last counts; labels become nested objects.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.kind {
            Kind::Bool(flag) => (*flag).into(),
            Kind::List(list) => list.values().map(Self::to_json).collect(),
            Kind::Null => serde_json::Value::Null,
            Kind::Number(Number::Integer(number)) => (*number).into(),
            Kind::Number(Number::Float(number)) => (*number).into(),
            Kind::Object(object) => object.items.iter().map(json_pair).collect(),
            Kind::Text(text) => text.as_str().into(),
        }
    }
}

fn json_pair(item: &Item) -> (String, serde_json::Value) {
    let labelled = item.labels().iter().rev().fold(item.value.to_json(), |value, label| {
        serde_json::Value::Object([(label.text.clone(), value)].into_iter().collect())
    });
    (item.name().to_owned(), labelled)
}
