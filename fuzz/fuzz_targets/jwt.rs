//! A token that somebody shows: the first line is the token, the rest a role's bound claims and a token's claims.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    arca::auth::jwt::fuzz(text);
    arca::identity::oidc::fuzz_token(text.lines().next().unwrap_or_default());
});
