//! Collecting shares until the threshold is reached: for unsealing, and for operations that are bound to a nonce.

use crate::entropy::Entropy;
use crate::secret::{Share, ct_eq};

use super::{DistinctShares, SealError, Threshold};

/// What giving a share came to.
#[derive(Debug)]
pub enum Given {
    /// It was taken; more are needed.
    Counted,
    /// It had been given before; nothing changed.
    Repeated,
    /// It was the last that was needed. The collection is empty again.
    Reached(DistinctShares),
}

/// The shares that were given to unseal so far. The first share starts an attempt, whoever sends it.
#[derive(Debug)]
pub struct UnsealProgress {
    collected: Collected,
    nonce: String,
}

impl UnsealProgress {
    /// No share yet.
    pub fn new(threshold: Threshold) -> Self {
        Self { collected: Collected::new(threshold), nonce: String::new() }
    }

    /// Takes a share. When the last one is in, the progress is cleared, whether or not the shares fit each other.
    ///
    /// Fails with [`SealError::ShareLength`], changing nothing, and with the errors of [`DistinctShares::new`].
    pub fn give(&mut self, share: Share, entropy: &dyn Entropy) -> Result<Given, SealError> {
        self.collected.check(&share)?;
        if self.collected.given.is_empty() {
            self.nonce = entropy.uuid().map_err(SealError::Entropy)?;
        }
        let outcome = self.collected.give(share);
        if self.collected.given.is_empty() {
            self.nonce.clear();
        }
        outcome
    }

    /// Forgets the shares.
    pub fn reset(&mut self) {
        self.collected.given.clear();
        self.nonce.clear();
    }

    /// How many shares were given.
    pub fn progress(&self) -> u8 {
        self.collected.progress()
    }

    /// Names the attempt; empty before the first share.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// How the key is split.
    pub fn threshold(&self) -> Threshold {
        self.collected.threshold
    }
}

/// The shares that were given to an operation that someone started (rekey, root generation): each share must come with
/// the nonce that the start answered, so that no share goes to an operation that its holder did not mean.
#[derive(Debug)]
pub struct AttemptProgress {
    collected: Collected,
    nonce: String,
}

impl AttemptProgress {
    /// Starts an attempt, with a nonce of its own.
    pub fn start(threshold: Threshold, entropy: &dyn Entropy) -> Result<Self, SealError> {
        Ok(Self { collected: Collected::new(threshold), nonce: entropy.uuid().map_err(SealError::Entropy)? })
    }

    /// Takes a share. A repeated share is an error here, as in Vault.
    pub fn give(&mut self, nonce: &str, share: Share) -> Result<Given, SealError> {
        self.check_nonce(nonce)?;
        self.collected.check(&share)?;
        match self.collected.give(share)? {
            Given::Repeated => Err(SealError::ShareRepeated),
            given @ (Given::Counted | Given::Reached(_)) => Ok(given),
        }
    }

    /// Forgets the shares: others are asked for from now on, under the same nonce.
    pub fn ask_for(&mut self, threshold: Threshold) {
        self.collected = Collected::new(threshold);
    }

    /// Whether `nonce` is that of this attempt; for cancelling it.
    pub fn check_nonce(&self, nonce: &str) -> Result<(), SealError> {
        if nonce.is_empty() {
            Err(SealError::NonceMissing)
        } else if ct_eq(nonce.as_bytes(), self.nonce.as_bytes()) {
            Ok(())
        } else {
            Err(SealError::NonceWrong)
        }
    }

    /// How many shares were given.
    pub fn progress(&self) -> u8 {
        self.collected.progress()
    }

    /// Names the attempt.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// How the key whose shares are asked for is split.
    pub fn threshold(&self) -> Threshold {
        self.collected.threshold
    }
}

#[derive(Debug)]
struct Collected {
    threshold: Threshold,
    /// Always fewer than the threshold asks for.
    given: Vec<Share>,
}

impl Collected {
    fn new(threshold: Threshold) -> Self {
        Self { threshold, given: Vec::new() }
    }

    fn check(&self, share: &Share) -> Result<(), SealError> {
        let length = self.threshold.share_len();
        if share.expose().len() == length { Ok(()) } else { Err(SealError::ShareLength(length)) }
    }

    fn give(&mut self, share: Share) -> Result<Given, SealError> {
        if self.given.iter().any(|other| ct_eq(other.expose(), share.expose())) {
            return Ok(Given::Repeated);
        }
        self.given.push(share);
        if self.given.len() < usize::from(self.threshold.required()) {
            return Ok(Given::Counted);
        }
        let given = std::mem::take(&mut self.given);
        DistinctShares::new(&given, self.threshold).map(Given::Reached)
    }

