//! A hash of a set of records that is renewed with each change, whatever their number: MSet-Add-Hash of Clarke, Devadas,
//! van Dijk, Gassend and Suh, "Incremental Multiset Hash Functions and Their Application to Memory Integrity Checking"
//! (ASIACRYPT 2003), over the integers modulo p = 2^61 − 1.
//!
//! A record has a value v = (v₀, v₁): two elements out of HMAC-SHA-256 of its key and of what tells its ciphertext from every
//! other. The hash has the sums of v₀ and v₁ over all records. Two sets that differ have the same sums with a probability of p⁻²,
//! about 2^-122, for whoever does not know the HMAC's key and does not see the sums. Each ciphertext is another, by its
//! nonce, and a change takes away the value of what it finds and adds that of what it leaves: so a wrong value that it finds stays in
//! the sums, and nothing that was ever written makes up for it.
//!
//! **Names.** Besides, the hash has the sums of v₀ times each of some numbers that make up the key: its length, its
//! bytes, seven to a number, and a keyed hash of it; of the last also times v₁. If what is there differs from what should be
//! there in one record, each of these sums differs by the same multiple of that number, and the key can be read
//! off. If it differs in several, the two hashes that come out of v₀ and v₁ are equal with a probability of 1/p only.

use ring::hmac;
use zeroize::{DefaultIsZeroes, Zeroize};

use crate::storage::Key;

use super::envelope;

/// The modulus, a Mersenne prime.
const P: u64 = (1 << 61) - 1;
/// Bytes of a key in one element.
const LETTERS: usize = 7;
/// Elements for the bytes of a key.
const WORDS: usize = 36;
/// So many bytes of a key can be read off; of a longer one its beginning.
const NAMED: usize = WORDS * LETTERS;

/// An integer modulo [`P`].
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Element(u64);

impl DefaultIsZeroes for Element {}

/// The hash of a set of records. As secret as the key of its [`Hasher`].
#[derive(Clone, PartialEq, Eq)]
pub(super) struct MultisetHash {
    records: u64,
    /// Two sums of values.
    values: [Element; 2],
    /// Those of the values times the hash of the key.
    marks: [Element; 2],
    /// That of v₀ times the length of the key.
    length: Element,
    /// Those of v₀ times the bytes of the key.
    words: [Element; WORDS],
}

/// Makes values out of records.
pub(super) struct Hasher(hmac::Key);

/// The one record in which two sets differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// Its key.
    Whole(String),
    /// How its key begins, which is too long to be named as a whole.
    Beginning(String),
}

impl MultisetHash {
    /// Its length in bytes.
    pub(super) const LEN: usize = 8 * (1 + 2 + 2 + 1 + WORDS);

    /// The hash of no records.
    pub(super) const fn empty() -> Self {
        let zero = Element(0);
        Self { records: 0, values: [zero; 2], marks: [zero; 2], length: zero, words: [zero; WORDS] }
    }

    /// How many records it is of, as far as it was told of all of them.
    pub(super) fn records(&self) -> u64 {
        self.records
    }

    /// What is at `key` changes from `before` to `after`; nothing is no record.
    pub(super) fn change(&mut self, hasher: &Hasher, key: &Key, before: Option<&[u8]>, after: Option<&[u8]>) {
        if before == after {
            return;
        }
        let value = |stored: Option<&[u8]>| stored.map_or([Element(0); 2], |stored| hasher.value(key, stored));
        let ([old0, old1], [new0, new1]) = (value(before), value(after));
        let (delta0, delta1) = (new0.minus(old0), new1.minus(old1));
        let mark = hasher.mark(key.as_str());
        let gone = u64::from(before.is_some());
        self.records = self.records.wrapping_add(u64::from(after.is_some())).wrapping_sub(gone);
        let Self { records: _, values, marks, length, words } = self;
        let [value0, value1] = values;
        value0.add(delta0);
        value1.add(delta1);
        let [mark0, mark1] = marks;
        mark0.add(delta0.times(mark));
        mark1.add(delta1.times(mark));
        length.add(delta0.times(Element::new(key.as_str().len() as u64)));
        for (sum, word) in words.iter_mut().zip(spelt(key.as_str())) {
            sum.add(delta0.times(word));
        }
    }

