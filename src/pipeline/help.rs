//! `?help=1`: what an endpoint is for.

use schemars::SchemaGenerator;
use serde_json::json;

use crate::engine::{Answer, Content, Payload, StatusCode};
use crate::error::Result;

use super::response::Response;
use super::route::Found;

/// The help of the endpoint that was found.
pub(super) fn answer(found: &Found) -> Result<Response> {
    let route = found.hit.info.route;
    let schema = found.hit.info.body_schema(&mut SchemaGenerator::default());
    let help = format!("Request:        {}\n\n{}\n", route.pattern, route.summary);
    let payload = Payload::of(&json!({ "help": help, "see_also": null, "openapi": schema }))?;
    let content = Content::Raw { media_type: "application/json", payload };
    Response::bare(Answer { status: StatusCode::OK, content, warnings: Vec::new() })
}
