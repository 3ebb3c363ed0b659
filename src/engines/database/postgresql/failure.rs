//! What a failure of PostgreSQL means, and what of it may be logged.

use std::error::Error as _;

use tokio_postgres::error::DbError;

use super::super::plugin::{Failure, Reason};
use super::session::Fault;

/// What `fault` means, where it is certain that nothing was done. None of `secrets` gets into the log.
pub(super) fn of(fault: &Fault, secrets: &[&str]) -> Failure {
    let error = match fault {
        Fault::Closed => return Failure::new(Reason::Unreachable).with_detail("the connection was closed".to_owned()),
        Fault::Late => return Failure::new(Reason::Unreachable).with_detail("the database took too long".to_owned()),
        Fault::Database(error) => error,
    };
    if let Some(refusal) = error.as_db_error() {
        return Failure::new(meaning(refusal.code().code(), refusal.message())).with_detail(detail(refusal, secrets));
    }
    let mut causes: Vec<String> = vec![error.to_string()];
    let mut cause = error.source();
    let mut untrusted = error.to_string().contains("TLS");
    while let Some(inner) = cause {
        untrusted |= inner.is::<rustls::Error>();
        causes.push(inner.to_string());
        cause = inner.source();
    }
    let text = causes.join(": ");
    let denied = text.contains("authentication") || text.contains("password missing");
    let reason = match (untrusted, denied) {
        (true, _) => Reason::Untrusted,
        (false, true) => Reason::Denied,
        (false, false) => Reason::Unreachable,
    };
    Failure::new(reason).with_detail(scrubbed(&text, secrets))
}

/// The connection was lost at the moment of the commit.
pub(super) fn unknown(fault: &Fault) -> Failure {
    let detail = match fault {
        Fault::Database(_) | Fault::Closed => "the connection was lost during the commit",
        Fault::Late => "the commit took too long",
    };
    Failure::new(Reason::Unknown).with_detail(detail.to_owned())
}

/// What an SQLSTATE means (PostgreSQL's manual, appendix A). Where two transactions change the same rights it is that of every
/// internal error, whose message is never translated.
fn meaning(code: &str, message: &str) -> Reason {
    match code {
        // serialization_failure, deadlock_detected
        "40001" | "40P01" => Reason::Contended,
        "XX000" if message.starts_with("tuple concurrently ") => Reason::Contended,
        // too_many_connections, query_canceled (our own limit), lock_not_available, admin_shutdown, crash_shutdown,
        // cannot_connect_now
        "53300" | "57014" | "55P03" | "57P01" | "57P02" | "57P03" => Reason::Unreachable,
        "28P01" | "28000" => Reason::Denied,
        other => Reason::Refused(other.to_owned()),
    }
}

/// What the log reads. A syntax error repeats the text at fault, which may be a piece of a secret.
fn detail(refusal: &DbError, secrets: &[&str]) -> String {
    let (severity, code) = (refusal.severity(), refusal.code().code());
    match code {
        "42601" => format!("{severity} {code}: syntax error"),
        _ => format!("{severity} {code}: {}", scrubbed(refusal.message(), secrets)),
    }
}

fn scrubbed(text: &str, secrets: &[&str]) -> String {
    secrets.iter().filter(|secret| !secret.is_empty()).fold(text.to_owned(), |text, secret| text.replace(secret, "…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out() {
        assert_eq!(scrubbed("role \"hunter2\" is hunter2", &["hunter2", ""]), "role \"…\" is …");
    }

    #[test]
    fn codes_have_meanings() {
        assert_eq!(meaning("28P01", ""), Reason::Denied);
        assert_eq!(meaning("57P03", ""), Reason::Unreachable);
        assert_eq!(meaning("42710", ""), Reason::Refused("42710".to_owned()));
        assert_eq!(meaning("XX000", "tuple concurrently updated"), Reason::Contended);
        assert_eq!(meaning("XX000", "cache lookup failed"), Reason::Refused("XX000".to_owned()));
    }
}
