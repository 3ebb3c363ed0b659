//! The chain that tells whether a database is as new as what was acknowledged.
//!
//! Every transaction carries a [`Link`]: its number, and a MAC over the number, the MAC of the transaction before it
//! and the digest of what it writes. The number and MAC of the last acknowledged transaction are also in a small file
//! of its own beside the database, the [`Witness`], together with the random key of the MACs. The order is: commit in
//! the database, sync the witness, acknowledge. So a sound database is at the witness, or one transaction ahead of it
//! if the process ended in between.
//!
//! At opening a database is refused if it is behind the witness, ahead of it by more than that one transaction, if its
//! link has no valid MAC, or if it does not follow from the link that the witness saw. This detects
//!
//! - a database that lost its end: what a disk did not write although it said so, a truncated log that recovery took
//!   for a shorter one, the database file of an older backup beside the witness of today, or the reverse;
//! - a database file of another store.
//!
//! It does not detect
//!
//! - a roll-back of the whole folder, witness and all: nothing in the folder remembers. Checkpoints that are kept
//!   elsewhere do ([`super::Generation`]). A store that a backup was restored into has a chain of its own;
//! - forgery by someone who can write to the folder: the key lies in the witness, in clear. It is there so that links
//!   of different stores, and of a store and its successor of the same name, do not fit each other;
//! - damage to records that an earlier transaction wrote: the chain speaks about the newest transaction. Records are
//!   protected by the barrier's authenticated encryption, which notices a changed one and not a missing one.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use ring::{digest, hmac};

use super::writer::Changes;
use super::{Lineage, StorageError};
use crate::entropy::Entropy;

/// The file's three parts each have a disk sector (of the largest usual size) of their own, so that writing one cannot
/// tear another.
const SECTOR: usize = 4096;
/// What a witness begins with: its purpose and the version of its format.
const MAGIC: &[u8; 32] = b"arca storage witness, version 1\n";
const HASH: usize = 32;

type Hash = [u8; HASH];

/// One transaction of the chain, as it is stored inside that transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// 0 for the creation of the store, then one more for each transaction.
    number: u64,
    /// The MAC of the link before; zeros in the first.
    previous: Hash,
    /// SHA-256 of what the transaction writes.
    content: Hash,
    mac: Hash,
}

impl Link {
    /// The length of a stored link in bytes.
    pub(super) const LEN: usize = 8 + 3 * HASH;

    /// Which transaction of the chain this is.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The link as it is stored: number (big endian), previous MAC, content digest, MAC.
    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        let Self { number, previous, content, mac } = self;
        let mut bytes = [0; Self::LEN];
        let parts = [number.to_be_bytes().as_slice(), &previous, &content, &mac].concat();
        bytes.copy_from_slice(&parts);
        bytes
    }

    /// The link out of its stored form; nothing for anything of another length. Its MAC is not looked at.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (number, rest) = bytes.split_first_chunk()?;
        let (previous, rest) = rest.split_first_chunk()?;
        let (content, rest) = rest.split_first_chunk()?;
        let (mac, rest) = rest.split_first_chunk()?;
        let link = Self { number: u64::from_be_bytes(*number), previous: *previous, content: *content, mac: *mac };
        rest.is_empty().then_some(link)
    }
}

/// The file of a witness, as it is written.
pub(super) trait WitnessFile: Send + 'static {
    /// Writes all of `bytes` at `offset`.
    fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Syncs what was written.
    fn sync(&self) -> io::Result<()>;
}

impl WitnessFile for File {
    fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// What was acknowledged last, in a file of its own.
pub(super) struct Witness {
    file: Box<dyn WitnessFile>,
    key: hmac::Key,
    number: u64,
    mac: Hash,
}

impl Witness {
    /// Creates the file at `path`, which must not exist, with a new key, and the first link of its chain.
    pub(super) fn create(path: &Path, entropy: &dyn Entropy) -> Result<(Self, Link), StorageError> {
        let secret: [u8; 32] = entropy.bytes().map_err(|error| StorageError::Failed(Box::new(error)))?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let first = link(&key, 0, [0; HASH], content(&Changes::new()));
        let mut header = [MAGIC.as_slice(), &secret].concat();
        header.extend_from_slice(digest::digest(&digest::SHA256, &header).as_ref());
        header.resize(SECTOR, 0);
        let mut options = OpenOptions::new();
        let file =
            options.read(true).write(true).create_new(true).mode(0o600).open(path).map_err(StorageError::from_io)?;
        file.write_all_at(&header, 0).map_err(StorageError::from_io)?;
        let witness = Self { file: Box::new(file), key, number: 0, mac: first.mac };
        // Both slots, so that the file has its full length from now on.
        witness.write(&Link { number: 1, ..first }, 0)?;
        witness.write(&first, 0)?;
        // With its length; all else of it is settled with the folder.
        witness.file.sync().map_err(StorageError::from_io)?;
        Ok((witness, first))
    }

