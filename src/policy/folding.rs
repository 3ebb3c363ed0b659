//! Paths that end in the name of an entity or of a group. Such a name keeps the spelling that it was given, and every
//! spelling of it leads to the same one: so rules about them hold in every spelling too. Rules whose paths are the same but
//! for case are one rule there, and add up.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::acl::Rule;

/// What the paths begin with in their namespace.
const FOLDERS: [&str; 2] = ["identity/entity/name/", "identity/group/name/"];

/// Whether the name in `path`, which begins in the namespace that is asked, does not depend on case.
pub(super) fn folds(path: &str) -> bool {
    path.starts_with("identity/") && FOLDERS.iter().any(|folder| path.starts_with(folder))
}

/// `path`, which begins with `base`, as rules of [`rules`] match it.
pub(super) fn path(path: &str, base: &str) -> String {
    // Names of namespaces do depend on case: only what comes after the folder is folded. A rule that leads there has a
    // segment for each of its folder's, whatever wildcards they are, or ends before.
    let slashes = base.matches('/').count() + FOLDERS[0].matches('/').count();
    let end = path.match_indices('/').nth(slashes - 1).map_or(path.len(), |(at, _)| at);
    let (folder, name) = path.split_at(end);
    // By itself each character has one small form; in a text the last sigma of a word has another one.
    let small = name.chars().flat_map(char::to_lowercase).map(|small| if small == 'ς' { 'σ' } else { small });
    folder.chars().chain(small).collect()
}

/// Those rules, by their folded path.
pub(super) fn rules<'r>(rules: impl Iterator<Item = &'r Rule>, base: &str) -> BTreeMap<String, Rule> {
    let mut folded = BTreeMap::new();
    for rule in rules {
        match folded.entry(path(&rule.path, base)) {
            Entry::Vacant(place) => {
                let path = place.key().clone();
                place.insert(Rule { path, ..rule.clone() });
            }
            Entry::Occupied(mut place) => {
                let known: &mut Rule = place.get_mut();
                known.terms.merge(&rule.terms);
                known.origins.extend(rule.origins.iter().cloned());
            }
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_is_folded() {
        for (text, base, wanted) in [
            ("identity/group/name/Admins", "", "identity/group/name/admins"),
            ("+/group/+/ADMINS/Of", "", "+/group/+/admins/of"),
            ("identity/Group/*", "", "identity/Group/*"),
            ("Team/identity/group/name/Admins*", "Team/", "Team/identity/group/name/admins*"),
            ("identity/entity/name/ΟΔΟΣ", "", "identity/entity/name/οδοσ"),
            ("identity/entity/name/οδος", "", "identity/entity/name/οδοσ"),
        ] {
            assert_eq!(path(text, base), wanted, "{text}");
        }
        assert!(folds("identity/group/name/A") && !folds("identity/group/id/A") && !folds("kv/identity/group/name/A"));
    }
}
