//! How each auth method is logged in to.

use arca::secret::ClientToken;

use crate::client::{Call, Client, Secret};
use crate::commands::tidy;
use crate::error::{Error, Result};
use crate::input;
use crate::json::Json;
use crate::output::Output;

use super::browser;

/// An auth method that this command line can log in with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Method {
    /// A token that is there already.
    Token,
    /// A name in the path and a password: userpass, ldap, radius.
    Password(&'static str),
    /// The client certificate of the TLS connection.
    Certificate,
    /// Values that are sent as they are: approle, jwt, kubernetes.
    Values(&'static str),
    /// A browser, at an identity provider.
    Browser,
}

impl Method {
    /// The method of this name.
    pub(super) fn parse(name: &str) -> Result<Self> {
        Self::of(name).ok_or_else(|| {
            Error::local(format!("Unknown auth method: {name}")).advise(
                "Use token, userpass, ldap, radius, cert, approle, jwt, oidc or kubernetes; `arca write auth/PATH/login` \
                 reaches any other.",
            )
        })
    }

    /// The method of this name, if there is one.
    pub(in crate::commands) fn of(name: &str) -> Option<Self> {
        match name {
            "token" => Some(Self::Token),
            "userpass" => Some(Self::Password("userpass")),
            "ldap" => Some(Self::Password("ldap")),
            "radius" => Some(Self::Password("radius")),
            "cert" => Some(Self::Certificate),
            "approle" => Some(Self::Values("approle")),
            "jwt" => Some(Self::Values("jwt")),
            "oidc" => Some(Self::Browser),
            "kubernetes" => Some(Self::Values("kubernetes")),
            _ => None,
        }
    }

    /// How to use it, for `arca auth help`.
    pub(in crate::commands) fn help(self) -> String {
        let (name, what, values) = match self {
            Self::Token => {
                ("token", "Looks a token up and keeps it.", "TOKEN, or - for standard input; asked for if left out")
            }
            Self::Password(name) => (
                name,
                "Logs in with a name and a password.",
                "username=NAME  password=PASSWORD (asked for if left out)",
            ),
            Self::Certificate => (
                "cert",
                "Logs in with the client certificate of -client-cert and -client-key.",
                "name=ROLE (the certificate role to log in against; may be left out)",
            ),
            Self::Values("approle") => {
                ("approle", "Logs in as a role.", "role_id=ID  secret_id=ID (asked for if left out)")
            }
            Self::Browser => (
                "oidc",
                "Logs in with a browser, at an identity provider.",
                "role=ROLE  port=8250  listenaddress=localhost  skip_browser=false\n  callbackmethod=http  \
                 callbackhost=localhost  callbackport=8250 (what the provider sends the browser back to)\n  \
                 callbackmode=client (or direct, where it sends the browser to the server)",
            ),
            Self::Values(name) => (name, "Logs in with a signed token of another system.", "role=ROLE  jwt=@FILE"),
        };
        format!("Usage: arca login -method={name} [K=V...]\n\n  {what}\n\nValues:\n\n  {values}")
    }

    /// Logs in.
    pub(super) fn login(
        self,
        client: &Client,
        mount: Option<&str>,
        words: &[String],
        verify: bool,
        output: &mut Output,
    ) -> Result<Secret> {
        match self {
            Self::Token => token(client, words, verify),
            Self::Password(kind) => {
                let mut values = values(words)?;
                let name = values.take("username");
                let name = name.as_text().filter(|name| !name.is_empty()).ok_or_else(|| {
                    Error::remote("Error authenticating: 'username' must be specified").advise("Give username=NAME.")
                })?;
                ask_for(&mut values, "password", "Password", client)?;
                post(client, &format!("auth/{}/login/{name}", place(mount, kind)), values)
            }
            Self::Certificate => post(client, &format!("auth/{}/login", place(mount, "cert")), values(words)?),
            Self::Browser => browser::login(client, place(mount, "oidc"), &values(words)?, output),
            Self::Values(kind) => {
                let mut values = values(words)?;
                if kind == "approle" && values.at("role_id").is_some() {
                    ask_for(&mut values, "secret_id", "Secret ID", client)?;
                }
                post(client, &format!("auth/{}/login", place(mount, kind)), values)
            }
        }
    }
}

fn values(words: &[String]) -> Result<Json> {
    input::data(words)
}

fn place<'a>(mount: Option<&'a str>, kind: &'a str) -> &'a str {
    let mount = mount.map_or(kind, tidy);
    mount.strip_prefix("auth/").unwrap_or(mount)
}

/// Asks for a secret that is not among the values.
fn ask_for(values: &mut Json, key: &str, question: &str, client: &Client) -> Result<()> {
    if values.some(key).is_none() {
        let instead = "Run this on a terminal, or give the value with K=- and pipe it in.";
        let answer = input::prompt(question, client.settings().interactive, instead)?;
        values.set(key, Json::text(answer.as_str()));
    }
    Ok(())
}

fn post(client: &Client, path: &str, values: Json) -> Result<Secret> {
    let call = Call::put(path).body(values).anonymous();
    let answer = client.call(call).map_err(|error| error.context("Error authenticating"))?;
    answer.ok_or_else(|| Error::remote("The login was answered with nothing.").advise("Check the path of the method."))
}

/// A token is its own login: it is looked up, and shown as if it had just been made.
fn token(client: &Client, words: &[String], verify: bool) -> Result<Secret> {
    let text = match words {
        [] => input::secret(None, "Token", client.settings().interactive)?,
        [one] => input::secret(Some(one.strip_prefix("token=").unwrap_or(one)), "Token", false)?,
        [_, ..] => return Err(Error::local("Too many arguments (expected one token)").advise("Give the token alone.")),
    };
    let token = ClientToken::new(text.to_string());
    if token.is_empty() {
        return Err(Error::local("The token is empty.").advise("Give one, or run this on a terminal and type it."));
    }
    let mut auth = Json::map([("client_token", Json::text(token.expose()))]);
    if verify {
        let call = Call::get("auth/token/lookup-self").with_token(&token).unwrapped();
        let context = |error: Error| error.context("Error authenticating: error looking up token");
        let mut found = client.call(call).map_err(context)?.map_or(Json::Null, |secret| secret.data);
        for (name, key) in [("accessor", "accessor"), ("policies", "policies"), ("token_policies", "policies")] {
            auth.set(name, found.at(key).map_or(Json::Null, Json::copy));
        }
        for (name, key) in [
            ("identity_policies", "identity_policies"),
            ("metadata", "meta"),
            ("orphan", "orphan"),
            ("entity_id", "entity_id"),
            ("lease_duration", "ttl"),
            ("renewable", "renewable"),
        ] {
            auth.set(name, found.take(key));
        }
    }
    let mut envelope = Json::Map(Vec::new());
    envelope.set("auth", auth);
    Ok(Secret::of(envelope))
}
