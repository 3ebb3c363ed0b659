//! `arca audit list [-detailed]`

use crate::client::{Call, Client};
use crate::error::{Error, Exit, Result};
use crate::json::Json;
use crate::output::{Output, Sheet, columns};

/// Lists the audit devices.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Show all that is known of each
    #[arg(long)]
    detailed: bool,
}

impl Args {
    /// Lists.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let answer = client.call(Call::get("sys/audit").unwrapped());
        let devices =
            answer.map_err(|error| error.context("Error listing audits"))?.map_or(Json::Null, |secret| secret.data);
        if output.format().is_for_people() && devices.members().is_empty() {
            output.line("No audit devices are enabled.")?;
            return Err(Error::quiet(Exit::Remote));
        }
        let text = columns(&rows(&devices, self.detailed));
        output.show(Sheet { value: devices, text }, None)
    }
}

fn rows(devices: &Json, detailed: bool) -> Vec<Vec<String>> {
    let names: &[&str] = if detailed {
        &["Path", "Type", "Description", "Replication", "Options"]
    } else {
        &["Path", "Type", "Description"]
    };
    let mut rows: Vec<Vec<String>> = vec![
        names.iter().map(|name| (*name).to_owned()).collect(),
        names.iter().map(|name| "-".repeat(name.len())).collect(),
    ];
    for (path, device) in devices.sorted_members() {
        let description = Some(device.text_at("description")).filter(|text| !text.is_empty()).unwrap_or("n/a");
        let mut row = vec![path.to_owned(), device.text_at("type").to_owned(), description.to_owned()];
        if detailed {
            row.push(if device.is_true_at("local") { "local" } else { "replicated" }.to_owned());
            let options = device.at("options").map(Json::sorted_members).unwrap_or_default().into_iter();
            let options = options.map(|(key, value)| format!("{key}={}", *crate::output::plain(value)));
            row.push(options.collect::<Vec<_>>().join(" "));
        }
        rows.push(row);
    }
    rows
}
