//! `arca operator rekey`: new shares, with a token over `sys/rotate/root/*`, without one over `sys/rekey/*`.

use zeroize::Zeroizing;

use super::{bracketed, or_absent};
use crate::client::{Call, Client};
use crate::commands::pgp;
use crate::error::{Error, Result};
use crate::input;
use crate::json::Json;
use crate::output::{Output, Sheet, key_value, wrap};

/// Replaces the unseal key and its shares: -init, then enough of the old shares, one each time.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Args {
    /// An old share (with -verify, a new one), or - for standard input; asked for if left out
    share: Option<String>,
    /// Begin
    #[arg(long, conflicts_with_all = ["status", "cancel", "share"])]
    init: bool,
    /// Show how far it is
    #[arg(long, conflicts_with_all = ["cancel", "share"])]
    status: bool,
    /// Give it up
    #[arg(long, conflicts_with = "share")]
    cancel: bool,
    /// With -init: the new shares count only when enough of them have been given back. Otherwise: do this to the
    /// verification
    #[arg(long)]
    verify: bool,
    /// The nonce that -init showed
    #[arg(long, value_name = "NONCE")]
    nonce: Option<String>,
    /// Into how many shares the new key is split
    #[arg(long, alias = "n", value_name = "COUNT", default_value_t = 5)]
    key_shares: i64,
    /// How many of them unseal
    #[arg(long, alias = "t", value_name = "COUNT", default_value_t = 3)]
    key_threshold: i64,
    /// Files with PGP public keys, one for each share to be encrypted to, with commas between them
    #[arg(long, value_name = "FILES")]
    pgp_keys: Option<String>,
}

impl Args {
    /// Does one step.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        let base = if client.token()?.is_some() { "sys/rotate/root" } else { "sys/rekey" };
        let state = format!("{base}/{}", if self.verify && !self.init { "verify" } else { "init" });
        if self.init {
            return self.begin(client, output, &format!("{base}/init"));
        }
        if self.cancel {
            let call = Call::delete(&state).unwrapped();
            client.send(call).map_err(|error| error.context("Error canceling rekey"))?;
            return output.success("Success! Canceled rekeying (if it was started)");
        }
        let read = || client.call_json(Call::get(&state).unwrapped());
        let current = read().map_err(|error| error.context("Error reading rekey status"))?;
        if self.status {
            return output.show(sheet(current), None);
        }
        if !current.is_true_at("started") {
            return Err(Error::local("No rekey is in progress.").advise("Begin one with `arca operator rekey -init`."));
        }
        let step = format!("{base}/{}", if self.verify { "verify" } else { "update" });
        self.give(client, output, &step, &current)
    }

    fn begin(&self, client: &Client, output: &mut Output, path: &str) -> Result<()> {
        let mut body = Json::map([
            ("secret_shares", Json::number(self.key_shares)),
            ("secret_threshold", Json::number(self.key_threshold)),
            ("require_verification", Json::Bool(self.verify)),
        ]);
        if let Some(files) = &self.pgp_keys {
            body.set("pgp_keys", pgp::keys(files)?);
        }
        let call = Call::post(path).body(body).unwrapped();
        let answer = client.call_json(call).map_err(|error| error.context("Error initializing rekey"))?;
        if self.pgp_keys.is_none() {
            let text = "WARNING! The new shares will be shown once and in clear. If you lose them, nothing brings them \
                        back. -pgp-keys encrypts each to its holder, and -verify keeps the old shares good until the \
                        new ones have been given back.";
            output.note(&format!("{}\n", wrap(text, 78)))?;
        }
        output.show(sheet(answer), None)
    }

    fn give(&self, client: &Client, output: &mut Output, path: &str, current: &Json) -> Result<()> {
        let nonce = match (&self.nonce, current.text_at(if self.verify { "verification_nonce" } else { "nonce" })) {
            (Some(nonce), _) => nonce.clone(),
            // With the share as an argument nobody sees which operation it goes to: then the nonce must be given.
            (None, _) if self.share.is_some() => {
                return Err(Error::local("The nonce is missing.")
                    .advise("Give -nonce=NONCE as `arca operator rekey -status` shows it."));
            }
            (None, nonce) => {
                output.note(&format!("Rekey operation nonce: {nonce}"))?;
                nonce.to_owned()
            }
        };
        let share = input::secret(self.share.as_deref(), "Unseal Key", client.settings().interactive)?;
        let body = Json::map([("key", Json::Text(share)), ("nonce", Json::text(nonce))]);
        let call = Call::put(path).body(body).unwrapped();
        let answer = client.call_json(call).map_err(|error| error.context("Error posting unseal key"))?;
        if answer.is_true_at("complete") {
            return if self.verify { verified(output) } else { finished(output, answer, current) };
        }
        // A step that finished nothing is answered with the new state by some servers and with little by others.
        let state = if answer.some("started").is_some() {
            answer
        } else {
            let state = path.replace("/update", "/init");
            client
                .call_json(Call::get(&state).unwrapped())
                .map_err(|error| error.context("Error reading rekey status"))?
        };
        output.show(sheet(state), None)
    }
}

