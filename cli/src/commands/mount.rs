//! What secrets engines and auth methods have in common as mounts: their flags, their list, their move.

use crate::args::ttl_text;
use crate::client::{Call, Client};
use crate::error::{Error, Result};
use crate::input;
use crate::json::Json;
use crate::output::{Output, Sheet, columns};

/// The kinds of mounts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Secrets engines.
    Secrets,
    /// Auth methods.
    Auth,
}

impl Kind {
    /// Where the API has its table.
    pub(super) const fn table(self) -> &'static str {
        match self {
            Self::Secrets => "sys/mounts",
            Self::Auth => "sys/auth",
        }
    }
}

/// Flags of both `enable` and `tune`.
#[derive(clap::Args)]
pub(super) struct Config {
    /// How long its leases and tokens last by default
    #[arg(long, value_name = "DURATION", value_parser = ttl_text)]
    default_lease_ttl: Option<String>,
    /// How long they last at most
    #[arg(long, value_name = "DURATION", value_parser = ttl_text)]
    max_lease_ttl: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(super) description: Option<String>,
    /// `unauth` shows it to those without a token, `hidden` does not
    #[arg(long, value_name = "WHO")]
    listing_visibility: Option<String>,
    /// A field of requests that audit logs have in clear; may be repeated
    #[arg(long, value_name = "NAME")]
    audit_non_hmac_request_keys: Vec<String>,
    /// A field of answers that audit logs have in clear; may be repeated
    #[arg(long, value_name = "NAME")]
    audit_non_hmac_response_keys: Vec<String>,
    /// A request header that reaches it; may be repeated
    #[arg(long, value_name = "NAME")]
    passthrough_request_headers: Vec<String>,
    /// A response header that it may set; may be repeated
    #[arg(long, value_name = "NAME")]
    allowed_response_headers: Vec<String>,
    /// KEY=VALUE of its own options; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    options: Vec<String>,
    /// The engine's version, where it has several
    #[arg(long, value_name = "NUMBER")]
    version: Option<u32>,
    /// The plugin's version
    #[arg(long, value_name = "VERSION")]
    plugin_version: Option<String>,
}

impl Config {
    /// What was given of the settings, and no more.
    pub(super) fn settings(&self) -> Json {
        let mut settings = Json::Map(Vec::new());
        for (key, value) in [
            ("default_lease_ttl", &self.default_lease_ttl),
            ("max_lease_ttl", &self.max_lease_ttl),
            ("listing_visibility", &self.listing_visibility),
            ("plugin_version", &self.plugin_version),
        ] {
            if let Some(text) = value {
                settings.set(key, Json::text(text.as_str()));
            }
        }
        for (key, values) in [
            ("audit_non_hmac_request_keys", &self.audit_non_hmac_request_keys),
            ("audit_non_hmac_response_keys", &self.audit_non_hmac_response_keys),
            ("passthrough_request_headers", &self.passthrough_request_headers),
            ("allowed_response_headers", &self.allowed_response_headers),
        ] {
            if !values.is_empty() {
                settings.set(key, Json::texts(values.iter().map(String::as_str)));
            }
        }
        settings
    }

    /// The options with the version among them; nothing if none were given.
    pub(super) fn options(&self) -> Result<Option<Json>> {
        let mut options = input::pairs(&self.options)?;
        if let Some(version) = self.version {
            options.set("version", Json::text(version.to_string()));
        }
        Ok(Some(options).filter(|options| !options.members().is_empty()))
    }
}

/// Shows a mount table.
pub(super) fn list(client: &Client, output: &mut Output, kind: Kind, detailed: bool) -> Result<()> {
    let what =
        if kind == Kind::Secrets { "Error listing secrets engines" } else { "Error listing enabled authentications" };
    let answer = client.call(Call::get(kind.table()).unwrapped()).map_err(|error| error.context(what))?;
    let table = answer.map_or(Json::Null, |secret| secret.data);
    let rows = if detailed { detailed_rows(&table, kind) } else { rows(&table, kind) };
    let text = columns(&rows);
    output.show(Sheet { value: table, text }, None)
}

fn heading(names: &[&str]) -> Vec<Vec<String>> {
    let underlined = names.iter().map(|name| "-".repeat(name.chars().count())).collect();
    vec![names.iter().map(|name| (*name).to_owned()).collect(), underlined]
}

