//! `Intake`: what collectors make of requests, each by the rules of its API.

use std::collections::BTreeSet;
use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

/// The API of a collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    /// A webhook for NDJSON.
    Webhook,
    /// Splunk's HTTP Event Collector.
    SplunkHec,
    /// The bulk API of Elasticsearch and OpenSearch.
    Bulk,
}

/// A request as it came.
pub(super) struct Request {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

/// What a collector has.
#[derive(Default)]
pub(super) struct Intake {
    /// The lines, in the order in which they came.
    pub(super) lines: Vec<String>,
    /// How many documents were there already.
    pub(super) known_already: usize,
    /// What was wrong with requests.
    pub(super) faults: Vec<String>,
    documents: BTreeSet<String>,
}

impl Intake {
    /// Takes a request: the status and the answer.
    pub(super) fn take(&mut self, api: Api, request: &Request, statuses: &[u16]) -> (u16, String) {
        let body = request.text();
        let taken = match api {
            Api::Webhook => request.expect(&["content-type: application/x-ndjson"]).map(|()| {
                self.lines.extend(body.lines().map(str::to_owned));
                json!({})
            }),
            Api::SplunkHec => self.take_events(request, &body),
            Api::Bulk => self.take_documents(request, &body, statuses),
        };
        match taken {
            Ok(answer) => (200, answer.to_string()),
            Err(fault) => {
                self.faults.push(fault.clone());
                (400, json!({"text": fault, "code": 6}).to_string())
            }
        }
    }

    /// Events one behind the other, each an object with the line as text.
    fn take_events(&mut self, request: &Request, body: &str) -> Result<Value, String> {
        request.expect(&["post /services/collector/event ", "authorization: splunk s3cr3t-canary"])?;
        let events: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(body).into_iter().collect();
        for event in events.map_err(|error| format!("{error}"))? {
            let (Some(line), Some(time)) = (event["event"].as_str(), event["time"].as_f64()) else {
                return Err(format!("no line or no time: {event}"));
            };
            if event["sourcetype"] != "_json" || event["source"] != "arca:siem/" || time < 1e9 {
                return Err(format!("not an event of the device: {event}"));
            }
            self.lines.push(line.to_owned());
        }
        Ok(json!({"text": "Success", "code": 0}))
    }

    /// Pairs of lines: what is to be done, and the document. The answer has what `filter_path` leaves of it.
    fn take_documents(&mut self, request: &Request, body: &str, statuses: &[u16]) -> Result<Value, String> {
        request.expect(&[
            "post /arca-audit/_bulk?filter_path=errors,items.*.status,items.*.error.type ",
            "content-type: application/x-ndjson",
            "authorization: apikey s3cr3t-canary",
        ])?;
        let lines: Vec<&str> = body.lines().collect();
        let (mut items, mut errors) = (Vec::new(), false);
        for (index, pair) in lines.chunks(2).enumerate() {
            let &[action, document] = pair else { return Err("an action without a document".to_owned()) };
            let action: Value = serde_json::from_str(action).map_err(|error| format!("{error}: {action}"))?;
            let content: Value = serde_json::from_str(document).map_err(|error| format!("{error}: {document}"))?;
            let (Some(id), Some(hash)) = (action["create"]["_id"].as_str(), content["hash"].as_str()) else {
                return Err(format!("{action} is not how to create {content}"));
            };
            if id != hash {
                return Err(format!("{id} is not the hash of {content}"));
            }
            let status = match statuses.get(index).copied().unwrap_or(201) {
                status @ 200..=299 if self.documents.insert(id.to_owned()) => {
                    self.lines.push(document.to_owned());
                    status
                }
                200..=299 | 400 if self.documents.contains(id) => {
                    self.known_already += 1;
                    409
                }
                status => status,
            };
            errors |= status > 299;
            let mut item = json!({"status": status});
            if status > 299 {
                item["error"] = json!({"type": "mapper_parsing_exception"});
            }
            items.push(json!({"create": item}));
        }
        Ok(json!({"errors": errors, "items": items}))
    }
}

impl Request {
    /// The body, uncompressed.
    fn text(&self) -> String {
        if !self.head.to_ascii_lowercase().contains("content-encoding: gzip") {
            return String::from_utf8(self.body.clone()).unwrap();
        }
        let mut text = String::new();
        GzDecoder::new(&self.body[..]).read_to_string(&mut text).unwrap();
        text
    }

    /// That the head has all of these, whatever their case.
    fn expect(&self, parts: &[&str]) -> Result<(), String> {
        let head = self.head.to_ascii_lowercase();
        match parts.iter().find(|part| !head.contains(**part)) {
            Some(part) => Err(format!("no {part} in {head}")),
            None => Ok(()),
        }
    }
}
