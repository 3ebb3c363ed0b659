//! Shamir's secret sharing over GF(2^8): each byte of the key is the value at zero of a polynomial of its own, and a
//! share is the values of all of them at one x, followed by x, as Vault writes it.
//!
//! A. Shamir, How to share a secret, Communications of the ACM 22 (1979).

mod gf256;
mod polynomial;
mod share;
mod threshold;

pub use share::{DistinctShares, Shares, parse_share, share_base64, share_hex};
pub use threshold::Threshold;

use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::error::Result;
use crate::secret::{SealKey, Share};

use gf256::{add, multiply};
use polynomial::{Polynomial, weights_at_zero};
use share::{Parts, Point};

/// The length of a seal key in bytes.
const KEY_LEN: usize = 32;

/// Splits `key`. Fails only where `entropy` does.
pub fn split(key: &SealKey, threshold: Threshold, entropy: &dyn Entropy) -> Result<Shares> {
    if threshold.is_whole() {
        return Ok(Shares(vec![Share::new(key.expose().to_vec())]));
    }
    let bytes = key.expose().iter();
    let polynomials: Vec<Polynomial> =
        bytes.map(|byte| Polynomial::random(*byte, threshold.required(), entropy)).collect::<Result<_>>()?;
    let xs = distinct_coordinates(threshold.shares(), entropy)?;
    let share = |x: u8| {
        // Allocated at its full length, so that no half-filled copy is left behind by growing.
        let mut share = Vec::with_capacity(threshold.share_len());
        share.extend(polynomials.iter().map(|polynomial| polynomial.at(x)));
        share.push(x);
        Share::new(share)
    };
    Ok(Shares(xs.into_iter().map(share).collect()))
}

/// The key that `shares` are of. Cannot fail: what could be wrong was checked when the set was made.
#[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "an array of 32 bytes has the length of a key")]
pub fn combine(shares: DistinctShares) -> SealKey {
    let DistinctShares(parts) = shares;
    let key = match parts {
        Parts::Whole(key) => key,
        Parts::Points(points) => interpolate(&points),
    };
    SealKey::from_slice(key.as_slice()).expect("32 bytes")
}

fn interpolate(points: &[Point]) -> Zeroizing<[u8; KEY_LEN]> {
    let xs: Vec<u8> = points.iter().map(|point| point.x).collect();
    let mut key = Zeroizing::new([0; KEY_LEN]);
    for (point, weight) in points.iter().zip(weights_at_zero(&xs)) {
        for (byte, value) in key.iter_mut().zip(point.values.iter()) {
            *byte = add(*byte, multiply(*value, weight));
        }
    }
    key
}

/// `count` of the 255 coordinates that are not zero, each choice equally likely (Fisher and Yates, cut short).
fn distinct_coordinates(count: u8, entropy: &dyn Entropy) -> Result<Vec<u8>> {
    let mut all: Vec<u8> = (1..=u8::MAX).collect();
    for position in 0..usize::from(count) {
        let offset = below(all.len() - position, entropy)?;
        all.swap(position, position + offset);
    }
    all.truncate(usize::from(count));
    Ok(all)
}

