//! Records, encrypted and decrypted.

use arca::barrier::{Record, Scope, Txn};
use serde::{Deserialize, Serialize};

use super::{Failure, Operation, runtime, unlocked};

/// A record with one value.
#[derive(Deserialize, Serialize)]
struct Value {
    value: String,
}

impl Record for Value {}

/// Encodes and encrypts a record with a value of `bytes`.
pub(super) fn seal(name: &'static str, bytes: usize) -> Result<Operation, Failure> {
    let barrier = unlocked(&runtime()?)?;
    let view = barrier.view(Scope::new("root", "bench"));
    let record = Value { value: "v".repeat(bytes) };
    let work = Box::new(move || {
        let mut txn = Txn::new();
        view.put(&mut txn, "a/secret", &record)?;
        Ok(usize::from(txn.is_empty()))
    });
    Ok(Operation { name, work })
}

/// Reads, decrypts and decodes a record with a value of `bytes`.
pub(super) fn open(name: &'static str, bytes: usize) -> Result<Operation, Failure> {
    let runtime = runtime()?;
    let barrier = unlocked(&runtime)?;
    let view = barrier.view(Scope::new("root", "bench"));
    let mut txn = Txn::new();
    view.put(&mut txn, "a/secret", &Value { value: "v".repeat(bytes) })?;
    runtime.block_on(barrier.commit(txn))?;
    let work = Box::new(move || {
        let record: Option<Value> = runtime.block_on(view.get("a/secret"))?;
        Ok(record.ok_or("the record is gone")?.value.len())
    });
    Ok(Operation { name, work })
}
