use std::cell::RefCell;
use std::io::Cursor;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::JoinSet;

use super::*;
use crate::audit::sinks::failing::MemorySink;
use crate::chain::{NodeId, Report, SigningKey, Start, Verifier};
use crate::entropy::SeededEntropy;
use crate::schedule::{explore, turn};
use crate::time::{ManualClock, Timestamp};

fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::from_pkcs8(&SigningKey::generate(&SeededEntropy::new(1)).unwrap()).unwrap())
}

fn open(sink: &MemorySink) -> Log {
    let chain = ChainWriter::new(NodeId::new("n1").unwrap(), "file/", "", key(), 10).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1)));
    Log::open(Box::new(sink.clone()), chain, clock, None).unwrap()
}

fn verify(sink: &MemorySink) -> Report {
    let mut verifier = Verifier::new(vec![key().verifying_key()], Start::After(Link::GENESIS));
    for file in sink.files() {
        verifier.read(&mut Cursor::new(file)).unwrap();
    }
    verifier.finish(None)
}

fn entry(number: u64) -> Vec<u8> {
    format!("{{\"type\":\"request\",\"n\":{number}").into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lines_of_concurrent_requests_make_one_chain() {
    for waits in [false, true] {
        let sink = MemorySink::new(waits);
        let log = Arc::new(open(&sink));
        let mut tasks = JoinSet::new();
        for task in 0..50_u64 {
            let log = Arc::clone(&log);
            tasks.spawn(async move {
                for number in 0..10 {
                    log.enqueue(&entry(task * 100 + number)).wait().await.unwrap();
                }
            });
        }
        tasks.join_all().await;
        log.close().await.unwrap();
        let report = verify(&sink);
        assert!(report.is_intact(), "{report:?}");
        // 500 entries, a checkpoint for each ten, one for the start and one for the end.
        assert_eq!((report.counts.lines, report.counts.checkpoints, report.counts.unsigned_lines), (552, 52, 0));
        let text = String::from_utf8(sink.files().concat()).unwrap();
        for task in 0..50 {
            let places: Vec<_> =
                (0..10).map(|number| text.find(&format!("\"n\":{},", task * 100 + number)).unwrap()).collect();
            assert!(places.is_sorted(), "lines of one request are out of order");
        }
    }
}

#[tokio::test]
async fn requests_that_wait_together_share_a_write() {
    let sink = MemorySink::new(false);
    let log = open(&sink);
    let before = sink.disk.lock().unwrap().appends;
    let tickets: Vec<_> = (0..20).map(|number| log.enqueue(&entry(number))).collect();
    for ticket in tickets {
        ticket.wait().await.unwrap();
    }
    assert_eq!(sink.disk.lock().unwrap().appends, before + 1);
}

#[tokio::test]
async fn a_full_disk_fails_the_requests_and_leaves_no_hole() {
    let sink = MemorySink::new(false);
    let log = open(&sink);
    log.enqueue(&entry(1)).wait().await.unwrap();
    let last = log.last().await;
    sink.fill(true);
    let tickets: Vec<_> = (2..5).map(|number| log.enqueue(&entry(number))).collect();
    for ticket in tickets {
        assert!(matches!(*ticket.wait().await.unwrap_err(), SinkError::Io(_)));
    }
    assert_eq!(log.last().await, last);
    sink.fill(false);
    log.enqueue(&entry(5)).wait().await.unwrap();
    let report = verify(&sink);
    assert!(report.is_intact(), "{report:?}");
    assert_eq!(report.counts.last_seq, Some(last.seq + 1));
}

#[tokio::test]
async fn a_caller_who_hangs_up_loses_no_line() {
    let sink = MemorySink::new(false);
    let log = open(&sink);
    drop(log.enqueue(&entry(1)));
    log.enqueue(&entry(2)).wait().await.unwrap();
    drop(log.enqueue(&entry(3)));
    log.close().await.unwrap();
    let text = String::from_utf8(sink.files().concat()).unwrap();
    assert!((1..=3).all(|number| text.contains(&format!("\"n\":{number},"))));
    assert!(verify(&sink).is_intact());
    assert!(matches!(*log.enqueue(&entry(4)).wait().await.unwrap_err(), SinkError::Closed));
}

#[tokio::test]
async fn a_rotation_goes_on_in_the_next_file() {
    let sink = MemorySink::new(false);
    let log = open(&sink);
    log.enqueue(&entry(1)).wait().await.unwrap();
    log.reopen().await.unwrap();
    log.enqueue(&entry(2)).wait().await.unwrap();
    log.close().await.unwrap();
    let report = verify(&sink);
    assert!(report.is_intact(), "{report:?}");
    assert_eq!((report.counts.files, report.counts.lines), (2, 6));
    assert!(log.reopen().await.is_err());
}

/// How much of each append reaches the disk before the writer is killed.
#[tokio::test]
async fn a_restart_goes_on_after_a_crash() {
    let sink = MemorySink::new(false);
    let crashes = AtomicU64::new(0);
    for round in 0..30 {
        let log = open(&sink);
        log.enqueue(&entry(round)).wait().await.unwrap();
        drop(log);
        let mut disk = sink.disk.lock().unwrap();
        let file = disk.files.last_mut().unwrap();
        let cut = usize::try_from(round * 7).unwrap() % 200;
        file.truncate(file.len() - cut);
        crashes.fetch_add(1, Ordering::SeqCst);
    }
    let log = open(&sink);
    log.close().await.unwrap();
    let report = verify(&sink);
    assert!(report.is_intact(), "{report:?}");
    assert_eq!(report.counts.gaps, crashes.load(Ordering::SeqCst));
}

/// The numbers of the entries on record, in their order.
fn on_record(sink: &MemorySink) -> Vec<u64> {
    let text = String::from_utf8(sink.files().concat()).unwrap();
    let number = |line: &str| line.split_once("\"n\":")?.1.split(',').next()?.parse().ok();
    text.lines().filter_map(number).collect()
}

/// What requests were told, and in which order their entries were queued.
#[derive(Default)]
struct Told {
    queued: Vec<u64>,
    recorded: Vec<u64>,
    refused: Vec<u64>,
}

#[test]
fn in_every_order_each_line_is_there_once_and_nobody_waits_for_ever() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    explore(150, |tasks| {
        let sink = MemorySink::new(false);
        let (log, told) = (Rc::new(open(&sink)), Rc::new(RefCell::new(Told::default())));
        for (first, is_fickle) in [(10, false), (20, false), (30, true)] {
            let (log, told, sink) = (log.clone(), told.clone(), sink.clone());
            let request = async move {
                for number in [first, first + 1] {
                    let ticket = log.enqueue(&entry(number));
                    told.borrow_mut().queued.push(number);
                    turn().await;
                    if ticket.wait().await.is_ok() {
                        assert!(on_record(&sink).contains(&number), "{number} is not on record");
                        told.borrow_mut().recorded.push(number);
                    } else {
                        told.borrow_mut().refused.push(number);
                    }
                }
            };
            if is_fickle { tasks.add_fickle("a fickle request", request) } else { tasks.add("a request", request) }
        }
        let disk = sink.clone();
        tasks.add("the disk", async move {
            turn().await;
            disk.fill(true);
            turn().await;
            disk.fill(false);
        });
        let runtime = &runtime;
        move || {
            runtime.block_on(log.close()).unwrap();
            let (told, report) = (told.take(), verify(&sink));
            assert!(report.is_intact(), "{report:?}");
            let unheard = |number: &u64| !told.recorded.contains(number) && !told.refused.contains(number);
            let found = on_record(&sink);
            let there = |number: &u64| told.recorded.contains(number) || (unheard(number) && found.contains(number));
            assert_eq!(found, told.queued.iter().copied().filter(there).collect::<Vec<_>>());
        }
    });
}
