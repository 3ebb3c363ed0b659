//! `arca lease revoke [-prefix] [-force] [-sync] ID`

use crate::client::{Call, Client};
use crate::error::{Error, Result};
use crate::json::Json;
use crate::output::Output;

/// Ends a lease, and what it stands for.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The lease, or with -prefix the beginning of the leases
    id: String,
    /// All leases that begin so
    #[arg(long)]
    prefix: bool,
    /// Forget the leases even where what they stand for cannot be taken back; with -prefix only
    #[arg(long, alias = "f")]
    force: bool,
    /// Wait until it is done
    #[arg(long)]
    sync: bool,
}

impl Args {
    /// Revokes.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        if self.force && !self.prefix {
            return Err(Error::local("Specifying -force requires also specifying -prefix")
                .advise("Add -prefix, or leave out -force."));
        }
        let id = self.id.trim().trim_matches('/');
        let sync = Json::map([("sync", Json::Bool(self.sync))]);
        let (path, body, what, done) = if self.force {
            output.note(
                "Warning! Forced leases are forgotten, not taken back: what they stand for may live on elsewhere.",
            )?;
            let done = format!("Success! Force revoked any leases with prefix: {id}");
            (format!("sys/leases/revoke-force/{id}"), None, "force revoking leases with prefix", done)
        } else if self.prefix {
            let done = format!("Success! Revoked any leases with prefix: {id}");
            (format!("sys/leases/revoke-prefix/{id}"), Some(sync), "revoking leases with prefix", done)
        } else {
            let mut body = sync;
            body.set("lease_id", Json::text(id));
            let done = format!("Success! Revoked lease: {id}");
            ("sys/leases/revoke".to_owned(), Some(body), "revoking lease", done)
        };
        let call = Call::put(&path).unwrapped();
        let call = match body {
            Some(body) => call.body(body),
            None => call,
        };
        client.send(call).map_err(|error| error.context(format!("Error {what} {id}")))?;
        if self.sync || self.force {
            output.success(&done)
        } else {
            output.success("All revocation operations queued successfully!")
        }
    }
}
