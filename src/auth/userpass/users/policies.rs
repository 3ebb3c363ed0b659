//! `POST /v1/auth/{mount}/users/{username}/policies`: changes a user's policies.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::{StringList, given};
use crate::auth::userpass::Userpass;
use crate::engine::{Cx, Done, Endpoint, LegacyParams, Route, TokenParams, policy_names};
use crate::error::Result;

use super::{User, UserPath, key, user_is_missing};

/// The policies; none leaves them as they are.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::userpass) struct ChangePolicies {
    /// The policies that tokens get.
    #[serde(deserialize_with = "given")]
    token_policies: Option<StringList>,
    /// Older name of `token_policies`.
    #[serde(deserialize_with = "given")]
    policies: Option<StringList>,
}

impl Endpoint for ChangePolicies {
    type Target = Userpass;
    type Path = UserPath;
    type Reply = Done;

    const ROUTE: Route = Route::write("users/{username:name}/policies").summary("Change a user's policies.");

    async fn handle(self, userpass: &Userpass, UserPath { username }: UserPath, cx: &mut Cx<'_>) -> Result<Done> {
        let known = userpass.view.fetch(cx.txn(), &key(&username)).await?;
        let mut user: User = known.ok_or_else(user_is_missing)?;
        let sorted = self.token_policies.map(|names| StringList::new(policy_names(&names)));
        let mut asked = TokenParams { token_policies: sorted, ..TokenParams::default() };
        LegacyParams { policies: self.policies, ..LegacyParams::default() }.merge(&mut asked, &mut user.legacy);
        user.token = user.token.changed(&asked)?;
        userpass.view.put(cx.txn(), &key(&username), &user)?;
        Ok(Done)
    }
}
