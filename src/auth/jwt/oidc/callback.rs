//! `GET` and `POST /v1/auth/{mount}/oidc/callback`: what the browser came back with.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::jwt::roles::CallbackMode;
use crate::auth::jwt::token::Claims;
use crate::auth::jwt::{Jwt, NoPath, grant};
use crate::engine::{Answer, Cx, Endpoint, Reply, Route};
use crate::error::{Error, Kind, Result};
use crate::secret::SecretText;
use crate::time::Timestamp;

use super::flows::{Flow, Returned, Stage};
use super::id_token::Expected;
use super::{exchange, page};

/// What came back, by way of the client or straight from the browser.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(in crate::auth::jwt) struct Callback {
    /// Names the login.
    state: String,
    /// What the provider gave the browser.
    code: Option<SecretText>,
    /// The token itself, where the provider sends that.
    id_token: Option<SecretText>,
    /// What the client sent when the login began.
    client_nonce: Option<SecretText>,
    /// Set where the provider refused.
    error: String,
    /// Why it did; not shown.
    #[serde(rename = "error_description")]
    _description: String,
    /// What the page that asks whose the login is has it sent with, once the caller has said that it is theirs.
    confirmation: Option<SecretText>,
}

impl Endpoint for Callback {
    type Target = Jwt;
    type Path = NoPath;
    type Reply = Answer;

    const ROUTE: Route = Route::read("oidc/callback").summary("End a login with a browser.").public();
    /// What providers send beside it.
    const ALIASES: &'static [&'static str] =
        &["iss", "scope", "session_state", "authuser", "prompt", "hd", "error_uri"];

    async fn handle(self, jwt: &Jwt, _: NoPath, cx: &mut Cx<'_>) -> Result<Answer> {
        let mut flow = jwt.flows.take(&self.state, cx.now()).ok_or_else(over)?;
        if flow.mode == CallbackMode::Client && self.confirms(&mut flow) {
            jwt.flows.put_back(self.state, flow);
            return Ok(page::returned());
        }
        match flow.mode {
            CallbackMode::Client if flow.is_of(self.client_nonce.as_ref()) => self.log_in(jwt, flow, cx).await,
            CallbackMode::Client => Err(Error::invalid("invalid client_nonce")),
            CallbackMode::Direct => self.come_back(jwt, flow, cx).await,
        }
    }
}

impl Callback {
    /// The client brought what the browser came back with.
    async fn log_in(mut self, jwt: &Jwt, mut flow: Flow, cx: &mut Cx<'_>) -> Result<Answer> {
        let state = std::mem::take(&mut self.state);
        if let Stage::Back(Returned { awaits: Some(_), .. }) = flow.stage {
            jwt.flows.put_back(state, flow);
            return Err(Error::invalid("login failed: it is not confirmed yet; answer the page in the browser"));
        }
        let proved = match std::mem::replace(&mut flow.stage, Stage::Away) {
            Stage::Redeemed(before, claims)
                if self.error.is_empty() && before.is(self.code.as_ref(), self.id_token.as_ref()) =>
            {
                claims
            }
            Stage::Redeemed(_, _) => return Err(over()),
            stage @ (Stage::Away | Stage::Back(_) | Stage::Proved(_)) => {
                flow.stage = stage;
                self.prove(jwt, &mut flow, cx.now()).await?
            }
        };
        let role = jwt.role(&flow.role).await?.ok_or_else(|| Error::invalid("role could not be found"))?;
        let (config, _) = jwt.configured().await?;
        let product = config.provider.product();
        let answer = grant::login(&flow.role, &role, &proved, product, cx).map_err(explained)?.into_answer()?;
        flow.stage = Stage::Redeemed(Returned { code: self.code, id_token: self.id_token, awaits: None }, proved);
        jwt.flows.end_with(state, flow, cx.txn());
        Ok(answer)
    }

    /// Whether the browser says with this that the login, which the client will fetch, is theirs. Noted if so.
    fn confirms(&self, flow: &mut Flow) -> bool {
        let Stage::Back(before) = &mut flow.stage else { return false };
        let confirms = before.awaits.is_some() && before.is_confirmed_by(self.confirmation.as_ref());
        if confirms {
            before.awaits = None;
        }
        confirms
    }

    /// The browser itself came back. The login is put down for the client, which holds the nonce.
    async fn come_back(mut self, jwt: &Jwt, mut flow: Flow, cx: &mut Cx<'_>) -> Result<Answer> {
        let role = jwt.role(&flow.role).await?.ok_or_else(|| Error::invalid("role could not be found"))?;
        let state = std::mem::take(&mut self.state);
        // CVE-2026-33757: a link to the provider can be sent to anyone, who would log in whoever sent it. Whoever began the
        // login knows its state: only what the browser alone was given says that it is the browser that confirms. That is
        // the code; where a form brought the code, it is a value that the answer to the form had.
        let instead = match &flow.stage {
            Stage::Away if self.error.is_empty() && !role.oidc_disable_confirmation && self.confirmation.is_none() => {
                Some(page::confirmation(&state, self.code.as_ref(), None, &flow.role, &began_at(&flow)))
            }
            Stage::Back(before) if !before.is_confirmed_by(self.confirmation.as_ref()) => {
                Some(page::failure("Answer the page that was shown when you came back."))
            }
            Stage::Proved(_) | Stage::Redeemed(_, _) => Some(page::failure("This login is over.")),
            Stage::Away | Stage::Back(_) => None,
        };
        if let Some(shown) = instead {
            jwt.flows.put_back(state, flow);
            return Ok(shown);
        }
        match self.prove(jwt, &mut flow, cx.now()).await {
            Ok(claims) => {
                flow.stage = Stage::Proved(claims);
                jwt.flows.put_back(state, flow);
                Ok(page::done())
            }
            Err(error) if error.kind() == Kind::InvalidRequest => Ok(page::failure(&error.to_string())),
            Err(error) => Err(error),
        }
    }

