//! The OpenAPI 3 document, folded out of the routes that serve.

mod fold;
mod operation;
mod path;

pub(crate) use fold::{Document, Section, document};
