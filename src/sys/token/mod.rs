//! `/v1/auth/token/*`.

mod accessor;
mod accessors;
mod create;
mod info;
mod lookup;
mod lookup_accessor;
mod lookup_self;
mod renew;
mod renew_accessor;
mod renew_self;
mod revoke;
mod revoke_accessor;
mod revoke_orphan;
mod revoke_self;
mod roles;
mod tidy;

use std::sync::Arc;

use crate::engine::Routes;
use crate::vault::Unsealed;

/// What is below `auth/token/`.
pub(super) fn routes() -> Routes<Arc<Unsealed>> {
    let routes = Routes::new()
        .endpoint::<create::Create>()
        .endpoint::<create::CreateOrphan>()
        .endpoint::<create::CreateByRole>()
        .endpoint::<lookup::LookUp>()
        .endpoint::<lookup::GetLookUp>()
        .endpoint::<lookup_self::LookUpSelf>()
        .endpoint::<lookup_self::PostLookUpSelf>()
        .endpoint::<lookup_accessor::LookUpAccessor>()
        .endpoint::<accessors::ListAccessors>()
        .endpoint::<renew::Renew>()
        .endpoint::<renew_self::RenewSelf>()
        .endpoint::<renew_accessor::RenewAccessor>()
        .endpoint::<revoke::Revoke>()
        .endpoint::<revoke_self::RevokeSelf>()
        .endpoint::<revoke_accessor::RevokeAccessor>()
        .endpoint::<revoke_orphan::RevokeOrphan>()
        .endpoint::<tidy::Tidy>();
    roles::add(routes)
}
