//! Someone who uses the command line `arca`: with certificates, a home, and perhaps a token of their own.

use std::path::PathBuf;

use serde_json::Value;

use crate::certificates::{Certificates, Pair};
use crate::failure::Failure;
use crate::program::Program;

/// An operator, or a service.
#[derive(Debug)]
pub(crate) struct Person {
    arca: PathBuf,
    home: PathBuf,
    address: String,
    authority: PathBuf,
    client: Option<Pair>,
    token: Option<String>,
}

impl Person {
    /// The client whose certificate is called `name`, with nothing in `home` yet.
    pub(crate) fn new(arca: PathBuf, home: PathBuf, address: String, certificates: &Certificates, name: &str) -> Self {
        let client = Some(certificates.client(name));
        Self { arca, home, address, authority: certificates.authority(), client, token: None }
    }

    /// Uses this token from now on.
    pub(crate) fn hold(&mut self, token: String) {
        self.token = Some(token);
    }

    /// The command `arca` with these words.
    pub(crate) fn arca(&self, words: &str) -> Program {
        self.variables()
            .iter()
            .fold(Program::new(&self.arca).env_clear(), |program, (name, value)| program.env(name, value))
            .env("HOME", &self.home)
            .words(words)
    }

    /// The same, without the client certificate.
    pub(crate) fn arca_without_certificate(&self, words: &str) -> Program {
        let program = Program::new(&self.arca).env_clear().env("HOME", &self.home).env("ARCA_ADDR", &self.address);
        program.env("ARCA_CACERT", &self.authority).words(words)
    }

    /// What to export to go on as this person.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables =
            vec![("ARCA_ADDR", self.address.clone()), ("ARCA_CACERT", self.authority.display().to_string())];
        if let Some(Pair { certificate, key }) = &self.client {
            variables.push(("ARCA_CLIENT_CERT", certificate.display().to_string()));
            variables.push(("ARCA_CLIENT_KEY", key.display().to_string()));
        }
        variables.extend(self.token.iter().map(|token| ("ARCA_TOKEN", token.clone())));
        variables
    }
}

/// Runs a command with `-format=json`, and reads what it printed.
pub(crate) fn json(program: Program) -> Result<Value, Failure> {
    let text = program.arg("-format=json").capture()?;
    serde_json::from_str(&text).map_err(|error| Failure::answer(format!("JSON was expected ({error})")))
}

/// The text at this place of an answer, such as `/data/username`.
pub(crate) fn text_at(answer: &Value, pointer: &str) -> Result<String, Failure> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| Failure::answer(format!("it has no text at {pointer}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_in_an_answer_is_named_and_nothing_of_it_is_repeated() {
        let answer = json(Program::new("echo").arg(r#"{"data":{"a":"secret"}}"#).input("")).unwrap_err();
        assert!(!answer.what.contains("secret"));
        let failure = text_at(&serde_json::json!({"data": {"a": "secret"}}), "/data/b").unwrap_err();
        assert!(failure.what.contains("/data/b") && !failure.what.contains("secret"));
    }
}
