//! `arca lease renew [-increment=DURATION] ID`

use crate::args::{Field, ttl_text};
use crate::client::{Call, Client};
use crate::error::{Error, Result};
use crate::json::Json;
use crate::output::Output;

/// Lets a lease last longer.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The lease
    id: String,
    /// From now on so long, if the server agrees
    #[arg(long, alias = "i", value_name = "DURATION", value_parser = ttl_text)]
    increment: Option<String>,
    #[command(flatten)]
    field: Field,
}

impl Args {
    /// Renews, and prints how long it lasts now.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let id = self.id.trim();
        let mut body = Json::map([("lease_id", Json::text(id))]);
        if let Some(increment) = &self.increment {
            body.set("increment", Json::text(increment.as_str()));
        }
        let call = Call::put("sys/leases/renew").body(body);
        let answer = client.call(call).map_err(|error| error.context(format!("Error renewing {id}")))?;
        output.show(answer.ok_or_else(|| Error::absent(id))?, self.field.field.as_deref())
    }
}