fn verified(output: &mut Output) -> Result<()> {
    let text = "Success! The new shares are verified, and the old ones are no longer good.";
    output.success(text)
}

fn finished(output: &mut Output, answer: Json, current: &Json) -> Result<()> {
    let mut text = Zeroizing::new(String::new());
    let (plain, prints) = (answer.texts_at("keys_base64"), answer.texts_at("pgp_fingerprints"));
    for (index, share) in plain.iter().enumerate() {
        match prints.get(index) {
            Some(print) => text.push_str(&format!("Key {} fingerprint: {print}; value: {share}\n", index + 1)),
            None => text.push_str(&format!("Key {}: {share}\n", index + 1)),
        }
    }
    text.push_str(&format!("\nOperation nonce: {}\n\n", answer.text_at("nonce")));
    let (shares, threshold) = (current.integer_at("n"), current.integer_at("t"));
    let verify = answer.text_at("verification_nonce");
    let paragraph = if verify.is_empty() {
        format!(
            "The unseal key is replaced: {shares} new shares, of which {threshold} unseal. Give each to another person \
             now; the old shares are no longer good."
        )
    } else {
        format!(
            "A new unseal key is made: {shares} shares, of which {threshold} unseal. They are NOT good yet, and the old \
             shares still are. Give {threshold} of the new ones to `arca operator rekey -verify -nonce={verify}`; only \
             then throw the old ones away."
        )
    };
    text.push_str(&wrap(&paragraph, 78));
    text.push('\n');
    output.show(Sheet { value: answer, text }, None)
}

fn sheet(state: Json) -> Sheet {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    let verification = state.at("progress").is_some() && state.at("required").is_none();
    if !verification {
        row("Nonce", or_absent(state.text_at("nonce")));
    }
    row("Started", state.is_true_at("started").to_string());
    if state.is_true_at("started") {
        if !verification {
            row("Progress", format!("{}/{}", state.integer_at("progress"), state.integer_at("required")));
        }
        row("New Shares", state.integer_at("n").to_string());
        row("New Threshold", state.integer_at("t").to_string());
        if !verification {
            row("Verification Required", state.is_true_at("verification_required").to_string());
        }
        let nonce = match state.text_at("verification_nonce") {
            "" if verification => state.text_at("nonce"),
            nonce => nonce,
        };
        if !nonce.is_empty() {
            row("Verification Nonce", nonce.to_owned());
        }
        if verification {
            row("Verification Progress", format!("{}/{}", state.integer_at("progress"), state.integer_at("t")));
        }
    }
    if state.at("pgp_fingerprints").is_some_and(|prints| !prints.items().is_empty()) {
        row("PGP Fingerprints", bracketed(&state, "pgp_fingerprints"));
    }
    Sheet { text: key_value(rows), value: state }
}
