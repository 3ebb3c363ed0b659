//! The barrier opens what it sealed, at its place, and nothing else; and reads what is its ledger.
#![no_main]

use std::sync::{Arc, LazyLock};

use arca::barrier::{Balance, Barrier, Txn};
use arca::entropy::SeededEntropy;
use arca::secret::RootKey;
use arca::storage::{Key, MemoryStorage};
use arca::time::{Clock, SystemClock};
use libfuzzer_sys::fuzz_target;

static BARRIER: LazyLock<Arc<Barrier>> = LazyLock::new(|| {
    let entropy = Arc::new(SeededEntropy::new(1));
    let root = RootKey::generate(&*entropy).expect("a key");
    let storage = Arc::new(MemoryStorage::new());
    Barrier::create(storage, &root, entropy, SystemClock.now(), &mut Txn::new()).expect("a barrier")
});

fuzz_target!(|bytes: &[u8]| {
    assert!(BARRIER.open("place", bytes.to_vec()).is_err());
    let mut sealed = BARRIER.seal("place", bytes).expect("sealed");
    assert_eq!(BARRIER.open("place", sealed.clone()).expect("opened").as_slice(), bytes);
    assert!(BARRIER.open("other", sealed.clone()).is_err());
    let place = Key::new("core/ledger").expect("a key");
    let mut count = BARRIER.count().expect("a count");
    count.take(&place, &BARRIER.seal(place.as_str(), bytes).expect("sealed"));
    assert!(matches!(count.balance(), Balance::Unreadable | Balance::Even(_) | Balance::Uneven(..)));
    let middle = sealed.len() / 2;
    sealed[middle] ^= 1;
    assert!(BARRIER.open("place", sealed).is_err());
});