    /// Opens the file at `path`. One slot may be torn, for the process may have ended while it was written.
    pub(super) fn open(path: &Path) -> Result<Self, StorageError> {
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                damaged("its witness file is missing; restore the database and the witness file of one backup")
            } else {
                StorageError::from_io(error)
            }
        })?;
        let mut bytes = Vec::new();
        // One sector more than a witness has, so that a longer file is noticed.
        (&file).take(4 * SECTOR as u64).read_to_end(&mut bytes).map_err(StorageError::from_io)?;
        let (key, (number, mac)) = newest(&bytes).ok_or_else(|| damaged("its witness file cannot be read"))?;
        Ok(Self { file: Box::new(file), key, number, mac })
    }

    /// The same over another file, for test instruments: `through` puts something in front of its own.
    pub(super) fn over(self, through: impl FnOnce(Box<dyn WitnessFile>) -> Box<dyn WitnessFile>) -> Self {
        Self { file: through(self.file), ..self }
    }

    /// Names the chain: a digest of its key.
    pub(super) fn lineage(&self) -> Lineage {
        let mut bytes = [0; Lineage::LEN];
        for (byte, digest) in bytes.iter_mut().zip(hmac::sign(&self.key, &labelled(b"lineage", b"")).as_ref()) {
            *byte = *digest;
        }
        Lineage::new(bytes)
    }

    /// The link of a transaction that writes `changes` after the last one.
    pub(super) fn next(&self, changes: &Changes) -> Link {
        link(&self.key, self.number.saturating_add(1), self.mac, content(changes))
    }

    /// Compares the newest link of a database with what was acknowledged, and catches up if it is the one transaction
    /// ahead that a crash explains.
    pub(super) fn admit(&mut self, newest: &Link) -> Result<(), StorageError> {
        let Link { number, previous, content, mac } = *newest;
        if link(&self.key, number, previous, content).mac != mac {
            return Err(damaged("its newest commit is not of this store, or was altered"));
        }
        if number < self.number {
            return Err(damaged(
                "it is older than what was acknowledged; restore the database and the witness file of one backup",
            ));
        }
        if number == self.number && mac == self.mac {
            return Ok(());
        }
        if Some(number) == self.number.checked_add(1) && previous == self.mac {
            return self.record(newest);
        }
        Err(damaged(
            "it does not follow what was acknowledged; restore the database and the witness file of one backup",
        ))
    }

    /// Notes that the transaction of `link` is durable; on disk when this returns.
    pub(super) fn record(&mut self, link: &Link) -> Result<(), StorageError> {
        self.write(link, link.number)?;
        // After a failed sync nobody knows what is on the disk: never "full", which would be tried again.
        self.file.sync().map_err(StorageError::failed)?;
        self.number = link.number;
        self.mac = link.mac;
        Ok(())
    }

    /// Writes the slot of `link`, which holds `number`. The slots take turns, so one is always whole.
    fn write(&self, link: &Link, number: u64) -> Result<(), StorageError> {
        let mut slot = [number.to_be_bytes().as_slice(), &link.mac].concat();
        slot.extend_from_slice(hmac::sign(&self.key, &labelled(b"witness", &slot)).as_ref());
        let sector = if link.number.is_multiple_of(2) { 1 } else { 2 };
        slot.resize(SECTOR, 0);
        self.file.write(&slot, sector * SECTOR as u64).map_err(StorageError::from_io)
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Witness").field("number", &self.number).finish_non_exhaustive()
    }
}

/// The key of a witness file, and the newer of its slots that are whole.
fn newest(bytes: &[u8]) -> Option<(hmac::Key, (u64, Hash))> {
    let (secret, slots) = parse(bytes)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let newest = slots.into_iter().filter_map(|slot| seen(&key, slot)).max_by_key(|(number, _)| *number)?;
    Some((key, newest))
}

