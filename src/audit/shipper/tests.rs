use std::path::Path;
use std::sync::Mutex;

use async_trait::async_trait;
use tempfile::TempDir;

use super::*;
use crate::audit::spool::{Bounds, SpoolWriter, WhenFull};
use crate::chain::{ChainWriter, NodeId, SigningKey};
use crate::entropy::SeededEntropy;
use crate::time::{ManualClock, Timestamp};

/// Another machine that does what it is told.
#[derive(Debug, Default)]
struct Collector {
    lines: Vec<String>,
    /// What happens to the next batches; after that they are taken.
    script: VecDeque<Does>,
    attempts: usize,
}

#[derive(Debug)]
enum Does {
    Fails,
    /// Takes the lines and loses the answer.
    TakesAndFails,
    /// Takes the first line, and asks for the others again.
    TakesOne,
    Refuses,
    /// Says nothing at all.
    Hangs,
}

struct Script {
    collector: Arc<Mutex<Collector>>,
    lost: Arc<Notify>,
    acknowledged: bool,
    batch: usize,
}

#[async_trait]
impl Delivery for Script {
    fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    fn batch_bytes(&self) -> usize {
        self.batch
    }

    async fn send(&mut self, lines: &[u8]) -> Result<Receipt, DeliveryError> {
        let text: Vec<String> = std::str::from_utf8(lines).unwrap().lines().map(str::to_owned).collect();
        let does = {
            let mut collector = self.collector.lock().unwrap();
            collector.attempts += 1;
            collector.script.pop_front()
        };
        let take = |lines: &[String]| self.collector.lock().unwrap().lines.extend_from_slice(lines);
        match does {
            None => take(&text),
            Some(Does::Fails) => return Err(DeliveryError::new("it failed")),
            Some(Does::TakesAndFails) => {
                take(&text);
                return Err(DeliveryError::new("it failed"));
            }
            Some(Does::TakesOne) => {
                take(&text[..1]);
                let again = text[1..].iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect();
                return Ok(Receipt { again, refused: Vec::new() });
            }
            Some(Does::Refuses) => {
                let refuse = |line: &String| Refusal { line: line.clone().into_bytes(), reason: "no".to_owned() };
                return Ok(Receipt { again: Vec::new(), refused: text.iter().map(refuse).collect() });
            }
            Some(Does::Hangs) => std::future::pending().await,
        }
        Ok(Receipt::default())
    }

    async fn lost(&mut self) {
        self.lost.notified().await;
    }

    async fn close(&mut self) -> bool {
        true
    }
}

struct Fixture {
    writer: SpoolWriter,
    shipper: Shipper,
    collector: Arc<Mutex<Collector>>,
    lost: Arc<Notify>,
}

fn start(folder: &Path, acknowledged: bool, script: Vec<Does>) -> Fixture {
    start_settling(folder, acknowledged, script, SETTLED)
}

fn start_settling(folder: &Path, acknowledged: bool, script: Vec<Does>, settled: Duration) -> Fixture {
    let bounds = Bounds { max_bytes: 1 << 20, full: WhenFull::Block, durable: false };
    let (writer, cursor) = Spool::open(folder, bounds, Arc::default()).unwrap();
    let collector = Arc::new(Mutex::new(Collector { script: script.into(), ..Collector::default() }));
    let lost = Arc::new(Notify::new());
    let delivery = Script { collector: collector.clone(), lost: lost.clone(), acknowledged, batch: 30 };
    let shipper = Shipper::start(Work {
        device: "siem/".to_owned(),
        spool: writer.spool().clone(),
        cursor,
        delivery: Box::new(delivery),
        settled,
        clock: Arc::new(ManualClock::new(Timestamp::from_unix_seconds(9))),
        entropy: Arc::new(SeededEntropy::new(3)),
    });
    Fixture { writer, shipper, collector, lost }
}

impl Fixture {
    fn append(&mut self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            self.writer.append(format!("line {number}\n").as_bytes()).unwrap();
        }
    }

    fn lines(&self) -> Vec<String> {
        self.collector.lock().unwrap().lines.clone()
    }

    async fn until(&self, what: impl Fn(&Self) -> bool) {
        for _ in 0..4000 {
            if what(self) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!("it never came: {:?}", self.lines());
    }

    async fn finish(self) {
        tokio::task::spawn_blocking(move || self.shipper.finish()).await.unwrap();
    }
}

fn numbered(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|number| format!("line {number}")).collect()
}

