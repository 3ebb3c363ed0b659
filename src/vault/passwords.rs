//! Password policies: what a generated password is made of.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::barrier::{Record, Txn, View};
use crate::engine::PasswordPolicies;
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::hcl::{self, Object};
use crate::secret::SecretText;

/// A password policy as it is stored: its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordPolicyRecord {
    /// HCL: `length` and `rule "charset" { charset, min-chars }`.
    pub text: String,
}

impl Record for PasswordPolicyRecord {}

/// The password policies of one namespace.
#[derive(Debug)]
pub struct PasswordStore {
    records: View,
    entropy: Arc<dyn Entropy>,
}

/// What a password is made of.
#[derive(Debug, PartialEq, Eq)]
struct PasswordPolicy {
    length: usize,
    rules: Vec<Charset>,
}

#[derive(Debug, PartialEq, Eq)]
struct Charset {
    /// In order, each of them once.
    characters: Vec<char>,
    least: usize,
}

/// The lengths that a password may have.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=1024;
/// The longest text of a policy, in bytes. What it takes to make a password grows with it.
const LONGEST_TEXT: usize = 64 * 1024;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";

impl PasswordStore {
    /// The password policies in `records`.
    pub fn new(records: View, entropy: Arc<dyn Entropy>) -> Self {
        Self { records, entropy }
    }

    /// The policy `name`.
    pub async fn policy(&self, name: &str) -> Result<Option<PasswordPolicyRecord>> {
        self.records.get(name).await
    }

    /// The names of all policies.
    pub async fn names(&self) -> Result<Vec<String>> {
        self.records.scan("").await
    }

    /// Writes a policy, if its text is one and passwords can be made by it.
    pub fn write(&self, name: &str, record: &PasswordPolicyRecord, txn: &mut Txn) -> Result<()> {
        if record.text.len() > LONGEST_TEXT {
            return Err(Error::invalid(format!("a password policy must not be longer than {LONGEST_TEXT} bytes")));
        }
        PasswordPolicy::parse(&record.text)?.generate(&*self.entropy)?;
        self.records.put(txn, name, record)
    }

    /// Removes a policy.
    pub fn delete(&self, name: &str, txn: &mut Txn) -> Result<()> {
        self.records.delete(txn, name)
    }
}

#[async_trait]
impl PasswordPolicies for PasswordStore {
    async fn generate(&self, name: &str) -> Result<SecretText> {
        if name.is_empty() {
            return PasswordPolicy::built_in().generate(&*self.entropy);
        }
        let record = self.policy(name).await?;
        let record = record.ok_or_else(|| Error::invalid("the password policy does not exist; write it first"))?;
        PasswordPolicy::parse(&record.text)?.generate(&*self.entropy)
    }
}

/// Stands for the password policies while they cannot be read.
#[derive(Debug)]
pub(super) struct WhileSealed;

#[async_trait]
impl PasswordPolicies for WhileSealed {
    async fn generate(&self, _: &str) -> Result<SecretText> {
        Err(Error::sealed())
    }
}

impl PasswordPolicy {
    /// 20 characters with at least one of each class.
    fn built_in() -> Self {
        let rule = |characters: &str| Charset { characters: Charset::sorted(characters), least: 1 };
        Self { length: 20, rules: vec![rule(LOWER), rule(UPPER), rule(DIGITS), rule("-")] }
    }

    fn parse(text: &str) -> Result<Self> {
        let document = hcl::parse(text.as_bytes())
            .map_err(|error| Error::invalid(format!("failed to parse password policy: {error}")))?;
        let mut length = None;
        for item in document.items() {
            match item.name() {
                "length" => length = whole(item.value()),
                "rule" => {}
                _ => return Err(Error::invalid("a password policy has only the keys length and rule")),
            }
        }
        let blocks =
            document.blocks("rule", 1).map_err(|_| Error::invalid("a rule is written: rule \"charset\" { … }"))?;
        let rules =
            blocks.iter().map(|block| charset(block.labels.first().map(|label| label.text.as_str()), block.body));
        let policy = Self {
            length: length.ok_or_else(|| Error::invalid("a password policy needs a length"))?,
            rules: rules.collect::<Result<_>>()?,
        };
        policy.checked()
    }

