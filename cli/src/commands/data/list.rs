//! `arca list PATH`

use crate::client::{Call, Client};
use crate::commands::tidy;
use crate::error::{Error, Exit, Result};
use crate::json::Json;
use crate::output::{Format, Output, columns, plain};

/// Lists what is in a folder.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The path, without /v1/
    path: String,
    /// Show what else is known of each name
    #[arg(long)]
    detailed: bool,
    /// Begin behind this name, where the path can
    #[arg(long, value_name = "NAME")]
    after: Option<String>,
    /// At most so many names, where the path can
    #[arg(long, value_name = "COUNT")]
    limit: Option<i64>,
}

impl Args {
    /// Lists.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let path = tidy(&self.path);
        let mut call = Call::list(path);
        if let Some(after) = &self.after {
            call = call.query("after", after);
        }
        if let Some(limit) = self.limit.filter(|limit| *limit >= 0) {
            call = call.query("limit", limit.to_string());
        }
        show(client, output, call, path, self.detailed)
    }
}

/// Sends a request that lists, and shows the names.
pub(in crate::commands) fn show(
    client: &Client,
    output: &mut Output,
    call: Call,
    path: &str,
    detailed: bool,
) -> Result<()> {
    let answer = client.fetch(call).map_err(|error| error.context(format!("Error listing {path}")))?;
    let found = answer.as_ref().filter(|secret| secret.data.some("keys").is_some() || secret.wrap_info != Json::Null);
    if found.is_none() && output.format() == Format::Json {
        output.line("{}")?;
        return Err(Error::quiet(Exit::Remote));
    }
    let Some(secret) = answer else { return Err(Error::absent(path)) };
    match secret.data.some("keys") {
        Some(keys) if detailed && output.format().is_for_people() => match secret.data.some("key_info") {
            Some(info) => output.verbatim(&columns(&detailed_rows(keys, info))),
            None => output.names("Keys", keys),
        },
        Some(keys) if !detailed => output.names("Keys", keys),
        None if secret.is_empty() && secret.warnings.is_empty() => Err(Error::absent(path)),
        Some(_) | None => output.show(secret, None),
    }
}

fn detailed_rows(keys: &Json, info: &Json) -> Vec<Vec<String>> {
    let mut names: Vec<&str> =
        info.members().iter().flat_map(|(_, details)| details.members()).map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let heading = || std::iter::once("Keys").chain(names.iter().copied());
    let mut rows = vec![
        heading().map(str::to_owned).collect::<Vec<_>>(),
        heading().map(|name| "-".repeat(name.chars().count())).collect(),
    ];
    for key in keys.items() {
        let name = plain(key).to_string();
        let details = info.at(&name);
        let mut row = vec![name];
        for column in &names {
            let value = details.and_then(|details| details.at(column));
            row.push(value.map_or_else(|| "n/a".to_owned(), |value| plain(value).to_string()));
        }
        rows.push(row);
    }
    rows
}