    fn progress(&self) -> u8 {
        u8::try_from(self.given.len()).unwrap_or(u8::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::seal::{combine, split};
    use crate::secret::SealKey;

    const ENTROPY: fn() -> SeededEntropy = || SeededEntropy::new(11);

    fn share(value: u8, x: u8) -> Share {
        Share::new([vec![value; 32], vec![x]].concat())
    }

    #[test]
    fn shares_count_until_they_are_enough() {
        let threshold = Threshold::new(5, 3).unwrap();
        let key = SealKey::generate(&ENTROPY()).unwrap();
        let shares: Vec<Share> = split(&key, threshold, &ENTROPY()).unwrap().into_iter().collect();
        let copy = |index: usize| Share::new(shares[index].expose().to_vec());
        let entropy = ENTROPY();
        let mut progress = UnsealProgress::new(threshold);
        assert_eq!((progress.progress(), progress.nonce()), (0, ""));
        assert!(matches!(progress.give(copy(4), &entropy), Ok(Given::Counted)));
        let nonce = progress.nonce().to_owned();
        assert_eq!(nonce.len(), 36);
        assert!(matches!(progress.give(copy(4), &entropy), Ok(Given::Repeated)));
        assert_eq!((progress.progress(), progress.nonce()), (1, nonce.as_str()));
        assert!(matches!(progress.give(copy(1), &entropy), Ok(Given::Counted)));
        let Ok(Given::Reached(distinct)) = progress.give(copy(2), &entropy) else { panic!("not reached") };
        assert_eq!(combine(distinct).expose(), key.expose());
        assert_eq!((progress.progress(), progress.nonce()), (0, ""));
    }

    #[test]
    fn a_reset_forgets_and_the_next_attempt_has_another_name() {
        let entropy = ENTROPY();
        let mut progress = UnsealProgress::new(Threshold::new(3, 2).unwrap());
        progress.give(share(1, 1), &entropy).unwrap();
        let first = progress.nonce().to_owned();
        progress.reset();
        assert_eq!((progress.progress(), progress.nonce()), (0, ""));
        progress.give(share(1, 1), &entropy).unwrap();
        assert_ne!(progress.nonce(), first);
    }

    #[test]
    fn shares_that_clash_clear_the_attempt() {
        let entropy = ENTROPY();
        let mut progress = UnsealProgress::new(Threshold::new(3, 2).unwrap());
        progress.give(share(1, 1), &entropy).unwrap();
        assert!(matches!(progress.give(share(2, 1), &entropy), Err(SealError::DuplicateShare)));
        assert_eq!((progress.progress(), progress.nonce()), (0, ""));
    }

    #[test]
    fn a_share_of_another_length_changes_nothing() {
        let entropy = ENTROPY();
        let mut progress = UnsealProgress::new(Threshold::new(3, 2).unwrap());
        assert!(matches!(progress.give(Share::new(vec![1; 32]), &entropy), Err(SealError::ShareLength(33))));
        assert_eq!((progress.progress(), progress.nonce()), (0, ""));
    }

    #[test]
    fn an_attempt_takes_shares_under_its_nonce_only() {
        let mut attempt = AttemptProgress::start(Threshold::new(3, 2).unwrap(), &ENTROPY()).unwrap();
        let nonce = attempt.nonce().to_owned();
        assert_eq!((attempt.progress(), attempt.threshold().required()), (0, 2));
        assert!(matches!(attempt.give("", share(1, 1)), Err(SealError::NonceMissing)));
        assert!(matches!(attempt.give("x", share(1, 1)), Err(SealError::NonceWrong)));
        assert!(matches!(attempt.give(&nonce, share(1, 1)), Ok(Given::Counted)));
        assert!(matches!(attempt.give(&nonce, share(1, 1)), Err(SealError::ShareRepeated)));
        assert_eq!(attempt.progress(), 1);
        attempt.ask_for(Threshold::new(5, 4).unwrap());
        assert_eq!((attempt.progress(), attempt.threshold().required()), (0, 4), "they are forgotten");
        for x in 1..=3 {
            assert!(matches!(attempt.give(&nonce, share(x, x)), Ok(Given::Counted)));
            assert_eq!(attempt.progress(), x);
        }
        assert!(matches!(attempt.give(&nonce, share(4, 4)), Ok(Given::Reached(_))));
    }
}
