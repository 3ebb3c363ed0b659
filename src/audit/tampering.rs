//! Whatever is done to the files of a log, in whatever format, shows in its verification.

use std::io::{Cursor, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use proptest::sample::Index;

use super::format::Format;
use super::log::Log;
use super::sinks::failing::MemorySink;
use crate::chain::{ChainWriter, Kind, Link, NodeId, Report, SigningKey, Start, Verifier};
use crate::entropy::SeededEntropy;
use crate::time::{ManualClock, Timestamp};

fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::from_pkcs8(&SigningKey::generate(&SeededEntropy::new(1)).unwrap()).unwrap())
}

/// The files of a log: one for each number, with so many entries.
fn files(format: Format, every: u64, counts: &[usize]) -> (Vec<Vec<u8>>, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let sink = MemorySink::new(false);
        let chain = ChainWriter::new(NodeId::new("n1").unwrap(), "file/", "", key(), every).unwrap();
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_700_000_000)));
        let log = Log::open(Box::new(sink.clone()), chain.framed(format.framing()), clock, None).unwrap();
        for (index, count) in counts.iter().enumerate() {
            if index > 0 {
                log.reopen().await.unwrap();
            }
            for number in 0..*count {
                log.enqueue(&entry(format, number)).wait().await.unwrap();
            }
        }
        log.close().await.unwrap();
        let last = log.last().await.seq;
        (sink.files(), last)
    })
}

fn entry(format: Format, number: usize) -> Vec<u8> {
    let line = format!(
        "{{\"time\":\"2023-11-14T22:13:20Z\",\"type\":\"request\",\"auth\":{{\"display_name\":\"a=b|c\"}},\
         \"request\":{{\"id\":\"{number}\",\"operation\":\"read\",\"path\":\"x\\\\y arca={{\"}}"
    );
    let Some(framing) = format.framing() else { return line.into_bytes() };
    let mut out = Vec::new();
    framing(line.as_bytes(), &mut out);
    assert_ne!(out, line.as_bytes());
    out
}

fn verify(files: &[Vec<u8>], last: u64) -> Report {
    let mut verifier = Verifier::new(vec![key().verifying_key()], Start::After(Link::GENESIS));
    for file in files {
        verifier.read(&mut Cursor::new(file)).unwrap();
    }
    verifier.finish(Some(last))
}

fn packed(files: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let pack = |file: &Vec<u8>| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(file).unwrap();
        encoder.finish().unwrap()
    };
    files.iter().map(pack).collect()
}

/// What is done to a log.
#[derive(Clone, Debug)]
enum Tampering {
    /// A byte of a line is changed, its newline included.
    Change(Index, Index, u8),
    /// A line is taken out.
    Drop(Index),
    /// Two lines change places.
    Swap(Index, Index),
    /// A line is put in a second time.
    Duplicate(Index, Index),
    /// A file is cut off somewhere.
    Truncate(Index, Index),
    /// Two files change places.
    SwapFiles(Index, Index),
    /// A file is taken out.
    DropFile(Index),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let index = any::<Index>;
    prop_oneof![
        (index(), index(), 1_u8..).prop_map(|(line, byte, mask)| Tampering::Change(line, byte, mask)),
        index().prop_map(Tampering::Drop),
        (index(), index()).prop_map(|(one, other)| Tampering::Swap(one, other)),
        (index(), index()).prop_map(|(line, to)| Tampering::Duplicate(line, to)),
        (index(), index()).prop_map(|(file, at)| Tampering::Truncate(file, at)),
        (index(), index()).prop_map(|(one, other)| Tampering::SwapFiles(one, other)),
        index().prop_map(Tampering::DropFile),
    ]
}

/// Whether a kind of finding is one that has to be there.
type Expected = fn(Kind) -> bool;

/// A line and the file that it is in.
type Line = (usize, Vec<u8>);

