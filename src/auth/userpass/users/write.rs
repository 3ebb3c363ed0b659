//! `POST /v1/auth/{mount}/users/{username}`: makes or changes a user.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{StringList, Ttl, given};
use crate::auth::userpass::Userpass;
use crate::engine::{
    Caller, Cx, Done, Endpoint, Existence, LegacyNames, LegacyParams, Route, TokenParams, TokenSettings,
};
use crate::error::Result;
use crate::secret::SecretText;

use super::{User, UserPath, key, new_password, password_is_missing};

/// A user; what is left out stays as it is.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::userpass) struct WriteUser {
    /// The password. A new user must have one.
    password: Option<SecretText>,
    /// Not supported.
    password_hash: Option<SecretText>,
    /// What tokens are like.
    #[serde(flatten)]
    token: TokenParams,
    /// Older name of `token_policies`.
    #[serde(deserialize_with = "given")]
    policies: Option<StringList>,
    /// Older name of `token_ttl`.
    ttl: Option<Ttl>,
    /// Older name of `token_max_ttl`.
    max_ttl: Option<Ttl>,
    /// Older name of `token_bound_cidrs`.
    #[serde(deserialize_with = "given")]
    bound_cidrs: Option<StringList>,
}

impl Endpoint for WriteUser {
    type Target = Userpass;
    type Path = UserPath;
    type Reply = Done;

    const ROUTE: Route = Route::write("users/{username:name}").summary("Make or change a user.");

    async fn handle(self, userpass: &Userpass, UserPath { username }: UserPath, cx: &mut Cx<'_>) -> Result<Done> {
        let known: Option<User> = userpass.view.fetch(cx.txn(), &key(&username)).await?;
        let (hash, token, mut names) = match known {
            Some(user) => (Some(user.password), user.token, user.legacy),
            None => (None, TokenSettings::new(), LegacyNames::default()),
        };
        let mut asked = self.token;
        let legacy = LegacyParams {
            policies: self.policies,
            ttl: self.ttl,
            max_ttl: self.max_ttl,
            bound_cidrs: self.bound_cidrs,
            ..LegacyParams::default()
        };
        legacy.merge(&mut asked, &mut names);
        let token = token.changed(&asked)?;
        let password = match (new_password(self.password, self.password_hash.as_ref())?, hash) {
            (Some(password), _) => userpass.hasher.hash(&password, cx.entropy()).await?,
            (None, Some(hash)) => hash,
            (None, None) => return Err(password_is_missing()),
        };
        userpass.view.put(cx.txn(), &key(&username), &User { password, token, legacy: names })?;
        Ok(Done)
    }

    async fn existence(userpass: &Userpass, UserPath { username }: UserPath, _: Option<&Caller>) -> Result<Existence> {
        Ok(userpass.view.exists(&key(&username)).await?.into())
    }
}
