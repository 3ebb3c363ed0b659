//! What the operator reads when the server says no or does not answer, in Vault's form, and what to do next.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use rustls::CertificateError;
use ureq::http::Method;

use super::{Address, Reply, Sent};
use crate::error::{Error, os_message};
use crate::json::Json;

/// The failure that an answer tells of.
pub(super) fn of_reply(reply: &Reply, namespace: &str) -> Error {
    let Reply { status, body, url, method, sent } = reply;
    let mut message = String::from("Error making API request.\n\n");
    if !namespace.is_empty() {
        message.push_str(&format!("Namespace: {namespace}/\n"));
    }
    message.push_str(&format!("URL: {method} {url}\nCode: {status}."));
    let text = String::from_utf8_lossy(body);
    let mut sealed = false;
    let told = |json: &Json| json.at("errors").is_some() || json.some("warnings").is_some();
    match Json::parse(&text).ok().filter(told) {
        Some(json) => {
            message.push_str(" Errors:\n");
            for error in json.texts_at("errors") {
                sealed |= error.contains("sealed");
                message.push_str(&format!("\n* {}", error.trim_end()));
            }
            for warning in json.texts_at("warnings") {
                message.push_str(&format!("\n* Warning: {warning}"));
            }
        }
        None if text.trim().is_empty() => message.push_str(" The answer has no text."),
        None => {
            let start: String = text.trim().chars().take(500).collect();
            message.push_str(&format!(" Raw Message:\n\n{start}"));
        }
    }
    let advice = match (status, sent) {
        (403, Sent::NoToken) => "Log in first with `arca login`, or set ARCA_TOKEN.",
        (403, Sent::Anonymous) => "Check the path of the auth method; `arca auth list` shows which there are.",
        (400, _) if text.contains("HTTP request to an HTTPS server") => "Write https:// in the server's address.",
        (_, Sent::Token | Sent::NoToken | Sent::Anonymous) => advice(*status, sealed),
    };
    Error::remote(message).with_status(*status).advise(advice)
}

fn advice(status: u16, sealed: bool) -> &'static str {
    match status {
        400 => "Check the path and the values; `arca path-help PATH` says what a path takes.",
        403 => {
            "Check that the token is good (`arca token lookup`) and that its policies allow this path \
             (`arca token capabilities PATH`)."
        }
        404 => "Check the path; `arca secrets list` and `arca auth list` show what is mounted.",
        405 => "Use another command: this path does not know this operation.",
        412 => "Try again: this server has not yet seen a write that the request depends on.",
        413 => "Send less at once.",
        415 => "Use another command: this path does not take this kind of body.",
        429 => "Wait a little and try again; a quota limits these requests.",
        501 => "Initialise the vault first: `arca operator init`.",
        503 if sealed => "Unseal the vault first: `arca operator unseal`.",
        502..=504 => "Try again; if it stays so, look at the server's log and at what stands before the server.",
        500.. => "Look for this request in the server's log; it says what went wrong.",
        _ => "Look into the server's log.",
    }
}

/// The failure of a connection.
pub(super) fn of_transport(error: &ureq::Error, method: &Method, url: &str, address: &Address) -> Error {
    let (reason, advice) = explain(error, address);
    Error::remote(format!("{method} {url}: {reason}")).advise(advice)
}

fn explain(error: &ureq::Error, address: &Address) -> (String, String) {
    let address = address.as_str();
    if let ureq::Error::Io(io) = error {
        return match io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(error) => explain_tls(error, address),
            None => explain_io(io, address),
        };
    }
    if let ureq::Error::Rustls(error) = error {
        return explain_tls(error, address);
    }
    if matches!(error, ureq::Error::Timeout(_)) {
        let advice = "Check that the server is well; ARCA_CLIENT_TIMEOUT allows more time.";
        return ("the server did not answer in time".to_owned(), advice.to_owned());
    }
    if matches!(error, ureq::Error::HostNotFound) {
        let advice = format!("Check the address {address}; set ARCA_ADDR or -address to the server's.");
        return ("no such host".to_owned(), advice);
    }
    let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    (format!("{error}{source}"), format!("Check the address {address}."))
}

fn explain_io(error: &io::Error, address: &str) -> (String, String) {
    const HUNG_UP: [ErrorKind; 3] =
        [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted];
    let advice = if error.kind() == ErrorKind::ConnectionRefused {
        format!("Check that a server runs at {address}; set ARCA_ADDR or -address to where it is.")
    } else if HUNG_UP.contains(&error.kind()) {
        format!("The server hung up. If it speaks TLS, write https:// in {address}; if not, http://.")
    } else {
        format!("Check the address {address} and the network to it.")
    };
    (os_message(error), advice)
}

fn explain_tls(error: &rustls::Error, address: &str) -> (String, String) {
    let advice = if matches!(error, rustls::Error::InvalidMessage(_)) {
        format!("The server seems not to speak TLS. If so, write http:// in {address}.")
    } else if matches!(error, rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) {
        "Give the CA that made the server's certificate: ARCA_CACERT or -ca-cert.".to_owned()
    } else if matches!(error, rustls::Error::InvalidCertificate(_)) {
        "The server's certificate does not fit the address. Use a name that is in it, or ARCA_TLS_SERVER_NAME."
            .to_owned()
    } else if matches!(error, rustls::Error::AlertReceived(_)) {
        "The server refused the TLS handshake; it may want a client certificate: -client-cert and -client-key."
            .to_owned()
    } else {
        format!("Check the address {address} and the certificates.")
    };
    (format!("tls: {error}"), advice)
}

#[cfg(test)]
mod tests {
    use arca::secret::SecretBytes;

    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status,
            body: SecretBytes::new(body.as_bytes().to_vec()),
            url: "http://127.0.0.1:8200/v1/x".to_owned(),
            method: Method::GET,
            sent: Sent::Token,
        }
    }

    #[test]
    fn who_has_no_token_is_told_to_log_in() {
        let told =
            |sent| of_reply(&Reply { sent, ..reply(403, r#"{"errors":["permission denied"]}"#) }, "").to_string();
        assert!(told(Sent::NoToken).contains("`arca login`") && told(Sent::Anonymous).contains("`arca auth list`"));
    }

    #[test]
    fn errors_have_vaults_form_and_a_line_of_advice() {
        let error = of_reply(&reply(403, r#"{"errors":["permission denied"]}"#), "");
        let text = error.to_string();
        let head = "Error making API request.\n\nURL: GET http://127.0.0.1:8200/v1/x\nCode: 403. Errors:\n\n* permission denied\n\n";
        assert!(text.starts_with(head), "{text}");
        assert!(text.ends_with("(`arca token capabilities PATH`)."), "{text}");
        assert_eq!(error.exit().code(), 2);
        assert_eq!(error.status(), Some(403));
    }

    #[test]
    fn a_body_that_is_not_json_is_shown_in_part() {
        let text = of_reply(&reply(502, &"x".repeat(5000)), "ns1").to_string();
        assert!(text.contains("Namespace: ns1/\nURL") && text.contains("Raw Message") && text.len() < 1000, "{text}");
    }

    #[test]
    fn sealed_says_unseal() {
        let text = of_reply(&reply(503, r#"{"errors":["Vault is sealed"]}"#), "").to_string();
        assert!(text.contains("arca operator unseal"), "{text}");
    }
}
