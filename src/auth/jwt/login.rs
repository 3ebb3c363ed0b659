//! `POST /v1/auth/{mount}/login`: logs in with a token of the provider.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::LooseText;
use crate::engine::{Body, Cx, Endpoint, Login, Route};
use crate::error::{Error, Result};
use crate::secret::SecretText;

use super::config::{self, Config};
use super::provider::Provider;
use super::roles::{Role, RoleType};
use super::token::{Algorithm, Presented, Registered};
use super::{Jwt, NoPath, grant};

/// Logs in.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct LogIn {
    /// The role; that of the configuration where it is left out.
    role: LooseText,
    /// The token.
    jwt: Option<SecretText>,
}

impl Endpoint for LogIn {
    type Target = Jwt;
    type Path = NoPath;
    type Reply = Login;

    const ROUTE: Route = Route::write("login").summary("Log in with a token of an identity provider.").public();

    async fn handle(self, jwt: &Jwt, _: NoPath, cx: &mut Cx<'_>) -> Result<Login> {
        let (config, provider) = jwt.configured().await?;
        let (name, role) = jwt.asked_role(&self.role.0, &config.default_role).await?;
        if role.role_type != RoleType::Jwt {
            return Err(Error::invalid("role with oidc role_type is not allowed"));
        }
        let token = self.jwt.filter(|token| !token.is_empty()).ok_or_else(|| Error::invalid("missing token"))?;
        // Nothing is fetched for a caller whom the role would not take.
        grant::check_address(&role, cx)?;
        let presented = Presented::parse(token.expose()).map_err(|refusal| fault(refusal.sentence()))?;
        let allowed = config.algorithms();
        let allowed = if allowed.is_empty() { Algorithm::ALL.to_vec() } else { allowed };
        let claims = provider.verify(&presented, &allowed, cx.now()).await?;
        let registered = claims.registered().map_err(fault)?;
        check_issuer(&registered, &config, &provider)?;
        check_role(&registered, &role)?;
        registered.times.check(role.leeways(), cx.now().unix_seconds()).map_err(fault)?;
        grant::login(&name, &role, &claims, config.provider.product(), cx)
    }
}

/// The role that a caller means, also one who asks for the address of a provider; nothing if they mean none.
pub(super) async fn role(jwt: &Jwt, body: &Body) -> Result<Option<String>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Asked {
        role: LooseText,
    }
    let Ok(asked) = body.decode::<Asked>() else { return Ok(None) };
    let LooseText(role) = asked.role;
    if !role.is_empty() {
        return Ok(Some(role));
    }
    let config: Option<Config> = jwt.view.get(config::KEY).await?;
    Ok(config.map(|config| config.default_role).filter(|role| !role.is_empty()))
}

/// Keys alone do not say who signed: some providers have the same ones for all of their customers. So with a discovery
/// document its issuer is asked for, unless the configuration names another one.
fn check_issuer(registered: &Registered, config: &Config, provider: &Provider) -> Result<()> {
    let wanted = if config.bound_issuer.is_empty() { provider.issuer() } else { Some(config.bound_issuer.as_str()) };
    match wanted {
        Some(wanted) if registered.issuer.as_deref() != Some(wanted) => Err(fault("invalid issuer (iss) claim")),
        Some(_) | None => Ok(()),
    }
}

fn check_role(registered: &Registered, role: &Role) -> Result<()> {
    if !role.bound_subject.is_empty() && registered.subject.as_ref() != Some(&role.bound_subject) {
        return Err(fault("invalid subject (sub) claim"));
    }
    let (said, bound) = (&registered.audiences, role.audiences());
    if bound.is_empty() && !said.is_empty() {
        return Err(Error::invalid("audience claim found in JWT but no audiences bound to the role"));
    }
    if !bound.is_empty() && !role.has_audience(said) {
        return Err(fault("invalid audience (aud) claim: audience claim does not match any expected audience"));
    }
    Ok(())
}

fn fault(sentence: &'static str) -> Error {
    Error::invalid(format!("error validating token: {sentence}"))
}
