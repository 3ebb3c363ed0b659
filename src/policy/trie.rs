//! Finds the best wildcard rule for a path without looking at the others.

use std::cmp::Reverse;
use std::collections::HashMap;

/// Where in the order of rules a wildcard pattern stands; the greatest that matches a path decides.
///
/// Later first wildcard, then no star at the end, then fewer plusses, then longer, then greater text. In a pattern with
/// a plus as a segment the first wildcard is its first plus sign, even one that is a part of a name, as the peer has it.
pub(super) fn rank(pattern: &str) -> impl Ord + '_ {
    let is_prefix = pattern.ends_with('*');
    let plusses = pattern.split('/').filter(|segment| *segment == "+").count();
    let star = pattern.len().saturating_sub(usize::from(is_prefix));
    let first_wildcard = if plusses > 0 { pattern.find('+').unwrap_or(star) } else { star };
    (first_wildcard, !is_prefix, Reverse(plusses), pattern.len(), pattern)
}

/// Whether a pattern has a wildcard: a star at its end, or a plus as a whole segment.
pub(super) fn is_wildcard(pattern: &str) -> bool {
    pattern.ends_with('*') || pattern.split('/').any(|segment| segment == "+")
}

/// Patterns with wildcards by their segments. A pattern's number is its rank: the greatest match wins.
#[derive(Debug)]
pub(super) struct Trie {
    /// The first is the root.
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<Box<str>, usize>,
    plus: Option<usize>,
    /// The pattern that ends here without a star.
    end: Option<usize>,
    /// What patterns that end in a star have before it in their last segment, by text.
    stars: HashMap<Box<str>, usize>,
    /// The lengths of the keys of `stars`, each once, longest first.
    star_lengths: Vec<usize>,
}

impl Trie {
    /// A trie of patterns, each with the number by which a match is known.
    pub(super) fn new<'a>(patterns: impl IntoIterator<Item = (usize, &'a str)>) -> Self {
        let mut trie = Self { nodes: vec![Node::default()] };
        for (number, pattern) in patterns {
            trie.insert(number, pattern);
        }
        for node in &mut trie.nodes {
            node.star_lengths = node.stars.keys().map(|text| text.len()).collect();
            node.star_lengths.sort_unstable_by_key(|length| Reverse(*length));
            node.star_lengths.dedup();
        }
        trie
    }

    fn insert(&mut self, number: usize, pattern: &str) {
        let (body, is_prefix) = pattern.strip_suffix('*').map_or((pattern, false), |body| (body, true));
        let (folder, last) = body.rsplit_once('/').map_or((None, body), |(folder, last)| (Some(folder), last));
        let folders = folder.into_iter().flat_map(|folder| folder.split('/'));
        let node = folders.fold(0, |node, segment| self.child(node, segment));
        let node = if is_prefix { node } else { self.child(node, last) };
        let Some(node) = self.nodes.get_mut(node) else { return };
        if is_prefix {
            node.stars.insert(last.into(), number);
        } else {
            node.end = Some(number);
        }
    }

    /// The node behind `segment`, made if it is not there.
    fn child(&mut self, node: usize, segment: &str) -> usize {
        let fresh = self.nodes.len();
        let Some(parent) = self.nodes.get_mut(node) else { return node };
        let child = if segment == "+" {
            *parent.plus.get_or_insert(fresh)
        } else {
            *parent.literals.entry(segment.into()).or_insert(fresh)
        };
        if child == fresh {
            self.nodes.push(Node::default());
        }
        child
    }

    /// The number of the best pattern that matches `path`.
    pub(super) fn best(&self, path: &str) -> Option<usize> {
        let mut best = None;
        let mut open = vec![(0, Some(path))];
        while let Some((node, rest)) = open.pop() {
            let Some(node) = self.nodes.get(node) else { continue };
            let Some(rest) = rest else {
                best = best.max(node.end);
                continue;
            };
            best = best.max(node.longest_star(rest));
            let (segment, rest) = rest.split_once('/').map_or((rest, None), |(segment, rest)| (segment, Some(rest)));
            open.extend(node.plus.map(|child| (child, rest)));
            open.extend(node.literals.get(segment).map(|child| (*child, rest)));
        }
        best
    }
}

impl Node {
    /// The number of the longest star pattern of this node that `rest` begins with.
    fn longest_star(&self, rest: &str) -> Option<usize> {
        self.star_lengths.iter().find_map(|length| self.stars.get(rest.get(..*length)?).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best<'a>(patterns: &[&'a str], path: &str) -> Option<&'a str> {
        let mut sorted = patterns.to_vec();
        sorted.sort_by(|a, b| rank(a).cmp(&rank(b)));
        let trie = Trie::new(sorted.iter().copied().enumerate());
        trie.best(path).map(|number| sorted[number])
    }

    #[test]
    fn a_star_is_a_prefix_at_the_end_only() {
        assert_eq!(best(&["kv/*"], "kv/a/b"), Some("kv/*"));
        assert_eq!(best(&["kv/*"], "kv/"), Some("kv/*"));
        assert_eq!(best(&["kv/*"], "kv"), None);
        assert_eq!(best(&["*"], ""), Some("*"));
        assert_eq!(best(&["team-*", "team-é*"], "team-éa"), Some("team-é*"));
        assert_eq!(best(&["team-é*"], "team-e"), None);
        assert_eq!(best(&["a*/x*"], "ab/x"), None);
        assert_eq!(best(&["a*/x*"], "a*/xy"), Some("a*/x*"));
    }

    #[test]
    fn a_plus_is_one_segment() {
        assert_eq!(best(&["kv/+/c"], "kv/a/c"), Some("kv/+/c"));
        for path in ["kv/c", "kv/a/b/c", "kv/a/c/d", "kv/a/c/"] {
            assert_eq!(best(&["kv/+/c"], path), None, "{path}");
        }
        assert_eq!(best(&["kv/+"], "kv/"), Some("kv/+"));
        assert_eq!(best(&["c+/+d/+"], "c+/+d/e"), Some("c+/+d/+"));
        assert_eq!(best(&["c+/+d/+"], "cx/yd/e"), None);
        assert_eq!(best(&["b/+/*"], "b/x"), None);
        assert_eq!(best(&["b/+/*"], "b/x/"), Some("b/+/*"));
        assert!(!is_wildcard("a+/b*c") && is_wildcard("a/+") && is_wildcard("a*"));
    }

    #[test]
    fn order_as_observed() {
        assert_eq!(best(&["kv1/+/x", "kv1/*"], "kv1/a/x"), Some("kv1/+/x"));
        assert_eq!(best(&["kv1/*", "kv1/+/+/z*"], "kv1/a/b/zz"), Some("kv1/*"));
        let patterns = ["p/+/x", "p/*", "p/+/+/z*", "p/+/y/*", "p/+/+/+"];
        assert_eq!(best(&patterns, "p/a/x"), Some("p/+/x"));
        assert_eq!(best(&patterns, "p/a/b/zz"), Some("p/+/+/+"));
        assert_eq!(best(&patterns, "p/a/y/z"), Some("p/+/+/+"));
        assert_eq!(best(&["foo/+", "foo/*"], "foo/a"), Some("foo/+"));
        assert_eq!(best(&["a+/+", "a+/*"], "a+/a"), Some("a+/*"));
    }
}
