//! The files that a connection with TLS goes by.

use std::path::{Path, PathBuf};

use crate::audit::shipper::DeliveryError;
use crate::outbound::{ClientIdentity, Trust};
use crate::secret::SecretText;

use super::RemoteOptionsError;
use super::given::Given;

/// The files that a connection with TLS goes by. They are read when a connection is made, so that new ones count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// `ca_file`: the authorities of the server's certificate; those of the machine where there is none.
    pub ca_file: Option<PathBuf>,
    /// `client_cert_file` and `client_key_file`: what this side shows of itself.
    pub client: Option<(PathBuf, PathBuf)>,
    /// `server_name`: the name that the server's certificate must have, if it is not the one in the address.
    pub server_name: Option<String>,
}

/// What is in the files.
pub(in crate::audit::sinks) struct TlsMaterial {
    authorities: String,
    client: Option<(String, SecretText)>,
    server_names: Vec<String>,
}

impl TlsFiles {
    pub(in crate::audit::sinks) fn parse(given: Given<'_>) -> Result<Self, RemoteOptionsError> {
        let client = match (given.path("client_cert_file"), given.path("client_key_file")) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) => return Err(RemoteOptionsError::Missing("client_key_file")),
            (None, Some(_)) => return Err(RemoteOptionsError::Missing("client_cert_file")),
        };
        Ok(Self { ca_file: given.path("ca_file"), client, server_name: given.text("server_name").map(str::to_owned) })
    }

    /// Whether any of them is set.
    pub(in crate::audit::sinks) fn are_set(&self) -> bool {
        *self != Self::default()
    }

    /// Reads the files.
    pub(in crate::audit::sinks) async fn read(&self) -> Result<TlsMaterial, DeliveryError> {
        let authorities = match &self.ca_file {
            Some(path) => text(path, "ca_file").await?,
            None => String::new(),
        };
        let client = match &self.client {
            Some((certificate, key)) => {
                let key = SecretText::new(text(key, "client_key_file").await?);
                Some((text(certificate, "client_cert_file").await?, key))
            }
            None => None,
        };
        Ok(TlsMaterial { authorities, client, server_names: self.server_name.iter().cloned().collect() })
    }
}

impl TlsMaterial {
    pub(in crate::audit::sinks) fn trust(&self) -> Trust<'_> {
        Trust { authorities: &self.authorities, server_names: &self.server_names }
    }

    pub(in crate::audit::sinks) fn identity(&self) -> Option<ClientIdentity<'_>> {
        let (certificate, key) = self.client.as_ref()?;
        Some(ClientIdentity { certificate, key })
    }
}

/// The text of the file that an option names. It may be a secret: the caller wraps it.
pub(in crate::audit::sinks) async fn text(path: &Path, option: &'static str) -> Result<String, DeliveryError> {
    tokio::fs::read_to_string(path)
        .await
        .map_err(|error| DeliveryError::new(format!("{option} cannot be read")).with_source(error).mistake())
}
