//! What is stored of a token.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::api::{Ttl, namespace_suffix};
use crate::barrier::Record;
use crate::engine::{Identity, TokenType};
use crate::secret::ClientToken;
use crate::time::Timestamp;

/// What is stored of a token. Not the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Names the token without being it; empty for a batch token.
    pub accessor: String,
    /// The id of the token that it ends with; nothing for an orphan.
    pub parent: Option<String>,
    /// Its policies, sorted.
    pub policies: Vec<String>,
    /// The path that made it.
    pub path: String,
    /// What its maker says about its holder.
    pub metadata: BTreeMap<String, String>,
    /// How its holder is called in lists and logs.
    pub display_name: String,
    /// How many more requests it is good for.
    pub uses: Uses,
    /// When it was made.
    pub created: Timestamp,
    /// How long it lasted when it was made or last renewed.
    pub ttl: Ttl,
    /// How long it lasted when it was made.
    pub creation_ttl: Ttl,
    /// When it ends; nothing is never.
    pub expires: Option<Timestamp>,
    /// When it was renewed last.
    pub last_renewal: Option<Timestamp>,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// Each renewal makes it last this long again; zero for none.
    pub period: Ttl,
    /// A bound that no renewal and no period can lift; zero for none.
    pub explicit_max_ttl: Ttl,
    /// Whom it belongs to; empty if unknown.
    pub entity_id: String,
    /// The addresses that it may be used from; none is any.
    pub bound_cidrs: Vec<String>,
    /// The role of `auth/token/roles` that it was made by; empty for none.
    pub role: String,
    /// Who its holder proved to be, for a token of a login.
    pub identity: Option<Identity>,
    /// Whether it is a batch token.
    pub batch: bool,
    /// The id of the namespace that it is of.
    pub namespace_id: String,
}

impl Record for TokenRecord {}

/// How many more requests a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Uses {
    /// Any number.
    Unlimited,
    /// So many, at least one.
    Left(u64),
    /// The request that spent the last one is still running.
    Spent,
}

impl Uses {
    /// So many uses; 0 is any number.
    pub fn of(number: u64) -> Self {
        if number == 0 { Self::Unlimited } else { Self::Left(number) }
    }

    /// What is left after one more; nothing if there is none left to take.
    pub fn spent(self) -> Option<Self> {
        match self {
            Self::Unlimited => Some(Self::Unlimited),
            Self::Left(0 | 1) => Some(Self::Spent),
            Self::Left(number) => Some(Self::Left(number - 1)),
            Self::Spent => None,
        }
    }

    /// The number left; nothing for any number.
    pub fn left(self) -> Option<u64> {
        match self {
            Self::Unlimited => None,
            Self::Left(number) => Some(number),
            Self::Spent => Some(0),
        }
    }

    /// As the API shows it: 0 is any number, -1 says that this request is the last.
    pub fn shown(self) -> i64 {
        match self {
            Self::Unlimited => 0,
            Self::Left(number) => i64::try_from(number).unwrap_or(i64::MAX),
            Self::Spent => -1,
        }
    }
}

impl TokenRecord {
    /// Whether it has ended at `now`.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// The kind of token.
    pub fn token_type(&self) -> TokenType {
        if self.batch { TokenType::Batch } else { TokenType::Service }
    }

    /// Whole seconds until it ends at `now`; 0 for never.
    pub fn remaining(&self, now: Timestamp) -> u64 {
        self.expires.map_or(0, |expires| expires.since(now).as_secs())
    }

    /// The id of the lease that ends it.
    pub fn lease_id(&self, token_id: &str) -> String {
        format!("{}/h{token_id}{}", self.path.trim_end_matches('/'), namespace_suffix(&self.namespace_id))
    }

    /// Whether it may be used from `client`. An address that is not known is not within any network.
    pub fn allows(&self, client: Option<IpAddr>) -> bool {
        if self.bound_cidrs.is_empty() {
            return true;
        }
        let Some(client) = client.map(|address| address.to_canonical()) else { return false };
        self.bound_cidrs.iter().any(|text| match (text.parse::<IpNet>(), text.parse::<IpAddr>()) {
            (Ok(network), _) => network.contains(&client),
            (Err(_), Ok(address)) => address == client,
            (Err(_), Err(_)) => false,
        })
    }
}

/// A token that is to be made.
#[derive(Debug)]
pub struct NewToken {
    /// The kind of token.
    pub token_type: TokenType,
    /// The token itself, for the few who may choose it.
    pub custom_id: Option<ClientToken>,
    /// The id of the token that it ends with.
    pub parent: Option<String>,
    /// Everything else; `accessor` and `parent` are filled in.
    pub record: TokenRecord,
}

/// A token that was made. Shown once.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub token: ClientToken,
    /// Its id in the store.
    pub id: String,
    /// What is stored of it.
    pub record: TokenRecord,
    /// The kind of token.
    pub token_type: TokenType,
}
