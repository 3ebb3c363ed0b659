//! The registry of auth methods: one folder and one line each.

pub mod approle;
pub mod cert;
pub mod jwt;
pub mod userpass;

use crate::engine::Kind;

/// Every auth method that can be mounted.
pub fn kinds() -> Vec<Kind> {
    vec![
        Kind::auth_method::<approle::Approle>(),
        Kind::auth_method::<cert::Cert>(),
        Kind::auth_method::<jwt::Jwt>(),
        Kind::auth_method::<jwt::Jwt>().named("oidc"),
        Kind::auth_method::<userpass::Userpass>(),
    ]
}
