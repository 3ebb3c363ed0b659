//! Tokens: signed, and looked into (RFC 7515, compact form).

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::Ttl;
use crate::barrier::Txn;
use crate::error::{Error, Result};
use crate::policy::TemplateFacts;
use crate::secret::SecretText;

use super::{OidcStore, template};

/// Who a token is about, and in whose name.
#[derive(Clone, Copy, Debug)]
pub struct Claims<'a> {
    /// The issuer's URL.
    pub issuer: &'a str,
    /// The id of the namespace.
    pub namespace: &'a str,
    /// The id of the entity.
    pub entity_id: &'a str,
    /// What is known of it.
    pub facts: &'a TemplateFacts,
}

/// What a token says of itself, once its signature holds.
#[derive(Debug)]
pub enum Introspection {
    /// It is good, and about the entity of this id.
    Good(String),
    /// It is not, for this reason.
    Bad(&'static str),
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
}

#[derive(Deserialize)]
struct Verified {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
}

impl OidcStore {
    /// A token by the role `name`: the client that it is for, the token, and how long it lasts.
    pub async fn token(&self, name: &str, claims: &Claims<'_>, txn: &mut Txn) -> Result<(String, SecretText, Ttl)> {
        let role = self.role(name).await?.ok_or_else(|| Error::invalid(format!("role {name:?} not found")))?;
        let gone = || Error::invalid(format!("the key of the role {name:?} is gone; name another"));
        let key = match self.key(&role.key).await? {
            Some(key) => key,
            None => self.fetch_key(&role.key, txn).await?.ok_or_else(gone)?,
        };
        if !key.allows(&role.client_id) {
            return Err(Error::invalid(format!(
                "the key {:?} does not list the client ID of the role {name:?} as an allowed client ID",
                role.key
            )));
        }
        let now = self.clock.now();
        let mut body: Map<String, Value> = match role.template.as_str() {
            "" => Map::new(),
            text => serde_json::from_str(&template::filled(text, claims.facts, now)?)
                .map_err(|_| Error::invalid("the template of the role does not make an object"))?,
        };
        let usual = json!({
            "iss": claims.issuer,
            "sub": claims.entity_id,
            "aud": role.client_id,
            "iat": now.unix_seconds(),
            "exp": now.plus(role.ttl.duration()).unix_seconds(),
            "namespace": claims.namespace,
        });
        body.extend(usual.as_object().cloned().unwrap_or_default());
        let public = &key.present.public;
        let header = json!({ "alg": public.algorithm.as_str(), "kid": public.id });
        let message = format!("{}.{}", encoded(&header), encoded(&Value::Object(body)));
        let signature = BASE64URL_NOPAD.encode(&key.present.sign(message.as_bytes())?);
        Ok((role.client_id, SecretText::new(format!("{message}.{signature}")), role.ttl))
    }

    /// Whether `token` is one of `issuer`, signed by a key that is published, not over, and for `client_id` (empty for
    /// any).
    pub async fn introspect(&self, token: &str, issuer: &str, client_id: &str) -> Result<Introspection> {
        let Some(Presented { message, header, body, signature }) = Presented::parse(token) else {
            return Ok(Introspection::Bad("error parsing token: compact JWS format must have three parts"));
        };
        let Some(key) = self.public_key(&header.kid).await? else {
            return Ok(Introspection::Bad("unable to validate the token signature"));
        };
        if key.algorithm.as_str() != header.alg || !key.verifies(message.as_bytes(), &signature) {
            return Ok(Introspection::Bad("unable to validate the token signature"));
        }
        let Ok(claims) = serde_json::from_slice::<Verified>(&body) else {
            return Ok(Introspection::Bad("error validating claims: they are incomplete"));
        };
        let now = self.clock.now().unix_seconds();
        Ok(if claims.iss != issuer {
            Introspection::Bad("error validating claims: validation failed, invalid issuer claim (iss)")
        } else if claims.exp <= now {
            Introspection::Bad("error validating claims: validation failed, token is expired (exp)")
        } else if claims.iat > now {
            Introspection::Bad("error validating claims: validation failed, token issued in the future (iat)")
        } else if !client_id.is_empty() && claims.aud != client_id {
            Introspection::Bad("error validating claims: validation failed, invalid audience claim (aud)")
        } else {
            Introspection::Good(claims.sub)
        })
    }
}

/// A token that somebody shows, and that nobody may have signed.
struct Presented<'a> {
    /// What is signed.
    message: &'a str,
    header: Header,
    body: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Presented<'a> {
    fn parse(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, body) = message.split_once('.')?;
        let header = serde_json::from_slice(&decoded(header)?).ok()?;
        Some(Self { message, header, body: decoded(body)?, signature: decoded(signature)? })
    }
}

/// What the fuzz target runs: a token has one spelling.
#[doc(hidden)]
pub fn fuzz(token: &str) {
    let Some(Presented { message, body, signature, .. }) = Presented::parse(token) else { return };
    let (body, signature) = (BASE64URL_NOPAD.encode(&body), BASE64URL_NOPAD.encode(&signature));
    assert!(message.ends_with(&format!(".{body}")) && token == format!("{message}.{signature}"));
}

fn encoded(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}
