//! What load is made.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// A start: of a sealed server that may not listen yet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    /// Where the server is going to listen.
    pub(crate) address: SocketAddr,
    /// The authority that the server's certificate is from, in PEM.
    pub(crate) authority: PathBuf,
    /// The client's certificate, in PEM.
    pub(crate) certificate: PathBuf,
    /// Its key, in PEM.
    pub(crate) key: PathBuf,
    /// The one share of the seal key.
    pub(crate) share: String,
    /// A token that the unsealed vault knows.
    pub(crate) token: String,
    /// How long it may take, in seconds.
    pub(crate) patience: f64,
}

/// A run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    /// Where the server listens.
    pub(crate) address: SocketAddr,
    /// The authority that the server's certificate is from, in PEM.
    pub(crate) authority: PathBuf,
    /// The client's certificate, in PEM.
    pub(crate) certificate: PathBuf,
    /// Its key, in PEM.
    pub(crate) key: PathBuf,
    /// The token of all requests.
    pub(crate) token: String,
    /// Connections at a time. Each has one request under way at most.
    pub(crate) connections: usize,
    /// How long requests are begun, in seconds.
    pub(crate) seconds: f64,
    /// How many requests are due a second, over all connections, whether answers come or not; without it, each connection
    /// begins the next one as soon as it has its answer.
    #[serde(default)]
    pub(crate) rate: Option<f64>,
    /// The process of the server, whose use of the processor is counted during the run.
    #[serde(default)]
    pub(crate) server: Option<u32>,
    /// What the choice of keys begins with.
    pub(crate) seed: u64,
    /// What is asked for.
    pub(crate) work: Work,
}

/// What is asked for. Paths begin with `/v1/`; keys are `<path>/k<number>`.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Work {
    /// Reads secrets of a KV store, version 2.
    Read {
        /// Where they are.
        path: String,
        /// How many there are.
        keys: u64,
    },
    /// Writes secrets of a KV store, version 2.
    Write {
        /// Where they are.
        path: String,
        /// How many there are.
        keys: u64,
        /// How long a value is, in bytes.
        bytes: usize,
        /// Whether each write names the version that it follows on.
        cas: bool,
    },
    /// Nine reads to one write.
    Mixed {
        /// Where the secrets are.
        path: String,
        /// How many there are.
        keys: u64,
        /// How long a value is, in bytes.
        bytes: usize,
    },
    /// Writes each secret from one number up to, and without, another, once; ends when all are there.
    Fill {
        /// Where they are.
        path: String,
        /// The first.
        from: u64,
        /// Behind the last.
        to: u64,
        /// How long a value is, in bytes.
        bytes: usize,
    },
    /// Makes one and the same request, again and again.
    Same {
        /// `GET`, `POST`, `LIST`, …
        method: String,
        /// Where.
        path: String,
        /// The body, if there is one.
        #[serde(default)]
        body: Option<serde_json::Value>,
    },
    /// Makes a request for each number from one up to, and without, another; ends when all are made.
    Each {
        /// `POST`, `PUT`, …
        method: String,
        /// Where; `#` stands for the number.
        path: String,
        /// The body, if there is one; `#` stands for the number there too.
        #[serde(default)]
        body: Option<serde_json::Value>,
        /// The first number.
        from: u64,
        /// Behind the last.
        to: u64,
    },
    /// Wraps a value and unwraps it again: two requests.
    Wrap,
    /// Opens a connection, makes one request, and closes it.
    Connect {
        /// What is asked for.
        path: String,
        /// Whether the TLS session goes on from one before.
        resumed: bool,
    },
}
