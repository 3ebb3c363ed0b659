//! The canonical spelling of a document: two blanks a level, one item a line, equals signs and comments of neighbours
//! aligned.

use super::error::{Position, SyntaxError};
use super::tree::{Comment, Item, Kind, List, Margin, Object, Value};
use super::{decode, is_json, parser};

/// The same document in its canonical spelling, with its comments. JSON has none, and is an error.
pub fn format(bytes: &[u8]) -> Result<String, SyntaxError> {
    let text = decode(bytes)?;
    if is_json(text) {
        return Err(SyntaxError::new(Position::START, "HCL: the JSON form has no canonical spelling"));
    }
    let object = parser::parse(text)?;
    let mut printer = Printer::default();
    printer.items(&object);
    Ok(printer.text)
}

#[derive(Default)]
struct Printer {
    text: String,
    depth: usize,
}

impl Printer {
    fn items(&mut self, object: &Object) {
        let columns = columns(&object.items);
        for (index, (item, columns)) in object.items.iter().zip(columns).enumerate() {
            let before = index.checked_sub(1).and_then(|index| object.items.get(index));
            if before.is_some_and(|before| is_apart(before, item)) {
                self.text.push('\n');
            }
            self.item(item, columns);
        }
        for (index, comment) in object.tail.iter().enumerate() {
            let first = index == 0 && object.items.is_empty();
            if comment.blank_before && !first {
                self.text.push('\n');
            }
            self.line(&comment.text);
        }
    }

    fn item(&mut self, item: &Item, columns: Columns) {
        self.leading(&item.margin, &item.value);
        let header = header(item);
        self.indent();
        self.text.push_str(&header);
        if item.assigned {
            self.pad(columns.key, &header);
            self.text.push_str(" =");
        }
        self.text.push(' ');
        let value = rendered(&item.value, self.depth);
        self.text.push_str(&value);
        if item.margin.trailing.is_some() {
            self.pad(columns.value, &value);
        }
        self.trailing(&item.margin, &item.value);
        self.text.push('\n');
    }

    fn value(&mut self, value: &Value) {
        match &value.kind {
            Kind::Object(object) if object.items.is_empty() && object.tail.is_empty() => self.text.push_str("{}"),
            Kind::Object(object) => {
                self.text.push_str("{\n");
                self.depth += 1;
                self.items(object);
                self.depth -= 1;
                self.indent();
                self.text.push('}');
            }
            Kind::List(list) if value.one_line && is_flat(list) => {
                let spellings: Vec<&str> = list.values().map(spelling).collect();
                self.text.push('[');
                self.text.push_str(&spellings.join(", "));
                self.text.push(']');
            }
            Kind::List(list) => self.list(list),
            Kind::Bool(_) | Kind::Null | Kind::Number(_) | Kind::Text(_) => self.text.push_str(&value.spelling),
        }
    }

    /// A list with an element a line.
    fn list(&mut self, list: &List) {
        if list.elements.is_empty() && list.tail.is_empty() {
            return self.text.push_str("[]");
        }
        self.text.push_str("[\n");
        self.depth += 1;
        for element in &list.elements {
            self.leading(&element.margin, &element.value);
            self.indent();
            self.value(&element.value);
            if is_heredoc(&element.value) {
                self.text.push('\n');
                self.indent();
            }
            self.text.push(',');
            self.trailing(&element.margin, &element.value);
            self.text.push('\n');
        }
        for comment in &list.tail {
            self.line(&comment.text);
        }
        self.depth -= 1;
        self.indent();
        self.text.push(']');
    }

    fn leading(&mut self, margin: &Margin, value: &Value) {
        for (index, comment) in margin.leading.iter().enumerate() {
            if index > 0 && comment.blank_before {
                self.text.push('\n');
            }
            self.line(&comment.text);
        }
        if margin.gap {
            self.text.push('\n');
        }
        if let Some(comment) = behind_heredoc(margin, value) {
            self.line(&comment.text);
        }
    }

    fn trailing(&mut self, margin: &Margin, value: &Value) {
        if let (Some(comment), None) = (&margin.trailing, behind_heredoc(margin, value)) {
            self.text.push(' ');
            self.text.push_str(&comment.text);
        }
    }

    /// Blanks up to `width`, behind `text`.
    fn pad(&mut self, width: usize, text: &str) {
        let gap = width.saturating_sub(text.chars().count());
        self.text.extend(std::iter::repeat_n(' ', gap));
    }

    fn line(&mut self, text: &str) {
        self.indent();
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn indent(&mut self) {
        self.text.extend(std::iter::repeat_n("  ", self.depth));
    }
}

/// The comment behind a heredoc, which cannot stand on the line of the closing mark and goes before the item.
fn behind_heredoc<'a>(margin: &'a Margin, value: &Value) -> Option<&'a Comment> {
    margin.trailing.as_ref().filter(|_| is_heredoc(value))
}

fn is_heredoc(value: &Value) -> bool {
    matches!(value.kind, Kind::Text(_)) && value.spelling.starts_with("<<")
}

fn header(item: &Item) -> String {
    let keys: Vec<&str> = item.keys.iter().map(|key| key.spelling.as_str()).collect();
    keys.join(" ")
}

/// Whether a list fits on a line: nothing in it has lines or comments of its own.
fn is_flat(list: &List) -> bool {
    list.tail.is_empty()
        && list.elements.iter().all(|element| {
            let nested = matches!(element.value.kind, Kind::Object(_) | Kind::List(_));
            !nested && element.margin.leading.is_empty() && element.margin.trailing.is_none()
        })
}

fn spelling(value: &Value) -> &str {
    &value.spelling
}

/// Whether an item takes more than one line, so that empty lines stand around it.
fn is_tall(item: &Item) -> bool {
    let tall = match &item.value.kind {
        Kind::Object(object) => !item.assigned || !object.items.is_empty() || !object.tail.is_empty(),
        Kind::List(list) => !(item.value.one_line && is_flat(list)),
        Kind::Bool(_) | Kind::Null | Kind::Number(_) | Kind::Text(_) => !item.value.one_line,
    };
    tall || !item.margin.leading.is_empty()
}

/// Whether an empty line stands between two neighbours.
fn is_apart(before: &Item, item: &Item) -> bool {
    item.margin.blank_before || is_tall(item) || is_tall(before)
}

/// How wide the keys and the values of neighbours are.
#[derive(Clone, Copy, Default)]
struct Columns {
    key: usize,
    value: usize,
}

/// For each item the widest key and the widest value among its neighbours without a gap.
fn columns(items: &[Item]) -> Vec<Columns> {
    let mut columns = Vec::with_capacity(items.len());
    for group in items.chunk_by(|before, item| !is_apart(before, item)) {
        let key = group.iter().map(|item| header(item).chars().count()).max().unwrap_or_default();
        let value = match group {
            [_] => 0,
            neighbours => {
                neighbours.iter().map(|item| rendered(&item.value, 0).chars().count()).max().unwrap_or_default()
            }
        };
        columns.extend(std::iter::repeat_n(Columns { key, value }, group.len()));
    }
    columns
}

/// A value as it is printed inside `depth` blocks.
fn rendered(value: &Value, depth: usize) -> String {
    let mut printer = Printer { text: String::new(), depth };
    printer.value(value);
    printer.text
}
