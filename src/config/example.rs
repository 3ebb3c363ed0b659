//! The example file, made from the tables of keys.

use super::audit::RawAudit;
use super::listener::{RawListener, RawListenerTelemetry};
use super::lockout::RawLockout;
use super::sandbox::RawSandbox;
use super::section::{Initial, Schema};
use super::server::RawServer;
use super::storage::RawStorage;
use super::telemetry::RawTelemetry;

/// A configuration with every key, what it is for, and its default. Keys that have none are commented out.
pub fn example() -> String {
    let mut page = Page::default();
    page.line("# The configuration of arcad. Every key is here with its default; keys without one are commented out.");
    page.line("# Several files, or a directory of them, may be given: the last one that sets a key counts.");
    page.line("");
    page.keys(&RawServer::SCHEMA);
    page.line("# Where the encrypted data is kept: \"redb\", \"sled\", or \"inmem\" (gone when the server stops).");
    page.block("storage \"redb\"", |page| page.keys(&RawStorage::SCHEMA));
    page.line("# Where the server listens. There may be several.");
    page.block("listener \"tcp\"", |page| {
        page.keys(&RawListener::SCHEMA);
        page.block("telemetry", |page| page.keys(&RawListenerTelemetry::SCHEMA));
    });
    page.line("# Where the audit log goes. There may be several.");
    page.block("audit \"file\" \"main\"", |page| {
        page.keys(&RawAudit::SCHEMA);
        page.block("options", |page| page.line("file_path = \"/var/log/arca/audit.log\""));
    });
    page.line("# What the metrics look like, and where traces go.");
    page.block("telemetry", |page| page.keys(&RawTelemetry::SCHEMA));
    page.line("# What happens after wrong passwords; \"all\", or one kind of auth method.");
    page.block("user_lockout \"all\"", |page| page.keys(&RawLockout::SCHEMA));
    page.line("# What the kernel lets the process do, where it can hold it to that.");
    page.block("sandbox", |page| page.keys(&RawSandbox::SCHEMA));
    let mut text = page.0.trim_end().to_owned();
    text.push('\n');
    text
}

#[derive(Default)]
struct Page(String, usize);

impl Page {
    fn line(&mut self, text: &str) {
        if !text.is_empty() {
            self.0.extend(std::iter::repeat_n("  ", self.1));
            self.0.push_str(text);
        }
        self.0.push('\n');
    }

    fn keys(&mut self, schema: &Schema) {
        for key in schema.keys {
            for doc in key.docs {
                self.line(&format!("#{doc}"));
            }
            match key.initial {
                Initial::Default(value) | Initial::Wanted(value) => self.line(&format!("{} = {value}", key.name)),
                Initial::Unset(value) => self.line(&format!("# {} = {value}", key.name)),
            }
            self.line("");
        }
        self.trim();
        self.line("");
    }

    fn block(&mut self, header: &str, inside: impl FnOnce(&mut Self)) {
        self.line(&format!("{header} {{"));
        self.1 += 1;
        inside(self);
        self.1 -= 1;
        self.trim();
        self.line("}");
        self.line("");
    }

    /// Drops an empty line at the end.
    fn trim(&mut self) {
        while self.0.ends_with("\n\n") {
            self.0.pop();
        }
    }
}
