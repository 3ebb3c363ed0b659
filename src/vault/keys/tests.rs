use super::*;
use crate::entropy::SeededEntropy;
use crate::mount::Registry;
use crate::seal::{Otp, parse_share};
use crate::storage::fault::{FaultyStorage, Moment};
use crate::storage::{MemoryStorage, StorageError};
use crate::time::{ManualClock, Timestamp};
use crate::vault::{NewSeal, Settings};
use std::sync::Arc;

struct Fixture {
    vault: Arc<Vault>,
    storage: Arc<FaultyStorage>,
    /// Three, of which two unseal.
    shares: Vec<SecretText>,
}

fn share(text: &SecretText) -> Share {
    parse_share(text).unwrap()
}

/// A share that looks like one of the vault's, and is none.
fn wrong(text: &SecretText) -> Share {
    let mut bytes = share(text).expose().to_vec();
    bytes[0] ^= 1;
    Share::new(bytes)
}

async fn fixture() -> Fixture {
    let storage = Arc::new(FaultyStorage::new(Arc::new(MemoryStorage::new())));
    let vault = Vault::open(Parts {
        storage: storage.clone(),
        clock: Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_000_000))),
        entropy: Arc::new(SeededEntropy::new(8)),
        registry: Registry::new(crate::engines::kinds()),
        settings: Arc::new(Settings::default()),
        metrics: crate::metrics::Metrics::new(Timestamp::from_unix_seconds(1_000_000)),
        tracer: crate::trace::Tracer::off(),
    });
    let vault = vault.await.unwrap();
    let shares = vault.initialise(Threshold::new(3, 2).unwrap(), &[], None).await.unwrap().keys;
    for text in &shares[..2] {
        vault.give_share(text).await.unwrap();
    }
    Fixture { vault, storage, shares }
}

impl Fixture {
    /// Starts a rekey to one share; its nonce.
    fn start_rekey(&self, require_verification: bool) -> String {
        let threshold = Threshold::new(1, 1).unwrap();
        self.vault
            .start_rekey(NewSeal { threshold, pgp_keys: Vec::new(), require_verification, backup: false })
            .unwrap();
        self.vault.rekey_status().unwrap().going_on.unwrap().nonce
    }

    fn start_root_generation(&self) -> String {
        let otp = Otp::parse(SecretText::new("x".repeat(OTP_LENGTH)), OTP_LENGTH).unwrap();
        self.vault.start_root_generation(RootDelivery::Otp(otp)).unwrap();
        self.vault.root_generation_status().unwrap().nonce.unwrap()
    }

    /// Gives two shares, the second of which may be wrong.
    async fn rekey(&self, nonce: &str, second: Share) -> Result<Option<NewShares>> {
        assert!(self.vault.rekey_share(nonce, share(&self.shares[0])).await.unwrap().is_none());
        self.vault.rekey_share(nonce, second).await
    }

    async fn generate_root(&self, nonce: &str, second: Share) -> Result<Option<NewRootToken>> {
        assert!(self.vault.generate_root_share(nonce, share(&self.shares[0])).await.unwrap().is_none());
        self.vault.generate_root_share(nonce, second).await
    }

    /// The next commit fails.
    fn fail_next(&self) {
        self.storage.fail_commit(self.storage.commits() + 1, Moment::Before, StorageError::Full);
    }

    async fn is_unsealed_by(&self, text: &SecretText) -> bool {
        self.vault.seal().await;
        self.vault.give_share(text).await.is_ok() && self.vault.unsealed().is_ok()
    }
}

#[tokio::test]
async fn a_wrong_share_costs_the_shares_and_not_the_rekey() {
    let f = fixture().await;
    let nonce = f.start_rekey(false);
    assert!(f.rekey(&nonce, wrong(&f.shares[1])).await.is_err());
    let goes_on = f.vault.rekey_status().unwrap().going_on.unwrap();
    assert_eq!((goes_on.nonce.as_str(), goes_on.progress), (nonce.as_str(), 0));
    let new = f.rekey(&nonce, share(&f.shares[1])).await.unwrap().unwrap();
    assert!(f.vault.rekey_status().unwrap().going_on.is_none());
    assert!(f.is_unsealed_by(&new.keys[0]).await);
}

#[tokio::test]
async fn a_wrong_share_costs_the_shares_and_not_the_root_generation() {
    let f = fixture().await;
    let nonce = f.start_root_generation();
    assert!(f.generate_root(&nonce, wrong(&f.shares[1])).await.is_err());
    let status = f.vault.root_generation_status().unwrap();
    assert_eq!((status.nonce.as_deref(), status.progress), (Some(nonce.as_str()), 0));
    assert!(f.generate_root(&nonce, share(&f.shares[1])).await.unwrap().is_some());
    assert!(f.vault.root_generation_status().unwrap().nonce.is_none());
}

#[tokio::test]
async fn what_cannot_be_written_goes_on_and_can_be_done_again() {
    let f = fixture().await;
    let nonce = f.start_root_generation();
    f.fail_next();
    assert!(f.generate_root(&nonce, share(&f.shares[1])).await.is_err());
    assert!(f.generate_root(&nonce, share(&f.shares[1])).await.unwrap().is_some());

    let nonce = f.start_rekey(false);
    f.fail_next();
    assert!(f.rekey(&nonce, share(&f.shares[1])).await.is_err());
    let new = f.rekey(&nonce, share(&f.shares[1])).await.unwrap().unwrap();
    assert!(f.is_unsealed_by(&new.keys[0]).await);
}

#[tokio::test]
async fn shares_that_were_verified_are_shown_again_where_they_could_not_be_written() {
    let f = fixture().await;
    let nonce = f.start_rekey(true);
    let new = f.rekey(&nonce, share(&f.shares[1])).await.unwrap().unwrap();
    let nonce = new.verification_nonce.unwrap();
    f.fail_next();
    assert!(f.vault.verify_rekey_share(&nonce, share(&new.keys[0])).await.is_err());
    assert!(f.vault.verify_rekey_share(&nonce, share(&new.keys[0])).await.unwrap());
    assert!(f.is_unsealed_by(&new.keys[0]).await);
}

#[tokio::test]
async fn a_root_generation_asks_for_the_shares_that_hold() {
    let f = fixture().await;
    let generation = f.start_root_generation();
    f.vault.generate_root_share(&generation, share(&f.shares[0])).await.unwrap();
    let nonce = f.start_rekey(false);
    let before = f.vault.seal_record().unwrap();
    f.rekey(&nonce, share(&f.shares[1])).await.unwrap().unwrap();
    let status = f.vault.root_generation_status().unwrap();
    assert_eq!((status.required, status.progress), (1, 0));
    f.vault.take_back_rekey(before).await.unwrap();
    assert!(f.generate_root(&generation, share(&f.shares[1])).await.unwrap().is_some());

    let generation = f.start_root_generation();
    let nonce = f.start_rekey(false);
    let new = f.rekey(&nonce, share(&f.shares[1])).await.unwrap().unwrap();
    assert!(f.vault.generate_root_share(&generation, share(&new.keys[0])).await.unwrap().is_some());
}
