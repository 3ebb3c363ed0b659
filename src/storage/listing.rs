//! What a list shows of the keys below a prefix, without walking the keys that it does not show.

use super::{Page, StorageError};

/// Where a walk through the keys goes after it has shown one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// To the next key.
    Next,
    /// To the first key that is not before this text; what lies between is never read.
    Seek(String),
    /// Nowhere: there is nothing more to learn.
    Stop,
}

/// A list in the making: it is shown keys in byte order and says where to look next.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    prefix: &'a str,
    limit: usize,
    start: String,
    names: Vec<String>,
}

impl<'a> Listing<'a> {
    /// A list of the names directly below `prefix`, which is empty or ends in a slash.
    pub(super) fn new(prefix: &'a str, page: &Page) -> Result<Self, StorageError> {
        if !prefix.is_empty() && !prefix.ends_with('/') {
            return Err(StorageError::BadKey);
        }
        let start = page.after.as_deref().map_or_else(|| prefix.to_owned(), |after| behind(prefix, after));
        Ok(Self { prefix, limit: page.limit.unwrap_or(usize::MAX), start, names: Vec::new() })
    }

    /// Where the walk begins; nothing if nothing is wanted.
    pub(super) fn start(&self) -> Option<&str> {
        (self.limit > 0).then_some(self.start.as_str())
    }

    /// Takes in one key and says where to go.
    pub(super) fn visit(&mut self, key: &str) -> Step {
        let Some(below) = key.strip_prefix(self.prefix) else {
            return Step::Stop;
        };
        let (name, step) = match below.split_once('/') {
            Some((folder, _)) => (format!("{folder}/"), Step::Seek(past_folder(self.prefix, folder))),
            None => (below.to_owned(), Step::Next),
        };
        self.names.push(name);
        if self.names.len() < self.limit { step } else { Step::Stop }
    }

    /// The names found.
    pub(super) fn into_names(self) -> Vec<String> {
        self.names
    }
}

/// The first text behind the name `after` and, if it is a folder, behind every key in it.
fn behind(prefix: &str, after: &str) -> String {
    match after.split_once('/') {
        Some((folder, _)) => past_folder(prefix, folder),
        // The smallest text above `after` is `after` and a NUL.
        None => format!("{prefix}{after}\0"),
    }
}

/// The first text behind every key in `folder`: `0` is the character after the slash.
fn past_folder(prefix: &str, folder: &str) -> String {
    format!("{prefix}{folder}0")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn list(keys: &BTreeSet<String>, prefix: &str, page: &Page) -> (Vec<String>, usize) {
        let mut listing = Listing::new(prefix, page).unwrap();
        let mut visited = 0;
        let mut from = listing.start().map(str::to_owned);
        while let Some(start) = from.take() {
            for key in keys.range(start..) {
                visited += 1;
                match listing.visit(key) {
                    Step::Next => {}
                    Step::Seek(next) => {
                        from = Some(next);
                        break;
                    }
                    Step::Stop => break,
                }
            }
        }
        (listing.into_names(), visited)
    }

    #[test]
    fn a_prefix_without_its_slash_is_refused() {
        assert!(matches!(Listing::new("a", &Page::all()), Err(StorageError::BadKey)));
    }

    #[test]
    fn keys_in_a_subfolder_are_not_walked() {
        let keys = (0..1000).map(|n| format!("a/b/{n}")).chain(["a/c".into()]).collect();
        let (names, visited) = list(&keys, "a/", &Page::all());
        assert_eq!(names, ["b/", "c"]);
        assert_eq!(visited, 2);
    }

    proptest! {
        #[test]
        fn a_list_is_what_a_walk_over_every_key_finds(
            keys in proptest::collection::btree_set("[a/!0\u{0}é]{1,6}", 0..40),
            prefix in prop_oneof![Just(""), Just("a/"), Just("a/a/")],
            after in proptest::option::of("[a/!0\u{0}é]{0,4}"),
            limit in proptest::option::of(0_usize..5),
        ) {
            let keys: BTreeSet<_> = keys.into_iter().filter(|key| !key.split('/').any(str::is_empty)).collect();
            let mut every = BTreeSet::new();
            for key in &keys {
                if let Some(below) = key.strip_prefix(prefix) {
                    every.insert(below.split_once('/').map_or(below.to_owned(), |(name, _)| format!("{name}/")));
                }
            }
            let expected: Vec<_> = every
                .into_iter()
                .filter(|name| after.as_ref().is_none_or(|after| name > after))
                .take(limit.unwrap_or(usize::MAX))
                .collect();
            prop_assert_eq!(list(&keys, prefix, &Page { after, limit }).0, expected);
        }
    }
}
