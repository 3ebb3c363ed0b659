//! `arca operator init`

use zeroize::Zeroizing;

use crate::client::{Call, Client};
use crate::commands::pgp;
use crate::error::{Error, Exit, Result};
use crate::json::Json;
use crate::output::{Output, Sheet, wrap};

/// Initialises a new vault. The shares of the unseal key and the root token are shown this once.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Into how many shares the unseal key is split
    #[arg(long, alias = "n", value_name = "COUNT", default_value_t = 5)]
    key_shares: i64,
    /// How many of them unseal
    #[arg(long, alias = "t", value_name = "COUNT", default_value_t = 3)]
    key_threshold: i64,
    /// Files with PGP public keys, one for each share to be encrypted to, with commas between them
    #[arg(long, value_name = "FILES")]
    pgp_keys: Option<String>,
    /// A file with a PGP public key for the root token to be encrypted to
    #[arg(long, value_name = "FILE")]
    root_token_pgp_key: Option<String>,
    /// Only say whether the vault is initialised: exit code 0 if it is, 2 if not, 1 if that is unknown
    #[arg(long)]
    status: bool,
}

impl Args {
    /// Initialises, and shows the keys.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        if self.status {
            return status(client, output);
        }
        let mut body = Json::map([
            ("secret_shares", Json::number(self.key_shares)),
            ("secret_threshold", Json::number(self.key_threshold)),
        ]);
        if let Some(files) = &self.pgp_keys {
            body.set("pgp_keys", pgp::keys(files)?);
        }
        if let Some(file) = &self.root_token_pgp_key {
            body.set("root_token_pgp_key", Json::text(pgp::key(file)?));
        }
        let call = Call::put("sys/init").body(body).anonymous().unwrapped();
        let mut answer = client.call_json(call).map_err(|error| error.context("Error initializing"))?;
        let text = self.text(&answer);
        let value = Json::map([
            ("unseal_keys_b64", answer.take("keys_base64")),
            ("unseal_keys_hex", answer.take("keys")),
            ("unseal_shares", Json::number(self.key_shares)),
            ("unseal_threshold", Json::number(self.key_threshold)),
            ("recovery_keys_b64", Json::List(Vec::new())),
            ("recovery_keys_hex", Json::List(Vec::new())),
            ("recovery_keys_shares", Json::number(0)),
            ("recovery_keys_threshold", Json::number(0)),
            ("root_token", answer.take("root_token")),
        ]);
        output.show(Sheet { value, text }, None)
    }

    fn text(&self, answer: &Json) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        for (index, share) in answer.texts_at("keys_base64").into_iter().enumerate() {
            text.push_str(&format!("Unseal Key {}: {share}\n", index + 1));
        }
        text.push_str(&format!("\nInitial Root Token: {}\n\n", answer.text_at("root_token")));
        let (shares, threshold) = (self.key_shares, self.key_threshold);
        for paragraph in [
            format!(
                "The vault is initialised with {shares} key shares, of which {threshold} unseal it. Give each share to \
                 another person now: this is the only time that they are shown."
            ),
            format!(
                "After every start and every seal the vault stays closed until {threshold} shares are given. The key \
                 itself is stored nowhere: with fewer than {threshold} shares left, nothing opens the vault again."
            ),
            "Use the root token to set up auth methods and policies, then revoke it; `arca operator generate-root` \
             makes another when one is needed. `arca operator rekey` makes new shares out of enough of these."
                .to_owned(),
        ] {
            text.push_str(&wrap(&paragraph, 78));
            text.push_str("\n\n");
        }
        let length = text.trim_end().len();
        text.truncate(length);
        text.push('\n');
        text
    }
}

fn status(client: &Client, output: &mut Output) -> Result<()> {
    let call = Call::get("sys/init").anonymous().unwrapped();
    let answer = client
        .call_json(call)
        .map_err(|error| if error.exit() == Exit::Remote { error.exiting(Exit::Local) } else { error })
        .map_err(|error| error.context("Error checking init status"))?;
    if answer.is_true_at("initialized") {
        return output.success("Vault is initialized");
    }
    output.success("Vault is not initialized")?;
    Err(Error::quiet(Exit::Remote))
}
