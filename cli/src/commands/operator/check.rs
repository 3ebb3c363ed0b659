//! `arca operator check`

use std::path::PathBuf;

use super::offline::{become_server, config_arguments};
use crate::client::{Call, Client};
use crate::error::{Error, Exit, Result};
use crate::input;
use crate::json::Json;
use crate::output::{Format, Output, Sheet, plain};

/// Looks at every record of the store: exit code 0 if nothing is wrong, 2 if something is, 1 if that could not be found out.
/// With -config the store of a stopped server on this machine, else that of an unsealed server.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The configuration file of a stopped server, or a folder of them; may be repeated
    #[arg(long, value_name = "FILE")]
    config: Vec<PathBuf>,
    /// A checkpoint that the store must not be older than
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Ask for no unseal keys, and look at the form of the records only
    #[arg(long, requires = "config")]
    without_keys: bool,
    /// Take records as they are that the ledger does not account for, after a look at them, and put that on record
    #[arg(long, requires = "config", conflicts_with = "without_keys")]
    accept: bool,
    /// Show what came of the newest check of an unsealed server: it looks by itself now and then (check_interval)
    #[arg(long, conflicts_with_all = ["config", "checkpoint"])]
    last: bool,
}

impl Args {
    /// Checks.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        if self.config.is_empty() { self.online(client, output) } else { Err(self.offline(output.format())) }
    }

    fn offline(self, format: Format) -> Error {
        let mut arguments = vec!["check".into()];
        arguments.extend(config_arguments(&self.config));
        if let Some(file) = self.checkpoint {
            arguments.extend(["--checkpoint".into(), file.into_os_string()]);
        }
        arguments.extend(self.without_keys.then(|| "--without-keys".into()));
        arguments.extend(self.accept.then(|| "--accept".into()));
        arguments.extend((format == Format::Json).then(|| "--json".into()));
        become_server(arguments)
    }

    fn online(&self, client: &Client, output: &mut Output) -> Result<()> {
        let unknown = |error: Error| error.exiting(Exit::Local).context("Error checking the store");
        let call = if self.last { Call::get("sys/storage/check") } else { self.asking()? };
        let report = client.call_json(call.unwrapped()).map_err(unknown)?;
        let sound = report.is_true_at("sound");
        let mut text = zeroize::Zeroizing::new(String::new());
        for finding in report.at("findings").map(Json::items).unwrap_or_default() {
            let (fault, key) = (finding.text_at("fault"), finding.text_at("key"));
            // What is wrong with the store as a whole has no key.
            let key = if key.is_empty() { String::new() } else { format!("{key:?}: ") };
            text.push_str(&format!("{fault}  {key}{}\n", finding.text_at("detail")));
        }
        let number = |name| report.at(name).map(|value| plain(value).to_string()).unwrap_or_default();
        let more = number("more");
        if !matches!(more.as_str(), "" | "0") {
            text.push_str(&format!("… and {more} more\n"));
        }
        let (lineage, generation) = (report.text_at("lineage"), number("generation"));
        let (records, bytes) = (number("records"), number("bytes"));
        text.push_str(&format!("Store {lineage}, generation {generation}: {records} records, {bytes} bytes\n"));
        for restoration in report.texts_at("restored") {
            text.push_str(&format!("{restoration}\n"));
        }
        for acceptance in report.texts_at("accepted") {
            text.push_str(&format!("{acceptance}\n"));
        }
        let since = report.text_at("ledger_since");
        if !since.is_empty() {
            text.push_str(&format!("The ledger accounts for every change since {since}.\n"));
        }
        if self.last {
            text.push_str(&format!("Checked at {}. ", report.text_at("time")));
        }
        text.push_str(if sound { "Nothing is wrong.\n" } else { "SOMETHING IS WRONG: see above.\n" });
        output.show(Sheet { value: report, text }, None)?;
        if sound { Ok(()) } else { Err(Error::quiet(Exit::Remote)) }
    }

    /// Asks for a check.
    fn asking(&self) -> Result<Call<'static>> {
        let mut body = Json::map([]);
        if let Some(file) = &self.checkpoint {
            let text = input::file(file)?;
            let checkpoint = Json::parse(&text).map_err(|reason| {
                Error::local(format!("Error reading {}: {reason}", file.display()))
                    .advise("Give the file that `arca operator checkpoint` wrote.")
            })?;
            body.set("checkpoint", checkpoint);
        }
        Ok(Call::post("sys/storage/check").body(body))
    }
}