    /// What this one has more than `other`.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let mut difference = self.clone();
        difference.records = self.records.wrapping_sub(other.records);
        for (mine, theirs) in difference.elements_mut().zip(other.elements()) {
            *mine = mine.minus(theirs);
        }
        difference
    }

    /// Taken as a difference: the record in which the two sets differ, if it is one.
    pub(super) fn name(&self, hasher: &Hasher) -> Option<Name> {
        let ([value0, value1], [mark0, mark1]) = (self.values, self.marks);
        let (inverse0, inverse1) = (value0.inverse()?, value1.inverse()?);
        let mark = mark0.times(inverse0);
        if mark != mark1.times(inverse1) {
            return None;
        }
        let length = usize::try_from(self.length.times(inverse0).0).ok().filter(|length| *length <= Key::MAX_LEN)?;
        let mut bytes = Vec::with_capacity(NAMED);
        for word in &self.words {
            let [0, letters @ ..] = word.times(inverse0).0.to_be_bytes() else { return None };
            bytes.extend_from_slice(&letters);
        }
        bytes.truncate(length);
        if length > NAMED {
            return Some(Name::Beginning(String::from_utf8_lossy(&bytes).into_owned()));
        }
        let name = String::from_utf8(bytes).ok()?;
        (hasher.mark(&name) == mark).then_some(Name::Whole(name))
    }

    /// The form in which it is kept: the number of records and the elements, each 8 bytes, big endian.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.records.to_be_bytes());
        for element in self.elements() {
            out.extend_from_slice(&element.0.to_be_bytes());
        }
    }

    /// Reads what [`MultisetHash::write`] wrote; nothing for anything else.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != Self::LEN {
            return None;
        }
        let mut numbers =
            bytes.chunks_exact(8).filter_map(|chunk| chunk.first_chunk().copied().map(u64::from_be_bytes));
        let mut hash = Self { records: numbers.next()?, ..Self::empty() };
        for (element, number) in hash.elements_mut().zip(numbers) {
            *element = Some(Element(number)).filter(|element| element.0 < P)?;
        }
        Some(hash)
    }

    fn elements(&self) -> impl Iterator<Item = Element> {
        let Self { records: _, values, marks, length, words } = self;
        values.iter().chain(marks).chain([length]).chain(words).copied()
    }

    fn elements_mut(&mut self) -> impl Iterator<Item = &mut Element> {
        let Self { records: _, values, marks, length, words } = self;
        values.iter_mut().chain(marks).chain([length]).chain(words)
    }
}

impl Drop for MultisetHash {
    fn drop(&mut self) {
        for element in self.elements_mut() {
            element.zeroize();
        }
    }
}

impl Hasher {
    /// With the key of the ledger.
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// What `stored` at `key` counts for. A ciphertext is told from every other by its tag.
    fn value(&self, key: &Key, stored: &[u8]) -> [Element; 2] {
        let (kind, rest): (u8, &[u8]) = match envelope::tag(stored) {
            Some(tag) => (1, tag),
            None => (2, stored),
        };
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&[kind]);
        context.update(&(key.as_str().len() as u64).to_be_bytes());
        context.update(key.as_str().as_bytes());
        context.update(rest);
        halves(&context.sign())
    }

    fn mark(&self, key: &str) -> Element {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&[3]);
        context.update(key.as_bytes());
        let [mark, _] = halves(&context.sign());
        mark
    }
}

/// An element out of each half of a hash, so close to evenly spread that nobody tells the difference.
fn halves(tag: &hmac::Tag) -> [Element; 2] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(tag.as_ref());
    let number = |half: Option<&[u8; 16]>| Element::reduced(u128::from_be_bytes(half.copied().unwrap_or_default()));
    [number(bytes.first_chunk()), number(bytes.last_chunk())]
}

/// The bytes of a key, seven to an element; those that are missing count as zeros.
fn spelt(key: &str) -> impl Iterator<Item = Element> {
    key.as_bytes().chunks(LETTERS).map(|letters| {
        let shift = 8 * (LETTERS - letters.len());
        Element(letters.iter().fold(0, |word, letter| word << 8 | u64::from(*letter)) << shift)
    })
}

