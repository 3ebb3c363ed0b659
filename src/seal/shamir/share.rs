//! Shares: points of the polynomials, their text forms, and a set of them that can be combined.

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use crate::seal::SealError;
use crate::secret::{SecretText, Share};

use super::{KEY_LEN, Threshold};

/// All shares of one key, in no order that means anything.
#[derive(Debug)]
pub struct Shares(pub(super) Vec<Share>);

impl Shares {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never: a key has at least one share.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The shares, to be looked at.
    pub fn iter(&self) -> impl Iterator<Item = &Share> {
        self.0.iter()
    }
}

impl IntoIterator for Shares {
    type Item = Share;
    type IntoIter = std::vec::IntoIter<Share>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// As many shares as the threshold asks for, of the right length, with distinct x coordinates that are not zero.
/// They combine to *a* key; whether it is the right one shows when it opens something.
#[derive(Debug)]
pub struct DistinctShares(pub(super) Parts);

pub(super) enum Parts {
    /// The only share, which is the key.
    Whole(Zeroizing<[u8; KEY_LEN]>),
    /// Points: the values of the key's polynomials at x.
    Points(Vec<Point>),
}

pub(super) struct Point {
    pub(super) x: u8,
    pub(super) values: Zeroizing<[u8; KEY_LEN]>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts")
    }
}

impl DistinctShares {
    /// Checks `shares`, of which there must be as many as `threshold` asks for.
    ///
    /// The errors are [`SealError::TooFewShares`], [`SealError::ShareLength`], [`SealError::ShareDamaged`] and
    /// [`SealError::DuplicateShare`].
    pub fn new(shares: &[Share], threshold: Threshold) -> Result<Self, SealError> {
        if shares.len() != usize::from(threshold.required()) {
            return Err(SealError::TooFewShares);
        }
        if threshold.is_whole() {
            let only = shares.first().ok_or(SealError::TooFewShares)?;
            let whole = only.expose().try_into().map_err(|_| SealError::ShareLength(threshold.share_len()))?;
            return Ok(Self(Parts::Whole(Zeroizing::new(whole))));
        }
        let points: Vec<Point> = shares.iter().map(Point::of).collect::<Result<_, _>>()?;
        // x coordinates are no secret: branching on them tells nothing about the key.
        let mut seen = [false; 256];
        for point in &points {
            let slot = seen.get_mut(usize::from(point.x)).ok_or(SealError::ShareDamaged)?;
            if std::mem::replace(slot, true) {
                return Err(SealError::DuplicateShare);
            }
        }
        Ok(Self(Parts::Points(points)))
    }
}

impl Point {
    fn of(share: &Share) -> Result<Self, SealError> {
        const LENGTH: SealError = SealError::ShareLength(KEY_LEN + 1);
        let (x, values) = share.expose().split_last().ok_or(LENGTH)?;
        let values = Zeroizing::new(values.try_into().map_err(|_| LENGTH)?);
        if *x == 0 { Err(SealError::ShareDamaged) } else { Ok(Self { x: *x, values }) }
    }
}

/// The share in hexadecimal, as `keys` in the answer of `sys/init` has it.
pub fn share_hex(share: &Share) -> SecretText {
    SecretText::new(HEXLOWER.encode(share.expose()))
}

/// The share in base64, as `keys_base64` in the answer of `sys/init` has it.
pub fn share_base64(share: &Share) -> SecretText {
    SecretText::new(BASE64.encode(share.expose()))
}

/// Reads a share in either form. Only texts of a share's length (32 bytes where there is one share, else 33) pass.
pub fn parse_share(text: &SecretText) -> Result<Share, SealError> {
    let text = text.expose().as_bytes();
    // Base64 that happens to have no other letters than hexadecimal has is too short to be that.
    let hex = HEXLOWER_PERMISSIVE.decode(text).map(Zeroizing::new).ok().filter(|bytes| bytes.len() >= KEY_LEN);
    let mut bytes = match hex {
        Some(bytes) => bytes,
        None => BASE64.decode(text).map(Zeroizing::new).map_err(|_| SealError::ShareText)?,
    };
    match bytes.len() {
        KEY_LEN..=SHARE_LEN => Ok(Share::new(std::mem::take(&mut *bytes))),
        0..KEY_LEN => Err(SealError::ShareText),
        _ => Err(SealError::ShareTooLong),
    }
}

const SHARE_LEN: usize = KEY_LEN + 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> SecretText {
        SecretText::new(text.to_owned())
    }

    #[test]
    fn base64_is_not_taken_for_hexadecimal() {
        let share = Share::new(vec![0; SHARE_LEN]);
        for written in [share_base64(&share), share_hex(&share)] {
            assert_eq!(parse_share(&written).unwrap().expose(), share.expose());
        }
    }

    #[test]
    fn both_forms_are_read() {
        let share = Share::new((0..33).collect());
        assert_eq!(share_hex(&share).expose().len(), 66);
        assert_eq!(share_base64(&share).expose().len(), 44);
        for form in [share_hex(&share), share_base64(&share), text(&share_hex(&share).expose().to_uppercase())] {
            assert_eq!(parse_share(&form).unwrap().expose(), share.expose());
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let hex = "ab".repeat(33);
        for bad in ["", "zz", "zzz!", "00", &hex[..65], &hex[..62], &format!(" {hex}"), &format!("{hex}\n")] {
            assert!(matches!(parse_share(&text(bad)), Err(SealError::ShareText)), "{bad}");
        }
        assert!(matches!(parse_share(&text(&"ab".repeat(34))), Err(SealError::ShareTooLong)));
    }

    #[test]
    fn every_truncation_is_refused_by_the_set() {
        let threshold = Threshold::new(3, 2).unwrap();
        for length in 0..33 {
            let shares = [Share::new(vec![1; 33]), Share::new(vec![2; length])];
            assert!(DistinctShares::new(&shares, threshold).is_err(), "{length}");
        }
    }

    #[test]
    fn twins_zeros_and_wrong_counts_are_refused() {
        let threshold = Threshold::new(3, 2).unwrap();
        let share = |value: u8, x: u8| {
            let mut bytes = vec![value; 33];
            bytes[32] = x;
            Share::new(bytes)
        };
        let check = |shares: &[Share]| DistinctShares::new(shares, threshold).map(|_| ());
        assert!(check(&[share(1, 1), share(2, 2)]).is_ok());
        assert!(matches!(check(&[share(1, 7), share(2, 7)]), Err(SealError::DuplicateShare)));
        assert!(matches!(check(&[share(1, 7), share(2, 0)]), Err(SealError::ShareDamaged)));
        assert!(matches!(check(&[share(1, 7)]), Err(SealError::TooFewShares)));
        assert!(matches!(check(&[]), Err(SealError::TooFewShares)));
    }
}
