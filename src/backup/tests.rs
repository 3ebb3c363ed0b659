use std::io::Read as _;

use flate2::read::GzDecoder;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::entropy::SeededEntropy;
use crate::secret::RootKey;
use crate::storage::{Generation, Key, Lineage};
use crate::time::Timestamp;

const SALT: Salt = [7; 32];

fn key(seed: u64) -> BackupKey {
    BackupKey::derive(&RootKey::generate(&SeededEntropy::new(seed)).unwrap(), &SALT).unwrap()
}

fn meta() -> Meta {
    let created = Timestamp::from_unix_seconds(1_700_000_000);
    Meta { created, server: "0.1.0".into(), seal: json!({"config": {"version": 1}}), salt: SALT }
}

fn origin() -> Origin {
    Origin { generation: Generation { lineage: Lineage::new([3; 16]), number: 42 } }
}

type Pairs = Vec<(String, Vec<u8>)>;

fn written(records: &Pairs) -> Vec<u8> {
    let mut writer = Writer::start(Vec::new(), key(1), &meta(), origin()).unwrap();
    for (name, value) in records {
        writer.record(&Key::new(name.as_str()).unwrap(), value).unwrap();
    }
    writer.finish().unwrap().0
}

fn read(backup: &[u8], seed: u64) -> Result<(Pairs, Summary), BackupError> {
    let reader = Reader::open(backup)?;
    assert_eq!(reader.meta().seal, meta().seal);
    let mut records = reader.unlock(key(seed))?;
    assert_eq!(records.origin().unwrap(), origin());
    let mut found = Vec::new();
    while let Some((key, value)) = records.next_record()? {
        found.push((key.as_str().to_owned(), value));
    }
    assert!(records.next_record().unwrap().is_none());
    Ok((found, records.summary()))
}

fn some_records() -> Pairs {
    let sizes = [0, 1, 5, 700, 65_536, CHUNK - 30, CHUNK, 3 * CHUNK + 17, 12];
    sizes.iter().enumerate().map(|(n, size)| (format!("k/{n}"), vec![u8::try_from(n).unwrap(); *size])).collect()
}

#[test]
fn what_was_written_is_read() {
    let records = some_records();
    let backup = written(&records);
    let (found, summary) = read(&backup, 1).unwrap();
    assert_eq!(found, records);
    assert_eq!(summary.records, 9);
    assert_eq!(summary.chunks, 6);
    assert_eq!(read(&written(&Vec::new()), 1).unwrap().0, Vec::new());
}

#[test]
fn names_are_not_in_the_file() {
    let records = vec![("ns/root/mount/payroll".to_owned(), b"ciphertext".to_vec())];
    let mut unpacked = Vec::new();
    GzDecoder::new(written(&records).as_slice()).read_to_end(&mut unpacked).unwrap();
    assert!(!unpacked.windows(7).any(|window| window == b"payroll"));
    assert!(unpacked.windows(11).any(|window| window == b"arca-backup"));
}

#[test]
fn another_key_opens_nothing() {
    assert!(matches!(read(&written(&some_records()), 2), Err(BackupError::Unauthentic(_))));
}

