//! `arca login [-method=METHOD] [-path=PATH] [K=V…]`

mod browser;
mod listener;
mod method;

use arca::secret::ClientToken;

use crate::args::{Data, Field};
use crate::client::{Client, Secret};
use crate::error::{Error, Result};
use crate::json::Json;
use crate::output::{Output, wrap};

pub(super) use method::Method;

/// Logs in and keeps the token for the commands that follow.
///
/// Without a method, the argument is a token: it is looked up and kept. The other methods take their values as K=V;
/// what is missing and secret is asked for.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// token, userpass, ldap, radius, cert, approle, jwt, oidc or kubernetes
    #[arg(long, value_name = "METHOD", default_value = "token")]
    method: String,
    /// Where the auth method is mounted, if not at its name
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Do not keep the token
    #[arg(long)]
    no_store: bool,
    /// Do not print the token
    #[arg(long)]
    no_print: bool,
    /// Print the token alone, and do not keep it
    #[arg(long)]
    token_only: bool,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    field: Field,
}

impl Args {
    /// Logs in, keeps the token, prints it.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let (no_store, no_print) = (self.no_store || self.token_only, self.no_print && !self.token_only);
        if no_store && no_print {
            return Err(Error::local("-no-store and -no-print cannot be used together")
                .advise("Leave out one of them: the token would be lost."));
        }
        let field = if self.token_only { Some("token") } else { self.field.field.as_deref() };
        let method = Method::parse(&self.method)?;
        let secret = method.login(client, self.path.as_deref(), &self.data.data, !self.token_only, output)?;
        if secret.wrap_info != Json::Null {
            return output.show(secret, field.map(|name| if self.token_only { "wrapping_token" } else { name }));
        }
        let token = ClientToken::new(secret.auth.text_at("client_token").to_owned());
        if token.is_empty() {
            return Err(Error::remote("The login gave no token.")
                .advise("If the method asks for a second factor, log in over the HTTP API."));
        }
        if !no_store {
            client.settings().helper.store(&token)?;
        }
        if !self.token_only {
            remark(client, output, no_store)?;
        }
        if no_print {
            return Ok(());
        }
        if field.is_none() && !no_store {
            output.success(
                "Success! You are logged in: the token below is kept, and the commands that follow will use it.\n",
            )?;
        }
        show(output, secret, field)
    }
}

fn remark(client: &Client, output: &mut Output, no_store: bool) -> Result<()> {
    if no_store {
        let text = "The token was not kept. Set ARCA_TOKEN to it, or give it to each request in another way.";
        return output.note(&format!("{}\n", wrap(text, 78)));
    }
    if client.settings().token.is_some() {
        let text = "WARNING! A token is set in the environment (ARCA_TOKEN, VAULT_TOKEN or BAO_TOKEN), and it goes \
                    before the one that is kept. Unset it if that is not what you want.";
        return output.note(&format!("{}\n", wrap(text, 78)));
    }
    Ok(())
}

fn show(output: &mut Output, secret: Secret, field: Option<&str>) -> Result<()> {
    output.show(secret, field)
}
