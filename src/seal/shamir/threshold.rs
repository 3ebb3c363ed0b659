//! `Threshold`: into how many shares a key is split, and how many of them give it back.

use serde::{Deserialize, Serialize};

use crate::seal::SealError;

use super::KEY_LEN;

/// A number of shares and how many of them are enough: 1 of 1, or t of n with 2 ≤ t ≤ n ≤ 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Threshold {
    shares: u8,
    required: u8,
}

impl Threshold {
    /// `required` of `shares`, as a caller asks for it; the errors have Vault's sentences.
    pub fn new(shares: i64, required: i64) -> Result<Self, SealError> {
        if shares < 1 {
            return Err(SealError::NoShares);
        }
        if required < 1 {
            return Err(SealError::NoThreshold);
        }
        if shares > 1 && required == 1 {
            return Err(SealError::ThresholdOfOne);
        }
        let count = u8::try_from(shares).map_err(|_| SealError::TooManyShares)?;
        match u8::try_from(required) {
            Ok(required) if required <= count => Ok(Self { shares: count, required }),
            Ok(_) | Err(_) => Err(SealError::ThresholdAboveShares),
        }
    }

    /// How many shares there are.
    pub const fn shares(self) -> u8 {
        self.shares
    }

    /// How many shares are enough.
    pub const fn required(self) -> u8 {
        self.required
    }

    /// Whether the only share is the key itself, without an x coordinate, as Vault has it.
    pub const fn is_whole(self) -> bool {
        self.shares == 1
    }

    /// The length of a share in bytes: 32 for the only one, else 33.
    pub const fn share_len(self) -> usize {
        if self.is_whole() { KEY_LEN } else { KEY_LEN + 1 }
    }
}

/// The form in records.
#[derive(Serialize, Deserialize)]
struct Stored {
    secret_shares: u8,
    secret_threshold: u8,
}

impl From<Threshold> for Stored {
    fn from(threshold: Threshold) -> Self {
        Self { secret_shares: threshold.shares, secret_threshold: threshold.required }
    }
}

impl TryFrom<Stored> for Threshold {
    type Error = SealError;

    fn try_from(stored: Stored) -> Result<Self, SealError> {
        Self::new(stored.secret_shares.into(), stored.secret_threshold.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errors_are_those_of_vault_in_its_order() {
        for (shares, required, expected) in [
            (0, 0, "shares must be at least one"),
            (-1, 1, "shares must be at least one"),
            (0, 1, "shares must be at least one"),
            (5, 0, "threshold must be at least one"),
            (5, -2, "threshold must be at least one"),
            (1, 0, "threshold must be at least one"),
            (5, 1, "threshold must be greater than one for multiple shares"),
            (300, 1, "threshold must be greater than one for multiple shares"),
            (256, 3, "shares must be less than 256"),
            (300, 400, "shares must be less than 256"),
            (5, 6, "threshold cannot be larger than shares"),
            (1, 2, "threshold cannot be larger than shares"),
            (5, i64::MAX, "threshold cannot be larger than shares"),
        ] {
            let message = Threshold::new(shares, required).unwrap_err().to_string();
            assert_eq!(message, format!("invalid seal configuration: {expected}"), "{shares} {required}");
        }
    }

    #[test]
    fn every_other_pair_is_one() {
        for shares in 2..=255 {
            for required in 2..=shares {
                let threshold = Threshold::new(shares, required).unwrap();
                assert_eq!((i64::from(threshold.shares()), i64::from(threshold.required())), (shares, required));
            }
        }
        assert!(Threshold::new(1, 1).unwrap().is_whole());
    }

    #[test]
    fn a_stored_one_is_checked_too() {
        let threshold = Threshold::new(5, 3).unwrap();
        let json = serde_json::to_string(&threshold).unwrap();
        assert_eq!(json, r#"{"secret_shares":5,"secret_threshold":3}"#);
        assert_eq!(serde_json::from_str::<Threshold>(&json).unwrap(), threshold);
        assert!(serde_json::from_str::<Threshold>(r#"{"secret_shares":5,"secret_threshold":1}"#).is_err());
    }
}
