//! `GET /v1/auth/{mount}/users/{username}`: a user, without the password.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::auth::userpass::Userpass;
use crate::engine::{Cx, Data, Endpoint, LegacySettings, Route, TokenSettings};
use crate::error::{Error, Result};

use super::{User, UserPath, key};

/// Asks for nothing.
#[derive(Deserialize, JsonSchema)]
pub(in crate::auth::userpass) struct ReadUser {}

/// A user as it is shown.
#[derive(Serialize, JsonSchema)]
pub(in crate::auth::userpass) struct Shown {
    #[serde(flatten)]
    token: TokenSettings,
    #[serde(flatten)]
    legacy: LegacySettings,
}

impl Endpoint for ReadUser {
    type Target = Userpass;
    type Path = UserPath;
    type Reply = Data<Shown>;

    const ROUTE: Route = Route::read("users/{username:name}").summary("Read a user.");

    async fn handle(self, userpass: &Userpass, UserPath { username }: UserPath, _: &mut Cx<'_>) -> Result<Data<Shown>> {
        let user: User = userpass.view.get(&key(&username)).await?.ok_or_else(Error::absent)?;
        let legacy = user.legacy.shown(&user.token);
        Ok(Data::new(Shown { token: user.token, legacy }))
    }
}