    fn checked(self) -> Result<Self> {
        if !LENGTHS.contains(&self.length) {
            return Err(Error::invalid("the length of a password must be between 4 and 1024"));
        }
        if self.rules.is_empty() {
            return Err(Error::invalid("a password policy needs at least one rule"));
        }
        let least = self.rules.iter().try_fold(0_usize, |sum, rule| sum.checked_add(rule.least));
        if least.is_none_or(|least| least > self.length) {
            return Err(Error::invalid("the rules ask for more characters than the password has"));
        }
        Ok(self)
    }

    fn generate(&self, entropy: &dyn Entropy) -> Result<SecretText> {
        self.drawn(entropy).map(|mut password| SecretText::new(std::mem::take(&mut password)))
    }

    /// Draws for each rule what it asks for, fills up from all characters, and puts all of it in a random order. There is
    /// nothing to try again, however strict the rules are: anyone who may write a policy would have the server try.
    fn drawn(&self, entropy: &dyn Entropy) -> Result<Zeroizing<String>> {
        let mut alphabet: Vec<char> = self.rules.iter().flat_map(|rule| rule.characters.iter().copied()).collect();
        alphabet.sort_unstable();
        alphabet.dedup();
        let mut drawn = Zeroizing::new(Vec::with_capacity(self.length));
        for rule in &self.rules {
            for _ in 0..rule.least {
                drawn.push(draw(&rule.characters, entropy)?);
            }
        }
        while drawn.len() < self.length {
            drawn.push(draw(&alphabet, entropy)?);
        }
        // Fisher and Yates: each order is equally likely.
        for last in (1..drawn.len()).rev() {
            drawn.swap(last, below(last + 1, entropy)?);
        }
        let mut password = Zeroizing::new(String::with_capacity(self.length * 4));
        password.extend(drawn.iter());
        Ok(password)
    }
}

impl Charset {
    fn sorted(text: &str) -> Vec<char> {
        let mut characters: Vec<char> = text.chars().collect();
        characters.sort_unstable();
        characters.dedup();
        characters
    }
}

fn charset(kind: Option<&str>, body: &Object) -> Result<Charset> {
    if kind != Some("charset") {
        return Err(Error::invalid("the only kind of rule is charset"));
    }
    let mut rule = Charset { characters: Vec::new(), least: 0 };
    for item in body.items() {
        match item.name() {
            "charset" => rule.characters = Charset::sorted(item.value().as_text().unwrap_or_default()),
            "min-chars" | "min_chars" => {
                rule.least = whole(item.value()).ok_or_else(|| Error::invalid("min-chars must be a whole number"))?;
            }
            _ => return Err(Error::invalid("a charset rule has only the keys charset and min-chars")),
        }
    }
    if rule.characters.is_empty() || rule.characters.iter().any(|character| character.is_control()) {
        return Err(Error::invalid("a charset must have at least one character, and no control characters"));
    }
    Ok(rule)
}

fn whole(value: &hcl::Value) -> Option<usize> {
    value.as_scalar()?.parse().ok()
}

/// One of `characters`, each place equally likely.
fn draw(characters: &[char], entropy: &dyn Entropy) -> Result<char> {
    let index = below(characters.len(), entropy)?;
    characters.get(index).copied().ok_or_else(|| Error::invalid("a charset must not be empty"))
}

/// A number below `end`, each equally likely.
fn below(end: usize, entropy: &dyn Entropy) -> Result<usize> {
    let end = u32::try_from(end).unwrap_or(u32::MAX).max(1);
    let bound = u32::MAX - u32::MAX % end;
    loop {
        let random = u32::from_be_bytes(entropy.bytes()?);
        if random < bound {
            return Ok(usize::try_from(random % end).unwrap_or_default());
        }
    }
}

