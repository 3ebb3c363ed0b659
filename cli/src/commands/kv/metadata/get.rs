//! `arca kv metadata get [-mount=PATH] PATH`

use zeroize::Zeroizing;

use super::super::Mount;
use super::VERSION_1;
use crate::args::Field;
use crate::client::{Call, Client, Secret};
use crate::error::{Error, Exit, Result};
use crate::json::Json;
use crate::output::{Output, Render, section, titled};

/// Shows what is kept about a secret, and all its versions.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    mount: Mount,
    #[command(flatten)]
    field: Field,
}

impl Args {
    /// Reads and prints.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let place = self.mount.place(client)?;
        place.must_keep_versions(VERSION_1, Exit::Local)?;
        let path = place.of_kind("metadata");
        let answer = client.fetch(Call::get(&path)).map_err(|error| error.context(format!("Error reading {path}")))?;
        let secret = answer.ok_or_else(|| Error::absent(&path))?;
        output.show(Sheets { path, secret }, self.field.field.as_deref())
    }
}

/// The metadata, then each version.
struct Sheets {
    path: String,
    secret: Secret,
}

impl Render for Sheets {
    fn table(&self) -> Zeroizing<String> {
        if self.secret.wrap_info != Json::Null {
            return self.secret.table();
        }
        let mut text = Zeroizing::new(titled("Metadata Path", &self.path));
        let mut metadata = self.secret.data.copy();
        let versions = metadata.take("versions");
        text.push_str(&section("Metadata", &metadata));
        let mut versions = versions.sorted_members();
        versions.sort_by_key(|(number, _)| number.parse::<u64>().unwrap_or(u64::MAX));
        for (number, version) in versions {
            text.push('\n');
            text.push_str(&section(&format!("Version {number}"), version));
        }
        text
    }

    fn json(self) -> Json {
        self.secret.into_json()
    }

    fn field(&self, name: &str) -> Option<Json> {
        self.secret.field(name)
    }

    fn warnings(&self) -> &[String] {
        &self.secret.warnings
    }
}