/// The key and the two slots of a witness file.
fn parse(bytes: &[u8]) -> Option<(&[u8], [&[u8]; 2])> {
    let (header, slots) = bytes.split_at_checked(SECTOR)?;
    let (even, odd) = slots.split_at_checked(SECTOR)?;
    let (signed, rest) = header.split_at_checked(MAGIC.len() + HASH)?;
    let sum = digest::digest(&digest::SHA256, signed);
    let secret = signed.strip_prefix(MAGIC)?;
    (odd.len() == SECTOR && rest.starts_with(sum.as_ref())).then_some((secret, [even, odd]))
}

/// The number and MAC in a slot; nothing if it was torn.
fn seen(key: &hmac::Key, slot: &[u8]) -> Option<(u64, Hash)> {
    let (signed, rest) = slot.split_at_checked(8 + HASH)?;
    hmac::verify(key, &labelled(b"witness", signed), rest.get(..HASH)?).ok()?;
    let (number, mac) = signed.split_first_chunk()?;
    Some((u64::from_be_bytes(*number), mac.try_into().ok()?))
}

fn link(key: &hmac::Key, number: u64, previous: Hash, content: Hash) -> Link {
    let text = [number.to_be_bytes().as_slice(), &previous, &content].concat();
    let mac = hash(hmac::sign(key, &labelled(b"link", &text)).as_ref());
    Link { number, previous, content, mac }
}

/// SHA-256 of `changes`, in the order of their keys, each part after its length.
fn content(changes: &Changes) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    for (key, value) in changes {
        context.update(&key.as_str().len().to_be_bytes());
        context.update(key.as_str().as_bytes());
        match value {
            Some(value) => {
                context.update(&[1]);
                context.update(&value.len().to_be_bytes());
                context.update(value);
            }
            None => context.update(&[0]),
        }
    }
    hash(context.finish().as_ref())
}

/// `text` after a label, so that a MAC for one purpose is none for another.
fn labelled(label: &[u8], text: &[u8]) -> Vec<u8> {
    [b"arca storage ".as_slice(), label, b":", text].concat()
}

fn hash(bytes: &[u8]) -> Hash {
    let mut hash = [0; HASH];
    hash.copy_from_slice(bytes);
    hash
}

fn damaged(why: &str) -> StorageError {
    StorageError::Damaged(why.to_owned())
}

