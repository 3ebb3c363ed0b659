//! `POST /v1/auth/{mount}/login/{username}`: logs in with a password.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Identity, Login, Route, Terms, Verdict, View, address_is_bound, is_name};
use crate::error::{Error, Result};
use crate::secret::SecretText;

use super::Userpass;
use super::password::{MAX_PASSWORD, PasswordHash};
use super::users::{User, UserPath, key};

/// Logs in.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct LogIn {
    /// The password.
    password: Option<SecretText>,
}

impl Endpoint for LogIn {
    type Target = Userpass;
    type Path = UserPath;
    type Reply = Login;

    const ROUTE: Route = Route::write("login/{username:lower}").summary("Log in with a password.").public();

    async fn handle(self, userpass: &Userpass, UserPath { username }: UserPath, cx: &mut Cx<'_>) -> Result<Login> {
        // Also to a caller without a token, who may know that there is a path for each user.
        if !is_name(&username) {
            return Err(Error::not_found("unsupported path"));
        }
        let password = self.password.filter(|password| !password.is_empty());
        let password = Arc::new(password.ok_or_else(|| Error::invalid("missing password"))?);
        if password.expose().len() > MAX_PASSWORD {
            return Err(wrong());
        }
        let user: Option<User> = userpass.view.get(&key(&username)).await?;
        // A name that nobody has is locked out as well: that must not tell either.
        let is_locked_out = match &user {
            Some(_) => userpass.lockouts.is_locked_out(&username, cx.now()),
            None => userpass.lockouts.is_stranger_locked_out(&username, cx.now()),
        };
        if is_locked_out {
            return Err(Error::bad_token());
        }
        let hash = user.as_ref().map_or_else(PasswordHash::of_nobody, |user| user.password.clone());
        // For a user that there is not, the same work is done: the time must not tell.
        let right = userpass.hasher.matches(&password, hash).await?;
        let verdict = match &user {
            Some(_) => userpass.lockouts.settle(&username, right, cx.now()),
            None => userpass.lockouts.settle_stranger(&username, cx.now()),
        };
        let user = match (verdict, user) {
            (Verdict::Right, Some(user)) => user,
            (Verdict::Right | Verdict::Wrong, _) => return Err(wrong()),
            (Verdict::LockedOut, _) => return Err(Error::bad_token()),
        };
        if !address_is_bound(&user.token.token_bound_cidrs, cx.client.address) {
            return Err(Error::bad_token());
        }
        if user.password.is_outdated() {
            strengthen(userpass, &username, &password, cx).await?;
        }
        let terms = user.token.terms_from(cx.client.address)?;
        let display_name = cx.mount.display_name(&username);
        let identity = identity(username, &user, display_name);
        Ok(Login { identity, terms })
    }
}

/// Whether `identity` is still good: the user is there and has the same policies.
pub(super) async fn renew(view: &View, identity: &Identity) -> Result<Option<Terms>> {
    let internal = |key: &str| identity.internal.get(key).map(String::as_str).unwrap_or_default();
    let user: Option<User> = view.get(&key(internal(USERNAME))).await?;
    let user = user.filter(|user| user.token.granted_policies() == internal(POLICIES));
    Ok(user.map(|user| user.token.terms()))
}

const USERNAME: &str = "username";
const POLICIES: &str = "policies";

fn identity(username: String, user: &User, display_name: String) -> Identity {
    let internal =
        BTreeMap::from([(USERNAME.to_owned(), username.clone()), (POLICIES.to_owned(), user.token.granted_policies())]);
    Identity {
        role: String::new(),
        display_name,
        policies: user.token.token_policies.clone(),
        metadata: BTreeMap::from([(USERNAME.to_owned(), username.clone())]),
        alias: username,
        internal,
        ..Identity::default()
    }
}

/// Hashes a password that was just proved again, with today's parameters.
async fn strengthen(userpass: &Userpass, username: &str, password: &Arc<SecretText>, cx: &mut Cx<'_>) -> Result<()> {
    let hash = userpass.hasher.hash(password, cx.entropy()).await?;
    let Some(mut user) = userpass.view.fetch::<User>(cx.txn(), &key(username)).await? else { return Ok(()) };
    if user.password.is_outdated() {
        user.password = hash;
        userpass.view.put(cx.txn(), &key(username), &user)?;
    }
    Ok(())
}

fn wrong() -> Error {
    Error::invalid("invalid username or password")
}
