//! Whose token it is.

use std::collections::BTreeMap;

use arca::api::Ttl;
use arca::barrier::Txn;
use arca::engine::TokenType;
use arca::secret::TokenKey;
use arca::time::{Clock, SystemClock};
use arca::token::{NewToken, TokenRecord, TokenStore, Uses};

use super::{Failure, Operation, clock, entropy, runtime, unlocked};

/// Finds the holder of a token that was used before.
pub(super) fn authenticate(name: &'static str) -> Result<Operation, Failure> {
    let runtime = runtime()?;
    let barrier = unlocked(&runtime)?;
    let tokens = TokenStore::new(barrier.clone(), &TokenKey::generate(&*entropy())?, entropy(), clock());
    let mut txn = Txn::new();
    let new = NewToken { token_type: TokenType::Service, custom_id: None, parent: None, record: record() };
    let token = tokens.issue(new, &mut txn)?.token;
    runtime.block_on(barrier.commit(txn))?;
    let work = Box::new(move || {
        let authenticated = runtime.block_on(tokens.authenticate(&token, None))?;
        Ok(authenticated.record.policies.len())
    });
    Ok(Operation { name, work })
}

fn record() -> TokenRecord {
    TokenRecord {
        accessor: String::new(),
        parent: None,
        policies: vec!["default".to_owned(), "load".to_owned()],
        path: "auth/token/create".to_owned(),
        metadata: BTreeMap::new(),
        display_name: "token".to_owned(),
        uses: Uses::Unlimited,
        created: SystemClock.now(),
        ttl: Ttl::from_seconds(0),
        creation_ttl: Ttl::from_seconds(0),
        expires: None,
        last_renewal: None,
        renewable: false,
        period: Ttl::from_seconds(0),
        explicit_max_ttl: Ttl::from_seconds(0),
        entity_id: String::new(),
        bound_cidrs: Vec::new(),
        role: String::new(),
        identity: None,
        batch: false,
        namespace_id: "root".to_owned(),
    }
}
