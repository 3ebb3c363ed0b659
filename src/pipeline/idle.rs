//! The fields of a request that do nothing, and what its caller is told of them.

use std::borrow::Cow;

use crate::engine::{Answer, StatusCode};
use crate::error::Result;
use crate::sys::Found;

use super::request::Request;

/// The fields of a request that do nothing.
pub(super) struct IdleFields {
    /// Nothing at the path knows them.
    unknown: Vec<String>,
    /// The path names them too, and counts.
    replaced: Vec<String>,
}

/// Those of `request`, which leads to `found`.
pub(super) fn fields(found: &Found, request: &Request) -> Result<IdleFields> {
    let info = &found.hit.info;
    Ok(IdleFields { unknown: info.unknown_fields(&request.body)?, replaced: info.replaced_fields(&request.body)? })
}

impl IdleFields {
    /// `answer`, with warnings of these where it has a body to read them in: one that has none stays without.
    pub(super) fn told_in(self, mut answer: Answer) -> Answer {
        let has_body = match answer.status {
            StatusCode::OK => true,
            StatusCode::NO_CONTENT => !answer.warnings.is_empty(),
            _ => false,
        };
        if has_body {
            let told = [
                ("Endpoint ignored these unrecognized parameters", self.unknown),
                (
                    "Endpoint replaced the value of these parameters with the values captured from the endpoint's path",
                    self.replaced,
                ),
            ];
            let told = told.into_iter().filter(|(_, names)| !names.is_empty());
            answer.warnings.extend(told.map(|(what, names)| Cow::from(format!("{what}: [{}]", names.join(" ")))));
        }
        answer
    }
}
