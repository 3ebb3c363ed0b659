//! `/v1/auth/*`.

mod approle;
mod cert;
mod token;
mod userpass;
