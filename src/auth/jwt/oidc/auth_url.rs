//! `POST /v1/auth/{mount}/oidc/auth_url`: begins a login, and says where to send the browser.

use data_encoding::BASE64URL_NOPAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::digest;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::LooseText;
use crate::auth::jwt::config::Config;
use crate::auth::jwt::provider::Discovery;
use crate::auth::jwt::roles::{CallbackMode, Role, RoleType};
use crate::auth::jwt::{Jwt, NoPath};
use crate::engine::{Cx, Data, Endpoint, Route};
use crate::error::{Error, Result};
use crate::secret::SecretText;

use super::flows::{Flow, Stage};
use super::redirect;

/// Begins a login.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::jwt) struct AuthUrl {
    /// The role; that of the configuration where it is left out.
    role: LooseText,
    /// Where the provider is to send the browser.
    redirect_uri: String,
    /// Whatever the client chose; it is asked for again when the login is fetched.
    client_nonce: Option<SecretText>,
}

/// Where to send the browser.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(in crate::auth::jwt) struct Begun {
    /// The address; empty where the role does not allow this.
    auth_url: String,
    /// Where the provider sends the browser to this server: names the login when it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    /// Likewise: how many seconds to wait before it is asked for again.
    #[serde(skip_serializing_if = "Option::is_none")]
    poll_interval: Option<String>,
}

/// The longest redirect address and the longest nonce of a client, in bytes: anyone can have them kept.
const MAX_TEXT: usize = 2048;

/// What RFC 3986 calls unreserved stays as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Endpoint for AuthUrl {
    type Target = Jwt;
    type Path = NoPath;
    type Reply = Data<Begun>;

    const ROUTE: Route = Route::write("oidc/auth_url").summary("Begin a login with a browser.").public();

    async fn handle(self, jwt: &Jwt, _: NoPath, cx: &mut Cx<'_>) -> Result<Data<Begun>> {
        let (config, provider) = jwt.configured().await?;
        if !config.has_client() {
            return Err(Error::invalid(
                "OIDC login is not configured for this mount: set 'oidc_client_id' in 'config'",
            ));
        }
        let client_nonce = self.client_nonce.unwrap_or_else(|| SecretText::new(String::new()));
        if self.redirect_uri.is_empty() {
            return Err(Error::invalid("missing redirect_uri"));
        }
        if self.redirect_uri.len() > MAX_TEXT || client_nonce.expose().len() > MAX_TEXT {
            return Err(Error::invalid("'redirect_uri' and 'client_nonce' must not be longer than 2048 bytes"));
        }
        let (name, role) = jwt.asked_role(&self.role.0, &config.default_role).await?;
        let allowed = role.allowed_redirect_uris.as_deref().unwrap_or_default();
        if role.role_type != RoleType::Oidc || !redirect::is_allowed(&self.redirect_uri, allowed) {
            cx.warn("the role does not allow this redirect_uri, or no login with a browser at all");
            return Ok(Data::new(Begun::default()));
        }
        if role.callback_mode == CallbackMode::Direct && client_nonce.is_empty() {
            return Err(Error::invalid("missing client_nonce"));
        }
        let discovery = provider.discovery(cx.now()).await?;
        let flow = Flow {
            role: name,
            mode: role.callback_mode,
            redirect_uri: self.redirect_uri,
            nonce: format!("n_{}", cx.entropy().base62(32)?),
            client_nonce,
            verifier: SecretText::new(cx.entropy().base62(64)?),
            address: cx.client.address,
            began: cx.now(),
            stage: Stage::Away,
        };
        let state = format!("st_{}", cx.entropy().base62(32)?);
        let auth_url = address(&config, &discovery, &role, &flow, &state)?;
        jwt.flows.begin(state.clone(), flow);
        let is_direct = role.callback_mode == CallbackMode::Direct;
        let interval = if role.poll_interval == 0 { 5 } else { role.poll_interval };
        let poll_interval = is_direct.then(|| interval.to_string());
        Ok(Data::new(Begun { auth_url, state: is_direct.then_some(state), poll_interval }))
    }
}

fn address(config: &Config, discovery: &Discovery, role: &Role, flow: &Flow, state: &str) -> Result<String> {
    let endpoint = discovery.authorization.as_ref();
    let endpoint = endpoint.ok_or_else(|| Error::invalid("the provider has no authorization endpoint"))?.to_string();
    let mut scope = vec!["openid"];
    scope.extend(role.oidc_scopes.iter().flatten().map(String::as_str).filter(|scope| *scope != "openid"));
    let mut fields = vec![("client_id", config.oidc_client_id.clone())];
    if !config.is_implicit() {
        let challenge = digest::digest(&digest::SHA256, flow.verifier.expose().as_bytes());
        fields.push(("code_challenge", BASE64URL_NOPAD.encode(challenge.as_ref())));
        fields.push(("code_challenge_method", "S256".to_owned()));
    }
    if !role.max_age.is_zero() {
        fields.push(("max_age", role.max_age.seconds().to_string()));
    }
    fields.push(("nonce", flow.nonce.clone()));
    fields.push(("redirect_uri", flow.redirect_uri.clone()));
    if config.is_form_post() {
        fields.push(("response_mode", "form_post".to_owned()));
    }
    fields.push(("response_type", if config.is_implicit() { "id_token" } else { "code" }.to_owned()));
    fields.push(("scope", scope.join(" ")));
    fields.push(("state", state.to_owned()));
    let fields = fields.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ESCAPED)));
    let query = fields.collect::<Vec<_>>().join("&");
    let join = if endpoint.contains('?') { '&' } else { '?' };
    Ok(format!("{endpoint}{join}{query}"))
}
