//! Redeeming a code at the provider (RFC 6749), and asking it for more about the caller.

use data_encoding::BASE64;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::auth::jwt::config::Config;
use crate::auth::jwt::provider::Discovery;
use crate::auth::jwt::token::Claims;
use crate::error::{Error, Result};
use crate::outbound::{Credential, HttpClient, OutboundError};
use crate::secret::SecretText;

use super::flows::Flow;

/// What the provider gives for a code.
#[derive(Deserialize)]
pub(in crate::auth::jwt) struct Tokens {
    pub(in crate::auth::jwt) access_token: Option<SecretText>,
    pub(in crate::auth::jwt) id_token: Option<SecretText>,
}

/// Claims that say what a token is good for: no other answer of the provider may put something else in their place.
pub(in crate::auth::jwt) const FIXED: [&str; 9] =
    ["iss", "sub", "aud", "exp", "nbf", "iat", "nonce", "azp", "auth_time"];

/// Redeems `code`.
pub(super) async fn redeem(
    client: &HttpClient,
    config: &Config,
    discovery: &Discovery,
    flow: &Flow,
    code: &SecretText,
) -> Result<Tokens> {
    let endpoint = discovery.token.as_ref().ok_or_else(|| Error::invalid("the provider has no token endpoint"))?;
    let secret = config.oidc_client_secret.expose();
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code.expose()),
        ("redirect_uri", flow.redirect_uri.as_str()),
        ("code_verifier", flow.verifier.expose()),
    ];
    let encoded = |text: &str| Zeroizing::new(utf8_percent_encode(text, NON_ALPHANUMERIC).to_string());
    let pair = Zeroizing::new(format!("{}:{}", *encoded(&config.oidc_client_id), *encoded(secret)));
    let pair = SecretText::new(BASE64.encode(pair.as_bytes()));
    let credential = if discovery.secret_in_form {
        form.extend([("client_id", config.oidc_client_id.as_str()), ("client_secret", secret)]);
        Credential::None
    } else {
        Credential::Basic(&pair)
    };
    let answer = client.post(endpoint, credential, &form).await.map_err(refused)?;
    Tokens::parse(&answer)
}

impl Tokens {
    /// Reads the answer of the token endpoint.
    pub(in crate::auth::jwt) fn parse(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json)
            .map_err(|_| Error::invalid("login failed: the provider's answer has no tokens in it"))
    }
}

fn refused(error: OutboundError) -> Error {
    if matches!(error, OutboundError::Status(400..=499)) {
        return Error::invalid(
            "login failed: the provider did not take the code; log in again, and check 'oidc_client_id' and \
             'oidc_client_secret' if that does not help",
        );
    }
    Error::invalid(format!("login failed: the provider's token endpoint cannot be used: {error}"))
}

/// Adds to `claims` what the provider says about their subject. Where it does not answer, or speaks of somebody else, as
/// OpenID Connect Core 5.3.2 warns, they stay as they are; a claim that the role needs is missing then.
pub(super) async fn complete(client: &HttpClient, discovery: &Discovery, access: &SecretText, claims: &mut Claims) {
    let Some(endpoint) = &discovery.userinfo else { return };
    let Ok(answer) = client.get(endpoint, Credential::Bearer(access)).await else { return };
    add(claims, &answer);
}

/// Adds what the provider says about the subject of `claims`, if it speaks of them.
pub(in crate::auth::jwt) fn add(claims: &mut Claims, answer: &[u8]) {
    let Ok(Value::Object(more)) = serde_json::from_slice(answer) else { return };
    let said = more.get("sub").and_then(Value::as_str);
    if said.is_none() || said != claims.text("sub") {
        return;
    }
    claims.0.extend(more.into_iter().filter(|(name, _)| !FIXED.contains(&name.as_str())));
}
