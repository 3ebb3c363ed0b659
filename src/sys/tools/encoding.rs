//! How bytes are written in an answer.

use data_encoding::{BASE64, HEXLOWER};

use crate::error::{Error, Result};

/// The form of bytes in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    Base64,
}

impl Encoding {
    /// The form called `name`; `default` where there is no name.
    pub(super) fn parse(name: &str, default: Self) -> Result<Self> {
        match name {
            "" => Ok(default),
            "hex" => Ok(Self::Hex),
            "base64" => Ok(Self::Base64),
            _ => Err(Error::invalid("unsupported encoding format: it must be \"hex\" or \"base64\"")),
        }
    }

    /// The text of `bytes`.
    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => HEXLOWER.encode(bytes),
            Self::Base64 => BASE64.encode(bytes),
        }
    }
}
