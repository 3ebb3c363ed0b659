//! JSON Web Tokens: their form, their signatures, their times. No role and no configuration in here.

mod algorithm;
mod claims;
mod jwk;
mod jws;
mod public_key;
mod times;

pub(super) use algorithm::Algorithm;
pub(super) use claims::{Claims, Registered};
pub(super) use jwk::{JwkSet, Key};
pub(super) use jws::{Presented, Refusal};
pub(super) use public_key::PublicKey;
pub(super) use times::Leeways;
