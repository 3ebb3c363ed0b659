//! Which requests are being answered right now.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::ApiPath;
use crate::time::Timestamp;

/// A request that is being answered, as it came: it is put into words only if someone asks.
#[derive(Clone, Debug)]
pub struct Flight {
    /// Its id.
    pub id: String,
    /// When it came.
    pub start: Timestamp,
    /// Where from.
    pub address: Option<IpAddr>,
    /// The port there.
    pub port: u16,
    /// The path behind `/v1/`.
    pub path: ApiPath,
    /// The method that it came with.
    pub method: &'static str,
}

/// A request that is being answered, as it is shown.
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

impl From<&Flight> for RequestInFlight {
    fn from(flight: &Flight) -> Self {
        let address = flight.address.map_or_else(String::new, |address| address.to_string());
        Self {
            start_time: flight.start,
            client_remote_address: format!("{address}:{}", flight.port),
            request_path: format!("/v1/{}", flight.path),
            request_method: flight.method,
        }
    }
}

/// The requests that are being answered.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<List>);

#[derive(Debug, Default)]
struct List {
    next: AtomicU64,
    flights: Mutex<HashMap<u64, Flight>>,
}

/// Takes its request off the list when it is dropped.
#[derive(Debug)]
pub struct Landing {
    list: Arc<List>,
    number: u64,
}

impl InFlight {
    /// Puts a request on the list, until what is returned is dropped.
    pub fn begin(&self, flight: Flight) -> Landing {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.flights.lock().unwrap_or_else(PoisonError::into_inner).insert(number, flight);
        Landing { list: Arc::clone(&self.0), number }
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        self.0.flights.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// All of them, by their id.
    pub fn all(&self) -> HashMap<String, RequestInFlight> {
        let flights = self.0.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.values().map(|flight| (flight.id.clone(), flight.into())).collect()
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.list.flights.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}
