//! `POST /v1/auth/{mount}/users/{username}/password`: changes a user's password.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::userpass::Userpass;
use crate::engine::{Cx, Done, Endpoint, Route};
use crate::error::Result;
use crate::secret::SecretText;

use super::{User, UserPath, key, new_password, password_is_missing, user_is_missing};

/// The new password.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::userpass) struct ChangePassword {
    /// The password.
    password: Option<SecretText>,
    /// Not supported.
    password_hash: Option<SecretText>,
}

impl Endpoint for ChangePassword {
    type Target = Userpass;
    type Path = UserPath;
    type Reply = Done;

    const ROUTE: Route = Route::write("users/{username:name}/password").summary("Change a user's password.");

    async fn handle(self, userpass: &Userpass, UserPath { username }: UserPath, cx: &mut Cx<'_>) -> Result<Done> {
        let known = userpass.view.fetch(cx.txn(), &key(&username)).await?;
        let mut user: User = known.ok_or_else(user_is_missing)?;
        let password = new_password(self.password, self.password_hash.as_ref())?.ok_or_else(password_is_missing)?;
        user.password = userpass.hasher.hash(&password, cx.entropy()).await?;
        userpass.view.put(cx.txn(), &key(&username), &user)?;
        Ok(Done)
    }
}
