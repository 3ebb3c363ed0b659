//! A barrier for the targets that take one.

use std::sync::{Arc, LazyLock};

use arca::barrier::{Barrier, Txn};
use arca::entropy::SeededEntropy;
use arca::secret::RootKey;
use arca::storage::MemoryStorage;
use arca::time::{Clock, SystemClock};

pub static BARRIER: LazyLock<Arc<Barrier>> = LazyLock::new(|| {
    let entropy = Arc::new(SeededEntropy::new(1));
    let root = RootKey::generate(&*entropy).expect("a key");
    let storage = Arc::new(MemoryStorage::new());
    Barrier::create(storage, &root, entropy, SystemClock.now(), &mut Txn::new()).expect("a barrier")
});
