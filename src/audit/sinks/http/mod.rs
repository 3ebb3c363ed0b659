//! `http`: lines to a collector that is asked over HTTP, and says what it has taken.

mod answer;
mod body;
mod options;

#[doc(hidden)]
pub use answer::fuzz;
pub use options::{CollectorKind, HttpOptions};

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::audit::device::Identity;
use crate::audit::shipper::{Delivery, DeliveryError, Receipt, Refusal};
use crate::outbound::{Credential, HttpClient, Parcel, Verdict};
use crate::secret::SecretText;
use crate::time::Clock;

use super::remote::text;

use answer::Outcome;

impl HttpOptions {
    pub(super) fn delivery(&self, path: &str, identity: &Identity) -> Box<dyn Delivery> {
        Box::new(HttpDelivery {
            options: self.clone(),
            source: format!("arca:{path}"),
            clock: identity.clock.clone(),
            client: None,
            limit: self.batch_bytes,
        })
    }
}

struct HttpDelivery {
    options: HttpOptions,
    /// Where the lines are from.
    source: String,
    clock: Arc<dyn Clock>,
    /// Made again after a failure: certificates may have changed.
    client: Option<HttpClient>,
    /// So many bytes of lines go with one request: fewer than configured, if the collector once found that too many.
    limit: usize,
}

#[async_trait]
impl Delivery for HttpDelivery {
    fn is_acknowledged(&self) -> bool {
        true
    }

    fn batch_bytes(&self) -> usize {
        self.limit
    }

    fn linger(&self) -> Duration {
        LINGER
    }

    async fn send(&mut self, lines: &[u8]) -> Result<Receipt, DeliveryError> {
        let client = match self.client.take() {
            Some(client) => client,
            None => self.connect().await?,
        };
        let mut receipt = Receipt::default();
        let mut rest: Vec<&[u8]> = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        while !rest.is_empty() {
            let count = fitting(&rest, self.limit);
            let (now, later) = rest.split_at_checked(count).unwrap_or((&rest, &[]));
            let verdict = self.ask(&client, now).await?;
            match answer::read(self.options.kind, &verdict, now)? {
                Outcome::Answered(Receipt { again, refused }) => {
                    receipt.again.extend(again);
                    receipt.refused.extend(refused);
                    rest = later.to_vec();
                }
                Outcome::TooLarge if count > 1 => self.limit = now.iter().map(|line| line.len()).sum::<usize>() / 2,
                Outcome::TooLarge => {
                    let reason = "status 413, it is too large for the collector".to_owned();
                    receipt
                        .refused
                        .extend(now.iter().map(|line| Refusal { line: line.to_vec(), reason: reason.clone() }));
                    rest = later.to_vec();
                }
            }
        }
        self.client = Some(client);
        Ok(receipt)
    }

    async fn close(&mut self) -> bool {
        self.client = None;
        true
    }
}

impl HttpDelivery {
    async fn connect(&self) -> Result<HttpClient, DeliveryError> {
        let material = self.options.tls.read().await?;
        let client = match material.identity() {
            Some(identity) => HttpClient::identified(material.trust(), identity),
            None => HttpClient::new(material.trust()),
        };
        Ok(client?)
    }

    async fn ask(&self, client: &HttpClient, lines: &[&[u8]]) -> Result<Verdict, DeliveryError> {
        let HttpOptions { url, kind, timeout, gzip, .. } = &self.options;
        // Read each time: tokens change.
        let token = match &self.options.token_file {
            Some(path) => {
                let whole = SecretText::new(text(path, "token_file").await?);
                Some(SecretText::new(whole.expose().trim().to_owned()))
            }
            None => None,
        };
        let headers = match &self.options.headers_file {
            Some(path) => headers(&SecretText::new(text(path, "headers_file").await?))?,
            None => Vec::new(),
        };
        let plain = kind.body(lines, &self.source);
        let body = if *gzip {
            body::compress(&plain)
                .map_err(|error| DeliveryError::new("a body could not be compressed").with_source(error))?
        } else {
            plain
        };
        let credential = token.as_ref().map_or(Credential::None, |token| Credential::Other(kind.scheme(), token));
        let parcel = Parcel { content_type: kind.content_type(), gzip: *gzip, body, credential, headers: &headers };
        let asking = client.bring(url, parcel, self.clock.now());
        let answered = tokio::time::timeout(*timeout, asking).await;
        Ok(answered.map_err(|_| DeliveryError::new("the collector did not answer within the timeout"))??)
    }
}

/// How many lines from the first on fit `limit`; at least one.
fn fitting(lines: &[&[u8]], limit: usize) -> usize {
    let mut bytes = 0;
    let fit = lines.iter().take_while(|line| {
        bytes += line.len() + 1;
        bytes <= limit.saturating_add(1)
    });
    fit.count().max(1)
}

/// Reads `Name: value` on each line; empty lines and those that begin with `#` say nothing.
fn headers(text: &SecretText) -> Result<Vec<(String, SecretText)>, DeliveryError> {
    let lines = text.expose().lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), SecretText::new(value.trim().to_owned())))
    };
    let headers: Option<Vec<_>> = lines.map(header).collect();
    headers.ok_or_else(|| DeliveryError::new("headers_file must have `Name: value` on each line").mistake())
}

/// How long a line waits for others that go with the same request.
const LINGER: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_fit_a_request() {
        let lines: Vec<&[u8]> = vec![b"aaaa", b"bbbb", b"cccc"];
        assert_eq!(fitting(&lines, 14), 3);
        assert_eq!(fitting(&lines, 10), 2);
        assert_eq!(fitting(&lines, 1), 1);
    }

    #[test]
    fn headers_are_read_line_by_line() {
        let read = headers(&SecretText::new("# ours\nX-Key: a:b\n\n DD-API-KEY : secret \n".to_owned())).unwrap();
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        assert_eq!(read, [("X-Key", "a:b"), ("DD-API-KEY", "secret")]);
        let error = headers(&SecretText::new("canary".to_owned())).unwrap_err();
        assert!(error.is_mistake && !format!("{error:?}").contains("canary"));
    }
}