    /// What the provider says of the caller.
    async fn prove(&self, jwt: &Jwt, flow: &mut Flow, now: Timestamp) -> Result<Claims> {
        if !self.error.is_empty() {
            return Err(refusal(&self.error));
        }
        let before = match std::mem::replace(&mut flow.stage, Stage::Away) {
            Stage::Back(before) => Some(before),
            Stage::Away | Stage::Proved(_) | Stage::Redeemed(_, _) => None,
        };
        let (code, id_token) = match &before {
            Some(before) => (before.code.as_ref(), before.id_token.as_ref()),
            None => (self.code.as_ref(), self.id_token.as_ref()),
        };
        let (config, provider) = jwt.configured().await?;
        let role = jwt.role(&flow.role).await?.ok_or_else(|| Error::invalid("role could not be found"))?;
        let discovery = provider.discovery(now).await?;
        let client = provider.client().ok_or_else(|| Error::internal("a provider without a client"))?;
        let expected = Expected { config: &config, provider: &provider, discovery: &discovery, role: &role, flow, now };
        if config.is_implicit() {
            let id_token = id_token.ok_or_else(|| Error::invalid("login failed: no id_token came back"))?;
            return expected.verify(id_token, None).await;
        }
        let code = code.filter(|code| !code.is_empty());
        let code = code.ok_or_else(|| Error::invalid("login failed: OAuth code parameter not provided"))?;
        let tokens = exchange::redeem(client, &config, &discovery, flow, code).await?;
        let id_token = tokens.id_token.ok_or_else(|| Error::invalid("login failed: id_token is missing"))?;
        let mut claims = expected.verify(&id_token, tokens.access_token.as_ref()).await?;
        if let Some(access_token) = &tokens.access_token {
            exchange::complete(client, &discovery, access_token, &mut claims).await;
        }
        Ok(claims)
    }
}

/// What the provider's form has; the client asks for the login with `GET` afterwards.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::auth::jwt) struct PostCallback(Callback);

impl Endpoint for PostCallback {
    type Target = Jwt;
    type Path = NoPath;
    type Reply = Answer;

    const ROUTE: Route = Route::write("oidc/callback").summary("Take the form that a provider sends.").public();
    const ALIASES: &'static [&'static str] = Callback::ALIASES;

    async fn handle(self, jwt: &Jwt, _: NoPath, cx: &mut Cx<'_>) -> Result<Answer> {
        let Self(came) = self;
        let (config, _) = jwt.configured().await?;
        if !config.is_form_post() {
            return Err(Error::new(Kind::MethodNotAllowed, "'oidc_response_mode' is not 'form_post'"));
        }
        let mut flow = jwt.flows.take(&came.state, cx.now()).ok_or_else(over)?;
        let Stage::Away = flow.stage else { return Ok(page::failure("This login is over.")) };
        if !came.error.is_empty() {
            return Ok(page::failure(&refusal(&came.error).to_string()));
        }
        let role = jwt.role(&flow.role).await?.ok_or_else(|| Error::invalid("role could not be found"))?;
        // A client that was sent the form itself, and hands it on, says so with its nonce.
        let is_handed_on = flow.mode == CallbackMode::Client && flow.is_surely_of(came.client_nonce.as_ref());
        let asks = !role.oidc_disable_confirmation && !is_handed_on;
        let awaits = if asks { Some(SecretText::new(cx.entropy().base62(32)?)) } else { None };
        let shown = awaits
            .as_ref()
            .map(|awaited| page::confirmation(&came.state, None, Some(awaited), &flow.role, &began_at(&flow)));
        flow.stage = Stage::Back(Returned { code: came.code, id_token: came.id_token, awaits });
        if flow.mode == CallbackMode::Direct && shown.is_none() {
            let again = Callback { state: came.state, ..Callback::default() };
            return again.come_back(jwt, flow, cx).await;
        }
        jwt.flows.put_back(came.state, flow);
        Ok(shown.unwrap_or_else(page::returned))
    }
}

/// The address that the login was begun from, for the caller to read.
fn began_at(flow: &Flow) -> String {
    flow.address.map_or_else(|| "unknown".to_owned(), |address| address.to_string())
}

/// No login has this state, or not any more.
pub(super) fn over() -> Error {
    Error::invalid("login failed: Expired or missing OAuth state; begin the login again")
}

/// The provider's own word for why it refused, of those that RFC 6749 and OpenID Connect know. Anything else was put into
/// the link by somebody, and is not repeated.
fn refusal(error: &str) -> Error {
    const KNOWN: [&str; 11] = [
        "access_denied",
        "invalid_request",
        "unauthorized_client",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "interaction_required",
        "login_required",
        "account_selection_required",
        "consent_required",
    ];
    let known = KNOWN.into_iter().find(|known| *known == error).unwrap_or("the provider refused");
    Error::invalid(format!("login failed: {known}"))
}

fn explained(error: Error) -> Error {
    if error.kind() == Kind::InvalidRequest { Error::invalid(format!("login failed: {error}")) } else { error }
}
