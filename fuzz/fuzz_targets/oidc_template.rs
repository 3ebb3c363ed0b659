//! The template of an identity token (behind the first line) for an entity of some name (the first).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| arca::identity::oidc::fuzz_template(text));
