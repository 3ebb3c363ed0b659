//! Batch tokens: `b.` and the record, encrypted by the barrier, in base64url (RFC 4648 section 5, without padding), then
//! the ending of its namespace.

use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use crate::api::{ROOT_NAMESPACE, namespace_suffix};
use crate::barrier::Barrier;
use crate::error::{Error, Result};
use crate::secret::ClientToken;

use super::record::TokenRecord;

const PREFIX: &str = "b.";

/// Whether `token` has the form of a batch token.
pub(super) fn is_batch(token: &ClientToken) -> bool {
    token.expose().starts_with(PREFIX)
}

/// The token that is `record`.
pub(super) fn seal(barrier: &Barrier, record: &TokenRecord) -> Result<ClientToken> {
    let json = serde_json::to_vec(record).map_err(|_| Error::internal("a token cannot be written"))?;
    let sealed = barrier.seal(&context(&record.namespace_id), &Zeroizing::new(json))?;
    let ending = namespace_suffix(&record.namespace_id);
    Ok(ClientToken::new(format!("{PREFIX}{}{ending}", BASE64URL_NOPAD.encode(&sealed))))
}

/// The record that `token` is.
pub(super) fn open(barrier: &Barrier, token: &ClientToken) -> Result<TokenRecord> {
    let text = token.expose().strip_prefix(PREFIX).ok_or_else(Error::bad_token)?;
    let (text, namespace_id) = text.split_once('.').unwrap_or((text, ROOT_NAMESPACE));
    let sealed = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| Error::bad_token())?;
    let json = match barrier.open(&context(namespace_id), sealed) {
        Err(error) if error.kind() == crate::error::Kind::Sealed => return Err(error),
        opened => opened.map_err(|_| Error::bad_token())?,
    };
    serde_json::from_slice(&json).map_err(|_| Error::bad_token())
}

fn context(namespace_id: &str) -> String {
    format!("ns/{namespace_id}/token/batch")
}

/// What the fuzz target runs: nobody but the barrier makes a token, and what it made into one is read as what it is.
#[doc(hidden)]
pub fn fuzz(barrier: &Barrier, input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let encoded = BASE64URL_NOPAD.encode(input);
    for shown in
        [format!("{text}"), format!("{PREFIX}{text}"), format!("{PREFIX}{encoded}"), format!("{PREFIX}{encoded}.a")]
    {
        let token = ClientToken::new(shown);
        assert!(open(barrier, &token).is_err());
    }
    let Ok(sealed) = barrier.seal(&context(ROOT_NAMESPACE), input) else { return };
    let encoded = BASE64URL_NOPAD.encode(&sealed);
    let token = |ending: &str| ClientToken::new(format!("{PREFIX}{encoded}{ending}"));
    assert!(open(barrier, &token(".other")).is_err());
    let Ok(record) = open(barrier, &token("")) else { return };
    // Ids have no dots and no slashes: they are made here.
    if record.namespace_id.chars().all(char::is_alphanumeric) && !record.namespace_id.is_empty() {
        let again = seal(barrier, &record).and_then(|token| open(barrier, &token));
        assert!(again.is_ok_and(|again| again == record));
    }
}
