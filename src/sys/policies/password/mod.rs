//! `/v1/sys/policies/password`: what a generated password is made of.

mod delete;
mod generate;
mod list;
mod read;
mod write;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::Routes;
use crate::error::Error;
use crate::vault::Unsealed;

/// Adds what is below `sys/policies/password`.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<list::ListPolicies>()
        .endpoint::<read::ReadPolicy>()
        .endpoint::<write::WritePolicy>()
        .endpoint::<delete::DeletePolicy>()
        .endpoint::<generate::GeneratePassword>()
}

/// The name of a password policy.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct PolicyPath {
    /// The name; its case matters.
    name: String,
}

fn absent() -> Error {
    Error::not_found("1 error occurred:\n\t* policy does not exist\n\n")
}
