//! Ports that nobody uses.

use std::net::TcpListener;

use crate::failure::Failure;

/// A port of 127.0.0.1 that is free now.
pub(crate) fn free() -> Result<u16, Failure> {
    let bound = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    bound
        .map(|address| address.port())
        .map_err(|error| Failure::new(format!("No port is free: {error}"), "Check that 127.0.0.1 can be listened on."))
}
