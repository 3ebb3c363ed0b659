//! Asking for the shares of a vault that no server has open.

use std::io::{self, BufRead, IsTerminal, Write};

use zeroize::Zeroizing;

use crate::seal::{Threshold, parse_share};
use crate::secret::{SecretText, Share};

use super::super::Failure;

/// As many shares as the threshold asks for: on a terminal without echo, else one a line of standard input.
pub(super) fn ask(threshold: Threshold) -> Result<Vec<Share>, Failure> {
    let required = threshold.required();
    let mut shares = Vec::new();
    if io::stdin().is_terminal() {
        for number in 1..=required {
            let question = format!("Unseal key {number} of {required} (will be hidden): ");
            shares.push(share(&Zeroizing::new(rpassword::prompt_password(question)?))?);
        }
        return Ok(shares);
    }
    let mut input = io::stdin().lock();
    while shares.len() < usize::from(required) {
        let mut line = Zeroizing::new(String::new());
        if input.read_line(&mut line)? == 0 {
            let _ = writeln!(io::stderr(), "{} of {required} unseal keys came through standard input", shares.len());
            return Err("give as many unseal keys as the threshold asks for, one a line".into());
        }
        if !line.trim().is_empty() {
            shares.push(share(&line)?);
        }
    }
    Ok(shares)
}

fn share(text: &str) -> Result<Share, Failure> {
    Ok(parse_share(&SecretText::new(text.trim().to_owned()))?)
}
