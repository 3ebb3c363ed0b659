//! `/v1/identity/entity-alias`: the names by which auth methods know entities; `/v1/identity/alias` and
//! `/v1/identity/persona` are older names of it.

mod by_id;
mod list;
mod persona;
mod write;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// Of the names that these paths had over time: the present one.
const PRESENT: u8 = 0;
/// The one before.
const ALIAS: u8 = 1;
/// The first.
const PERSONA: u8 = 2;

/// Adds what is below `identity/entity-alias`, and the same by its older names.
pub(super) fn add(routes: Routes<Arc<Unsealed>>) -> Routes<Arc<Unsealed>> {
    routes
        .endpoint::<write::WriteAlias<PRESENT>>()
        .endpoint::<by_id::ReadAlias<PRESENT>>()
        .endpoint::<by_id::UpdateAlias<PRESENT>>()
        .endpoint::<by_id::DeleteAlias<PRESENT>>()
        .endpoint::<list::ListAliases<PRESENT>>()
        .endpoint::<write::WriteAlias<ALIAS>>()
        .endpoint::<by_id::ReadAlias<ALIAS>>()
        .endpoint::<by_id::UpdateAlias<ALIAS>>()
        .endpoint::<by_id::DeleteAlias<ALIAS>>()
        .endpoint::<list::ListAliases<ALIAS>>()
        .endpoint::<persona::WritePersona>()
        .endpoint::<persona::UpdatePersona>()
        .endpoint::<by_id::ReadAlias<PERSONA>>()
        .endpoint::<by_id::DeleteAlias<PERSONA>>()
        .endpoint::<list::ListAliases<PERSONA>>()
}

/// The one of three texts that goes with a name of these paths.
const fn named(name: u8, texts: [&'static str; 3]) -> &'static str {
    let [present, alias, persona] = texts;
    match name {
        ALIAS => alias,
        PERSONA => persona,
        _ => present,
    }
}
