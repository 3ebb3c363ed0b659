//! The operations, each with what it needs.

mod acl;
mod audit;
mod barrier;
mod request;
mod routing;
mod token;

use std::sync::Arc;

use arca::barrier::{Barrier, Txn};
use arca::entropy::{Entropy, SystemEntropy};
use arca::secret::RootKey;
use arca::storage::MemoryStorage;
use arca::time::{Clock, SystemClock};
use tokio::runtime::{Builder, Runtime};

use super::Failure;

/// Something that is measured.
pub(crate) struct Operation {
    /// What it is called: `part/what`.
    pub(crate) name: &'static str,
    /// Does it once, and says how large the outcome is, so that the compiler leaves nothing out.
    pub(crate) work: Box<dyn FnMut() -> Result<usize, Failure>>,
}

/// Makes an operation ready.
type Maker = fn() -> Result<Operation, Failure>;

/// All of them.
const ALL: [(&str, Maker); 13] = [
    ("barrier/seal 300 B", || barrier::seal("barrier/seal 300 B", 300)),
    ("barrier/seal 4 KiB", || barrier::seal("barrier/seal 4 KiB", 4096)),
    ("barrier/open 300 B", || barrier::open("barrier/open 300 B", 300)),
    ("barrier/open 4 KiB", || barrier::open("barrier/open 4 KiB", 4096)),
    ("acl/decide, 1 policy", || acl::decide("acl/decide, 1 policy", 1)),
    ("acl/decide, 10 policies", || acl::decide("acl/decide, 10 policies", 10)),
    ("acl/decide, 100 policies", || acl::decide("acl/decide, 100 policies", 100)),
    ("token/authenticate", || token::authenticate("token/authenticate")),
    ("audit/redact an answer", || audit::redact("audit/redact an answer")),
    ("audit/both lines of a read", || audit::lines("audit/both lines of a read")),
    ("routing/10 mounts", || routing::route("routing/10 mounts", 10)),
    ("routing/1000 mounts", || routing::route("routing/1000 mounts", 1000)),
    ("request/read a secret", || request::read("request/read a secret")),
];

/// All operations.
pub(crate) fn all() -> Result<Vec<Operation>, Failure> {
    ALL.iter().map(|(_, make)| make()).collect()
}

/// The operation of this name.
pub(crate) fn one(name: &str) -> Result<Operation, Failure> {
    let found = ALL.iter().find(|(known, _)| *known == name);
    let (_, make) = found.ok_or("there is no operation of this name; --names lists them")?;
    make()
}

/// A runtime with no thread of its own: what it does is counted.
fn runtime() -> Result<Runtime, Failure> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// The system's randomness.
fn entropy() -> Arc<dyn Entropy> {
    Arc::new(SystemEntropy::new())
}

/// The system's clock.
fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// A new barrier over a store in memory.
fn unlocked(runtime: &Runtime) -> Result<Arc<Barrier>, Failure> {
    let (entropy, mut txn) = (entropy(), Txn::new());
    let root = RootKey::generate(&*entropy)?;
    let storage = Arc::new(MemoryStorage::new());
    let barrier = Barrier::create(storage, &root, entropy, SystemClock.now(), &mut txn)?;
    runtime.block_on(barrier.commit(txn))?;
    Ok(barrier)
}