/// What the fuzz target runs: a link is read as what is written of it, and a witness's slots (two times [`SECTOR`] bytes,
/// here below a header that is whole) tell nothing that was not signed.
#[doc(hidden)]
pub fn fuzz(input: &[u8]) {
    if let Some(link) = Link::from_bytes(input) {
        assert_eq!(link.to_bytes().as_slice(), input);
    }
    let mut header = [MAGIC.as_slice(), &[7; 32]].concat();
    header.extend_from_slice(digest::digest(&digest::SHA256, &header).as_ref());
    header.resize(SECTOR, 0);
    let (even, odd) = input.split_at(input.len() / 2);
    let slots = [even, odd].map(|slot| {
        let mut slot = slot.to_vec();
        slot.resize(SECTOR, 0);
        slot
    });
    let file = [header, slots.concat()].concat();
    assert!(newest(input).is_none() && newest(file.get(1..).unwrap_or_default()).is_none());
    if let Some((key, (number, mac))) = newest(&file) {
        let signed = [number.to_be_bytes().as_slice(), &mac].concat();
        let tag = hmac::sign(&key, &labelled(b"witness", &signed));
        let whole = [signed.as_slice(), tag.as_ref()].concat();
        assert!(slots.iter().any(|slot| slot.starts_with(&whole)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::storage::Key;

    fn changes(value: &[u8]) -> Changes {
        Changes::from([(Key::new("k").unwrap(), Some(value.to_vec()))])
    }

    fn created() -> (TempDir, std::path::PathBuf, Witness, Link) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("witness");
        let (witness, first) = Witness::create(&path, &SeededEntropy::new(1)).unwrap();
        (dir, path, witness, first)
    }

    #[test]
    fn the_witness_remembers_the_last_link() {
        let (_dir, path, mut witness, first) = created();
        Witness::open(&path).unwrap().admit(&first).unwrap();
        for value in 0..5 {
            let link = witness.next(&changes(&[value]));
            witness.record(&link).unwrap();
            let mut opened = Witness::open(&path).unwrap();
            assert_eq!(opened.number, u64::from(value) + 1);
            opened.admit(&link).unwrap();
        }
    }

    #[test]
    fn only_the_link_that_was_seen_or_the_one_after_it_is_admitted() {
        let (_dir, path, mut witness, first) = created();
        let second = witness.next(&changes(b"2"));
        witness.record(&second).unwrap();
        let third = witness.next(&changes(b"3"));
        let refused = |link: &Link| {
            let error = Witness::open(&path).unwrap().admit(link).unwrap_err();
            assert!(matches!(error, StorageError::Damaged(_)));
        };
        refused(&first);
        // Another transaction of the same number, as after a roll-back that went on from there.
        refused(&link(&witness.key, 1, first.mac, content(&changes(b"other"))));
        refused(&link(&witness.key, 2, first.mac, content(&changes(b"3"))));
        refused(&link(&witness.key, 3, third.mac, content(&changes(b"4"))));
        for part in 0..Link::LEN {
            let mut bytes = third.to_bytes();
            bytes[part] ^= 1;
            refused(&Link::from_bytes(&bytes).unwrap());
        }
        Witness::open(&path).unwrap().admit(&second).unwrap();
        Witness::open(&path).unwrap().admit(&third).unwrap();
        refused(&second);
    }

    #[test]
    fn a_torn_slot_leaves_the_other() {
        let (_dir, path, mut witness, _) = created();
        let second = witness.next(&changes(b"2"));
        witness.record(&second).unwrap();
        let third = witness.next(&changes(b"3"));
        let before = std::fs::read(&path).unwrap();
        witness.record(&third).unwrap();
        let after = std::fs::read(&path).unwrap();
        for cut in 0..8 + 2 * HASH {
            let mut torn = before.clone();
            torn[SECTOR..SECTOR + cut].copy_from_slice(&after[SECTOR..SECTOR + cut]);
            std::fs::write(&path, torn).unwrap();
            Witness::open(&path).unwrap().admit(&third).unwrap();
        }
    }

    #[test]
    fn what_a_transaction_writes_decides_its_content() {
        let key = |text| Key::new(text).unwrap();
        let contents = [
            Changes::new(),
            changes(b""),
            changes(b"v"),
            Changes::from([(key("k"), None)]),
            Changes::from([(key("kv"), Some(vec![]))]),
            Changes::from([(key("k"), Some(vec![])), (key("v"), None)]),
        ]
        .map(|changes| content(&changes));
        for (index, one) in contents.iter().enumerate() {
            assert!(contents[index + 1..].iter().all(|other| one != other));
        }
    }

    #[test]
    fn a_cut_or_lengthened_witness_is_refused() {
        let (_dir, path, ..) = created();
        let sound = std::fs::read(&path).unwrap();
        for length in (0..sound.len()).step_by(61) {
            std::fs::write(&path, &sound[..length]).unwrap();
            assert!(matches!(Witness::open(&path), Err(StorageError::Damaged(_))), "{length}");
        }
        std::fs::write(&path, [sound.as_slice(), &[0]].concat()).unwrap();
        assert!(matches!(Witness::open(&path), Err(StorageError::Damaged(_))));
    }

    #[test]
    fn a_header_with_any_bit_changed_is_refused() {
        let (_dir, path, ..) = created();
        let sound = std::fs::read(&path).unwrap();
        for at in 0..MAGIC.len() + 2 * HASH {
            let mut changed = sound.clone();
            changed[at] ^= 0x10;
            std::fs::write(&path, changed).unwrap();
            assert!(matches!(Witness::open(&path), Err(StorageError::Damaged(_))), "{at}");
        }
    }

    proptest! {
        #[test]
        fn a_link_is_read_as_it_was_written(bytes in proptest::collection::vec(any::<u8>(), 0..2 * Link::LEN)) {
            let written = Link::from_bytes(&bytes).map(|link| link.to_bytes().to_vec());
            prop_assert_eq!(written, (bytes.len() == Link::LEN).then_some(bytes));
        }

        #[test]
        fn garbage_is_no_witness(bytes in proptest::collection::vec(any::<u8>(), 0..3 * SECTOR + 2)) {
            prop_assert!(parse(&bytes).is_none());
        }
    }
}
