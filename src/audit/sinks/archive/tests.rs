use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::audit::log::Log;
use crate::audit::sinks::{FileOptions, FileSink};
use crate::chain::{ChainWriter, Link, NodeId, Report, SigningKey, Start, Verifier};
use crate::entropy::SeededEntropy;
use crate::time::ManualClock;

/// A log in a folder of its own.
struct Place {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    options: BTreeMap<String, String>,
}

fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::from_pkcs8(&SigningKey::generate(&SeededEntropy::new(1)).unwrap()).unwrap())
}

impl Place {
    fn new(options: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log").display().to_string();
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let options = options.chain([("file_path".to_owned(), path)]).collect();
        Self { folder, clock: Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_700_000_000))), options }
    }

    fn options(&self) -> FileOptions {
        FileOptions::parse(&self.options).unwrap()
    }

    fn open(&self, recorded: Option<Link>) -> Log {
        let sink = FileSink::open(&self.options()).unwrap();
        let chain = ChainWriter::new(NodeId::new("n1").unwrap(), "file/", "", key(), 5).unwrap();
        Log::open(Box::new(sink), chain, self.clock.clone(), recorded).unwrap()
    }

    fn archive(&self) -> Archive {
        Archive::new(&self.folder.path().join("audit.log"), self.options().rotation)
    }

    /// The names of all files in order.
    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Looks after the files until that is done: the log does so too, and a file is looked after by one at a time.
    async fn keep_house(&self, done: impl Fn(&[String]) -> bool) -> Vec<String> {
        for _ in 0..500 {
            self.archive().keep_house();
            let names = self.names();
            if done(&names) {
                return names;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it was never done: {:?}", self.names());
    }

    /// Verifies the files that were put away, oldest first, and the one that is written to.
    fn verify(&self, start: Start) -> Report {
        let mut names = self.names();
        names.retain(|name| !name.starts_with('.'));
        names.rotate_left(1);
        let mut verifier = Verifier::new(vec![key().verifying_key()], start);
        for name in names {
            verifier.read(&mut Cursor::new(fs::read(self.path(&name)).unwrap())).unwrap();
        }
        verifier.finish(None)
    }

    fn is_whole(&self) -> Report {
        let report = self.verify(Start::After(Link::GENESIS));
        assert!(report.is_intact() && report.counts.gaps == 0, "{report:?}");
        report
    }
}

async fn write(log: &Log, entries: usize) {
    for _ in 0..entries {
        log.enqueue(format!("{{\"type\":\"request\",\"text\":\"{}\"", "x".repeat(500)).as_bytes())
            .wait()
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_file_that_becomes_too_large_is_put_away() {
    let place = Place::new(&[("rotate_bytes", "4096")]);
    let log = place.open(None);
    write(&log, 40).await;
    log.close().await.unwrap();
    let names = place.names();
    assert!(names.len() > 5, "{names:?}");
    assert_eq!(names[0], "audit.log");
    assert_eq!(names[1], "audit.log.20231114T221320.000000Z");
    for name in &names {
        let path = place.path(name);
        // Behind the last entry comes the checkpoint that closes the file.
        assert!(fs::metadata(&path).unwrap().len() < 4096 + 1024, "{name}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(is_closed(&recover(&mut File::open(&path).unwrap()).unwrap()), "{name}");
    }
    place.is_whole();
}

#[tokio::test]
async fn a_file_that_is_too_old_is_put_away_with_the_next_entry() {
    let place = Place::new(&[("rotate_duration", "24h")]);
    let log = place.open(None);
    write(&log, 2).await;
    place.clock.advance(Duration::from_hours(23));
    write(&log, 1).await;
    assert_eq!(place.names().len(), 1);
    // The age is that of the file, whoever has opened it.
    log.close().await.unwrap();
    drop(log);
    let log = place.open(None);
    place.clock.advance(Duration::from_hours(1));
    write(&log, 1).await;
    assert_eq!(place.names(), ["audit.log", "audit.log.20231115T221320.000000Z"]);
    place.clock.advance(Duration::from_hours(30));
    write(&log, 1).await;
    assert_eq!(place.names().len(), 3);
    place.is_whole();
}

#[tokio::test]
async fn files_are_compressed_and_the_oldest_deleted() {
    let place = Place::new(&[("rotate_bytes", "4KiB"), ("rotate_compress", "gzip"), ("rotate_max_files", "2")]);
    let log = place.open(None);
    write(&log, 40).await;
    log.close().await.unwrap();
    let done = |names: &[String]| names.len() == 3 && names[1..].iter().all(|name| name.ends_with("Z.gz"));
    let names = place.keep_house(done).await;
    assert_eq!(fs::metadata(place.path(&names[1])).unwrap().permissions().mode() & 0o777, 0o600);
    let report = place.verify(Start::Anywhere);
    assert!(report.is_intact() && report.counts.first_seq > Some(1), "{report:?}");
}

#[tokio::test]
async fn a_log_has_what_it_put_away_looked_after_without_being_told() {
    let place = Place::new(&[("rotate_bytes", "4KiB"), ("rotate_compress", "gzip")]);
    let log = place.open(None);
    write(&log, 30).await;
    for _ in 0..500 {
        if place.names().iter().any(|name| name.ends_with("Z.gz")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing was compressed: {:?}", place.names());
}

#[tokio::test]
async fn compression_can_be_interrupted_anywhere() {
    let place = Place::new(&[("rotate_bytes", "4096"), ("rotate_compress", "gzip")]);
    let piece = Piece { stamp: Stamp::of(Timestamp::from_unix_seconds(1)), compressed: false };
    let archive = place.archive();
    let log = place.open(None);
    write(&log, 5).await;
    log.close().await.unwrap();
    drop(log);
    fs::rename(place.path("audit.log"), archive.name(&piece)).unwrap();
    // In the middle of compressing: half a file under a name that nobody looks for.
    fs::write(archive.temporary(&piece), b"half").unwrap();
    archive.keep_house();
    assert_eq!(place.names(), ["audit.log.19700101T000001.000000Z.gz"]);
    // Behind the last rename: both are there, and the plain one goes.
    let packed = fs::read(place.path("audit.log.19700101T000001.000000Z.gz")).unwrap();
    let mut plain = Vec::new();
    io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut plain).unwrap();
    fs::write(archive.name(&piece), &plain).unwrap();
    archive.keep_house();
    assert_eq!(place.names(), ["audit.log.19700101T000001.000000Z.gz"]);
    // A compressed file that is not the same replaces nothing.
    fs::write(archive.name(&piece), &plain).unwrap();
    fs::write(place.path("audit.log.19700101T000001.000000Z.gz"), &packed[..packed.len() - 20]).unwrap();
    archive.keep_house();
    assert_eq!(place.names().len(), 2);
    assert_eq!(fs::read(archive.name(&piece)).unwrap(), plain);
}

#[tokio::test]
async fn what_no_checkpoint_closes_is_neither_deleted_nor_compressed() {
    let place = Place::new(&[("rotate_bytes", "4096"), ("rotate_compress", "gzip"), ("rotate_max_files", "1")]);
    let log = place.open(None);
    write(&log, 30).await;
    log.close().await.unwrap();
    place.keep_house(|names| names.len() == 2 && names[1].ends_with("Z.gz")).await;
    fs::write(place.path("audit.log.20000101T000000.000000Z"), b"cut sho").unwrap();
    fs::write(place.path("audit.log.20000101T000001.000000Z.gz"), b"\x1f\x8bcut").unwrap();
    fs::write(place.path("audit.log.old"), b"someone else's").unwrap();
    place.archive().keep_house();
    let names = place.names();
    assert_eq!(names.len(), 5, "{names:?}");
}

#[tokio::test]
async fn a_kill_between_two_files_loses_no_line() {
    let place = Place::new(&[("rotate_bytes", "4096")]);
    for compressed in [false, true] {
        let log = place.open(None);
        write(&log, 10).await;
        let recorded = log.last().await;
        write(&log, 3).await;
        log.close().await.unwrap();
        drop(log);
        // As it is behind the rename and before the first line of the new file.
        let archive = place.archive();
        let away = archive.next_name(Timestamp::from_unix_seconds(1_700_000_000)).unwrap();
        fs::rename(place.path("audit.log"), &away).unwrap();
        if compressed {
            let mut options = place.options().rotation;
            options.compress = true;
            Archive::new(&place.path("audit.log"), options).keep_house();
            assert!(!away.exists());
        } else {
            fs::write(place.path("audit.log"), b"").unwrap();
        }
        // The record is older than the file's end: it must not lead to numbers that are there already.
        let log = place.open(Some(recorded));
        write(&log, 1).await;
        log.close().await.unwrap();
        place.is_whole();
    }
}

#[tokio::test]
async fn a_clock_that_goes_back_keeps_the_order_of_names() {
    let place = Place::new(&[("rotate_bytes", "4096")]);
    let archive = place.archive();
    let late = archive.next_name(Timestamp::from_unix_seconds(2_000)).unwrap();
    fs::write(&late, b"").unwrap();
    let next = archive.next_name(Timestamp::from_unix_seconds(1_000)).unwrap();
    assert!(next > late, "{next:?}");
    assert!(next.ends_with("audit.log.19700101T003320.000001Z"));
}

#[tokio::test]
async fn a_folder_that_takes_no_new_file_does_not_stop_the_log() {
    let place = Place::new(&[("rotate_bytes", "4096")]);
    let log = place.open(None);
    write(&log, 3).await;
    // The next name is that of a folder: the file cannot be renamed to it.
    let inside = place.archive().next_name(Timestamp::from_unix_seconds(1_700_000_000)).unwrap();
    let taken = place.archive();
    fs::create_dir(&inside).unwrap();
    fs::write(inside.join("x"), b"").unwrap();
    let next = taken.next_name(Timestamp::from_unix_seconds(1_700_000_000)).unwrap();
    assert!(next > inside);
    write(&log, 30).await;
    log.close().await.unwrap();
    fs::remove_dir_all(&inside).unwrap();
    place.is_whole();
}
