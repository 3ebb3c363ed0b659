//! `Discovery`: what a provider says of itself (OpenID Connect Discovery 1.0).

use serde::Deserialize;

use crate::auth::jwt::token::Algorithm;
use crate::outbound::Destination;

use super::Unavailable;

/// The members of a discovery document that count here.
#[derive(Debug)]
pub(in crate::auth::jwt) struct Discovery {
    /// What the claim `iss` of its tokens is.
    pub(in crate::auth::jwt) issuer: String,
    /// Where its keys are.
    pub(in crate::auth::jwt) keys: Destination,
    /// Where the browser is sent.
    pub(in crate::auth::jwt) authorization: Option<Destination>,
    /// Where a code is redeemed.
    pub(in crate::auth::jwt) token: Option<Destination>,
    /// Where there is more about the caller.
    pub(in crate::auth::jwt) userinfo: Option<Destination>,
    /// By what it signs its tokens.
    pub(in crate::auth::jwt) algorithms: Vec<Algorithm>,
    /// Whether the client's secret goes into the form, and not into a header.
    pub(in crate::auth::jwt) secret_in_form: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    #[serde(default)]
    jwks_uri: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// Where the document of `issuer` is.
pub(super) fn place(issuer: &str) -> Result<Destination, Unavailable> {
    let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    Ok(Destination::parse(&place)?)
}

impl Discovery {
    /// Reads the document that was found below `issuer`.
    pub(in crate::auth::jwt) fn parse(json: &[u8], issuer: &str) -> Result<Self, Unavailable> {
        let document: Document =
            serde_json::from_slice(json).map_err(|_| Unavailable::Content("the answer is not a discovery document"))?;
        // Or else one provider could speak for another.
        if document.issuer != issuer {
            return Err(Unavailable::Content(
                "issuer did not match the returned issuer: write the URL exactly as the discovery document has its \
                 'issuer'",
            ));
        }
        let is_secure = place(issuer)?.is_secure();
        let endpoint = |url: &str| {
            let url = Destination::parse(url).ok().filter(|url| url.is_secure() || !is_secure);
            url.ok_or(Unavailable::Content("the discovery document has an endpoint that is no URL, or one without TLS"))
        };
        let optional = |url: &Option<String>| url.as_deref().filter(|url| !url.is_empty()).map(endpoint).transpose();
        let algorithms = document.id_token_signing_alg_values_supported.iter();
        let algorithms: Vec<Algorithm> = algorithms.filter_map(|name| Algorithm::parse(name)).collect();
        let methods = document.token_endpoint_auth_methods_supported;
        let takes = |name: &str| methods.as_ref().is_some_and(|methods| methods.iter().any(|method| method == name));
        Ok(Self {
            keys: endpoint(&document.jwks_uri)?,
            authorization: optional(&document.authorization_endpoint)?,
            token: optional(&document.token_endpoint)?,
            userinfo: optional(&document.userinfo_endpoint)?,
            algorithms: if algorithms.is_empty() { vec![Algorithm::Rs256] } else { algorithms },
            secret_in_form: takes("client_secret_post") && !takes("client_secret_basic"),
            issuer: document.issuer,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parsed(document: &Value, issuer: &str) -> Result<Discovery, Unavailable> {
        Discovery::parse(document.to_string().as_bytes(), issuer)
    }

    #[test]
    fn a_provider_speaks_for_itself_only() {
        let document = json!({"issuer": "https://a.example", "jwks_uri": "https://a.example/keys"});
        assert!(parsed(&document, "https://a.example").is_ok());
        for other in ["https://a.example/", "https://b.example", "https://a.example/x", "http://a.example"] {
            assert!(parsed(&document, other).is_err(), "{other}");
        }
    }

    #[test]
    fn endpoints_keep_to_tls() {
        for (name, url) in [
            ("jwks_uri", "http://a.example/keys"),
            ("jwks_uri", ""),
            ("token_endpoint", "http://a.example/token"),
            ("userinfo_endpoint", "ftp://a.example"),
            ("authorization_endpoint", "javascript:alert(1)"),
        ] {
            let mut document = json!({"issuer": "https://a.example", "jwks_uri": "https://a.example/keys"});
            document[name] = json!(url);
            assert!(parsed(&document, "https://a.example").is_err(), "{name} {url}");
        }
        let document = json!({"issuer": "http://127.0.0.1:1", "jwks_uri": "http://127.0.0.1:1/keys"});
        assert!(parsed(&document, "http://127.0.0.1:1").is_ok());
    }

    #[test]
    fn algorithms_and_secrets() {
        let mut document = json!({"issuer": "https://a", "jwks_uri": "https://a/keys"});
        let found = parsed(&document, "https://a").unwrap();
        assert_eq!((found.algorithms, found.secret_in_form), (vec![Algorithm::Rs256], false));
        document["id_token_signing_alg_values_supported"] = json!(["none", "HS256", "ES256"]);
        document["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
        let found = parsed(&document, "https://a").unwrap();
        assert_eq!((found.algorithms, found.secret_in_form), (vec![Algorithm::Es256], true));
    }
}
