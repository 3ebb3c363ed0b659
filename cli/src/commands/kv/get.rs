//! `arca kv get [-mount=PATH] [-version=N] PATH`

use zeroize::Zeroizing;

use super::Mount;
use crate::args::Field;
use crate::client::{Call, Client, Secret};
use crate::error::{Error, Result};
use crate::json::Json;
use crate::output::{Output, Render, section, titled};

/// Reads a secret.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    mount: Mount,
    /// This version, and not the newest
    #[arg(long, value_name = "NUMBER")]
    version: Option<u64>,
    #[command(flatten)]
    field: Field,
}

impl Args {
    /// Reads and prints.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let place = self.mount.place(client)?;
        let path = place.data();
        let mut call = Call::get(&path);
        if let Some(version) = self.version.filter(|_| place.versioned) {
            call = call.query("version", version.to_string());
        }
        let answer = client.fetch(call).map_err(|error| error.context(format!("Error reading {path}")))?;
        let secret = answer.ok_or_else(|| Error::absent(&path))?;
        let field = self.field.field.as_deref();
        if !place.versioned || secret.wrap_info != Json::Null {
            return output.show(Plain(secret), field);
        }
        if field.is_some() && secret.data.some("data").is_none() {
            return Err(Error::remote(format!("No data found at {path}")).advise(
                "This version is deleted or destroyed; `arca kv metadata get` shows which versions there are.",
            ));
        }
        output.show(Versioned { path, secret }, field)
    }
}

/// A secret of version 1.
struct Plain(Secret);

impl Render for Plain {
    fn table(&self) -> Zeroizing<String> {
        if self.0.wrap_info == Json::Null { section("Data", &self.0.data) } else { self.0.table() }
    }

    fn json(self) -> Json {
        self.0.into_json()
    }

    fn field(&self, name: &str) -> Option<Json> {
        self.0.field(name)
    }

    fn warnings(&self) -> &[String] {
        &self.0.warnings
    }
}

/// A secret of version 2: its metadata and its data.
struct Versioned {
    path: String,
    secret: Secret,
}

impl Render for Versioned {
    fn table(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(titled("Secret Path", &self.path));
        if let Some(metadata) = self.secret.data.some("metadata") {
            text.push_str(&section("Metadata", metadata));
            text.push('\n');
        }
        if let Some(data) = self.secret.data.some("data") {
            text.push_str(&section("Data", data));
        }
        text
    }

    fn json(self) -> Json {
        self.secret.into_json()
    }

    /// A member of the secret; or, if it has none called so, all of its `data`.
    fn field(&self, name: &str) -> Option<Json> {
        let data = self.secret.data.some("data")?;
        let found = data.some(name).or_else(|| Some(data).filter(|_| name == "data"));
        found.map(Json::copy)
    }

    fn warnings(&self) -> &[String] {
        &self.secret.warnings
    }
}
