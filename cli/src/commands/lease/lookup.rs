//! `arca lease lookup ID`

use crate::args::Field;
use crate::client::{Call, Client};
use crate::error::{Error, Result};
use crate::json::Json;
use crate::output::Output;

/// Shows what is known of a lease.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The lease
    id: String,
    #[command(flatten)]
    field: Field,
}

impl Args {
    /// Asks and prints.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let id = self.id.trim();
        let call = Call::put("sys/leases/lookup").body(Json::map([("lease_id", Json::text(id))]));
        let answer = client.call(call).map_err(|error| error.context(format!("error looking up lease id {id}")))?;
        output.show(answer.ok_or_else(|| Error::absent(id))?, self.field.field.as_deref())
    }
}