/// A random number below `bound`, which is 1 to 255, each equally likely.
fn below(bound: usize, entropy: &dyn Entropy) -> Result<usize> {
    let fair = 256 - 256 % bound;
    loop {
        let [byte] = entropy.bytes::<1>()?;
        let byte = usize::from(byte);
        if byte < fair {
            return Ok(byte % bound);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use proptest::prelude::*;

    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::secret::ct_eq;

    fn key(seed: u64) -> SealKey {
        SealKey::generate(&SeededEntropy::new(seed)).unwrap()
    }

    fn rejoin(shares: &[Share], threshold: Threshold) -> SealKey {
        combine(DistinctShares::new(shares, threshold).unwrap())
    }

    fn copies(shares: &[&Share]) -> Vec<Share> {
        shares.iter().map(|share| Share::new(share.expose().to_vec())).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn any_shares_that_reach_the_threshold_give_the_key(
            shares in 2..=255_i64,
            ratio in 0.0..1.0_f64,
            seed: u64,
            start: usize,
        ) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "below 255")]
            let required = 2 + ((shares - 2) as f64 * ratio) as i64;
            let threshold = Threshold::new(shares, required).unwrap();
            let key = key(seed);
            let all: Vec<Share> = split(&key, threshold, &SeededEntropy::new(!seed)).unwrap().into_iter().collect();
            prop_assert_eq!(all.len(), usize::from(threshold.shares()));
            let some: Vec<&Share> =
                all.iter().cycle().skip(start % all.len()).take(usize::from(threshold.required())).collect();
            prop_assert!(ct_eq(rejoin(&copies(&some), threshold).expose(), key.expose()));
        }
    }

    #[test]
    fn known_shares_combine() {
        // y = 0x42 + 3x, over every byte: 1 → 0x41, 2 → 0x44, 0x80 → 0x42 ^ 3·0x80 (= 0x80 ^ 0x1b = 0x9b).
        let share = |y: u8, x: u8| Share::new([vec![y; 32], vec![x]].concat());
        let threshold = Threshold::new(3, 2).unwrap();
        for pair in [[(0x41, 1), (0x44, 2)], [(0x44, 2), (0x42 ^ 0x9b, 0x80)], [(0x42 ^ 0x9b, 0x80), (0x41, 1)]] {
            let shares = pair.map(|(y, x)| share(y, x));
            assert_eq!(rejoin(&shares, threshold).expose(), &[0x42; 32]);
        }
    }

    #[test]
    fn one_share_of_one_is_the_key() {
        let threshold = Threshold::new(1, 1).unwrap();
        let key = key(9);
        let shares: Vec<Share> = split(&key, threshold, &SeededEntropy::new(1)).unwrap().into_iter().collect();
        assert_eq!(shares[0].expose(), key.expose());
        assert_eq!(rejoin(&shares, threshold).expose(), key.expose());
        assert!(DistinctShares::new(&[Share::new(vec![1; 33])], threshold).is_err());
    }

    #[test]
    fn one_share_too_few_says_nothing_about_the_key() {
        // For any t - 1 shares and any byte there is exactly one share at a new x that makes the secret that byte:
        // every secret is as likely as every other. Tried out for the first byte of a 3 of 5.
        let threshold = Threshold::new(5, 3).unwrap();
        let all = split(&key(5), threshold, &SeededEntropy::new(6)).unwrap();
        let two: Vec<&Share> = all.iter().take(2).collect();
        let x = (1..=255).find(|x| two.iter().all(|share| share.expose()[32] != *x)).unwrap();
        let mut secrets = std::collections::BTreeSet::new();
        for guess in 0..=255_u8 {
            let mut shares = copies(&two);
            shares.push(Share::new([vec![guess; 32], vec![x]].concat()));
            secrets.insert(rejoin(&shares, threshold).expose()[0]);
        }
        assert_eq!(secrets.len(), 256);
    }

    #[test]
    fn a_changed_share_gives_another_key() {
        let threshold = Threshold::new(3, 2).unwrap();
        let key = key(5);
        let all = split(&key, threshold, &SeededEntropy::new(6)).unwrap();
        let mut shares = copies(&all.iter().take(2).collect::<Vec<_>>());
        let mut bytes = shares[0].expose().to_vec();
        bytes[0] ^= 1;
        shares[0] = Share::new(bytes);
        assert_ne!(rejoin(&shares, threshold).expose(), key.expose());
    }

    #[test]
    fn a_set_of_shares_tells_its_number_and_no_more() {
        let threshold = Threshold::new(3, 2).unwrap();
        let shares = split(&key(1), threshold, &SeededEntropy::new(2)).unwrap();
        assert_eq!((shares.len(), shares.is_empty(), shares.iter().count()), (3, false, 3));
        assert!(Shares(Vec::new()).is_empty());
        let two: Vec<Share> = shares.into_iter().take(2).collect();
        let set = DistinctShares::new(&two, threshold).unwrap();
        assert_eq!(format!("{set:?}"), "DistinctShares(Parts)");
        for length in [0, 1, 32, 34] {
            let other = [Share::new(vec![1; length]), Share::new(vec![2; length])];
            let refused = DistinctShares::new(&other, threshold);
            assert!(matches!(refused, Err(crate::seal::SealError::ShareLength(33))), "{length}: {refused:?}");
        }
    }

    /// Gives these bytes, one at a time.
    #[derive(Debug)]
    struct Bytes(Mutex<VecDeque<u8>>);

    impl Entropy for Bytes {
        fn fill(&self, bytes: &mut [u8]) -> Result<()> {
            let mut left = self.0.lock().unwrap();
            for byte in bytes {
                *byte = left.pop_front().unwrap();
            }
            Ok(())
        }
    }

    /// The bytes above the largest multiple of the bound would favour the smallest numbers.
    #[test]
    fn numbers_below_a_bound_are_equally_likely() {
        let first = |bound, bytes: &[u8]| below(bound, &Bytes(Mutex::new(bytes.iter().copied().collect()))).unwrap();
        assert_eq!(first(100, &[255, 200, 199]), 99);
        assert_eq!(first(100, &[200, 100]), 0);
        assert_eq!((first(255, &[255, 254]), first(128, &[255]), first(1, &[255])), (254, 127, 0));
        for bound in 1..=255 {
            let mut counts = vec![0; bound];
            for byte in 0..=255_u8 {
                // Whoever is refused takes the next one.
                if usize::from(byte) < 256 / bound * bound {
                    counts[first(bound, &[byte])] += 1;
                }
            }
            assert!(counts.iter().all(|count| *count == 256 / bound), "{bound}: {counts:?}");
        }
    }

    #[test]
    fn coordinates_are_distinct_and_not_in_order() {
        let entropy = SeededEntropy::new(3);
        let mut all = distinct_coordinates(255, &entropy).unwrap();
        assert_ne!(all, (1..=255).collect::<Vec<u8>>());
        all.sort_unstable();
        assert_eq!(all, (1..=255).collect::<Vec<u8>>());
        assert_ne!(distinct_coordinates(5, &entropy).unwrap(), distinct_coordinates(5, &entropy).unwrap());
    }
}
