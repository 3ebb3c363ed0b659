//! The command line and the environment: the only place that reads either.

use std::path::PathBuf;
use std::time::Duration;

use arca::secret::ClientToken;
use clap::{ArgAction, Args, Parser};

use crate::argv;
use crate::client::address::Address;
use crate::client::{Retries, Settings, TlsSettings};
use crate::commands::Command;
use crate::error::{Error, Result};
use crate::output::Format;
use crate::token_helper::TokenHelper;

/// Operates a vault: secrets, tokens, policies, leases, mounts, seal and audit log.
#[derive(Parser)]
#[command(
    name = "arca",
    version,
    disable_help_subcommand = true,
    args_override_self = true,
    infer_subcommands = false,
    arg_required_else_help = true,
    after_help = "Flags are written -name=value or --name value, before or after the path.\n\
                  The environment variables are read as ARCA_NAME, else VAULT_NAME, else BAO_NAME."
)]
pub(crate) struct Cli {
    /// Flags that every command takes.
    #[command(flatten)]
    pub(crate) globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
#[derive(Args)]
#[command(next_help_heading = "Connection and output")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Globals {
    /// The server's address, https://127.0.0.1:8200 by default [env: ARCA_ADDR]
    #[arg(long, global = true, value_name = "URL")]
    address: Option<String>,
    /// A file with the CA certificates that the server's certificate must come from [env: ARCA_CACERT]
    #[arg(long, global = true, value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// A folder with such files [env: ARCA_CAPATH]
    #[arg(long, global = true, value_name = "DIR")]
    ca_path: Option<PathBuf>,
    /// A file with the client's certificate [env: ARCA_CLIENT_CERT]
    #[arg(long, global = true, value_name = "FILE")]
    client_cert: Option<PathBuf>,
    /// A file with the client certificate's private key [env: ARCA_CLIENT_KEY]
    #[arg(long, global = true, value_name = "FILE")]
    client_key: Option<PathBuf>,
    /// The name that the server's certificate must have, if not the address's [env: ARCA_TLS_SERVER_NAME]
    #[arg(long, global = true, value_name = "NAME")]
    tls_server_name: Option<String>,
    /// Take any certificate: anyone on the way can then read and change everything [env: ARCA_SKIP_VERIFY]
    #[arg(long, global = true)]
    tls_skip_verify: bool,
    /// Fail where the server answers with a redirect [env: ARCA_DISABLE_REDIRECTS]
    #[arg(long, global = true)]
    disable_redirects: bool,
    /// The namespace that paths are relative to [env: ARCA_NAMESPACE]
    #[arg(long, global = true, alias = "ns", value_name = "PATH")]
    namespace: Option<String>,
    /// Wrap the answer in a token that unwraps it once, for at most this long [env: ARCA_WRAP_TTL]
    #[arg(long, global = true, value_name = "DURATION")]
    wrap_ttl: Option<String>,
    /// A header to send along; may be repeated
    #[arg(long, global = true, value_name = "NAME=VALUE", action = ArgAction::Append)]
    header: Vec<String>,
    /// How to print: table, json, yaml, pretty or (read only) raw [env: ARCA_FORMAT]
    #[arg(long, global = true, value_name = "FORMAT")]
    format: Option<String>,
    /// Never ask on the terminal
    #[arg(long, global = true)]
    non_interactive: bool,
    /// Print the request as a curl command instead of sending it
    #[arg(long, global = true)]
    output_curl_string: bool,
}

impl Globals {
    /// The output format.
    pub(crate) fn format(&self) -> Result<Format> {
        let chosen = self.format.clone().or_else(|| environment("FORMAT"));
        chosen.map_or(Ok(Format::Table), |name| Format::parse(&name))
    }

