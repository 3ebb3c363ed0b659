//! Writers that do all sorts of things at once, each with things of its own and all of them with one counter.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use super::database::Database;
use super::dice;
use super::object::{KINDS, Kind, Object};
use crate::support::Client;

/// Things of each kind that a writer has.
const EACH: u64 = 2;
const COUNTER: &str = "kv/data/counter";

/// One writer, and all that it knows to be written.
pub(super) struct Writer {
    name: u64,
    /// What it works on.
    pub(super) objects: Vec<Object>,
    /// What it added to the counter and heard of: the version, and its own mark.
    counted: BTreeMap<u64, String>,
    marks: u64,
    /// The mark whose outcome it did not hear of.
    unheard: Option<String>,
}

/// Makes what all writers need before they begin.
pub(super) fn prepare(root: &Client, writers: &[Writer], database: &Database) {
    root.post("sys/mounts/kv", json!({"type": "kv", "options": {"version": "2"}})).ok();
    root.post("sys/auth/userpass", json!({"type": "userpass"})).ok();
    for object in writers.iter().flat_map(|writer| &writer.objects).filter(|object| object.kind == Kind::Login) {
        let user = json!({"password": "not secret", "token_ttl": "1h"});
        root.post(&format!("auth/userpass/users/{}", object.name), user).ok();
    }
    database.configure(root, roles(writers));
}

/// The roles of the database that writers have.
pub(super) fn roles(writers: &[Writer]) -> impl Iterator<Item = &str> {
    let objects = writers.iter().flat_map(|writer| &writer.objects);
    objects.filter(|object| object.kind == Kind::Role).map(|object| object.name.as_str())
}

impl Writer {
    /// A writer that has written nothing yet.
    pub(super) fn new(name: u64, database: &Database) -> Self {
        let named = |kind: Kind, number| {
            Object::new(kind, format!("{kind:?}-{name}-{number}").to_lowercase(), database.clone())
        };
        let objects = KINDS.iter().flat_map(|kind| (0..EACH).map(move |number| named(*kind, number))).collect();
        Self { name, objects, counted: BTreeMap::new(), marks: 0, unheard: None }
    }

    /// Writes until the server goes; `done` counts what was acknowledged.
    pub(super) fn write(&mut self, root: &Client, done: &AtomicU64) {
        while self.write_once(root).is_ok() {
            done.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn write_once(&mut self, root: &Client) -> Result<(), ureq::Error> {
        let chosen = usize::try_from(dice(self.objects.len() as u64 + 4)).unwrap();
        match self.objects.get_mut(chosen) {
            Some(object) => object.change(root),
            None => self.count(root),
        }
    }

    /// Counts on from what is there, which another writer may do first.
    fn count(&mut self, root: &Client) -> Result<(), ureq::Error> {
        loop {
            let read = root.try_send("GET", COUNTER, None)?;
            let version = if read.status == 404 { 0 } else { read.data()["metadata"]["version"].as_u64().unwrap() };
            self.marks += 1;
            let mark = format!("{}-{}", self.name, self.marks);
            let body = json!({"data": {"n": version + 1, "mark": mark}, "options": {"cas": version}}).to_string();
            self.unheard = Some(mark.clone());
            let answer = root.try_send("POST", COUNTER, Some(body.as_bytes()))?;
            self.unheard = None;
            if answer.status == 200 {
                assert_eq!(answer.data()["version"], version + 1);
                self.counted.insert(version + 1, mark);
                return Ok(());
            }
            answer.refuses(400, "check-and-set");
        }
    }

    /// What is wrong after a crash with what it wrote, and how many changes were in flight and had happened.
    pub(super) fn settle(&mut self, root: &Client, losses: &mut Vec<String>) -> u64 {
        let mut happened = 0;
        for object in &mut self.objects {
            let (before, in_flight) = (object.state, object.pending.is_some());
            if let Err(loss) = object.settle(root) {
                losses.push(loss);
            }
            happened += u64::from(in_flight && object.state != before);
        }
        happened
    }
}

/// What is wrong with the counter: each number was counted once, by the writer that heard so.
pub(super) fn settle_counter(writers: &mut [Writer], root: &Client) -> Result<(), String> {
    let read = root.get(COUNTER);
    let version = if read.status == 404 { 0 } else { read.data()["metadata"]["version"].as_u64().unwrap() };
    let counted: u64 = writers.iter().map(|writer| writer.counted.len() as u64).sum();
    let mut unheard = 0;
    for number in version.saturating_sub(9).max(1)..=version {
        let data = root.get(&format!("{COUNTER}?version={number}")).data()["data"].clone();
        let mark = data["mark"].as_str().unwrap_or_default();
        let heard = writers.iter().any(|writer| writer.counted.get(&number).is_some_and(|known| known == mark));
        let known = writers.iter_mut().find(|writer| !heard && writer.unheard.as_deref() == Some(mark));
        if data["n"] != number || (!heard && known.is_none()) {
            return Err(format!("counter: version {number} is {data}, which nobody wrote there"));
        }
        if let Some(writer) = known {
            unheard += 1;
            writer.counted.insert(number, mark.to_owned());
        }
    }
    for writer in writers.iter_mut() {
        writer.unheard = None;
    }
    if version == counted + unheard {
        return Ok(());
    }
    Err(format!("counter: {counted} additions were acknowledged and {unheard} more happened, but it is {version}"))
}
