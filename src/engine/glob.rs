//! Patterns in which `*` stands for any text; everything else is itself.

/// Whether `text` fits `pattern`. Takes time in the product of their lengths at most, whatever they are.
pub fn fits_glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return text.is_empty() };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(found) = rest.find(part) else { return false };
        rest = rest.get(found + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::fits_glob;
    use proptest::prelude::*;

    #[test]
    fn patterns() {
        for (pattern, text) in
            [("a", "a"), ("*", ""), ("*", "a/b"), ("a*", "a"), ("*.b", "a.b"), ("a*c*e", "abcde"), ("", "")]
        {
            assert!(fits_glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("a", "A"), ("a", "ab"), ("", "a"), ("a*a", "a"), ("*.b", "a.bc"), ("w?b", "web"), ("a*c*c", "abc")]
        {
            assert!(!fits_glob(pattern, text), "{pattern} {text}");
        }
    }

    /// The definition: a star takes nothing, or one more character.
    fn by_definition(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, _) => text.is_empty(),
            (Some(('*', rest)), None) => by_definition(rest, text),
            (Some(('*', rest)), Some((_, tail))) => by_definition(rest, text) || by_definition(pattern, tail),
            (Some(_), None) => false,
            (Some((wanted, rest)), Some((given, tail))) => wanted == given && by_definition(rest, tail),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*]{0,7}", text in "[ab]{0,8}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(fits_glob(&pattern, &text), by_definition(&p, &t));
        }
    }
}
