//! `list_scan_response_keys_filter_path`: which keys of a list its reader may see.

/// A template of `{{ .path }}` and `{{ .key }}`: the path that the reader must have access to in order to see a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListFilter(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Path,
    Key,
}

impl ListFilter {
    /// Reads a template; nothing if it has other placeholders, or gives the same path for all keys.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, tail)) = rest.split_once("{{") {
            let (inside, tail) = tail.split_once("}}")?;
            parts.push(Part::Literal(literal.to_owned()));
            parts.push(match inside.trim() {
                ".path" => Part::Path,
                ".key" => Part::Key,
                _ => return None,
            });
            rest = tail;
        }
        parts.push(Part::Literal(rest.to_owned()));
        parts.contains(&Part::Key).then_some(Self(parts))
    }

    /// The template as it is written in policies.
    pub(super) fn text(&self) -> String {
        let text = |part: &Part| match part {
            Part::Literal(literal) => literal.clone(),
            Part::Path => "{{.path}}".to_owned(),
            Part::Key => "{{.key}}".to_owned(),
        };
        self.0.iter().map(text).collect()
    }

    /// The path for `key` of the list at `path`, which ends in a slash.
    pub(super) fn path(&self, path: &str, key: &str) -> String {
        let text = |part: &Part| match part {
            Part::Literal(literal) => literal.clone(),
            Part::Path => path.to_owned(),
            Part::Key => key.to_owned(),
        };
        self.0.iter().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        let filter = ListFilter::parse("x/{{.path}}{{ .key }}").unwrap();
        assert_eq!(filter.path("kv/", "a/"), "x/kv/a/");
        for text in ["a", "{{.path}}", "{{.key", "{{.nope}}{{.key}}", "{{.key | upper}}", ""] {
            assert_eq!(ListFilter::parse(text), None, "{text}");
        }
    }
}
