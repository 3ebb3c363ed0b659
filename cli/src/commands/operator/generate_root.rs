//! `arca operator generate-root`: with a token over `sys/generate-root-token/*`, without one over `sys/generate-root/*`.

use arca::entropy::{Entropy, SystemEntropy};
use data_encoding::{BASE64, BASE64_NOPAD};
use zeroize::Zeroizing;

use super::or_absent;
use crate::client::{Call, Client};
use crate::commands::pgp;
use crate::error::{Error, Result};
use crate::input;
use crate::json::Json;
use crate::output::{Output, Sheet};

/// Makes a new root token: -init, then enough shares of the unseal key, one each time, then -decode.
#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Args {
    /// A share of the unseal key, or - for standard input; asked for if left out
    share: Option<String>,
    /// Begin
    #[arg(long, conflicts_with_all = ["status", "cancel", "decode", "generate_otp", "share"])]
    init: bool,
    /// Show how far it is
    #[arg(long, conflicts_with_all = ["cancel", "decode", "generate_otp", "share"])]
    status: bool,
    /// Give it up
    #[arg(long, conflicts_with_all = ["decode", "generate_otp", "share"])]
    cancel: bool,
    /// Decode the encoded token with the -otp that encoded it; - reads it from standard input
    #[arg(long, value_name = "ENCODED", conflicts_with_all = ["generate_otp", "share"])]
    decode: Option<String>,
    /// The one-time password, for -init and -decode
    #[arg(long, value_name = "OTP")]
    otp: Option<String>,
    /// Print a one-time password for -init
    #[arg(long, conflicts_with = "share")]
    generate_otp: bool,
    /// The nonce that -init showed
    #[arg(long, value_name = "NONCE")]
    nonce: Option<String>,
    /// A file with a PGP public key for the token to be encrypted to, in place of a one-time password
    #[arg(long, value_name = "FILE", conflicts_with = "otp")]
    pgp_key: Option<String>,
}

impl Args {
    /// Does one step.
    pub(crate) fn run(self, client: &Client, output: &mut Output) -> Result<()> {
        if let Some(encoded) = &self.decode {
            return self.decode(encoded, output);
        }
        let base = if client.token()?.is_some() { "sys/generate-root-token" } else { "sys/generate-root" };
        let attempt = format!("{base}/attempt");
        if self.init {
            return self.begin(client, output, &attempt);
        }
        if self.cancel {
            let call = Call::delete(&attempt).unwrapped();
            client.send(call).map_err(|error| error.context("Error canceling root token generation"))?;
            return output.success("Success! Root token generation canceled (if it was started)");
        }
        let context = |error: Error| error.context("Error getting root generation status");
        let state = client.call_json(Call::get(&attempt).unwrapped()).map_err(context)?;
        if self.status {
            return output.show(sheet(state), None);
        }
        if self.generate_otp {
            return output.alone(&Json::Text(new_otp(&state)?));
        }
        if !state.is_true_at("started") {
            return Err(Error::local("No root generation is in progress.")
                .advise("Begin one with `arca operator generate-root -init`."));
        }
        self.give(client, output, &format!("{base}/update"), &state)
    }

    fn begin(&self, client: &Client, output: &mut Output, path: &str) -> Result<()> {
        let mut body = Json::Map(Vec::new());
        if let Some(otp) = &self.otp {
            body.set("otp", Json::text(otp.as_str()));
        }
        if let Some(file) = &self.pgp_key {
            body.set("pgp_key", Json::text(pgp::key(file)?));
        }
        let call = Call::put(path).body(body).unwrapped();
        let state = client.call_json(call).map_err(|error| error.context("Error initializing root generation"))?;
        if !state.text_at("otp").is_empty() {
            output.note(
                "The OTP below was made for you. Keep it: the root token can be decoded with it only, and it is not \
                 shown again.\n",
            )?;
        }
        output.show(sheet(state), None)
    }

