//! The paths that an endpoint serves: `issue/{role}`, `data/{path..}`, `{path..}/tune`, `users/{username:lower}`.

use serde::de::value::{Error as ValueError, MapDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

/// A compiled pattern. `{name}` takes one segment; `{name..}` takes one or more, or none in a list; `:lower` folds the
/// segment to lower case before anyone sees it, for resources whose names do not depend on case; `:name` does the same and
/// takes a segment only that is a name by [`is_name`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    before: Vec<Segment>,
    rest: Option<Rest>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(&'static str),
    Parameter { name: &'static str, form: Form },
}

/// What a parameter of one segment takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Anything, as it is.
    Any,
    /// Anything, in lower case.
    Lower,
    /// A name, in lower case.
    Name,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rest {
    name: &'static str,
    fold: bool,
    after: Vec<Segment>,
}

/// What the parameters of a pattern took out of a path, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(&'static str, String)>);

impl Params {
    /// The path as the type that names its parameters; the error is a sentence for the caller.
    pub fn decode<P: DeserializeOwned>(&self) -> Result<P, String> {
        let pairs = self.0.iter().map(|(name, value)| (*name, value.as_str().into_deserializer()));
        P::deserialize(MapDeserializer::<_, ValueError>::new(pairs)).map_err(|error| error.to_string())
    }

    /// The value of one parameter.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }
}

impl Pattern {
    /// Compiles `text`, which is written in the source of an endpoint.
    pub fn new(text: &'static str) -> Self {
        let mut before = Vec::new();
        let mut rest: Option<Rest> = None;
        for part in text.split('/').filter(|part| !part.is_empty()) {
            let segment = match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                None => Segment::Literal(part),
                Some(inner) => {
                    let (inner, form) = Form::of(inner);
                    if let Some(name) = inner.strip_suffix("..") {
                        rest = Some(Rest { name, fold: form != Form::Any, after: Vec::new() });
                        continue;
                    }
                    Segment::Parameter { name: inner, form }
                }
            };
            match &mut rest {
                Some(rest) => rest.after.push(segment),
                None => before.push(segment),
            }
        }
        Self { before, rest }
    }

    /// The parameters, if `path` (without a slash at its end) fits; a list also fits with nothing for the rest.
    pub fn matches(&self, path: &str, listing: bool) -> Option<Params> {
        let segments: Vec<&str> = if path.is_empty() { Vec::new() } else { path.split('/').collect() };
        let mut params = Params::default();
        let (head, tail) = segments.split_at_checked(self.before.len())?;
        take(&self.before, head, &mut params)?;
        let Some(rest) = &self.rest else { return tail.is_empty().then_some(params) };
        let (middle, end) = tail.split_at_checked(tail.len().checked_sub(rest.after.len())?)?;
        if middle.is_empty() && !listing {
            return None;
        }
        params.0.push((rest.name, folded(&middle.join("/"), rest.fold)));
        take(&rest.after, end, &mut params)?;
        Some(params)
    }

    /// The path again, from its parameters: the one spelling that policies decide about.
    pub fn canonical(&self, params: &Params) -> String {
        let mut parts: Vec<&str> = Vec::new();
        let rest = self.rest.iter();
        let (rest_name, after) = rest.map(|rest| (rest.name, rest.after.as_slice())).next().unzip();
        parts.extend(self.before.iter().filter_map(|segment| segment.value(params)));
        parts.extend(rest_name.and_then(|name| params.value(name)));
        parts.extend(after.unwrap_or_default().iter().filter_map(|segment| segment.value(params)));
        parts.retain(|part| !part.is_empty());
        parts.join("/")
    }

    /// Whether any parameter folds its case, so that [`Pattern::canonical`] may differ from the path.
    pub fn folds(&self) -> bool {
        let folds = |segment: &Segment| matches!(segment, Segment::Parameter { form: Form::Lower | Form::Name, .. });
        self.before.iter().any(folds) || self.rest.iter().any(|rest| rest.fold || rest.after.iter().any(folds))
    }

    /// Sorts the more particular pattern first: literals before parameters before rests.
    pub(super) fn rank(&self) -> Vec<u8> {
        let kind = |segment: &Segment| match segment {
            Segment::Literal(_) => 0,
            Segment::Parameter { .. } => 1,
        };
        let mut rank: Vec<u8> = self.before.iter().map(kind).collect();
        if let Some(rest) = &self.rest {
            // `{path..}/tune` before `{path..}`.
            rank.push(if rest.after.is_empty() { 3 } else { 2 });
        }
        rank
    }
}

/// Whether `text` is one that roles and users can have as a name: ASCII letters and digits, `_`, and within `-` and `.`.
pub fn is_name(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let ends = |byte: Option<&u8>| byte.is_some_and(|byte| is_word(*byte));
    let bytes = text.as_bytes();
    ends(bytes.first()) && ends(bytes.last()) && bytes.iter().all(|byte| is_word(*byte) || matches!(byte, b'-' | b'.'))
}

/// The name of a parameter, of which `inner` is what stands between its braces, without its form.
pub fn parameter_name(inner: &str) -> &str {
    let (name, _) = Form::of(inner);
    name.strip_suffix("..").unwrap_or(name)
}

impl Form {
    /// The form that stands behind a parameter's name, and the name.
    fn of(inner: &str) -> (&str, Self) {
        if let Some(name) = inner.strip_suffix(":lower") {
            (name, Self::Lower)
        } else if let Some(name) = inner.strip_suffix(":name") {
            (name, Self::Name)
        } else {
            (inner, Self::Any)
        }
    }
}

impl Segment {
    fn value<'a>(&'a self, params: &'a Params) -> Option<&'a str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Parameter { name, .. } => params.value(name),
        }
    }
}

