//! `Listener`: waits for the browser to come back.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::error::{Error, Result, os_message};

use super::browser::too_late;

/// Listens on this machine for a browser.
pub(super) struct Listener(TcpListener);

/// What a browser came back with.
pub(super) struct Returned {
    /// The fields of the query, or of the form.
    pub(super) fields: Vec<(String, String)>,
    /// Whether it was a form.
    pub(super) is_form: bool,
}

/// Longer lines and bodies than these no provider sends.
const MAX_BYTES: u64 = 128 << 10;

/// How long a browser may take to say what it came for. It may also open connections that it never uses.
const SILENCE: Duration = Duration::from_secs(10);

impl Listener {
    /// Listens; `port` 0 is any.
    pub(super) fn bind(address: &str, port: u16) -> Result<Self> {
        let bound = TcpListener::bind((address, port));
        bound.map(Self).map_err(|error| {
            Error::local(format!("Cannot listen on {address}:{port}: {}", os_message(&error)))
                .advise("Give another port=, which the provider must allow, or end the program that has this one.")
        })
    }

    /// Waits for a browser, tells it what came of `work`, and gives that.
    pub(super) fn wait<T>(&self, patience: Duration, work: impl FnOnce(&Returned) -> Result<T>) -> Result<T> {
        let (sender, receiver) = mpsc::channel();
        let listener = self.0.try_clone().map_err(|error| Error::local(os_message(&error)))?;
        let stopped = Arc::new(AtomicBool::new(false));
        let stopping = stopped.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(io::Result::ok) {
                if stopping.load(Ordering::SeqCst) {
                    break;
                }
                let sender = sender.clone();
                std::thread::spawn(move || take(stream, &sender));
            }
        });
        let came = receiver.recv_timeout(patience);
        stopped.store(true, Ordering::SeqCst);
        let (returned, stream) = came.map_err(|_| too_late())?;
        let outcome = work(&returned);
        let (status, text) = match &outcome {
            Ok(_) => ("200 OK", "You are logged in. You can close this page."),
            Err(_) => ("400 Bad Request", "The login failed. The terminal says why."),
        };
        answer(stream, status, text);
        outcome
    }
}

/// Reads one request; hands it on if it is the one that is waited for.
fn take(stream: TcpStream, sender: &Sender<(Returned, TcpStream)>) {
    let _ = stream.set_read_timeout(Some(SILENCE));
    match read(&stream) {
        Some(returned) => drop(sender.send((returned, stream))),
        None => answer(stream, "404 Not Found", "There is nothing here."),
    }
}

/// What a browser came back with; nothing for any other request.
fn read(stream: impl Read) -> Option<Returned> {
    let mut stream = BufReader::new(stream.take(MAX_BYTES));
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path != "/oidc/callback" {
        return None;
    }
    match method {
        "GET" => Some(Returned { fields: fields(query), is_form: false }),
        "POST" => {
            let mut length = 0;
            loop {
                let mut header = String::new();
                stream.read_line(&mut header).ok()?;
                match header.trim_end().split_once(':') {
                    None => break,
                    Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                        length = value.trim().parse().ok().filter(|length| *length <= MAX_BYTES)?;
                    }
                    Some(_) => {}
                }
            }
            let mut body = String::new();
            stream.take(length).read_to_string(&mut body).ok()?;
            Some(Returned { fields: fields(&body), is_form: true })
        }
        _ => None,
    }
}

/// The fields of a login; others are left out, so that nothing else gets into the request that is made of them.
fn fields(text: &str) -> Vec<(String, String)> {
    const KNOWN: [&str; 5] = ["state", "code", "id_token", "error", "error_description"];
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let known = pairs.filter(|(name, _)| KNOWN.contains(name));
    known.filter_map(|(name, value)| Some((name.to_owned(), decoded(value)?))).collect()
}

/// Text as a URL or a form has it.
fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let mut parts = spaced.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        bytes.extend(HEXLOWER_PERMISSIVE.decode(code.as_bytes()).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Says a sentence; a browser that went away does not hear it.
fn answer(mut stream: TcpStream, status: &str, text: &str) {
    let body =
        format!("<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Arca</title><p>{text}</p></html>\n");
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: \
         no-store\r\nContent-Security-Policy: default-src 'none'\r\nReferrer-Policy: no-referrer\r\nConnection: \
         close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(request: &str) -> Option<(Vec<(String, String)>, bool)> {
        read(request.as_bytes()).map(|returned| (returned.fields, returned.is_form))
    }

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_a_browser_comes_back_with() {
        let get = "GET /oidc/callback?state=a%2Fb&code=c+d%C3%A9&client_nonce=evil&iss=x HTTP/1.1\r\n\r\n";
        assert_eq!(came(get).unwrap(), (pairs(&[("state", "a/b"), ("code", "c dé")]), false));
        let post = "POST /oidc/callback HTTP/1.1\r\ncontent-LENGTH: 14\r\nx: y\r\n\r\nstate=a&code=bcdef";
        assert_eq!(came(post).unwrap(), (pairs(&[("state", "a"), ("code", "b")]), true));
    }

    #[test]
    fn other_requests_are_nothing() {
        for request in [
            "",
            "GET",
            "GET /favicon.ico HTTP/1.1\r\n\r\n",
            "GET /oidc/callback/ HTTP/1.1\r\n\r\n",
            "HEAD /oidc/callback?state=a HTTP/1.1\r\n\r\n",
            "POST /oidc/callback HTTP/1.1\r\nContent-Length: 999999999\r\n\r\nstate=a",
            "POST /oidc/callback HTTP/1.1\r\nContent-Length: x\r\n\r\nstate=a",
        ] {
            assert!(came(request).is_none(), "{request:?}");
        }
        assert_eq!(came("GET /oidc/callback?state=%zz&code=%4 HTTP/1.1\r\n").unwrap().0, []);
    }

    #[test]
    fn a_browser_is_told_what_came_of_it() {
        let listener = Listener::bind("127.0.0.1", 0).unwrap();
        let address = listener.0.local_addr().unwrap();
        let browser = std::thread::spawn(move || {
            // One that never says anything, one that wants something else, and the one.
            let silent = TcpStream::connect(address).unwrap();
            let ask = |path: &str| {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
                let mut heard = String::new();
                stream.read_to_string(&mut heard).unwrap();
                heard
            };
            let heard = (ask("/favicon.ico"), ask("/oidc/callback?state=s"));
            drop(silent);
            heard
        });
        let state = listener.wait(Duration::from_secs(20), |returned| Ok(returned.fields[0].1.clone())).unwrap();
        let (other, told) = browser.join().unwrap();
        assert_eq!(state, "s");
        assert!(other.starts_with("HTTP/1.1 404") && told.contains("You are logged in"), "{other} {told}");
    }

    #[test]
    fn patience_ends() {
        let listener = Listener::bind("127.0.0.1", 0).unwrap();
        assert!(listener.wait(Duration::from_millis(10), |_| Ok(())).is_err());
    }
}