impl Tampering {
    /// The files after it, and what has to be among the findings.
    fn apply(&self, files: &[Vec<u8>]) -> (Vec<Vec<u8>>, Option<Expected>) {
        let mut lines = lines(files);
        let count = lines.len();
        let found: Option<Expected> = match self {
            Self::Change(line, byte, mask) => {
                let (_, line) = &mut lines[line.index(count)];
                let byte = byte.index(line.len());
                line[byte] ^= mask;
                None
            }
            Self::Drop(line) => {
                lines.remove(line.index(count));
                Some(|kind| matches!(kind, Kind::Removed(_) | Kind::Truncated(_)))
            }
            Self::Swap(one, other) => {
                let (one, other) = (one.index(count), other.index(count));
                let kept = lines[one].1.clone();
                lines[one].1 = std::mem::replace(&mut lines[other].1, kept);
                Some(|kind| kind == Kind::Reordered)
            }
            Self::Duplicate(line, to) => {
                let line = lines[line.index(count)].clone();
                let to = to.index(count);
                lines.insert(to, (lines[to].0, line.1));
                // Put in further up, it is the original that comes a second time.
                Some(|kind| matches!(kind, Kind::Duplicated | Kind::Reordered))
            }
            Self::Truncate(file, at) => {
                let mut files = files.to_vec();
                let file = file.index(files.len());
                let length = at.index(files[file].len());
                files[file].truncate(length);
                return (files, None);
            }
            Self::SwapFiles(one, other) => {
                let mut files = files.to_vec();
                let (one, other) = (one.index(files.len()), other.index(files.len()));
                files.swap(one, other);
                return (files, Some(|kind| kind == Kind::Reordered));
            }
            Self::DropFile(file) => {
                let mut files = files.to_vec();
                files.remove(file.index(files.len()));
                return (files, Some(|kind| matches!(kind, Kind::Removed(_) | Kind::Truncated(_))));
            }
        };
        (joined(&lines, files.len()), found)
    }
}

fn lines(files: &[Vec<u8>]) -> Vec<Line> {
    let of = |(index, file): (usize, &Vec<u8>)| -> Vec<Line> {
        file.split_inclusive(|byte| *byte == b'\n').map(|line| (index, line.to_vec())).collect()
    };
    files.iter().enumerate().flat_map(of).collect()
}

fn joined(lines: &[Line], files: usize) -> Vec<Vec<u8>> {
    let mut out = vec![Vec::new(); files];
    for (file, line) in lines {
        out[*file].extend_from_slice(line);
    }
    out
}

/// Whether two logs differ by newlines at the ends of files only: no line is lost then.
fn is_same(one: &[Vec<u8>], other: &[Vec<u8>]) -> bool {
    let ends = |files: &[Vec<u8>]| -> Vec<Vec<u8>> {
        files.iter().map(|file| file.strip_suffix(b"\n").unwrap_or(file).to_vec()).collect()
    };
    ends(one) == ends(other)
}

fn format() -> impl Strategy<Value = Format> {
    prop_oneof![Just(Format::Json), Just(Format::Ecs), Just(Format::Cef), Just(Format::Ocsf)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_tampering_shows_and_nothing_else_does(
        format in format(),
        every in 1_u64..9,
        counts in prop::collection::vec(0_usize..12, 1..4),
        tampering in tampering(),
        compressed: bool,
    ) {
        let (files, last) = files(format, every, &counts);
        let report = verify(&files, last);
        prop_assert!(report.is_intact() && report.counts.gaps == 0, "{report:?}");
        prop_assert_eq!(report.counts.unsigned_lines, 0);
        prop_assert_eq!(&verify(&packed(&files), last), &report);
        let (changed, expected) = tampering.apply(&files);
        let report = verify(&if compressed { packed(&changed) } else { changed.clone() }, last);
        prop_assert_eq!(is_same(&changed, &files), report.is_intact(), "{:?} {:?}", tampering, report);
        if let Some(expected) = expected.filter(|_| !report.is_intact()) {
            let kinds: Vec<Kind> = report.findings.iter().map(|finding| finding.kind).collect();
            prop_assert!(kinds.iter().any(|kind| expected(*kind)), "{:?} {:?}", tampering, kinds);
        }
    }

    #[test]
    fn a_changed_byte_is_named(format in format(), line in any::<Index>(), byte in any::<Index>(), mask in 1_u8..) {
        let (files, last) = files(format, 3, &[4, 3]);
        let mut lines = lines(&files);
        let (number, count) = (line.index(lines.len()), lines.len());
        let (file, text) = &mut lines[number];
        let (file, byte) = (*file, byte.index(text.len() - 1));
        // A newline makes two lines out of one.
        prop_assume!(text[byte] ^ mask != b'\n');
        text[byte] ^= mask;
        let first = lines.iter().position(|line| line.0 == file).unwrap_or(count);
        let report = verify(&joined(&lines, 2), last);
        let place = (file, (number - first) as u64 + 1);
        prop_assert!(report.findings.iter().any(|finding| (finding.file, finding.line) == place), "{report:?}");
    }
}
