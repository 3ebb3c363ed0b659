//! What collectors answer.

use serde::Deserialize;

use crate::audit::shipper::{DeliveryError, Receipt, Refusal};
use crate::outbound::Verdict;

use super::CollectorKind;

/// What became of lines that a collector was given.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It has answered for them.
    Answered(Receipt),
    /// They are too many for one request.
    TooLarge,
}

/// Reads the answer to a request with these lines.
pub(super) fn read(kind: CollectorKind, verdict: &Verdict, lines: &[&[u8]]) -> Result<Outcome, DeliveryError> {
    let status = verdict.status;
    match status {
        200..=299 => {}
        413 => return Ok(Outcome::TooLarge),
        408 | 425 | 429 | 500..=599 => {
            let error = DeliveryError::new(format!("the collector answers with the status {status}"));
            return Err(error.retry_after(verdict.retry_after));
        }
        _ => {
            let error = DeliveryError::new(format!(
                "the collector answers with the status {status}, which does not go away by itself; check url and credentials"
            ));
            return Err(error.retry_after(verdict.retry_after).mistake());
        }
    }
    match kind {
        CollectorKind::SplunkHec | CollectorKind::Ndjson | CollectorKind::JsonArray => {
            Ok(Outcome::Answered(Receipt::default()))
        }
        CollectorKind::Elasticsearch => bulk(&verdict.body, lines).map(Outcome::Answered),
    }
}

#[derive(Deserialize)]
struct BulkAnswer {
    errors: bool,
    #[serde(default)]
    items: Vec<BulkItem>,
}

#[derive(Deserialize)]
struct BulkItem {
    create: ItemResult,
}

#[derive(Deserialize)]
struct ItemResult {
    status: u16,
    error: Option<ItemError>,
}

#[derive(Deserialize)]
struct ItemError {
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Each line has an answer of its own.
fn bulk(body: &[u8], lines: &[&[u8]]) -> Result<Receipt, DeliveryError> {
    let unclear = || DeliveryError::new("the answer is not one of a bulk API; check url").mistake();
    let answer: BulkAnswer = serde_json::from_slice(body).map_err(|_| unclear())?;
    if answer.items.len() != lines.len() {
        return Err(unclear());
    }
    let mut receipt = Receipt::default();
    for (BulkItem { create }, line) in answer.items.iter().zip(lines) {
        match create.status {
            // It is there, now or since the last time.
            200..=299 | 409 => {}
            // The document itself is what the collector does not take.
            400 | 413 => {
                let kind = create.error.as_ref().and_then(|error| error.kind.clone());
                let kind =
                    kind.filter(|kind| kind.len() <= 64 && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
                let reason = format!("status {}, {}", create.status, kind.as_deref().unwrap_or("no type"));
                receipt.refused.push(Refusal { line: line.to_vec(), reason });
            }
            _ => {
                receipt.again.extend_from_slice(line);
                receipt.again.push(b'\n');
            }
        }
    }
    let all_well = receipt == Receipt::default();
    if answer.errors || all_well { Ok(receipt) } else { Err(unclear()) }
}

/// What the fuzz target runs: an answer (behind its status, of two bytes, and the number of lines) accounts for each line
/// once at most, and repeats nothing of what a collector says.
#[doc(hidden)]
pub fn fuzz(input: &[u8]) {
    let Some(([high, low, count], body)) = input.split_first_chunk() else { return };
    let lines: Vec<Vec<u8>> = (0..*count % 8).map(|number| vec![b'0' + number; 3]).collect();
    let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    let status = u16::from_be_bytes([*high, *low]);
    let answer = || Verdict { status, retry_after: None, body: crate::secret::SecretBytes::new(body.to_vec()) };
    for kind in [CollectorKind::Elasticsearch, CollectorKind::SplunkHec] {
        match read(kind, &answer(), &lines) {
            Ok(Outcome::TooLarge) => assert_eq!(status, 413),
            Ok(Outcome::Answered(receipt)) => {
                assert!((200..=299).contains(&status));
                let refused = receipt.refused.iter().map(|refusal| refusal.line.as_slice());
                let again = receipt.again.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
                let mut found: Vec<&[u8]> = refused.chain(again).collect();
                found.sort_unstable();
                // The lines differ and are in order: each of them is found once.
                assert!(found.windows(2).all(|pair| pair.first() < pair.last()));
                assert!(found.iter().all(|line| lines.contains(line)));
                assert!(receipt.refused.iter().all(|refusal| refusal.reason.len() <= 80 && refusal.reason.is_ascii()));
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::secret::SecretBytes;

    fn verdict(status: u16, body: &Value) -> Verdict {
        let body = SecretBytes::new(body.to_string().into_bytes());
        Verdict { status, retry_after: Some(Duration::from_secs(7)), body }
    }

    fn items(statuses: &[u16]) -> Value {
        let item = |status: &u16| match status {
            200..=299 => json!({"create": {"status": status}}),
            _ => json!({"create": {"status": status, "error": {"type": "mapper_parsing_exception", "reason": "x"}}}),
        };
        let errors = statuses.iter().any(|status| *status > 299);
        json!({"took": 1, "errors": errors, "items": statuses.iter().map(item).collect::<Value>()})
    }

    #[test]
    fn only_what_may_work_later_is_sent_again() {
        let lines: Vec<&[u8]> = vec![b"a", b"b", b"c", b"d", b"e"];
        let answered = read(CollectorKind::Elasticsearch, &verdict(200, &items(&[201, 429, 409, 400, 503])), &lines);
        let Outcome::Answered(receipt) = answered.unwrap() else { panic!("it answered") };
        assert_eq!(receipt.again, b"b\ne\n");
        let reason = "status 400, mapper_parsing_exception".to_owned();
        assert_eq!(receipt.refused, [Refusal { line: b"d".to_vec(), reason }]);
        let fine = read(CollectorKind::Elasticsearch, &verdict(200, &items(&[201])), &lines[..1]).unwrap();
        assert!(matches!(fine, Outcome::Answered(receipt) if receipt == Receipt::default()));
    }

    #[test]
    fn an_answer_that_does_not_fit_is_no_success() {
        let lines: Vec<&[u8]> = vec![b"a", b"b"];
        let wrong = [
            json!({}),
            json!([]),
            json!("<html>"),
            items(&[201]),
            items(&[201, 201, 201]),
            json!({"errors": false, "items": []}),
            json!({"errors": false, "items": [{"create": {"status": 201}}, {"create": {"status": 500}}]}),
        ];
        for body in wrong {
            assert!(read(CollectorKind::Elasticsearch, &verdict(200, &body), &lines).is_err(), "{body}");
        }
    }

    #[test]
    fn statuses_say_who_has_to_act() {
        let kind = CollectorKind::SplunkHec;
        for (status, is_mistake) in [(429, false), (503, false), (500, false), (400, true), (401, true), (301, true)] {
            let error = read(kind, &verdict(status, &json!({})), &[]).unwrap_err();
            assert_eq!((error.is_mistake, error.retry_after), (is_mistake, Some(Duration::from_secs(7))), "{status}");
        }
        assert!(matches!(read(kind, &verdict(413, &json!({})), &[]), Ok(Outcome::TooLarge)));
        assert!(matches!(read(kind, &verdict(204, &json!({})), &[]), Ok(Outcome::Answered(_))));
    }
}
