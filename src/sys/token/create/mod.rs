//! `POST /v1/auth/token/create`, `create-orphan` and `create/{role_name}`: makes a token.

mod plan;
mod policies;
mod request;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Cx, Endpoint, Route, Token, TokenType};
use crate::error::{Error, Kind, Result};
use crate::identity::{AliasLogin, Facts};
use crate::policy::PolicyName;
use crate::token::TokenRecord;
use crate::vault::Unsealed;

use super::super::NoPath;
use super::roles::{RolePath, TokenRole};
use plan::{Maker, Plan};
use request::TokenRequest;

/// `create`: a child of the token that asks.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Create(TokenRequest);

impl Endpoint for Create {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Token;
    const ROUTE: Route = Route::write("create").summary("Make a token");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Token> {
        make(self.0, Way::Child, unsealed, cx).await
    }
}

/// `create-orphan`: a token that outlives the one that asks.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct CreateOrphan(TokenRequest);

impl Endpoint for CreateOrphan {
    type Target = Arc<Unsealed>;
    type Path = NoPath;
    type Reply = Token;
    const ROUTE: Route = Route::write("create-orphan").summary("Make a token without a parent");

    async fn handle(self, unsealed: &Arc<Unsealed>, _: NoPath, cx: &mut Cx<'_>) -> Result<Token> {
        make(self.0, Way::Orphan, unsealed, cx).await
    }
}

/// `create/{role_name}`: a token as a role allows it.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct CreateByRole(TokenRequest);

impl Endpoint for CreateByRole {
    type Target = Arc<Unsealed>;
    type Path = RolePath;
    type Reply = Token;
    const ROUTE: Route = Route::write("create/{role_name}").summary("Make a token by a role");

    async fn handle(self, unsealed: &Arc<Unsealed>, path: RolePath, cx: &mut Cx<'_>) -> Result<Token> {
        let role = TokenRole::load(&path.role_name, unsealed).await?;
        let role = role.ok_or_else(|| Error::invalid(format!("unknown role {}", path.role_name)))?;
        make(self.0, Way::Role(Box::new(role)), unsealed, cx).await
    }
}

/// Which endpoint a token is made by.
enum Way {
    Child,
    Orphan,
    Role(Box<TokenRole>),
}

impl Way {
    fn role(&self) -> Option<&TokenRole> {
        match self {
            Self::Child | Self::Orphan => None,
            Self::Role(role) => Some(role),
        }
    }

    /// The path as it is shown with the token: a role's suffix stands behind it.
    fn path(&self, path: &str) -> String {
        match self.role().map(|role| role.path_suffix.as_str()).filter(|suffix| !suffix.is_empty()) {
            Some(suffix) => format!("{path}/{suffix}"),
            None => path.to_owned(),
        }
    }
}

async fn make(request: TokenRequest, way: Way, unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<Token> {
    let (id, record) = parent(unsealed, cx).await?;
    let foreign = record.namespace_id != unsealed.namespace.id;
    let record = unsealed.as_parent_here(record);
    let acl = unsealed.acl(cx.caller()?, cx.now()).await?;
    let sudo = acl.capabilities(cx.path.as_str()).iter().any(|word| matches!(*word, "sudo" | "root"));
    let alias = checked_alias(&request, way.role())?;
    let maker = Maker {
        id: &id,
        record: &record,
        foreign,
        sudo,
        mount: cx.mount,
        path: way.path(cx.path.as_str()),
        makes_orphans: matches!(way, Way::Orphan),
        role: way.role(),
        now: cx.now(),
    };
    let Plan { mut new, warnings } = maker.plan(request)?;
    new.custom_id = new.custom_id.map(|custom| custom.ending_in(&unsealed.namespace.suffix()));
    let identity_policies = match alias {
        Some(alias) => {
            let facts = named_entity(&alias, unsealed, cx).await?;
            new.record.entity_id.clone_from(&facts.entity_id);
            facts.policies.clone()
        }
        None => unsealed.identity_policies(&new.record).await?,
    };
    if let Some(custom) = &new.custom_id
        && unsealed.tokens.stored(&unsealed.tokens.id_of(custom)).await?.is_some()
    {
        return Err(Error::invalid("cannot create a token with a duplicate ID"));
    }
    for warning in warnings {
        cx.warn(warning);
    }
    warn_of_unknown(&new.record.policies, unsealed, cx).await?;
    let issued = unsealed.issue(new, cx.txn())?;
    Ok(Token(unsealed.auth_of(issued, identity_policies)))
}

/// The token that asks. It must still be there when the child is written: a child must not outlive a parent that is
/// revoked meanwhile.
async fn parent(unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<(String, TokenRecord)> {
    let caller = cx.caller()?;
    if caller.token_type == TokenType::Batch {
        return Err(Error::invalid("batch tokens cannot create more tokens"));
    }
    if caller.uses_left.is_some() {
        return Err(Error::invalid("restricted use token cannot generate child tokens"));
    }
    let now = cx.now();
    let record = unsealed.tokens.fetch(&caller.token_id, cx.txn()).await?;
    let record = record.filter(|record| !record.has_ended(now)).ok_or_else(Error::bad_token)?;
    Ok((caller.token_id.clone(), record))
}

/// The alias that the token is to be known by, if the role allows it.
fn checked_alias(request: &TokenRequest, role: Option<&TokenRole>) -> Result<Option<String>> {
    let Some(alias) = request.entity_alias.as_ref().map(|alias| alias.0.to_lowercase()) else { return Ok(None) };
    match role {
        _ if alias.is_empty() => Ok(None),
        None => Err(Error::invalid("'entity_alias' is only allowed in combination with token role")),
        Some(role) if !role.allows_alias(&alias) => Err(Error::invalid("invalid 'entity_alias' value")),
        Some(_) => Ok(Some(alias)),
    }
}

/// The entity that has this alias at the mount of tokens, or a new one.
async fn named_entity(alias: &str, unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<Arc<Facts>> {
    let (accessor, metadata) = (cx.mount.accessor.as_str(), BTreeMap::new());
    let login = AliasLogin { accessor, local: false, alias, metadata: &metadata, groups: &[] };
    let facts = unsealed.identity.log_in(&login, cx.txn()).await?;
    if facts.disabled {
        return Err(Error::new(Kind::Forbidden, "entity from given entity alias is disabled"));
    }
    Ok(facts)
}

async fn warn_of_unknown(policies: &[String], unsealed: &Unsealed, cx: &mut Cx<'_>) -> Result<()> {
    for policy in policies {
        let known = match PolicyName::parse(policy) {
            Ok(name) => name.is_fixed() || unsealed.policies.policy(&name).await?.is_some(),
            Err(_) => false,
        };
        if !known {
            cx.warn(format!("Policy {policy:?} does not exist"));
        }
    }
    Ok(())
}
