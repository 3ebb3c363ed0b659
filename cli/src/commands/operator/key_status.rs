//! `arca operator key-status`

use crate::client::{Call, Client};
use crate::error::Result;
use crate::json::Json;
use crate::output::{Output, Sheet};

/// Shows the term of the key that encrypts the data, since when, and how much it has encrypted.
#[derive(clap::Args)]
pub(crate) struct Args;

impl Args {
    /// Asks and shows.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let sheet = sheet(client)?;
        output.show(sheet, None)
    }
}

/// The state of the encryption key.
pub(super) fn sheet(client: &Client) -> Result<Sheet> {
    let call = Call::get("sys/key-status").unwrapped();
    let answer = client.call_json(call).map_err(|error| error.context("Error reading key status"))?;
    let value = Json::map(
        ["term", "install_time", "encryptions"].map(|key| (key, answer.at(key).map_or(Json::Null, Json::copy))),
    );
    let rows = [
        ("Key Term", value.integer_at("term").to_string()),
        ("Install Time", value.text_at("install_time").to_owned()),
        ("Encryption Count", value.integer_at("encryptions").to_string()),
    ];
    Ok(Sheet::of(value, &rows.map(|(name, text)| vec![name.to_owned(), text])))
}
