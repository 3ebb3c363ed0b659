//! New shares in place of the present ones, as an operation that may be interrupted.

use std::cell::RefCell;

use serde_json::json;

use super::operations::{Operation, State};

/// Shares that unseal instead of those that a vault was made with.
pub(super) type OtherShares = RefCell<Option<Vec<String>>>;

/// Hands the operation to `interrupt`. The shares that it has made are in `others` afterwards.
pub(super) fn rekey(others: &OtherShares, interrupt: &mut dyn FnMut(&Operation<'_>)) {
    let operation = Operation {
        name: "rekey",
        manual_clock: false,
        prepare: &|vault| drop(vault.root().post("cubbyhole/a", json!({"n": 1})).ok()),
        act: &|vault| {
            // A new share is shown before it counts, so that it cannot be lost with an answer.
            let root = vault.root();
            let wanted = json!({"secret_shares": 1, "secret_threshold": 1, "require_verification": true});
            let nonce = root.post("sys/rotate/root/init", wanted).ok().json()["data"]["nonce"].clone();
            let give = |share| root.post("sys/rotate/root/update", json!({"nonce": nonce, "key": share}));
            let mut answers: Vec<_> = vault.shares.iter().map(give).collect();
            let last = answers.pop().unwrap();
            let made = last.json()["data"].take();
            let Some(new) = made["keys_base64"][0].as_str() else { return last };
            *others.borrow_mut() = Some(vec![new.to_owned()]);
            root.post("sys/rotate/root/verify", json!({"nonce": made["verification_nonce"], "key": new}))
        },
        // The vault was made with two shares.
        found: &|vault, _| match vault.anonymous().get("sys/seal-status").ok().json()["n"].as_u64() {
            Some(2) => State::Before,
            Some(1) => State::After,
            _ => State::Between,
        },
        check: &|vault| drop(vault.root().get("cubbyhole/a").ok()),
    };
    interrupt(&operation);
}
