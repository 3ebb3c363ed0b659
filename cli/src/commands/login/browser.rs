//! Logging in with a browser: the provider sends it back to a listener of this program, or to the server.

use std::io;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use arca::entropy::{Entropy, SystemEntropy};

use crate::client::{Call, Client, Secret};
use crate::error::{Error, Result};
use crate::json::Json;
use crate::output::Output;

use super::listener::{Listener, Returned};

/// How long the operator has. The server forgets a login after ten minutes.
const PATIENCE: Duration = Duration::from_mins(10);

/// What the operator chose.
struct Options {
    role: String,
    /// The address and the port to listen at; nothing where the provider sends the browser to the server.
    listener: Option<(String, u16)>,
    redirect_uri: String,
    opens_browser: bool,
}

/// Logs in at the mount `mount`.
pub(super) fn login(client: &Client, mount: &str, values: &Json, output: &mut Output) -> Result<Secret> {
    let options = Options::parse(values, &client.settings().address.url(&format!("auth/{mount}/oidc/callback"), &[]))?;
    let listener = match &options.listener {
        Some((address, port)) => Some(Listener::bind(address, *port)?),
        None => None,
    };
    let entropy: &dyn Entropy = &SystemEntropy::new();
    let nonce = entropy.base62(32).map_err(|error| Error::local(error.to_string()))?;
    let body = Json::map([
        ("role", Json::text(&options.role)),
        ("redirect_uri", Json::text(&options.redirect_uri)),
        ("client_nonce", Json::text(&nonce)),
    ]);
    let path = format!("auth/{mount}/oidc/auth_url");
    let begun = client.call(Call::put(&path).body(body).anonymous().preliminary());
    let begun = begun.map_err(|error| error.context("Error authenticating"))?;
    let data = begun.map_or(Json::Null, |secret| secret.data);
    let address = data.text_at("auth_url");
    if address.is_empty() {
        let uri = &options.redirect_uri;
        return Err(Error::remote(format!("The role does not allow a login that comes back to {uri}"))
            .advise("Add that address to the role's 'allowed_redirect_uris', and check the role's name."));
    }
    announce(address, options.opens_browser, output)?;
    match listener.filter(|_| data.text_at("state").is_empty()) {
        Some(listener) => come_back(client, mount, &listener, &nonce),
        None => poll(client, mount, &data, &nonce),
    }
}

impl Options {
    /// What `values` say; `callback` is where the provider sends the browser if that is to the server.
    fn parse(values: &Json, callback: &str) -> Result<Self> {
        let or = |name: &str, default: &str| match values.text_at(name) {
            "" => default.to_owned(),
            given => given.to_owned(),
        };
        let port = |text: &str| {
            text.parse::<u16>().map_err(|_| {
                Error::local("The port is not a number from 0 to 65535").advise("Give port=8250, or leave it out.")
            })
        };
        let opens_browser = !matches!(or("skip_browser", "false").as_str(), "true" | "1" | "t");
        let role = or("role", "");
        match or("callbackmode", "client").as_str() {
            "client" => {}
            "direct" => return Ok(Self { role, listener: None, redirect_uri: callback.to_owned(), opens_browser }),
            _ => {
                return Err(Error::local("The callback mode is neither 'client' nor 'direct'")
                    .advise("Leave callbackmode= out, or give the one that the role has."));
            }
        }
        let text = or("port", "8250");
        let redirect_uri = format!(
            "{}://{}:{}/oidc/callback",
            or("callbackmethod", "http"),
            or("callbackhost", "localhost"),
            port(&or("callbackport", &text))?,
        );
        let listener = Some((or("listenaddress", "localhost"), port(&text)?));
        Ok(Self { role, listener, redirect_uri, opens_browser })
    }
}

