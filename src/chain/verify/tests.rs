use std::io::Cursor;
use std::sync::Arc;

use super::*;
use crate::chain::line::finish;
use crate::chain::{ChainWriter, NodeId, Position, Reason, Recovered, SigningKey, recover};
use crate::entropy::SeededEntropy;
use crate::time::Timestamp;

const NOW: fn() -> Timestamp = || Timestamp::from_unix_seconds(1_700_000_000);

fn key() -> Arc<SigningKey> {
    let pkcs8 = SigningKey::generate(&SeededEntropy::new(1)).unwrap();
    Arc::new(SigningKey::from_pkcs8(&pkcs8).unwrap())
}

fn writer(every: u64) -> ChainWriter {
    ChainWriter::new(NodeId::new("n1").unwrap(), "file/", "", key(), every).unwrap()
}

/// A start checkpoint, then `entries` entries, with a checkpoint after each five.
fn written(entries: u64) -> Vec<u8> {
    written_every(entries, 5)
}

fn written_every(entries: u64, every: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = writer(every);
    writer.open(&recover(&mut Cursor::new(&[])).unwrap(), None, NOW(), &mut out).unwrap();
    for number in 0..entries {
        entry(&mut writer, number, &mut out);
    }
    out
}

fn entry(writer: &mut ChainWriter, number: u64, out: &mut Vec<u8>) {
    writer.entry(format!("{{\"time\":\"t\",\"type\":\"request\",\"n\":{number}").as_bytes(), NOW(), out);
}

fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn verify(text: &[u8]) -> Report {
    verify_files(&[text], None)
}

fn verify_files(files: &[&[u8]], recorded: Option<u64>) -> Report {
    let mut verifier = Verifier::new(vec![key().verifying_key()], Start::After(Link::GENESIS));
    for file in files {
        verifier.read(&mut Cursor::new(file)).unwrap();
    }
    verifier.finish(recorded)
}

/// (line, sequence number, kind) of each finding.
fn found(report: &Report) -> Vec<(u64, Option<u64>, Kind)> {
    report.findings.iter().map(|finding| (finding.line, finding.seq, finding.kind)).collect()
}

#[test]
fn an_untouched_log_is_intact() {
    let report = verify(&written(12));
    assert_eq!(found(&report), []);
    assert!(report.is_intact());
    // One for the start, two after five entries each.
    assert_eq!(
        report.counts,
        Counts {
            files: 1,
            lines: 15,
            checkpoints: 3,
            gaps: 0,
            first_seq: Some(1),
            last_seq: Some(15),
            signed_seq: Some(13),
            unsigned_lines: 2,
        }
    );
}

#[test]
fn every_kind_of_tampering_is_named() {
    let text = written(12);
    let all = lines(&text);
    let check = |edit: &dyn Fn(&mut Vec<Vec<u8>>), expected: &[(u64, Option<u64>, Kind)]| {
        let mut edited = all.clone();
        edit(&mut edited);
        assert_eq!(found(&verify(&edited.concat())), expected);
    };
    check(&|lines| drop(lines.remove(3)), &[(4, Some(4), Kind::Removed(1))]);
    check(&|lines| drop(lines.drain(3..6)), &[(4, Some(4), Kind::Removed(3))]);
    check(&|lines| lines.swap(3, 4), &[(5, Some(4), Kind::Reordered)]);
    check(&|lines| lines.insert(4, lines[3].clone()), &[(5, Some(4), Kind::Duplicated)]);
    check(&|lines| lines.insert(9, lines[3].clone()), &[(10, Some(4), Kind::Duplicated)]);
    check(&|lines| drop(lines.remove(0)), &[(1, Some(1), Kind::Removed(1))]);
    let garble = |line: &mut Vec<u8>| line[2] ^= 1;
    check(&|lines| garble(&mut lines[3]), &[(4, Some(4), Kind::Changed)]);
    check(&|lines| lines[3] = b"no line\n".to_vec(), &[(4, None, Kind::Changed)]);
    check(&|lines| lines.insert(3, b"no line\n".to_vec()), &[(4, None, Kind::Changed)]);
    let last = all.len() - 1;
    check(&|lines| lines[last].truncate(20), &[(15, None, Kind::Torn)]);
}

#[test]
fn a_line_that_was_changed_and_hashed_anew_does_not_fit() {
    let text = written(12);
    let mut all = lines(&text);
    let before = Ending::of(all[2].trim_ascii_end()).unwrap().link();
    let mut forged = b"{\"time\":\"t\",\"type\":\"request\",\"n\":666".to_vec();
    finish(&mut forged, 0, before, &NodeId::new("n1").unwrap());
    all[3] = forged;
    assert_eq!(found(&verify(&all.concat())), [(5, Some(5), Kind::Changed)]);
}

