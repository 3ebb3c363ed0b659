//! Cross-origin requests (the Fetch standard's CORS protocol), as `sys/config/cors` allows them.

use std::sync::Arc;

use axum::body::Body;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response};

use crate::error::{Error, Kind, Result};
use crate::pipeline::Pipeline;
use crate::vault::Cors;

/// What a page may do, as its browser is told.
const METHODS: &str = "DELETE, GET, OPTIONS, POST, PUT, PATCH, LIST, SCAN";

/// A request of a page of an allowed origin.
#[derive(Debug)]
pub(super) struct CrossOrigin {
    origin: HeaderValue,
    cors: Arc<Cors>,
}

/// Whose page sends the request. Nothing if it is not one, or if nothing is configured; an error for a page that may not.
pub(super) fn origin(pipeline: &Pipeline, headers: &HeaderMap) -> Result<Option<CrossOrigin>> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(None) };
    let Ok(unsealed) = pipeline.vault().unsealed() else { return Ok(None) };
    let cors = unsealed.core.cors.current();
    if !cors.is_enabled() {
        return Ok(None);
    }
    let allowed = origin.to_str().is_ok_and(|text| cors.allows(text));
    if allowed {
        Ok(Some(CrossOrigin { origin: origin.clone(), cors }))
    } else {
        Err(Error::new(Kind::Forbidden, "origin not allowed; add it to sys/config/cors"))
    }
}

impl CrossOrigin {
    /// Whether the browser only asks what it may do.
    pub(super) fn is_preflight(method: &Method) -> bool {
        *method == Method::OPTIONS
    }

    /// Tells the browser that the page may read the answer, and what else it may do.
    pub(super) fn allow(&self, response: &mut Response<Body>, preflight: bool) {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.origin.clone());
        headers.insert(VARY, HeaderValue::from_static("Origin"));
        if preflight {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("300"));
            if let Ok(names) = HeaderValue::from_str(&self.cors.headers().join(", ")) {
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
            }
        }
    }
}