/// Says where to go, and opens a browser there if there is one.
fn announce(address: &str, opens_browser: bool, output: &mut Output) -> Result<()> {
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    let opened = opens_browser && is_web && open(address).is_ok();
    let how = if opened { "A browser opens this address" } else { "Open this address in a browser" };
    output.note(&format!("{how} to log in:\n\n    {address}\n\nWaiting for the login to end…\n"))
}

/// Starts a browser, which outlives this program.
fn open(address: &str) -> io::Result<()> {
    let null = Stdio::null;
    Command::new("xdg-open").arg(address).stdin(null()).stdout(null()).stderr(null()).spawn().map(drop)
}

fn come_back(client: &Client, mount: &str, listener: &Listener, nonce: &str) -> Result<Secret> {
    let path = format!("auth/{mount}/oidc/callback");
    listener.wait(PATIENCE, |returned| {
        let Returned { fields, is_form } = returned;
        let pairs = fields.iter().map(|(name, value)| (name.clone(), Json::text(value.as_str())));
        let mut sent = Json::Map(pairs.collect());
        if *is_form {
            // The server keeps what was in the form until it is asked for the login.
            let state = sent.text_at("state").to_owned();
            client.send(Call::put(&path).body(sent).anonymous().unwrapped())?;
            sent = Json::map([("state", Json::text(state))]);
        }
        let call = Call::get(&path).queries(&sent).query("client_nonce", nonce).anonymous();
        let answer = client.call(call).map_err(|error| error.context("Error authenticating"))?;
        answer.ok_or_else(|| Error::remote("The login was answered with nothing."))
    })
}

/// Asks the server, to which the provider sends the browser, until the login is there.
fn poll(client: &Client, mount: &str, begun: &Json, nonce: &str) -> Result<Secret> {
    let path = format!("auth/{mount}/oidc/poll");
    let interval = Duration::from_secs(begun.text_at("poll_interval").parse().unwrap_or(5).clamp(1, 60));
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let body = Json::map([("state", Json::text(begun.text_at("state"))), ("client_nonce", Json::text(nonce))]);
        match client.call(Call::put(&path).body(body).anonymous()) {
            Ok(Some(secret)) => return Ok(secret),
            Err(error) if error.to_string().contains("authorization_pending") => pause(interval),
            Ok(None) => return Err(Error::remote("The login was answered with nothing.")),
            Err(error) => return Err(error.context("Error authenticating")),
        }
    }
    Err(too_late())
}

/// The login did not end in time.
pub(super) fn too_late() -> Error {
    Error::remote("The login did not end in time.").advise("Run this again, and log in within ten minutes.")
}

fn pause(interval: Duration) {
    let (_sender, receiver) = mpsc::channel::<()>();
    let _ = receiver.recv_timeout(interval);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[(&str, &str)]) -> Result<Options> {
        let mut values = Json::Map(Vec::new());
        for (name, value) in words {
            values.set(name, Json::text(*value));
        }
        Options::parse(&values, "https://vault/v1/auth/oidc/oidc/callback")
    }

    #[test]
    fn where_the_browser_comes_back_to() {
        let uri = |words: &[(&str, &str)]| options(words).unwrap().redirect_uri;
        assert_eq!(uri(&[]), "http://localhost:8250/oidc/callback");
        assert_eq!(uri(&[("port", "9000")]), "http://localhost:9000/oidc/callback");
        let behind = [("port", "9000"), ("callbackport", "443"), ("callbackhost", "a"), ("callbackmethod", "https")];
        assert_eq!(uri(&behind), "https://a:443/oidc/callback");
        let direct = options(&[("callbackmode", "direct")]).unwrap();
        assert_eq!((direct.redirect_uri.as_str(), direct.listener), ("https://vault/v1/auth/oidc/oidc/callback", None));
        assert!(options(&[("callbackmode", "device")]).is_err());
        assert!(options(&[("port", "x")]).is_err() && options(&[("port", "70000")]).is_err());
        assert!(options(&[]).unwrap().opens_browser);
        assert!(!options(&[("skip_browser", "true")]).unwrap().opens_browser);
    }
}
