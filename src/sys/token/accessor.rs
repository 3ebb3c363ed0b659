//! The accessor that a request names.

use crate::error::{Error, Result};
use crate::token::TokenRecord;
use crate::vault::Unsealed;

/// The accessor, which must not be empty.
pub(super) fn given(accessor: Option<String>) -> Result<String> {
    accessor.filter(|accessor| !accessor.is_empty()).ok_or_else(|| Error::invalid("missing accessor"))
}

/// The id and the record of the token behind `accessor`, which must not have ended.
pub(super) async fn resolved(accessor: Option<String>, unsealed: &Unsealed) -> Result<(String, TokenRecord)> {
    let accessor = given(accessor)?;
    unsealed.by_accessor(&accessor).await?.ok_or_else(|| Error::invalid("invalid accessor"))
}