fn take(pattern: &[Segment], segments: &[&str], params: &mut Params) -> Option<()> {
    for (wanted, given) in pattern.iter().zip(segments) {
        match wanted {
            Segment::Literal(text) if text == given => {}
            Segment::Literal(_) => return None,
            Segment::Parameter { form: Form::Name, .. } if !is_name(given) => return None,
            Segment::Parameter { name, form } => params.0.push((name, folded(given, *form != Form::Any))),
        }
    }
    Some(())
}

fn folded(text: &str, fold: bool) -> String {
    if fold { text.to_lowercase() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(pattern: &'static str, path: &str, listing: bool) -> Option<Vec<(&'static str, String)>> {
        Pattern::new(pattern).matches(path, listing).map(|params| params.0)
    }

    #[test]
    fn segments_and_rests() {
        assert_eq!(value("config", "config", false), Some(vec![]));
        assert_eq!(value("issue/{role}", "issue/a", false), Some(vec![("role", "a".into())]));
        assert_eq!(value("issue/{role}", "issue/a/b", false), None);
        assert_eq!(value("data/{path..}", "data/a/b", false), Some(vec![("path", "a/b".into())]));
        assert_eq!(value("data/{path..}", "data", false), None);
        assert_eq!(value("data/{path..}", "data", true), Some(vec![("path", String::new())]));
        assert_eq!(value("{path..}/tune", "a/b/tune", false), Some(vec![("path", "a/b".into())]));
        assert_eq!(value("{path..}/tune", "tune", false), None);
        assert_eq!(value("", "", true), Some(vec![]));
    }

    #[test]
    fn folded_names_have_one_spelling() {
        let pattern = Pattern::new("users/{username:lower}/password");
        let params = pattern.matches("users/AdMin/password", false).unwrap();
        assert_eq!(pattern.canonical(&params), "users/admin/password");
        assert!(pattern.folds());
    }

    #[test]
    fn names_are_words_with_hyphens_and_dots_within() {
        let pattern = Pattern::new("role/{role:name}/id");
        for name in ["a", "A", "a-b", "a..b", "a--b", "_", "1", "a_", "_a"] {
            let params = pattern.matches(&format!("role/{name}/id"), false).unwrap();
            assert_eq!(params.value("role"), Some(&*name.to_lowercase()));
        }
        for name in
            ["", " ", "a b", "-a", "a-", ".", "..", "a.", "-", "a@b", "a+b", "\u{e9}", "a\u{e9}", "\u{212a}", "a\0"]
        {
            assert_eq!(pattern.matches(&format!("role/{name}/id"), false), None, "{name:?}");
        }
        assert!(pattern.folds());
    }
}
