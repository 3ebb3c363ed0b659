//! OpenPGP public keys out of files, in the form that the API takes: base64 of the binary key.

use std::fs;
use std::path::Path;

use data_encoding::BASE64;

use crate::error::{Error, Result, os_message};
use crate::json::Json;

/// The keys of a comma-separated list of files.
pub(super) fn keys(files: &str) -> Result<Json> {
    files.split(',').map(|file| key(file.trim())).collect::<Result<Vec<_>>>().map(Json::texts)
}

/// The key of one file: binary, armoured or base64.
pub(super) fn key(file: &str) -> Result<String> {
    if file.starts_with("keybase:") {
        return Err(Error::local("Keys are not fetched from Keybase.").advise("Download the key and give its file."));
    }
    let path = Path::new(file.strip_prefix('@').unwrap_or(file));
    let bytes = fs::read(path).map_err(|error| {
        Error::local(format!("Error reading the PGP key {}: {}", path.display(), os_message(&error)))
            .advise("Check the path and who may read it.")
    })?;
    read(&bytes).ok_or_else(|| {
        Error::local(format!("The file {} is not a public key in OpenPGP form.", path.display()))
            .advise("Export the public key with `gpg --export NAME`, with or without --armor.")
    })
}

fn read(bytes: &[u8]) -> Option<String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Some(BASE64.encode(bytes)) };
    let body: String = match text.split_once("-----BEGIN PGP PUBLIC KEY BLOCK-----") {
        // RFC 9580, section 6.2: headers up to an empty line, then base64, then a checksum line that begins with =.
        Some((_, armoured)) => {
            let (body, _) = armoured.split_once("-----END PGP PUBLIC KEY BLOCK-----")?;
            let lines = body.lines().skip(1).skip_while(|line| line.contains(": "));
            lines.map(str::trim).filter(|line| !line.starts_with('=')).collect()
        }
        None => text.split_whitespace().collect(),
    };
    let key = BASE64.decode(body.as_bytes()).ok()?;
    // RFC 9580, section 4.2: the first octet of every packet has its highest bit set.
    key.first().filter(|first| **first & 0x80 != 0).map(|_| BASE64.encode(&key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_forms_give_the_same_key() {
        let key = [0x98, 0x33, 0x04, 0xff, 0xfe];
        let encoded = BASE64.encode(&key);
        let armoured = format!(
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: 1\n\n{encoded}\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"
        );
        for form in [&key[..], encoded.as_bytes(), armoured.as_bytes()] {
            assert_eq!(read(form).unwrap(), encoded);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["", "hello", "aGVsbG8=", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA"] {
            assert!(read(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