#[tokio::test]
async fn lines_arrive_in_order_and_leave_the_spool() {
    let folder = TempDir::new().unwrap();
    let mut fixture = start(folder.path(), true, Vec::new());
    fixture.append(0..10);
    fixture.until(|fixture| fixture.lines().len() == 10).await;
    fixture.append(10..20);
    fixture.until(|fixture| fixture.writer.spool().gauges().read().spool_lines == 0).await;
    assert_eq!(fixture.lines(), numbered(0..20));
    let state = fixture.writer.spool().gauges().read();
    assert!(state.connected && state.last_error.is_none());
    assert_eq!(state.last_delivery, Some(Timestamp::from_unix_seconds(9)));
}

#[tokio::test]
async fn failures_are_tried_again_and_no_line_is_passed_over() {
    let folder = TempDir::new().unwrap();
    let script = vec![Does::Fails, Does::TakesAndFails, Does::TakesOne, Does::Fails, Does::Refuses];
    let mut fixture = start(folder.path(), true, script);
    fixture.append(0..3);
    fixture.until(|fixture| fixture.writer.spool().gauges().read().spool_lines == 0).await;
    // A batch has three lines at most. One that was taken without anyone hearing of it comes twice; of one that was
    // taken in part, only the rest comes again, and here that is refused.
    let taken = fixture.lines();
    let refused = std::fs::read_to_string(folder.path().join("refused.log")).unwrap();
    let mut all: Vec<&str> = taken.iter().map(String::as_str).chain(refused.lines()).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all, numbered(0..3));
    let state = fixture.writer.spool().gauges().read();
    assert!(state.refused > 0 && state.connected);
    assert_eq!(state.last_error, Some(Timestamp::from_unix_seconds(9)));
}

#[tokio::test]
async fn without_acknowledgements_what_is_not_settled_is_sent_again_when_the_connection_ends() {
    let folder = TempDir::new().unwrap();
    let mut fixture = start(folder.path(), false, Vec::new());
    fixture.append(0..4);
    fixture.until(|fixture| fixture.lines().len() == 4).await;
    assert_eq!(fixture.writer.spool().gauges().read().spool_lines, 4);
    fixture.lost.notify_one();
    fixture.until(|fixture| fixture.lines().len() == 8).await;
    assert_eq!(fixture.lines(), [numbered(0..4), numbered(0..4)].concat());
}

#[tokio::test]
async fn without_acknowledgements_lines_settle_after_a_while() {
    let folder = TempDir::new().unwrap();
    let settled = Duration::from_millis(300);
    let mut fixture = start_settling(folder.path(), false, Vec::new(), settled);
    fixture.append(0..4);
    let begun = Instant::now();
    fixture.until(|fixture| fixture.writer.spool().gauges().read().spool_lines == 0).await;
    assert!(begun.elapsed() >= settled, "{:?}", begun.elapsed());
    fixture.lost.notify_one();
    sleep(Duration::from_millis(50)).await;
    fixture.append(4..5);
    fixture.until(|fixture| fixture.lines().len() >= 5).await;
    assert_eq!(fixture.lines(), numbered(0..5));
}

#[tokio::test]
async fn an_end_in_order_sends_what_is_left_and_a_restart_sends_nothing_again() {
    let folder = TempDir::new().unwrap();
    let mut fixture = start(folder.path(), false, Vec::new());
    fixture.append(0..50);
    let collector = fixture.collector.clone();
    fixture.finish().await;
    assert_eq!(collector.lock().unwrap().lines, numbered(0..50));
    let mut fixture = start(folder.path(), false, Vec::new());
    fixture.append(50..51);
    fixture.until(|fixture| !fixture.lines().is_empty()).await;
    assert_eq!(fixture.lines(), numbered(50..51));
}

#[tokio::test]
async fn the_other_side_cannot_hold_up_an_end() {
    let folder = TempDir::new().unwrap();
    let mut fixture = start(folder.path(), true, vec![Does::Hangs]);
    // Lines of a chain: a spool that is opened keeps nothing else.
    let key = SigningKey::from_pkcs8(&SigningKey::generate(&SeededEntropy::new(1)).unwrap()).unwrap();
    let mut chain = ChainWriter::new(NodeId::new("n1").unwrap(), "siem/", "", Arc::new(key), 100).unwrap();
    let mut lines = Vec::new();
    for _ in 0..5 {
        chain.entry(b"{\"n\":1", Timestamp::from_unix_seconds(1), &mut lines);
    }
    fixture.writer.append(&lines).unwrap();
    fixture.until(|fixture| fixture.collector.lock().unwrap().attempts == 1).await;
    let begun = std::time::Instant::now();
    fixture.finish().await;
    assert!(begun.elapsed() < LAST_WAIT + LAST_WAIT);
    // Nothing was lost by that.
    let fixture = start(folder.path(), true, Vec::new());
    fixture.until(|fixture| fixture.lines().len() == 5).await;
}
