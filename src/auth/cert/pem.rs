//! PEM text (RFC 7468) to DER.

use x509_parser::pem::Pem;

/// The longest text that is read: a role's certificates are a few KiB.
pub(super) const MAX_CERTIFICATES: usize = 64 * 1024;

/// The DER of every block in `text`, which must all be labelled `label`; nothing if one is not, or if there is none.
/// Text around the blocks is skipped, as in files that `openssl` writes.
pub(super) fn blocks(text: &str, label: &str) -> Option<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    for block in Pem::iter_from_buffer(text.as_bytes()) {
        let block = block.ok()?;
        if block.label != label {
            return None;
        }
        found.push(block.contents);
    }
    (!found.is_empty() && text.matches("-----BEGIN ").count() == found.len()).then_some(found)
}