#[test]
fn an_archive_of_something_else_is_refused() {
    for other in [&b""[..], b"x", b"PK\x03\x04 and so on, and so on", &[0x1f, 0x8b, 8, 0]] {
        assert!(Reader::open(other).is_err());
    }
    let mut archive = archive::ArchiveWriter::new(Vec::new(), Timestamp::from_unix_seconds(0));
    archive.member(META, br#"{"format":"arca-backup","version":2}"#).unwrap();
    let newer = archive.finish().unwrap();
    assert!(matches!(Reader::open(newer.as_slice()), Err(BackupError::Version(2))));
}

/// The members of the archive, for taking it apart.
fn members(backup: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = archive::ArchiveReader::new(backup);
    let mut members = Vec::new();
    while members.last().is_none_or(|(name, _)| name != SEALED) {
        let member = archive.member(usize::MAX / 2).unwrap();
        members.push((member.name, member.bytes));
    }
    members
}

fn packed(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = archive::ArchiveWriter::new(Vec::new(), meta().created);
    for (name, bytes) in members {
        archive.member(name, bytes).unwrap();
    }
    archive.finish().unwrap()
}

#[test]
fn parts_cannot_be_left_out_exchanged_or_added() {
    let records = vec![("a".to_owned(), vec![1; 700]), ("b".to_owned(), vec![2; CHUNK]), ("c".to_owned(), vec![3; 9])];
    let whole = members(&written(&records));
    assert_eq!(whole.len(), 5);
    assert!(read(&packed(&whole), 1).is_ok());
    for index in 0..whole.len() {
        let mut fewer = whole.clone();
        fewer.remove(index);
        assert!(read(&packed(&fewer), 1).is_err(), "without member {index}");
        let mut twice = whole.clone();
        twice.insert(index, whole[index].clone());
        assert!(read(&packed(&twice), 1).is_err(), "with member {index} twice");
    }
    let mut exchanged = whole.clone();
    let (first, second) = (whole[1].1.clone(), whole[2].1.clone());
    (exchanged[1].1, exchanged[2].1) = (second, first);
    assert!(matches!(read(&packed(&exchanged), 1), Err(BackupError::Unauthentic(_))));
    // A shorter backup whose sums were made to fit has the end of the longer one.
    let mut shorter: Vec<_> = whole[..2].to_vec();
    let sums: String = shorter.iter().map(|(name, bytes)| writer::sum_line(name, bytes)).collect();
    shorter.push((SUMS.to_owned(), sums.into_bytes()));
    shorter.push(whole.last().unwrap().clone());
    assert!(read(&packed(&shorter), 1).is_err());
    // What stands in clear is bound too.
    let mut foreign = whole;
    foreign[0].1 = String::from_utf8(foreign[0].1.clone()).unwrap().replace("0.1.0", "0.1.1").into_bytes();
    assert!(matches!(read(&packed(&foreign), 1), Err(BackupError::Unauthentic(_))));
}

#[test]
fn sha256sum_can_check_the_sums() {
    let members = members(&written(&some_records()));
    let (sums, rest): (Vec<_>, Vec<_>) = members.into_iter().partition(|(name, _)| name.starts_with("SHA256SUMS"));
    let expected: String = rest.iter().map(|(name, bytes)| writer::sum_line(name, bytes)).collect();
    assert_eq!(sums[0].1, expected.into_bytes());
}

#[test]
fn what_follows_the_end_is_refused() {
    let mut longer = written(&some_records());
    longer.push(0);
    assert!(matches!(read(&longer, 1), Err(BackupError::Damaged(_))));
}

#[test]
fn a_backup_that_is_cut_short_is_refused() {
    let backup = written(&vec![("a".into(), vec![1; 3000]), ("b".into(), vec![2; 10])]);
    for length in 0..backup.len() {
        assert!(read(&backup[..length], 1).is_err(), "{length} of {}", backup.len());
    }
}

proptest! {
    #[test]
    fn any_records_come_back(values in proptest::collection::btree_map("[a-z]{1,3}(/[a-z]{1,3}){0,2}", proptest::collection::vec(any::<u8>(), 0..3000), 0..30)) {
        let records: Pairs = values.into_iter().collect();
        prop_assert_eq!(read(&written(&records), 1).unwrap().0, records);
    }

    #[test]
    fn a_changed_byte_is_noticed_or_changes_nothing(at in any::<proptest::sample::Index>(), flip in 1_u8..) {
        let records: Pairs = vec![("a".into(), vec![1; 700]), ("b".into(), vec![2; 10])];
        let mut backup = written(&records);
        let at = at.index(backup.len());
        backup[at] ^= flip;
        // A few bytes of the archive's own headers mean nothing: times, owners.
        if let Ok(mut opened) = Reader::open(backup.as_slice()).and_then(|reader| reader.unlock(key(1))) {
            let mut found = Vec::new();
            let end = loop {
                match opened.next_record() {
                    Ok(Some((key, value))) => found.push((key.as_str().to_owned(), value)),
                    other => break other,
                }
            };
            prop_assert!(end.is_err() || found == records);
            prop_assert!(records.starts_with(&found));
        }
    }

    #[test]
    fn garbage_is_refused(garbage in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(Reader::open(garbage.as_slice()).is_err());
    }
}
