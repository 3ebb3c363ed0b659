//! `/v1/auth/*`.

mod approle;
mod cert;
mod jwt;
mod oidc_provider;
mod roles;
mod terms;
mod token;
mod userpass;
