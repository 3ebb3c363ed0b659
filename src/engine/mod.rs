//! The seam between the core and what is mounted in it: what an engine is, what an endpoint is, what a handler gets and
//! what it may answer. No HTTP and no core in here; engines and auth methods import nothing else of the server.

mod answer;
mod body;
mod bounds;
mod cidr;
mod cx;
mod download;
mod endpoint;
mod erase;
mod glob;
#[cfg(test)]
pub(crate) mod harness;
mod identity;
mod lease;
mod legacy_params;
mod lockout;
mod paging;
mod pattern;
mod routes;
mod token_params;
mod undo;

pub use crate::barrier::{Record, Scope, Txn, View};
pub use crate::policy::{Access, Existence};
pub use crate::storage::Page;

pub use answer::{Answer, Content, Data, Done, Leased, Listing, Payload, Raw, RenewedLease, Reply, StatusCode, Token};
pub use body::Body;
pub use bounds::{Bounds, Granted, grant, renewed};
pub use cidr::{address_is_bound, bound_cidrs, cidrs_within};
pub use cx::{Caller, Client, Cx, CxParts, Deps, Intents, Mount, PasswordPolicies, SeenHeaders, joined};
pub use download::{Download, Piece, Upload};
pub use endpoint::{AuthMethod, Endpoint, Engine, Route, SecretsEngine};
pub use erase::{Kind, Mounted, Role};
pub use glob::fits_glob;
pub use identity::{Identity, Login, Terms, TokenType};
pub use lease::{Intent, LeaseData, NewLease, Renewal};
pub use legacy_params::{LegacyNames, LegacyParams, LegacySettings};
pub use lockout::{LockoutPolicy, Lockouts, Verdict};
pub use paging::Paging;
pub use pattern::{Params, Pattern, is_name, parameter_name};
pub use routes::{Hit, IdleFields, Resolved, RouteInfo, Routes};
pub use token_params::{TokenParams, TokenSettings, policy_names};
pub use undo::Undo;
