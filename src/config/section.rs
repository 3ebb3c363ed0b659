//! Tables of keys: each section is one, and reading, defaults, the example file and the docs all come from it.

use std::collections::HashMap;

use super::error::{ConfigError, Place, Warning};
use super::source::Entry;
use super::value::Setting;
use crate::hcl::{self, Value};

/// What a section may have.
#[derive(Debug)]
pub(super) struct Schema {
    /// Its keys, in the order of the example.
    pub(super) keys: &'static [KeyDoc],
    /// Blocks in it, which have tables of their own.
    pub(super) blocks: &'static [&'static str],
    /// What OpenBao or Vault know here and this server has no use for.
    pub(super) ignored: &'static [&'static str],
}

/// A key, for people.
#[derive(Debug)]
pub(super) struct KeyDoc {
    pub(super) name: &'static str,
    /// Lines, each with a blank at its start.
    pub(super) docs: &'static [&'static str],
    pub(super) initial: Initial,
}

/// What a key is if the file does not have it. Values are spelled as in the file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Initial {
    /// This.
    Default(&'static str),
    /// Nothing; the example shows this, commented out.
    Unset(&'static str),
    /// Nothing, and most need it; the example shows this.
    Wanted(&'static str),
}

/// The values of one section by key.
pub(super) struct Found<'a>(HashMap<&'a str, (&'a Value, Entry<'a>)>);

impl Schema {
    /// Sorts the entries of a section by key. A key that comes twice counts as it was written last.
    pub(super) fn collect<'a>(
        &self,
        entries: &[Entry<'a>],
        warnings: &mut Vec<Warning>,
    ) -> Result<Found<'a>, ConfigError> {
        let mut found = HashMap::new();
        for entry in entries {
            let name = entry.item.name();
            let place = entry.place(entry.item.position());
            if self.keys.iter().any(|key| key.name == name) {
                if !entry.item.labels().is_empty() {
                    return Err(ConfigError::at(&place, format!("{name} is a key with a value, not a block")));
                }
                if let Some((_, before)) = found.insert(name, (entry.item.value(), *entry))
                    && before.file == entry.file
                {
                    let message = format!("{name} is set twice in this file; the last one counts");
                    warnings.push(Warning { place, message });
                }
            } else if self.ignored.contains(&name) {
                warnings.push(Warning { place, message: format!("{name} has no effect on this server") });
            } else if !self.blocks.contains(&name) {
                return Err(self.unknown(name, &place));
            }
        }
        Ok(Found(found))
    }

    fn unknown(&self, name: &str, place: &Place) -> ConfigError {
        let shown: String = name.chars().take(64).flat_map(char::escape_debug).collect();
        let names = self.keys.iter().map(|key| key.name).chain(self.blocks.iter().copied());
        let nearest = names.map(|known| (distance(name, known), known)).min();
        match nearest {
            Some((edits, known)) if edits <= 1 + known.len() / 5 => {
                ConfigError::at(place, format!("unknown key \"{shown}\"; did you mean \"{known}\"?"))
            }
            _ => ConfigError::at(place, format!("unknown key \"{shown}\"; remove it")),
        }
    }
}

impl Found<'_> {
    /// The value of a key, or what it is without one.
    pub(super) fn setting<T: Setting>(&self, key: &KeyDoc) -> Result<T, ConfigError> {
        let name = key.name;
        if let Some((value, entry)) = self.0.get(name) {
            let fail = |what| ConfigError::at(&entry.place(value.position), format!("{name}: {what}"));
            return T::read(value).map_err(fail);
        }
        let initial = match key.initial {
            Initial::Default(spelling) => read_spelling(spelling),
            Initial::Unset(_) | Initial::Wanted(_) => T::unset(),
        };
        initial.ok_or_else(|| ConfigError::general(format!("{name} must be set")))
    }
}

/// Reads a value as it would be spelled in a file.
fn read_spelling<T: Setting>(spelling: &str) -> Option<T> {
    let document = hcl::parse(format!("key = {spelling}").as_bytes()).ok()?;
    T::read(document.items().first()?.value()).ok()
}

/// How many characters must be changed, added or dropped to make `b` out of `a`; more than 64 is not counted on.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (above, left) in a.chars().take(64).enumerate() {
        let mut diagonal = above;
        let mut before = above + 1;
        let mut next = vec![before];
        for (right, straight) in b.iter().zip(row.iter().skip(1)) {
            before = (diagonal + usize::from(left != *right)).min(straight + 1).min(before + 1);
            diagonal = *straight;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// Makes a section: the struct of its values as they are in the file, its table, and how to read it.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $name:ident {
            $( $(#[doc = $doc:literal])+ $field:ident: $type:ty = $initial:expr, )+
        }
        blocks $blocks:expr;
        ignored $ignored:expr;
    ) => {
        $(#[doc = $about])+
        #[derive(Debug)]
        pub(super) struct $name {
            $( $(#[doc = $doc])+ pub(super) $field: $type, )+
        }

        impl $name {
            /// The keys of this section.
            pub(super) const SCHEMA: $crate::config::section::Schema = $crate::config::section::Schema {
                keys: &[$( Self::$field ),+],
                blocks: $blocks,
                ignored: $ignored,
            };

            $(
                #[expect(non_upper_case_globals, reason = "named like the field and the key")]
                const $field: $crate::config::section::KeyDoc = $crate::config::section::KeyDoc {
                    name: stringify!($field),
                    docs: &[$($doc),+],
                    initial: $initial,
                };
            )+

            /// Reads the section.
            pub(super) fn read(
                entries: &[$crate::config::source::Entry<'_>],
                warnings: &mut Vec<$crate::config::error::Warning>,
            ) -> Result<Self, $crate::config::error::ConfigError> {
                let found = Self::SCHEMA.collect(entries, warnings)?;
                Ok(Self { $( $field: found.setting(&Self::$field)?, )+ })
            }
        }
    };
}

pub(super) use section;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, edits) in
            [("", "", 0), ("a", "", 1), ("adress", "address", 1), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }
}
