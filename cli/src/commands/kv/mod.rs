//! `arca kv …`: the key-value engine, versions 1 and 2.

mod delete;
mod destroy;
mod enable_versioning;
mod get;
mod list;
mod metadata;
mod patch;
mod place;
mod put;
mod rollback;
mod undelete;

use clap::Subcommand;

use crate::client::{Client, Secret};
use crate::error::Result;
use crate::json::Json;
use crate::output::{Output, Render, key_value, section, shown, titled};

use place::{Mount, Place};

/// Secrets of the key-value engine.
#[derive(Subcommand)]
pub(crate) enum Kv {
    /// Read a secret
    Get(get::Args),
    /// Write a secret, in place of all that was there
    Put(put::Args),
    /// Change parts of a secret
    Patch(patch::Args),
    /// Delete a secret, or versions of it; version 2 can undelete
    Delete(delete::Args),
    /// Bring deleted versions back
    Undelete(undelete::Args),
    /// Remove versions for good
    Destroy(destroy::Args),
    /// List the secrets in a folder
    List(list::Args),
    /// Make an older version the newest again
    Rollback(rollback::Args),
    /// Turn version 1 into version 2
    EnableVersioning(enable_versioning::Args),
    /// What is kept about a secret
    #[command(subcommand)]
    Metadata(metadata::Metadata),
}

impl Kv {
    /// Does it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        match self {
            Self::Get(args) => args.run(client, output),
            Self::Put(args) => args.run(client, output),
            Self::Patch(args) => args.run(client, output),
            Self::Delete(args) => args.run(client, output),
            Self::Undelete(args) => args.run(client, output),
            Self::Destroy(args) => args.run(client, output),
            Self::List(args) => args.run(client, output),
            Self::Rollback(args) => args.run(client, output),
            Self::EnableVersioning(args) => args.run(client, output),
            Self::Metadata(noun) => noun.run(client, output),
        }
    }
}

/// The answer to a write of version 2: where the secret is, and its new metadata.
struct Written {
    path: String,
    secret: Secret,
}

impl Render for Written {
    fn table(&self) -> zeroize::Zeroizing<String> {
        let mut text = zeroize::Zeroizing::new(titled("Secret Path", &self.path));
        text.push_str(&section("Metadata", &self.secret.data));
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

/// Shows the answer to a write of either version.
fn show_written(output: &mut Output, answer: Option<Secret>, field: Option<&str>, path: &str) -> Result<()> {
    match answer {
        Some(secret) if secret.data.some("version").is_some() => {
            output.show(Written { path: path.to_owned(), secret }, field)
        }
        other => super::data::written(output, other, field, path),
    }
}

/// The answer to `rollback`: a version's metadata alone.
fn versions_text(data: &Json) -> zeroize::Zeroizing<String> {
    let rows = data.sorted_members().into_iter();
    key_value(rows.map(|(key, value)| (key.to_owned(), shown(key, value).to_string())))
}

/// Version numbers of `-versions=1,2 -versions=3`, as the API takes them.
fn version_list(versions: &[String]) -> Json {
    Json::texts(versions.iter().flat_map(|list| list.split(',')).map(str::trim).filter(|number| !number.is_empty()))
}
