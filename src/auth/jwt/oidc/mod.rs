//! Logging in with a browser: the authorization code flow of OpenID Connect, with PKCE.
//!
//! The client asks for an address ([`AuthUrl`]), the browser goes there and comes back with a state and a code
//! ([`Callback`]), and the code is redeemed here, where the client's secret is. What a flow needs until then is kept in
//! memory ([`Flows`]): anyone can begin one, and nothing of that is worth a write to the store. Flows end with a restart.

mod auth_url;
mod callback;
mod exchange;
mod flows;
mod id_token;
mod page;
mod poll;
mod redirect;

pub(super) use auth_url::AuthUrl;
pub(super) use callback::{Callback, PostCallback};
pub(super) use exchange::{FIXED, Tokens, add};
pub(super) use flows::Flows;
pub(super) use poll::Poll;
