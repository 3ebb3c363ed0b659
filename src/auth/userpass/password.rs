//! Passwords at rest: Argon2id (RFC 9106) with OWASP's parameters, each hash with its own.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use zeroize::{Zeroize, Zeroizing};

use crate::entropy::Entropy;
use crate::error::{Error, Kind, Result};
use crate::secret::{SecretText, ct_eq};

/// How many hashes are computed at a time; each holds a core and 19 MiB.
const AT_A_TIME: usize = 2;

/// How many more may wait for their turn.
const QUEUE: usize = 32;

/// The longest password in bytes.
pub(super) const MAX_PASSWORD: usize = 4096;

/// A password's hash and all that it depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PasswordHash {
    cost: Cost,
    /// 16 bytes in Base64.
    salt: String,
    /// 32 bytes in Base64.
    hash: String,
}

/// The parameters of Argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// What new hashes cost.
const COST: Cost = Cost { memory_kib: 19 * 1024, passes: 2, lanes: 1 };

impl PasswordHash {
    /// A hash that no password has; checking against it takes as long as against any other.
    pub(super) fn of_nobody() -> Self {
        Self { cost: COST, salt: BASE64.encode(&[0; 16]), hash: String::new() }
    }

    /// Whether it was made with less than what new hashes cost.
    pub(super) fn is_outdated(&self) -> bool {
        self.cost != COST
    }

    fn matches(&self, password: &SecretText, memory: &mut Memory) -> Result<bool> {
        let corrupt = |_| Error::corrupt("a stored password hash has an unknown form");
        let salt = BASE64.decode(self.salt.as_bytes()).map_err(corrupt)?;
        let expected = BASE64.decode(self.hash.as_bytes()).map_err(corrupt)?;
        let computed = argon2id(self.cost, password, &salt, memory)?;
        Ok(ct_eq(&*computed, &expected))
    }
}

/// What a hash is computed in.
type Memory = Zeroizing<Vec<Block>>;

/// Computes hashes off the threads that serve requests, a few at a time.
pub(super) struct Hasher {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
    /// Wiped memory of hashes that are done, one for each turn at most. Each new piece would stay with the allocator's
    /// arena of whichever thread asked for it: under a flood of logins there would soon be one in every arena.
    spare: Arc<Mutex<Vec<Memory>>>,
}

impl Hasher {
    pub(super) fn new() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
            places: Arc::new(Semaphore::new(AT_A_TIME + QUEUE)),
            spare: Arc::default(),
        }
    }

    /// The hash of a new password.
    pub(super) async fn hash(&self, password: &Arc<SecretText>, entropy: &dyn Entropy) -> Result<PasswordHash> {
        let salt = entropy.bytes::<16>()?;
        let password = password.clone();
        let hash = move |memory: &mut Memory| {
            let hash = argon2id(COST, &password, &salt, memory)?;
            Ok(PasswordHash { cost: COST, salt: BASE64.encode(&salt), hash: BASE64.encode(&*hash) })
        };
        self.run(hash).await
    }

    /// Whether `password` has this hash.
    pub(super) async fn matches(&self, password: &Arc<SecretText>, hash: PasswordHash) -> Result<bool> {
        let password = password.clone();
        self.run(move |memory| hash.matches(&password, memory)).await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&mut Memory) -> Result<T> + Send + 'static) -> Result<T> {
        let full = |_| Error::new(Kind::RateLimited, "too many passwords are being checked; try again in a moment");
        let place = self.places.clone().try_acquire_owned().map_err(full)?;
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| Error::internal("no more passwords"))?;
        // A request that is given up does not end the work, so the work itself holds the turn.
        let spare = self.spare.clone();
        let work = move || {
            let _held = (place, turn);
            let spared = spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut memory = spared.unwrap_or_default();
            let done = work(&mut memory);
            memory.zeroize();
            spare.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
            done
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| Error::internal("a password could not be checked").with_source(error))?
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").finish_non_exhaustive()
    }
}

fn argon2id(cost: Cost, password: &SecretText, salt: &[u8], memory: &mut Memory) -> Result<Zeroizing<[u8; 32]>> {
    let failed = |_| Error::internal("a password could not be hashed");
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(failed)?;
    memory.resize(params.block_count(), Block::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut hash = Zeroizing::new([0; 32]);
    let password = password.expose().as_bytes();
    argon2.hash_password_into_with_memory(password, salt, &mut *hash, memory.as_mut_slice()).map_err(failed)?;
    Ok(hash)
}

#[cfg(test)]
impl PasswordHash {
    /// A cheap hash, as an older server could have left it.
    pub(super) fn outdated(password: &str) -> Self {
        let (cost, salt) = (Cost { memory_kib: 64, passes: 1, lanes: 1 }, [7; 16]);
        let hash = argon2id(cost, &SecretText::new(password.to_owned()), &salt, &mut Memory::default()).unwrap();
        Self { cost, salt: BASE64.encode(&salt), hash: BASE64.encode(&*hash) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    fn secret(text: &str) -> Arc<SecretText> {
        Arc::new(SecretText::new(text.to_owned()))
    }

    #[tokio::test]
    async fn only_the_password_matches() {
        let hasher = Hasher::new();
        let hash = hasher.hash(&secret("correct-horse"), &SeededEntropy::new(1)).await.unwrap();
        assert!(hasher.matches(&secret("correct-horse"), hash.clone()).await.unwrap());
        for other in ["Correct-horse", "", "correct-horse "] {
            assert!(!hasher.matches(&secret(other), hash.clone()).await.unwrap());
            assert!(!hasher.matches(&secret(other), PasswordHash::of_nobody()).await.unwrap());
        }
        assert!(!hash.is_outdated());
        let outdated = PasswordHash::outdated("x");
        assert!(outdated.is_outdated() && outdated.matches(&secret("x"), &mut Memory::default()).unwrap());
    }

    #[test]
    fn hashes_are_those_of_the_reference_implementation() {
        let cost = Cost { memory_kib: 256, passes: 2, lanes: 1 };
        let hash = argon2id(cost, &secret("password"), b"somesalt", &mut Memory::default()).unwrap();
        let expected = "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe";
        assert_eq!(data_encoding::HEXLOWER.encode(&*hash), expected);
    }

    #[tokio::test]
    async fn memory_is_wiped_and_used_again() {
        let hasher = Hasher::new();
        for number in 0..20 {
            hasher.hash(&secret("x"), &SeededEntropy::new(number)).await.unwrap();
        }
        let spare = hasher.spare.lock().unwrap();
        assert_eq!(
            spare.iter().map(|memory| (memory.len(), memory.capacity() >= 19 * 1024)).collect::<Vec<_>>(),
            [(0, true)]
        );
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let hasher = Hasher::new();
        let _held = hasher.places.clone().acquire_many_owned(u32::try_from(AT_A_TIME + QUEUE).unwrap()).await;
        let error = hasher.matches(&secret("x"), PasswordHash::of_nobody()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::RateLimited);
    }
}