impl Element {
    fn new(number: u64) -> Self {
        Self::reduced(u128::from(number))
    }

    fn reduced(number: u128) -> Self {
        // 2^61 is 1: the digits to this base are added up, twice.
        let once = (number & u128::from(P)) + (number >> 61);
        let twice = (once & u128::from(P)) + (once >> 61);
        let thrice = u64::try_from((twice & u128::from(P)) + (twice >> 61)).unwrap_or_default();
        Self(if thrice >= P { thrice - P } else { thrice })
    }

    fn plus(self, other: Self) -> Self {
        let sum = self.0 + other.0;
        Self(if sum >= P { sum - P } else { sum })
    }

    fn add(&mut self, other: Self) {
        *self = self.plus(other);
    }

    fn minus(self, other: Self) -> Self {
        self.plus(Self(if other.0 == 0 { 0 } else { P - other.0 }))
    }

    fn times(self, other: Self) -> Self {
        Self::reduced(u128::from(self.0) * u128::from(other.0))
    }

    /// The element that gives 1 times this one; nothing for 0. By Fermat's little theorem.
    fn inverse(self) -> Option<Self> {
        let (mut power, mut base, mut exponent) = (Self(1), self, P - 2);
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = power.times(base);
            }
            base = base.times(base);
            exponent >>= 1;
        }
        (self.0 != 0).then_some(power)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::secret::LedgerKey;

    fn hasher() -> Hasher {
        Hasher::new(LedgerKey::generate(&SeededEntropy::new(1)).unwrap().expose())
    }

    fn key(name: &str) -> Key {
        Key::new(name).unwrap()
    }

    fn of<'a>(records: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> MultisetHash {
        let mut hash = MultisetHash::empty();
        for (name, value) in records {
            hash.change(&hasher(), &key(name), None, Some(value));
        }
        hash
    }

    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![Just(0), Just(1), Just(P - 1), 0..P]
    }

    /// Chance does not come by these: what is left of them is P once, which is 0.
    #[test]
    fn multiples_of_p_are_zero() {
        let p = u128::from(P);
        for times in [1, 2, 3, p - 1, p, p + 1, u128::MAX / p] {
            let numbers = [times * p - 1, times * p, (times * p).saturating_add(1)];
            assert_eq!(numbers.map(|number| u128::from(Element::reduced(number).0)), numbers.map(|number| number % p));
        }
    }

    proptest! {
        #[test]
        fn arithmetic_is_that_of_integers_modulo_p(a in number(), b in number(), wide in any::<u128>()) {
            let (p, x, y) = (u128::from(P), u128::from(a), u128::from(b));
            let (a, b) = (Element(a), Element(b));
            prop_assert_eq!(u128::from(a.plus(b).0), (x + y) % p);
            prop_assert_eq!(u128::from(a.minus(b).0), (x + p - y) % p);
            prop_assert_eq!(u128::from(a.times(b).0), x * y % p);
            prop_assert_eq!(u128::from(Element::reduced(wide).0), wide % p);
            prop_assert_eq!(a.inverse().map(|inverse| a.times(inverse).0), (a.0 != 0).then_some(1));
        }

        #[test]
        fn changes_in_any_order_come_to_what_is_there_in_the_end(
            changes in proptest::collection::vec((0_u8..12, proptest::option::of(any::<[u8; 3]>())), 0..60)
        ) {
            let (mut hash, mut model) = (MultisetHash::empty(), BTreeMap::<String, Vec<u8>>::new());
            for (name, value) in changes {
                let name = format!("ns/root/{name}");
                let before = model.get(&name).cloned();
                hash.change(&hasher(), &key(&name), before.as_deref(), value.as_ref().map(<[u8; 3]>::as_slice));
                match value {
                    Some(value) => model.insert(name, value.to_vec()),
                    None => model.remove(&name),
                };
            }
            let expected = of(model.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
            prop_assert!(hash == expected);
            prop_assert_eq!(hash.records(), model.len() as u64);
        }

        #[test]
        fn the_one_record_that_differs_is_named(
            name in "[a-z]{1,9}(/[a-zäöü%\u{0}\u{10ffff}]{1,40}){0,8}",
            before in proptest::option::of(any::<[u8; 40]>()),
            after in proptest::option::of(any::<[u8; 40]>()),
        ) {
            prop_assume!(before != after);
            let others = of([("ns/root/a", b"1".as_slice()), ("ns/root/b", b"2")]);
            let (mut expected, mut found) = (others.clone(), others);
            expected.change(&hasher(), &key(&name), None, before.as_ref().map(<[u8; 40]>::as_slice));
            found.change(&hasher(), &key(&name), None, after.as_ref().map(<[u8; 40]>::as_slice));
            let named = found.minus(&expected).name(&hasher());
            if name.len() <= NAMED {
                prop_assert_eq!(named, Some(Name::Whole(name)));
            } else {
                let Some(Name::Beginning(beginning)) = named else { panic!("{named:?}") };
                prop_assert!(name.starts_with(beginning.trim_end_matches(char::REPLACEMENT_CHARACTER)));
            }
        }

        #[test]
        fn several_records_that_differ_are_not_taken_for_one(
            names in proptest::collection::btree_set("ns/root/[a-c]{1,3}", 2..5), value in any::<[u8; 40]>(),
        ) {
            let found = of(names.iter().map(|name| (name.as_str(), value.as_slice())));
            prop_assert_eq!(found.minus(&MultisetHash::empty()).name(&hasher()), None);
        }

        #[test]
        fn it_is_read_as_it_was_written_and_nothing_else_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let read = MultisetHash::read(&bytes);
            prop_assert!(read.is_none() || bytes.len() == MultisetHash::LEN);
        }
    }

    #[test]
    fn its_form_is_exact() {
        let hash = of([("ns/root/a", b"1".as_slice())]);
        let mut bytes = Vec::new();
        hash.write(&mut bytes);
        assert_eq!(bytes.len(), MultisetHash::LEN);
        assert!(MultisetHash::read(&bytes).unwrap() == hash);
        for cut in 0..bytes.len() {
            assert!(MultisetHash::read(&bytes[..cut]).is_none(), "cut at {cut}");
        }
        for number in 1..MultisetHash::LEN / 8 {
            let mut beyond = bytes.clone();
            beyond[number * 8..][..8].copy_from_slice(&P.to_be_bytes());
            assert!(MultisetHash::read(&beyond).is_none(), "element {number} is no element");
        }
    }

    #[test]
    fn a_long_name_is_told_by_its_beginning() {
        for (length, is_whole) in [(NAMED, true), (NAMED + 1, false), (Key::MAX_LEN, false)] {
            let name = "n".repeat(length);
            let expected = if is_whole { Name::Whole(name.clone()) } else { Name::Beginning("n".repeat(NAMED)) };
            assert_eq!(of([(name.as_str(), b"1".as_slice())]).name(&hasher()), Some(expected));
        }
    }

    #[test]
    fn another_key_makes_another_hash() {
        let other = Hasher::new(LedgerKey::generate(&SeededEntropy::new(2)).unwrap().expose());
        let mut hash = MultisetHash::empty();
        hash.change(&other, &key("a"), None, Some(b"1"));
        assert!(hash != of([("a", b"1".as_slice())]));
        assert!(hash.name(&hasher()).is_none(), "it cannot be read without its key");
    }

    #[test]
    fn ciphertexts_count_by_their_tags_and_everything_else_as_a_whole() {
        let ciphertext = |body: u8, tag: u8| [[1, 0, 0, 0, 1].as_slice(), &[9; 12], &[body; 4], &[tag; 16]].concat();
        let value = |stored: &[u8]| hasher().value(&key("a"), stored);
        assert!(value(&ciphertext(1, 1)) == value(&ciphertext(2, 1)), "one that was changed so does not open");
        assert!(value(&ciphertext(1, 1)) != value(&ciphertext(1, 2)));
        assert!(value(b"{\"a\":1,\"the same end\":true}") != value(b"{\"a\":2,\"the same end\":true}"));
        assert!(hasher().value(&key("a"), b"bc") != hasher().value(&key("ab"), b"c"));
    }
}
