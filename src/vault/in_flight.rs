//! Which requests are being answered right now.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;

use crate::time::Timestamp;

/// A request that is being answered.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RequestInFlight {
    /// When it came.
    pub start_time: Timestamp,
    /// Where from: address and port.
    pub client_remote_address: String,
    /// The path of its URL.
    pub request_path: String,
    /// The method that it came with.
    pub request_method: &'static str,
}

/// The requests that are being answered, by their id.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<Mutex<HashMap<String, RequestInFlight>>>);

/// Takes its request off the list when it is dropped.
#[derive(Debug)]
pub struct Landing {
    list: InFlight,
    id: String,
}

impl InFlight {
    /// Puts a request on the list, until what is returned is dropped.
    pub fn begin(&self, id: &str, request: RequestInFlight) -> Landing {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), request);
        Landing { list: self.clone(), id: id.to_owned() }
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// All of them.
    pub fn all(&self) -> HashMap<String, RequestInFlight> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.list.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
