//! TLS, HTTP, limits: requests in, responses out. Everything behind the door sees [`crate::pipeline::Request`] only.

mod body;
mod cors;
mod door;
mod fuzzing;
mod json;
mod listener;
mod path;
mod query;
mod reply;
mod revocation;
mod tls;

#[doc(hidden)]
pub use fuzzing::{fuzz_body, fuzz_request};
pub use listener::{Listening, Server};
#[doc(hidden)]
pub use revocation::fuzz_revocation;
pub use tls::TlsError;

#[cfg(test)]
mod tests;