    fn give(&self, client: &Client, output: &mut Output, path: &str, state: &Json) -> Result<()> {
        let nonce = match &self.nonce {
            Some(nonce) => nonce.clone(),
            None if self.share.is_some() => {
                return Err(Error::local("The nonce is missing.")
                    .advise("Give -nonce=NONCE as `arca operator generate-root -status` shows it."));
            }
            None => {
                output.note(&format!("Operation nonce: {}", state.text_at("nonce")))?;
                state.text_at("nonce").to_owned()
            }
        };
        let share = input::secret(self.share.as_deref(), "Unseal Key", client.settings().interactive)?;
        let body = Json::map([("key", Json::Text(share)), ("nonce", Json::text(nonce))]);
        let call = Call::put(path).body(body).unwrapped();
        let state = client.call_json(call).map_err(|error| error.context("Error posting unseal key"))?;
        output.show(sheet(state), None)
    }

    /// The token is base64 of the token and the one-time password, combined bit by bit.
    fn decode(&self, encoded: &str, output: &mut Output) -> Result<()> {
        let Some(otp) = &self.otp else {
            return Err(Error::local("Missing otp: use -otp to supply it").advise("It is the OTP that -init showed."));
        };
        let encoded = input::secret(Some(encoded), "Encoded token", false)?;
        let token = decoded(&encoded, otp).ok_or_else(|| {
            Error::local("Error decoding root token: the encoded token and the OTP do not fit each other")
                .advise("Give both as they were shown: the OTP by -init, the encoded token by the last share.")
        })?;
        let token = Json::Text(token);
        if output.format().is_for_people() {
            return output.line(token.as_text().unwrap_or_default());
        }
        output.show(Sheet::of(Json::map([("token", token)]), &[]), None)
    }
}

fn decoded(encoded: &str, otp: &str) -> Option<Zeroizing<String>> {
    let text = encoded.trim_end_matches('=');
    let bytes = BASE64_NOPAD.decode(text.as_bytes()).or_else(|_| BASE64.decode(encoded.as_bytes())).ok()?;
    let bytes = Zeroizing::new(bytes);
    if bytes.len() != otp.len() {
        return None;
    }
    let token = bytes.iter().zip(otp.bytes()).map(|(a, b)| a ^ b).collect();
    String::from_utf8(token).ok().map(Zeroizing::new)
}

fn new_otp(state: &Json) -> Result<Zeroizing<String>> {
    let length = usize::try_from(state.integer_at("otp_length")).ok().filter(|length| (1..=1024).contains(length));
    let entropy: &dyn Entropy = &SystemEntropy::new();
    let otp = entropy.base62(length.unwrap_or(26));
    otp.map(Zeroizing::new).map_err(|error| Error::local(error.to_string()).advise("Try again on another machine."))
}

fn sheet(state: Json) -> Sheet {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
    row("Nonce", or_absent(state.text_at("nonce")));
    row("Started", state.is_true_at("started").to_string());
    row("Progress", format!("{}/{}", state.integer_at("progress"), state.integer_at("required")));
    row("Complete", state.is_true_at("complete").to_string());
    for (name, key) in [("PGP Fingerprint", "pgp_fingerprint"), ("OTP", "otp")] {
        if !state.text_at(key).is_empty() {
            row(name, state.text_at(key).to_owned());
        }
    }
    let encoded = match state.text_at("encoded_token") {
        "" => state.text_at("encoded_root_token"),
        token => token,
    };
    if !encoded.is_empty() {
        row("Encoded Token", encoded.to_owned());
    }
    if state.integer_at("otp_length") > 0 && encoded.is_empty() {
        row("OTP Length", state.integer_at("otp_length").to_string());
    }
    Sheet::of(state, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_decoded_with_the_password_that_encoded_it() {
        let (token, otp) = ("s.0123456789abcdefghijklmn", "LocM7B5mgoOrbDrCm51Q2FCwaF");
        let mixed: Vec<u8> = token.bytes().zip(otp.bytes()).map(|(a, b)| a ^ b).collect();
        assert_eq!(*decoded(&BASE64_NOPAD.encode(&mixed), otp).unwrap(), token);
        assert_eq!(*decoded(&BASE64.encode(&mixed), otp).unwrap(), token);
        assert!(decoded(&BASE64_NOPAD.encode(&mixed), "short").is_none());
        assert!(decoded("!", otp).is_none());
    }

    #[test]
    fn a_password_has_the_length_that_the_server_wants() {
        let state = Json::parse(r#"{"otp_length":28}"#).unwrap();
        assert_eq!(new_otp(&state).unwrap().len(), 28);
    }
}