    /// Everything that a client needs to know.
    pub(crate) fn settings(self) -> Result<Settings> {
        let address = self.address.or_else(|| environment("ADDR"));
        let namespace = self.namespace.or_else(|| environment("NAMESPACE")).unwrap_or_default();
        Ok(Settings {
            address: Address::parse(address.as_deref().unwrap_or("https://127.0.0.1:8200"))?,
            tls: TlsSettings {
                ca_cert: self.ca_cert.or_else(|| environment("CACERT").map(Into::into)),
                ca_path: self.ca_path.or_else(|| environment("CAPATH").map(Into::into)),
                client_cert: self.client_cert.or_else(|| environment("CLIENT_CERT").map(Into::into)),
                client_key: self.client_key.or_else(|| environment("CLIENT_KEY").map(Into::into)),
                server_name: self.tls_server_name.or_else(|| environment("TLS_SERVER_NAME")),
                skip_verify: self.tls_skip_verify || switch("SKIP_VERIFY")?,
            },
            namespace: namespace.trim_matches('/').to_owned(),
            wrap_ttl: self.wrap_ttl.or_else(|| environment("WRAP_TTL")),
            headers: self.header.iter().map(|header| parse_header(header)).collect::<Result<_>>()?,
            timeout: environment("CLIENT_TIMEOUT").map_or(Ok(Duration::from_mins(1)), |text| parse_timeout(&text))?,
            retries: match environment("MAX_RETRIES") {
                Some(text) => Retries::at_most(text.parse().map_err(|_| malformed("MAX_RETRIES", "a whole number"))?),
                None => Retries::default(),
            },
            follow_redirect: !(self.disable_redirects || switch("DISABLE_REDIRECTS")?),
            token: environment("TOKEN").map(ClientToken::new),
            helper: TokenHelper::at(environment("TOKEN_PATH").map(Into::into).or_else(default_token_path)),
            interactive: !self.non_interactive,
            print_curl: self.output_curl_string,
        })
    }
}

/// `-field=NAME` of the commands that can print one field alone.
#[derive(Args, Default)]
pub(crate) struct Field {
    /// Print this field alone, raw, without a newline unless on a terminal
    #[arg(long, value_name = "NAME")]
    pub(crate) field: Option<String>,
}

/// Data of a command: `key=value`, `key=@file`, `key=-`, `@file.json` or `-`.
#[derive(Args, Default)]
pub(crate) struct Data {
    /// Data as K=V, K=@FILE, K=- (standard input), @FILE (JSON) or - (JSON from standard input)
    #[arg(value_name = "K=V")]
    pub(crate) data: Vec<String>,
}

/// Reads a length of time (`90`, `90s`, `1h30m`) and writes it as seconds that the API takes: `5400s`.
pub(crate) fn ttl_text(text: &str) -> Result<String, String> {
    let ttl = arca::api::Ttl::parse(text).map_err(str::to_owned)?;
    Ok(format!("{}s", ttl.seconds()))
}

/// The variable `ARCA_name`, else `VAULT_name`, else `BAO_name`; one that is set but empty counts as unset.
fn environment(name: &str) -> Option<String> {
    ["ARCA", "VAULT", "BAO"].iter().find_map(|prefix| variable(&format!("{prefix}_{name}")))
}

#[expect(clippy::disallowed_methods, reason = "args.rs is where the CLI reads its environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn switch(name: &str) -> Result<bool> {
    match environment(name) {
        Some(text) => argv::truth(&text).ok_or_else(|| malformed(name, "true or false")),
        None => Ok(false),
    }
}

fn default_token_path() -> Option<PathBuf> {
    variable("HOME").map(|home| PathBuf::from(home).join(".vault-token"))
}

fn parse_header(header: &str) -> Result<(String, String)> {
    let (name, value) = header
        .split_once('=')
        .ok_or_else(|| Error::local("-header must be written NAME=VALUE").advise("Put an equals sign between them."))?;
    if name.to_ascii_lowercase().starts_with("x-vault-") {
        return Err(Error::local("-header cannot set a header whose name begins with X-Vault-")
            .advise("Use the flag that stands for it, such as -namespace or -wrap-ttl."));
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn parse_timeout(text: &str) -> Result<Duration> {
    let seconds = arca::api::Ttl::parse(text).map_err(|_| malformed("CLIENT_TIMEOUT", "a duration such as 30s"))?;
    Ok(Duration::from_secs(seconds.seconds()))
}

fn malformed(name: &str, expected: &str) -> Error {
    Error::local(format!("The environment variable {name} (with ARCA_, VAULT_ or BAO_ before it) must be {expected}."))
        .advise("Correct it, or unset it.")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn reserved_headers_are_refused() {
        assert!(parse_header("X-Vault-Token=a").is_err());
        assert!(parse_header("x-vault-namespace=a").is_err());
        assert!(parse_header("plain").is_err());
        assert_eq!(parse_header("a=b=c").unwrap(), ("a".to_owned(), "b=c".to_owned()));
    }

    #[test]
    fn timeouts_are_seconds_or_durations() {
        assert_eq!(parse_timeout("90").unwrap(), Duration::from_secs(90));
        assert_eq!(parse_timeout("2m").unwrap(), Duration::from_mins(2));
        assert!(parse_timeout("soon").is_err());
    }
}