impl fmt::Display for PasswordPolicyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What the fuzz target runs: a password has the length and the characters that its policy asks for.
#[doc(hidden)]
pub fn fuzz(text: &str) {
    let Ok(policy) = PasswordPolicy::parse(text) else { return };
    let password = policy.drawn(&crate::entropy::SeededEntropy::new(1));
    let fits = |characters: &[char]| {
        let of = |rule: &Charset| characters.iter().filter(|character| rule.characters.contains(character)).count();
        let is_known = |character: &char| policy.rules.iter().any(|rule| rule.characters.contains(character));
        characters.len() == policy.length
            && characters.iter().all(is_known)
            && policy.rules.iter().all(|rule| of(rule) >= rule.least)
    };
    assert!(password.map_or(true, |password| fits(&password.chars().collect::<Vec<_>>())));
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn passwords_follow_their_policy() {
        let text = r#"length = 12 rule "charset" { charset = "ab" min-chars = 5 } rule "charset" { charset = "XYZ" min-chars = 2 }"#;
        let policy = PasswordPolicy::parse(text).unwrap();
        let entropy = SeededEntropy::new(4);
        for _ in 0..50 {
            let password = policy.generate(&entropy).unwrap();
            let text = password.expose();
            assert_eq!(text.len(), 12);
            assert!(text.chars().filter(|c| "ab".contains(*c)).count() >= 5, "{text}");
            assert!(text.chars().filter(|c| "XYZ".contains(*c)).count() >= 2, "{text}");
        }
        assert_eq!(PasswordPolicy::built_in().generate(&entropy).unwrap().expose().len(), 20);
    }

    /// Gives so many numbers, and no more.
    #[derive(Debug)]
    struct Rationed(AtomicUsize, SeededEntropy);

    impl Entropy for Rationed {
        fn fill(&self, bytes: &mut [u8]) -> Result<()> {
            let left = self.0.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
            left.map_err(|_| Error::internal("too much randomness was asked for"))?;
            self.1.fill(bytes)
        }
    }

    /// The strictest policy costs no more than a password of its length: whoever may write one cannot keep a core busy.
    #[test]
    fn strict_policies_cost_no_more_than_others() {
        let many: String = (0..20_000).filter_map(|number| char::from_u32(0x4e00 + number)).collect();
        let text = format!(
            "length = 1024 rule \"charset\" {{ charset = \"{many}\" min-chars = 1 }} \
             rule \"charset\" {{ charset = \"a\" min-chars = 1023 }}"
        );
        let policy = PasswordPolicy::parse(&text).unwrap();
        let entropy = Rationed(AtomicUsize::new(2 * 1024 + 100), SeededEntropy::new(1));
        let password = policy.generate(&entropy).unwrap();
        let text = password.expose();
        assert_eq!(text.chars().filter(|character| *character == 'a').count(), 1023);
        assert_eq!(text.chars().count(), 1024);
    }

    /// No character keeps its place, and each comes as often as the others.
    #[test]
    fn every_place_takes_every_character() {
        let text = r#"length = 4 rule "charset" { charset = "ab" min-chars = 1 } rule "charset" { charset = "c" min-chars = 1 }"#;
        let policy = PasswordPolicy::parse(text).unwrap();
        let entropy = SeededEntropy::new(7);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..500 {
            seen.extend(policy.generate(&entropy).unwrap().expose().char_indices());
        }
        assert_eq!(seen.len(), 4 * 3, "{seen:?}");
    }

    #[test]
    fn bad_policies_are_refused() {
        for text in [
            "",
            "length = 20",
            r#"length = 3 rule "charset" { charset = "ab" }"#,
            r#"length = 5 rule "charset" { charset = "ab" min-chars = 6 }"#,
            r#"length = 5 rule "charset" { charset = "" }"#,
            r#"length = 5 rule "other" { charset = "ab" }"#,
            r#"length = 5 rule "charset" { charset = "ab" colour = 1 }"#,
            "length = ",
            // Together more than a machine can count.
            r#"length = 20 rule "charset" { charset = "ab" min-chars = 18446744073709551615 } rule "charset" { charset = "c" min-chars = 1 }"#,
        ] {
            assert!(PasswordPolicy::parse(text).is_err(), "{text}");
        }
    }
}