fn or_absent(text: &str) -> String {
    if text.is_empty() { "n/a".to_owned() } else { text.to_owned() }
}

fn rows(table: &Json, kind: Kind) -> Vec<Vec<String>> {
    let names: &[&str] = match kind {
        Kind::Secrets => &["Path", "Type", "Accessor", "Description"],
        Kind::Auth => &["Path", "Type", "Accessor", "Description", "Version"],
    };
    let mut rows = heading(names);
    for (path, mount) in table.sorted_members() {
        let mut row = vec![path.to_owned()];
        row.extend(["type", "accessor", "description"].map(|key| or_absent(mount.text_at(key))));
        if kind == Kind::Auth {
            row.push(or_absent(mount.text_at("plugin_version")));
        }
        rows.push(row);
    }
    rows
}

fn detailed_rows(table: &Json, kind: Kind) -> Vec<Vec<String>> {
    let fifth = if kind == Kind::Secrets { "Force No Cache" } else { "Token Type" };
    let mut rows = heading(&[
        "Path",
        "Plugin",
        "Accessor",
        "Default TTL",
        "Max TTL",
        fifth,
        "Replication",
        "Seal Wrap",
        "External Entropy Access",
        "Options",
        "Description",
        "UUID",
        "Version",
        "Running Version",
        "Running SHA256",
        "Deprecation Status",
    ]);
    for (path, mount) in table.sorted_members() {
        let nothing = Json::Null;
        let config = mount.at("config").unwrap_or(&nothing);
        let untuned = matches!(mount.text_at("type"), "system" | "ns_system" | "cubbyhole" | "ns_cubbyhole");
        let ttl = |key| match config.integer_at(key) {
            _ if untuned => "n/a".to_owned(),
            0 => "system".to_owned(),
            seconds => seconds.to_string(),
        };
        let fifth = match kind {
            Kind::Secrets => config.is_true_at("force_no_cache").to_string(),
            Kind::Auth => or_absent(config.text_at("token_type")),
        };
        let options = mount
            .some("options")
            .map_or_else(|| "map[]".to_owned(), |options| crate::output::plain(options).to_string());
        let mut row = vec![
            path.to_owned(),
            or_absent(mount.text_at("type")),
            or_absent(mount.text_at("accessor")),
            ttl("default_lease_ttl"),
            ttl("max_lease_ttl"),
            fifth,
            if mount.is_true_at("local") { "local" } else { "replicated" }.to_owned(),
            mount.is_true_at("seal_wrap").to_string(),
            mount.is_true_at("external_entropy_access").to_string(),
            options,
        ];
        let texts =
            ["description", "uuid", "plugin_version", "running_plugin_version", "running_sha256", "deprecation_status"];
        row.extend(texts.map(|key| or_absent(mount.text_at(key))));
        rows.push(row);
    }
    rows
}

/// Moves a mount, and waits until that is done. Both paths are as the API has them; `what` names the kind.
pub(super) fn relocate(client: &Client, output: &mut Output, what: &str, from: &str, to: &str) -> Result<()> {
    let failed = |error: Error| error.context(format!("Error moving {what} {from} to {to}"));
    let body = Json::map([("from", Json::text(from)), ("to", Json::text(to))]);
    let answer = client.call(Call::post("sys/remount").body(body).unwrapped()).map_err(failed)?;
    let id = answer.map(|secret| secret.data.text_at("migration_id").to_owned()).unwrap_or_default();
    if id.is_empty() {
        return output.success(&format!("Success! Finished moving {what} {from} to {to}"));
    }
    output.success(&format!("Started moving {what} {from} to {to}, with migration ID {id}"))?;
    let path = format!("sys/remount/status/{id}");
    loop {
        let answer = client.call(Call::get(&path).unwrapped()).map_err(failed)?;
        let data = answer.map_or(Json::Null, |secret| secret.data);
        let info = data.some("migration_info").unwrap_or(&data);
        match info.text_at("status") {
            "success" => {
                return output
                    .success(&format!("Success! Finished moving {what} {from} to {to}, with migration ID {id}"));
            }
            "failure" => {
                return Err(Error::remote(format!("Failure moving {what} {from} to {to}, with migration ID {id}"))
                    .advise("Look into the server's log for the migration ID."));
            }
            _ => pause(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the server moves mounts in the background and can only be asked again")]
fn pause() {
    std::thread::sleep(std::time::Duration::from_secs(1));
}
