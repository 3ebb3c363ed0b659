//! Where a secret is: its mount, the mount's version, and the path below it, as the server tells.

use crate::client::{Call, Client};
use crate::commands::tidy;
use crate::error::{Error, Exit, Result};
use crate::json::Json;

/// `-mount` and the path, of every `kv` command.
#[derive(clap::Args)]
pub(super) struct Mount {
    /// The mount; the path then is the one below it. Without it, the path begins with the mount
    #[arg(long, value_name = "PATH")]
    mount: Option<String>,
    /// The secret's path
    path: String,
}

/// A secret's place.
pub(super) struct Place {
    /// The mount with its slash; empty if the server does not tell.
    mount: String,
    /// The path below the mount.
    below: String,
    /// Whether the mount keeps versions.
    pub(super) versioned: bool,
}

impl Mount {
    /// Asks the server where this is.
    pub(super) fn place(&self, client: &Client) -> Result<Place> {
        let (asked, whole) = match &self.mount {
            Some(mount) => (tidy(mount).to_owned(), format!("{}/{}", tidy(mount), tidy(&self.path))),
            None => (tidy(&self.path).to_owned(), tidy(&self.path).to_owned()),
        };
        let question = format!("sys/internal/ui/mounts/{asked}");
        let answer = match client.call(Call::get(&question).preliminary()) {
            Ok(answer) => answer.map_or(Json::Null, |secret| secret.data),
            // A server that does not know this question has version 1 only.
            Err(error) if error.status() == Some(404) => Json::Null,
            Err(error) => return Err(error),
        };
        Ok(Place::of(&answer, &whole))
    }
}

impl Place {
    fn of(answer: &Json, whole: &str) -> Self {
        let mount = match tidy(answer.text_at("path")) {
            "" => String::new(),
            mount => format!("{mount}/"),
        };
        let below =
            format!("{whole}/").strip_prefix(&mount).map_or_else(|| whole.to_owned(), |rest| tidy(rest).to_owned());
        let versioned = answer.at("options").is_some_and(|options| options.text_at("version") == "2");
        Self { mount, below, versioned }
    }

    /// The API path of the secret's data.
    pub(super) fn data(&self) -> String {
        if self.versioned { self.of_kind("data") } else { tidy(&format!("{}{}", self.mount, self.below)).to_owned() }
    }

    /// The API path of what version 2 keeps beside the data: `metadata`, `delete`, `undelete`, `destroy`.
    pub(super) fn of_kind(&self, kind: &str) -> String {
        tidy(&format!("{}{kind}/{}", self.mount, self.below)).to_owned()
    }

    /// Refuses version 1 for a command that it does not know.
    pub(super) fn must_keep_versions(&self, message: &str, exit: Exit) -> Result<()> {
        if self.versioned {
            return Ok(());
        }
        Err(Error::usage(exit, message)
            .advise("The mount is version 1; `arca kv enable-versioning MOUNT` makes it version 2."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(answer: &str, whole: &str) -> Place {
        Place::of(&Json::parse(answer).unwrap(), whole)
    }

    #[test]
    fn version_2_has_a_word_between_mount_and_path() {
        let place = place(r#"{"path":"a/b/","options":{"version":"2"}}"#, "a/b/c/d");
        assert_eq!(place.data(), "a/b/data/c/d");
        assert_eq!(place.of_kind("metadata"), "a/b/metadata/c/d");
    }

    #[test]
    fn version_1_and_unknown_mounts_keep_the_path() {
        assert_eq!(place(r#"{"path":"kv/","options":null}"#, "kv/x").data(), "kv/x");
        assert_eq!(place("null", "kv/x").data(), "kv/x");
    }

    #[test]
    fn the_root_of_a_mount_is_a_place() {
        let place = place(r#"{"path":"secret/","options":{"version":"2"}}"#, "secret");
        assert_eq!((place.data(), place.of_kind("metadata")), ("secret/data".to_owned(), "secret/metadata".to_owned()));
    }
}