#[test]
fn a_chain_that_was_forged_from_some_line_on_lacks_good_checkpoints() {
    let other = SigningKey::from_pkcs8(&SigningKey::generate(&SeededEntropy::new(2)).unwrap()).unwrap();
    let text = written(3);
    let forge = |key: Arc<SigningKey>, every| {
        let mut out = text.clone();
        let mut forger = ChainWriter::new(NodeId::new("n1").unwrap(), "file/", "", key, every).unwrap();
        forger.rewind(Position::at(found_last(&text)));
        for number in 0..12 {
            entry(&mut forger, number, &mut out);
        }
        found(&verify(&out))
    };
    assert!(forge(Arc::new(other), 5).contains(&(10, Some(10), Kind::UnknownKey)));
    assert_eq!(forge(key(), 1000), [(7, Some(7), Kind::CheckpointMissing)]);
}

fn found_last(text: &[u8]) -> Link {
    recover(&mut Cursor::new(text)).unwrap().last
}

#[test]
fn checkpoints_that_were_tampered_with_are_noticed() {
    let text = String::from_utf8(written(12)).unwrap();
    let all: Vec<&str> = text.lines().collect();
    let index = all.iter().position(|line| line.contains("\"interval\"")).unwrap();
    // The attacker fixes the hashes of everything that follows, but cannot sign.
    let mut out: Vec<u8> = all[..index].iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
    let node = NodeId::new("n1").unwrap();
    let mut link = Ending::of(all[index - 1].as_bytes()).unwrap().link();
    for line in &all[index..] {
        let body = line.split(",\"seq\":").next().unwrap().replace("2023-11-14", "2023-11-15");
        let start = out.len();
        out.extend_from_slice(body.as_bytes());
        link = finish(&mut out, start, link, &node);
    }
    let report = verify(&out);
    assert_eq!(report.first_violation().map(|finding| finding.kind), Some(Kind::BadSignature));
}

#[test]
fn files_in_order_are_one_chain() {
    let mut writer = writer(5);
    let mut first = Vec::new();
    writer.open(&Recovered::nothing(), None, NOW(), &mut first).unwrap();
    entry(&mut writer, 1, &mut first);
    writer.checkpoint(Reason::Rotate, NOW(), &mut first);
    let mut second = Vec::new();
    writer.open(&Recovered::after(writer.position().link()), None, NOW(), &mut second).unwrap();
    entry(&mut writer, 2, &mut second);
    writer.checkpoint(Reason::Stop, NOW(), &mut second);
    let report = verify_files(&[&first, &second], Some(6));
    assert_eq!((found(&report), report.counts.files, report.counts.last_seq), (vec![], 2, Some(6)));
    let reversed = verify_files(&[&second, &first], None);
    assert!(!reversed.is_intact());
    let mut verifier = Verifier::new(vec![key().verifying_key()], Start::Anywhere);
    verifier.read(&mut Cursor::new(&second)).unwrap();
    let report = verifier.finish(None);
    assert_eq!((report.is_intact(), report.counts.first_seq), (true, Some(4)));
    // A file that was rotated away while the server was down: the record tells where the chain goes on.
    let mut third = Vec::new();
    let recorded = writer.position().link();
    ChainWriter::new(NodeId::new("n1").unwrap(), "file/", "", key(), 5)
        .unwrap()
        .open(&Recovered::nothing(), Some(recorded), NOW(), &mut third)
        .unwrap();
    assert!(verify_files(&[&first, &second, &third], None).is_intact());
}

#[test]
fn a_writer_that_was_killed_anywhere_goes_on() {
    let text = written_every(3, 2);
    for length in 0..=text.len() {
        let mut log = text[..length].to_vec();
        let found_end = recover(&mut Cursor::new(&log)).unwrap();
        let mut writer = writer(2);
        let mut out = Vec::new();
        writer.open(&found_end, None, NOW(), &mut out).unwrap();
        entry(&mut writer, 99, &mut out);
        assert!(out.len() > 2);
        log.extend_from_slice(&out);
        let report = verify(&log);
        assert!(report.is_intact(), "{length}: {report:?}");
        assert_eq!(report.counts.gaps, u64::from(length > 0), "{length}");
        // What was torn is still there, and cannot be exchanged.
        assert!(log.starts_with(&text[..length]));
        if let Some(torn) = found_end.torn.filter(|torn| torn.bytes > 0) {
            let start = length - usize::try_from(torn.bytes).unwrap();
            log[start] ^= 1;
            let report = verify(&log);
            assert!(!report.is_intact(), "{length} {torn:?} {report:?}\n{}", String::from_utf8_lossy(&log));
        }
    }
}

#[test]
fn lines_that_are_lost_are_a_gap_on_record() {
    let text = written(3);
    let last = found_last(&text);
    let mut log = lines(&text)[..3].concat();
    let mut writer = writer(5);
    let mut out = Vec::new();
    writer.open(&recover(&mut Cursor::new(&log)).unwrap(), Some(last), NOW(), &mut out).unwrap();
    log.extend_from_slice(&out);
    let report = verify(&log);
    assert_eq!(found(&report), [(4, Some(5), Kind::Gap(1))]);
    assert!(report.is_intact());
    // Without the resume line the loss would show, and a record of the last number shows it as well.
    assert_eq!(found(&verify_files(&[&lines(&text)[..3].concat()], Some(4))), [(3, Some(4), Kind::Truncated(1))]);
}

