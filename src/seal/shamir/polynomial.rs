//! Polynomials over GF(2^8), one for each byte of the secret.

use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::error::Result;

use super::gf256::{add, invert, multiply};

/// A polynomial whose value at zero is a byte of the secret. Wiped on drop.
pub(super) struct Polynomial {
    constant: Zeroizing<u8>,
    /// Of x, x², …; uniformly random, zero included: anything else would say something about the secret.
    coefficients: Zeroizing<Vec<u8>>,
}

impl Polynomial {
    /// A random polynomial through (0, `constant`) that `threshold` points fix and fewer do not.
    pub(super) fn random(constant: u8, threshold: u8, entropy: &dyn Entropy) -> Result<Self> {
        let mut coefficients = Zeroizing::new(vec![0; usize::from(threshold.saturating_sub(1))]);
        entropy.fill(&mut coefficients)?;
        Ok(Self { constant: Zeroizing::new(constant), coefficients })
    }

    /// The value at `x`, by Horner's rule.
    pub(super) fn at(&self, x: u8) -> u8 {
        let sum = self.coefficients.iter().rev().fold(0, |sum, coefficient| multiply(add(sum, *coefficient), x));
        add(sum, *self.constant)
    }
}

/// The factors by which the values at `xs` are to be multiplied so that their sum is the value at zero (Lagrange).
/// The coordinates must be distinct and not zero.
pub(super) fn weights_at_zero(xs: &[u8]) -> Vec<u8> {
    let weight = |own: usize, x: u8| {
        let others = xs.iter().enumerate().filter(|(index, _)| *index != own);
        others.fold(1, |product, (_, other)| multiply(product, multiply(*other, invert(add(*other, x)))))
    };
    xs.iter().enumerate().map(|(index, x)| weight(index, *x)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn values_follow_from_the_coefficients() {
        let line = Polynomial { constant: Zeroizing::new(7), coefficients: Zeroizing::new(vec![3]) };
        assert_eq!(line.at(0), 7);
        assert_eq!(line.at(1), 7 ^ 3);
        assert_eq!(line.at(2), 7 ^ 6);
        let square = Polynomial { constant: Zeroizing::new(1), coefficients: Zeroizing::new(vec![0, 1]) };
        assert_eq!(square.at(0x10), 1 ^ multiply(0x10, 0x10));
    }

    #[test]
    fn as_many_values_as_the_threshold_give_the_constant() {
        let entropy = SeededEntropy::new(4);
        for threshold in [1, 2, 3, 9] {
            let polynomial = Polynomial::random(0xa7, threshold, &entropy).unwrap();
            let xs: Vec<u8> = (1..=threshold).map(|x| x.wrapping_mul(29)).collect();
            let weights = weights_at_zero(&xs);
            let sum = xs.iter().zip(weights).fold(0, |sum, (x, weight)| add(sum, multiply(polynomial.at(*x), weight)));
            assert_eq!(sum, 0xa7);
        }
    }
}
