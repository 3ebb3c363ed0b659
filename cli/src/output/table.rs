//! Columns and section headings as Vault's commands lay them out.

use zeroize::{Zeroize, Zeroizing};

use super::human;
use crate::json::Json;

/// Rows in columns, four spaces between them, no spaces at the end of a line.
pub(crate) fn columns(rows: &[Vec<String>]) -> Zeroizing<String> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (index, cell) in row.iter().enumerate() {
            let width = cell.chars().count();
            match widths.get_mut(index) {
                Some(widest) => *widest = width.max(*widest),
                None => widths.push(width),
            }
        }
    }
    let mut out = Zeroizing::new(String::new());
    for row in rows {
        for (index, (cell, width)) in row.iter().zip(&widths).enumerate() {
            out.push_str(cell);
            if index + 1 < row.len() {
                out.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 4));
            }
        }
        out.push('\n');
    }
    out
}

/// Rows of names and values under `Key` and `Value`.
pub(crate) fn key_value(rows: impl IntoIterator<Item = (String, String)>) -> Zeroizing<String> {
    let mut all = vec![vec!["Key".to_owned(), "Value".to_owned()], vec!["---".to_owned(), "-----".to_owned()]];
    all.extend(rows.into_iter().map(|(key, value)| vec![key, value]));
    let text = columns(&all);
    all.zeroize();
    text
}

/// A map under a heading that is as wide as its names.
pub(crate) fn section(title: &str, map: &Json) -> Zeroizing<String> {
    let members = map.sorted_members();
    let widest = members.iter().map(|(key, _)| key.chars().count()).max().unwrap_or_default();
    let mut out = Zeroizing::new(heading(title, widest + 9));
    let rows = members.into_iter().map(|(key, value)| (key.to_owned(), human::shown(key, value).to_string()));
    out.push_str(&key_value(rows));
    out
}

/// A text under a heading that is as wide as it, and an empty line.
pub(crate) fn titled(title: &str, text: &str) -> String {
    format!("{}{text}\n\n", heading(title, text.chars().count()))
}

/// `=== Title ===`, about `width` wide, with at least two signs at each end where it would not fit.
fn heading(title: &str, width: usize) -> String {
    let signs = match width.checked_sub(title.chars().count() + 2) {
        None | Some(0) => 2,
        Some(free) => free.div_ceil(2),
    };
    let signs = "=".repeat(signs);
    format!("{signs} {title} {signs}\n")
}

/// What the server wants the caller to know.
pub(super) fn warnings(warnings: &[String]) -> String {
    let mut out = "WARNING! The following warnings were returned from the server:\n".to_owned();
    for warning in warnings {
        out.push_str(&format!("\n  * {}\n", wrap(warning, 76).replace('\n', "\n  ")));
    }
    out
}

/// Text in lines of at most `width` characters, broken at spaces. Lines that are there stay.
pub(crate) fn wrap(text: &str, width: usize) -> String {
    let lines = text.lines().map(|line| {
        let mut wrapped = String::new();
        let mut used = 0;
        for word in line.split(' ') {
            let length = word.chars().count();
            if used > 0 && used + 1 + length > width {
                wrapped.push('\n');
                used = 0;
            } else if used > 0 {
                wrapped.push(' ');
                used += 1;
            }
            wrapped.push_str(word);
            used += length;
        }
        wrapped
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_four_spaces_apart_by_characters_not_bytes() {
        let rows = [vec!["é".to_owned(), "b".to_owned()], vec!["long".to_owned(), String::new()], vec!["x".to_owned()]];
        assert_eq!(*columns(&rows), "é       b\nlong    \nx\n");
    }

    #[test]
    fn headings_follow_the_width_of_the_names() {
        let map = Json::parse(r#"{"a":"b"}"#).unwrap();
        assert_eq!(*section("Data", &map), "== Data ==\nKey    Value\n---    -----\na      b\n");
        let map = Json::parse(r#"{"custom_metadata":null}"#).unwrap();
        assert!(section("Metadata", &map).starts_with("======= Metadata =======\n"));
        assert_eq!(titled("Secret Path", "secret/data/foo"), "= Secret Path =\nsecret/data/foo\n\n");
        assert_eq!(titled("Secret Path", "secret/data/x"), "== Secret Path ==\nsecret/data/x\n\n");
        assert_eq!(titled("Metadata Path", "secret/metadata/foo"), "== Metadata Path ==\nsecret/metadata/foo\n\n");
    }

    #[test]
    fn long_warnings_are_wrapped() {
        let text = warnings(&["word ".repeat(40).trim().to_owned()]);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}
