//! What a caller is told of the fields of a request that do nothing.

use std::borrow::Cow;

use crate::engine::{Answer, IdleFields, StatusCode};

/// `answer`, with warnings of `idle` where it has a body to read them in: one that has none stays without.
pub(super) fn told_in(mut answer: Answer, idle: IdleFields) -> Answer {
    let has_body = match answer.status {
        StatusCode::OK => true,
        StatusCode::NO_CONTENT => !answer.warnings.is_empty(),
        _ => false,
    };
    if has_body {
        let told = [
            ("Endpoint ignored these unrecognized parameters", idle.unknown),
            (
                "Endpoint replaced the value of these parameters with the values captured from the endpoint's path",
                idle.replaced,
            ),
        ];
        let told = told.into_iter().filter(|(_, names)| !names.is_empty());
        answer.warnings.extend(told.map(|(what, names)| Cow::from(format!("{what}: [{}]", names.join(" ")))));
    }
    answer
}