#[test]
fn a_record_that_agrees_with_the_log_is_no_gap() {
    let (mut log, mut first) = (Vec::new(), writer(5));
    first.open(&Recovered::nothing(), None, NOW(), &mut log).unwrap();
    entry(&mut first, 1, &mut log);
    let older = first.position().link();
    first.checkpoint(Reason::Stop, NOW(), &mut log);
    for recorded in [older, first.position().link()] {
        let mut log = log.clone();
        writer(5).open(&recover(&mut Cursor::new(&log)).unwrap(), Some(recorded), NOW(), &mut log).unwrap();
        let report = verify(&log);
        assert_eq!((found(&report), report.counts.last_seq), (vec![], Some(4)), "{recorded:?}");
    }
}

#[test]
fn a_tail_that_was_rewritten_contradicts_the_record() {
    let text = written(3);
    let recorded = found_last(&text);
    let mut log = lines(&text)[..3].concat();
    let mut forger = writer(1000);
    forger.rewind(Position::at(found_last(&log)));
    entry(&mut forger, 666, &mut log);
    let mut out = Vec::new();
    writer(5).open(&recover(&mut Cursor::new(&log)).unwrap(), Some(recorded), NOW(), &mut out).unwrap();
    log.extend_from_slice(&out);
    let report = verify(&log);
    assert_eq!(report.first_violation().map(|finding| (finding.seq, finding.kind)), Some((Some(4), Kind::Changed)));
}

#[test]
fn another_nodes_lines_and_logs_are_foreign() {
    let mut out = written(1);
    let node = NodeId::new("n2").unwrap();
    let mut stranger = ChainWriter::new(node, "file/", "", key(), 5).unwrap();
    assert!(stranger.open(&recover(&mut Cursor::new(&out)).unwrap(), None, NOW(), &mut Vec::new()).is_err());
    stranger.rewind(Position::at(found_last(&out)));
    entry(&mut stranger, 1, &mut out);
    assert_eq!(found(&verify(&out)), [(3, Some(3), Kind::Foreign)]);
    let mut out = written(1);
    let mut other = ChainWriter::new(NodeId::new("n1").unwrap(), "other/", "", key(), 5).unwrap();
    other.rewind(Position::at(found_last(&out)));
    other.checkpoint(Reason::Stop, NOW(), &mut out);
    assert_eq!(found(&verify(&out)), [(3, Some(3), Kind::Foreign)]);
}

#[test]
fn a_prefix_is_part_of_the_line() {
    let mut out = Vec::new();
    let mut writer = ChainWriter::new(NodeId::new("n1").unwrap(), "file/", "@cee: ", key(), 5).unwrap();
    writer.open(&Recovered::nothing(), None, NOW(), &mut out).unwrap();
    entry(&mut writer, 1, &mut out);
    assert!(out.starts_with(b"@cee: {"));
    assert!(verify(&out).is_intact());
    out[1] ^= 1;
    assert!(!verify(&out).is_intact());
}

#[test]
fn garbage_is_reported_and_never_more_than_is_kept() {
    let report = verify(&b"x\n".repeat(5000));
    assert_eq!(report.counts.lines, 5000);
    assert!(!report.is_intact());
    let text = [written(1), b"x\n".repeat(3), written(1)].concat().repeat(600);
    let report = verify(&text);
    assert_eq!(report.findings.len(), Report::MAX_FINDINGS);
    assert!(report.violations > 1000);
    assert_eq!(verify(b"").counts.lines, 0);
}

proptest::proptest! {
    /// Whatever is done to the bytes up to the last checkpoint, it shows.
    #[test]
    fn nothing_before_the_last_checkpoint_can_be_touched(place: usize, length in 0_usize..400, filling: Vec<u8>) {
        let text = written(7);
        let all = lines(&text);
        let signed_lines = 7;
        proptest::prop_assert!(String::from_utf8_lossy(&all[signed_lines - 1]).contains("\"interval\""));
        let signed: usize = all[..signed_lines].iter().map(Vec::len).sum();
        let start = place % (signed - 1);
        let end = (start + length).min(text.len());
        let edited = [&text[..start], &filling, &text[end..]].concat();
        // Cutting off the end leaves a shorter good log, which only the vault's record tells from the whole one.
        let cut = text.starts_with(&edited);
        let report = verify_files(&[&edited], if cut { Some(9) } else { None });
        proptest::prop_assert!(edited == text || !report.is_intact(), "{start} {end} {report:?}");
    }

    #[test]
    fn any_bytes_can_be_verified_and_recovered_from(bytes: Vec<u8>, start in 0_usize..2000) {
        let text = written(3);
        let log = [&bytes, &text[start.min(text.len())..], &bytes].concat();
        verify(&log);
        let mut out = log.clone();
        let found_end = recover(&mut Cursor::new(&log)).unwrap();
        writer(5).open(&found_end, None, NOW(), &mut out).unwrap();
        proptest::prop_assert_eq!(recover(&mut Cursor::new(&out)).unwrap().torn, None);
    }
}
