//! `arca kv patch [-mount=PATH] [-cas=N] [-method=patch|rw] [-remove-data=KEY] PATH K=V…`

use super::put::versioned;
use super::{Mount, Place};
use crate::args::{Data, Field};
use crate::client::{Call, Client, Secret};
use crate::error::{Error, Exit, Result};
use crate::input;
use crate::json::Json;
use crate::output::Output;

/// Changes parts of a secret and leaves the others. Version 2 only.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    mount: Mount,
    /// Change only if this is the newest version. Version 2 only
    #[arg(long, value_name = "NUMBER", default_value_t = -1, hide_default_value = true, allow_negative_numbers = true)]
    cas: i64,
    /// How: `patch` lets the server do it, `rw` reads and writes. By default `patch`, and `rw` where that is not allowed
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// Remove this key; may be repeated
    #[arg(long, value_name = "KEY")]
    remove_data: Vec<String>,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    field: Field,
}

impl Args {
    /// Changes, and prints the new version's metadata.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        if self.data.data.is_empty() && self.remove_data.is_empty() {
            return Err(Error::local("Must supply data").advise("Give key=value, or -remove-data=KEY."));
        }
        let mut change = input::data(&self.data.data)?;
        for key in &self.remove_data {
            change.set(key, Json::Null);
        }
        let place = self.mount.place(client)?;
        place.must_keep_versions("K/V engine mount must be version 2 for patch support", Exit::Remote)?;
        let path = place.data();
        let answer = match self.method.as_deref() {
            Some("patch") => patched(client, &path, change, self.cas),
            Some("rw") => rewritten(client, &place, change, self.cas),
            None => match patched(client, &path, change.copy(), self.cas) {
                Err(error) if matches!(error.status(), Some(403 | 405)) => rewritten(client, &place, change, self.cas),
                other => other,
            },
            Some(other) => Err(Error::remote(format!("Unsupported method provided to -method flag: {other}"))
                .advise("Use patch or rw.")),
        };
        super::show_written(output, answer?, self.field.field.as_deref(), &path)
    }
}

fn patched(client: &Client, path: &str, change: Json, cas: i64) -> Result<Option<Secret>> {
    let call = Call::patch(path).body(versioned(change, cas_of(cas)));
    client.call(call).map_err(|error| match error.status() {
        Some(404) => Error::absent(path),
        _ => error.context(format!("Error writing data to {path}")),
    })
}

/// 0 means «any version» to a patch.
fn cas_of(cas: i64) -> i64 {
    if cas == 0 { -1 } else { cas }
}

/// Reads, changes here, and writes back on the condition that nobody wrote in between.
fn rewritten(client: &Client, place: &Place, change: Json, cas: i64) -> Result<Option<Secret>> {
    let path = place.data();
    let read = client.fetch(Call::get(&path).preliminary());
    let mut secret = read
        .map_err(|error| error.context(format!("Error doing pre-read at {path}")))?
        .ok_or_else(|| Error::absent(&path))?;
    let version = secret.data.at("metadata").map_or(0, |metadata| metadata.integer_at("version"));
    let mut data = secret.data.take("data");
    if data == Json::Null {
        return Err(Error::absent(&path));
    }
    merge(&mut data, change);
    let cas = if cas > 0 { cas } else { version };
    let call = Call::put(&path).body(versioned(data, cas));
    client.call(call).map_err(|error| error.context(format!("Error writing data to {path}")))
}

/// A merge patch (RFC 7396, section 2).
fn merge(target: &mut Json, change: Json) {
    let Json::Map(members) = change else {
        *target = change;
        return;
    };
    if !matches!(target, Json::Map(_)) {
        *target = Json::Map(Vec::new());
    }
    for (key, value) in members {
        let mut old = target.take(&key);
        if value != Json::Null {
            merge(&mut old, value);
            target.set(&key, old);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_follows_the_rfcs_examples() {
        let cases = [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"["a","b"]"#, r#"["c"]"#, r#"["c"]"#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ];
        for (target, change, expected) in cases {
            let mut value = Json::parse(target).unwrap();
            merge(&mut value, Json::parse(change).unwrap());
            assert_eq!(*value.compact(), expected);
        }
    }
}
