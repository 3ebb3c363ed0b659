//! The audit log: proven whole, and shown to betray a changed byte.

use crate::failure::Failure;
use crate::folder;
use crate::program::{Ended, Program};
use crate::say;

use super::setup::Site;

/// The exit code of `arca audit verify` for a log that is not intact.
const NOT_INTACT: i32 = 2;

/// Verifies the log with the vault's public key, then a copy of it in which one byte is another.
pub(super) fn prove(site: &Site) -> Result<(), Failure> {
    say::part("The audit log");
    let key = site.scratch.join("audit-key.pem");
    let pem = site.operator.arca("read -field=public_key sys/config/auditing/public-key").capture()?;
    folder::write(&key, pem)?;
    say::done(&format!("took the public key of the log out of the vault: {}", key.display()));

    let verify = |log: &std::path::Path| -> Result<Ended, Failure> {
        verification(site).arg(format!("-key={}", key.display())).arg(log).end()
    };
    let whole = verify(&site.audit_log)?;
    if whole.code != 0 {
        return Err(Failure::answer(format!("the audit log is not intact:\n{}{}", whole.out, whole.err)));
    }
    say::done("arca audit verify, which asks no server, finds the log whole:");
    say::detail(&whole.out);

    let mut bytes = folder::read(&site.audit_log)?;
    let place = changed_place(&bytes).ok_or_else(|| Failure::answer("the audit log has no entries"))?;
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1;
    }
    let copy = site.scratch.join("audit-with-one-byte-changed.log");
    folder::write(&copy, bytes)?;
    let changed = verify(&copy)?;
    if changed.code != NOT_INTACT {
        return Err(Failure::answer(format!("one changed byte went unnoticed (exit code {})", changed.code)));
    }
    say::done(&format!("with byte {place} of a copy changed, it says:"));
    say::detail(&changed.out);
    Ok(())
}

fn verification(site: &Site) -> Program {
    site.operator.arca("audit verify -from-start")
}

/// The middle of the log, moved on to a letter or digit, so that the text stays a text.
fn changed_place(bytes: &[u8]) -> Option<usize> {
    let middle = bytes.len() / 2;
    let after = bytes.iter().skip(middle).position(u8::is_ascii_alphanumeric)?;
    Some(middle + after)
}
