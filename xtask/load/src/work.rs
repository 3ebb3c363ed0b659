//! The next request of a connection.

use std::cell::Cell;
use std::rc::Rc;

use fastrand::Rng;
use hyper::body::Bytes;
use serde_json::json;

use crate::Error;
use crate::client::{Ask, Reply};
use crate::plan::Work;

/// What a connection asks for, one request after the other.
pub(crate) struct Script {
    work: Work,
    rng: Rng,
    /// Numbers that all connections share, and take in turn.
    shared: Rc<Cell<u64>>,
    /// The keys that are this connection's own, for writes that name a version.
    own: Own,
    /// What the answer before said that the next request needs.
    wrapping_token: Option<String>,
}

/// Keys of which no other connection writes, and no other run: what is not answered when a run ends may be written.
struct Own {
    run: u64,
    first: u64,
    /// The version of each that is known here.
    versions: Vec<u64>,
    last: usize,
}

impl Script {
    /// The script of the connection `number` of `connections`.
    pub(crate) fn new(work: Work, seed: u64, number: usize, connections: usize, shared: Rc<Cell<u64>>) -> Self {
        let keys = if let Work::Write { keys, cas: true, .. } = &work { *keys } else { 0 };
        let share = keys / connections.max(1) as u64;
        let own = Own {
            run: seed,
            first: share * number as u64,
            versions: vec![0; usize::try_from(share).unwrap_or_default()],
            last: 0,
        };
        let rng = Rng::with_seed(seed.wrapping_add(number as u64));
        Self { work, rng, shared, own, wrapping_token: None }
    }

    /// The next request; nothing when there is no more to do.
    pub(crate) fn next(&mut self) -> Option<Ask> {
        let Self { work, rng, shared, own, wrapping_token } = self;
        Some(match work {
            Work::Read { path, keys } => Ask::new("GET", format!("{path}/k{}", rng.u64(..*keys))),
            Work::Write { path, keys, bytes, cas: false } => {
                write(format!("{path}/k{}", rng.u64(..*keys)), *bytes, rng, None)
            }
            Work::Write { path, bytes, cas: true, .. } => {
                own.last = rng.usize(..own.versions.len().max(1));
                let version = own.versions.get(own.last).copied().unwrap_or_default();
                write(format!("{path}/c{}-{}", own.run, own.first + own.last as u64), *bytes, rng, Some(version))
            }
            Work::Mixed { path, keys, bytes } => {
                let path = format!("{path}/k{}", rng.u64(..*keys));
                if rng.u8(..10) == 0 { write(path, *bytes, rng, None) } else { Ask::new("GET", path) }
            }
            Work::Fill { path, from, to, bytes } => {
                let number = taken(shared, *from, *to)?;
                write(format!("{path}/k{number}"), *bytes, rng, None)
            }
            Work::Same { method, path, body } => {
                let body = body.as_ref().map(|body| Bytes::from(body.to_string())).unwrap_or_default();
                Ask { body, ..Ask::new(known(method), path.clone()) }
            }
            Work::Each { method, path, body, from, to } => {
                let number = taken(shared, *from, *to)?.to_string();
                let body = body.as_ref().map(|body| Bytes::from(body.to_string().replace('#', &number)));
                Ask { body: body.unwrap_or_default(), ..Ask::new(known(method), path.replace('#', &number)) }
            }
            Work::Wrap => wrapping_token.take().map_or_else(wrap, unwrap),
            Work::Connect { path, .. } => Ask::new("GET", path.clone()),
        })
    }

    /// Learns from an answer what the next request needs.
    pub(crate) fn learn(&mut self, reply: &Reply) -> Result<(), Error> {
        if !reply.status.is_success() {
            return Ok(());
        }
        if let Some(version) = self.own.versions.get_mut(self.own.last) {
            *version += 1;
        }
        if matches!(self.work, Work::Wrap) {
            let answer: serde_json::Value = serde_json::from_slice(&reply.body)?;
            let token = answer.pointer("/wrap_info/token").and_then(serde_json::Value::as_str);
            self.wrapping_token = token.map(str::to_owned);
        }
        Ok(())
    }
}

fn write(path: String, bytes: usize, rng: &mut Rng, cas: Option<u64>) -> Ask {
    let value: String = std::iter::repeat_with(|| rng.alphanumeric()).take(bytes).collect();
    let body = match cas {
        None => json!({ "data": { "value": value } }),
        Some(version) => json!({ "data": { "value": value }, "options": { "cas": version } }),
    };
    Ask { body: Bytes::from(body.to_string()), ..Ask::new("POST", path) }
}

/// The next number of those from `from` up to `to` that no connection has taken.
fn taken(shared: &Cell<u64>, from: u64, to: u64) -> Option<u64> {
    let number = from + shared.replace(shared.get() + 1);
    (number < to).then_some(number)
}

fn wrap() -> Ask {
    let body = Bytes::from_static(br#"{"a":"wrapped by the load"}"#);
    Ask { body, wrap: Some("60"), ..Ask::new("POST", "/v1/sys/wrapping/wrap".to_owned()) }
}

fn unwrap(token: String) -> Ask {
    Ask { token: Some(token), ..Ask::new("POST", "/v1/sys/wrapping/unwrap".to_owned()) }
}

/// The method as a text that lives as long as the program.
fn known(method: &str) -> &'static str {
    match method {
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "LIST" => "LIST",
        _ => "GET",
    }
}
