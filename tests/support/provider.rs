//! `Provider`: an identity provider for one test, which says what the test wants it to say.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::digest;
use rustls::crypto::aws_lc_rs;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use super::signer::Signer;

/// The client that it knows.
pub(crate) const CLIENT: &str = "arca";
/// That client's secret, with characters that must be encoded.
pub(crate) const SECRET: &str = "s3cr:t/+ %";

/// An identity provider that listens on this machine until it goes.
pub(crate) struct Provider {
    /// What its tokens say in `iss`.
    pub(crate) issuer: String,
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    issuer: String,
    says: Mutex<Says>,
    released: Condvar,
    stopped: AtomicBool,
}

/// What it says, and what it was asked.
struct Says {
    keys: Vec<Value>,
    signer: Arc<Signer>,
    userinfo: Value,
    /// Whether requests for keys wait.
    hangs: bool,
    /// Where requests for keys are sent instead.
    redirect: Option<String>,
    codes: BTreeMap<String, Code>,
    requests: BTreeMap<String, usize>,
}

struct Code {
    challenge: String,
    redirect_uri: String,
    claims: Value,
}

impl Provider {
    /// One without TLS.
    pub(crate) fn start() -> Self {
        Self::listen(None)
    }

    /// One that shows this certificate, whose key this is.
    pub(crate) fn over_tls((certificate, key): (&str, &str)) -> Self {
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap())
            .unwrap();
        Self::listen(Some(Arc::new(config)))
    }

    fn listen(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let issuer = format!("{}://127.0.0.1:{}", if tls.is_some() { "https" } else { "http" }, address.port());
        let signer = Arc::new(Signer::new("RS256", "first"));
        let says = Says {
            keys: vec![signer.jwk()],
            signer,
            userinfo: Value::Null,
            hangs: false,
            redirect: None,
            codes: BTreeMap::new(),
            requests: BTreeMap::new(),
        };
        let shared = Shared {
            issuer: issuer.clone(),
            says: Mutex::new(says),
            released: Condvar::new(),
            stopped: AtomicBool::new(false),
        };
        let shared = Arc::new(shared);
        let serving = shared.clone();
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.stopped.load(Ordering::SeqCst) {
                    break;
                }
                let (shared, tls) = (serving.clone(), tls.clone());
                std::thread::spawn(move || shared.serve(stream, tls));
            }
        });
        Self { issuer, address, shared, accepting: Some(accepting) }
    }

    /// Signs with another key from now on, and says that it is the only one.
    pub(crate) fn rotate(&self, id: &str) {
        let signer = Arc::new(Signer::new("ES256", id));
        self.change(|says| {
            says.keys = vec![signer.jwk()];
            says.signer = signer.clone();
        });
    }

    /// Says that these are its keys.
    pub(crate) fn publish(&self, keys: Vec<Value>) {
        self.change(|says| says.keys = keys);
    }

    /// Lets requests for keys wait, or no longer.
    pub(crate) fn hang(&self, hangs: bool) {
        self.change(|says| says.hangs = hangs);
        self.shared.released.notify_all();
    }

    /// Sends requests for keys elsewhere.
    pub(crate) fn redirect(&self, to: &str) {
        self.change(|says| says.redirect = Some(to.to_owned()));
    }

    /// What it says about whoever is logged in.
    pub(crate) fn say_about(&self, userinfo: Value) {
        self.change(|says| says.userinfo = userinfo);
    }

    /// How often a path was asked for.
    pub(crate) fn requests(&self, path: &str) -> usize {
        self.change(|says| says.requests.get(path).copied().unwrap_or_default())
    }

    /// A token with these claims, its issuer among them.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let mut claims = claims.clone();
        if claims.get("iss").is_none() {
            claims["iss"] = json!(self.issuer);
        }
        self.change(|says| says.signer.clone()).sign(&claims)
    }

    /// What a browser does at `auth_url`: whoever is there logs in, and the browser comes back with a code, which is
    /// good for a token with these claims beside the usual ones. The state and the code.
    pub(crate) fn visit(&self, auth_url: &str, claims: &Value, now: i64) -> (String, String) {
        let (place, query) = auth_url.split_once('?').unwrap();
        assert_eq!(place, format!("{}/authorize", self.issuer));
        let asked = fields(query);
        assert_eq!((asked["response_type"].as_str(), asked["client_id"].as_str()), ("code", CLIENT));
        assert_eq!(asked["code_challenge_method"], "S256");
        let usual = json!({
            "iss": self.issuer, "sub": "ann", "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": asked["nonce"],
        });
        let mut all = usual;
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let code = format!("code of {}", asked["state"]);
        let (challenge, redirect_uri) = (asked["code_challenge"].clone(), asked["redirect_uri"].clone());
        self.change(|says| says.codes.insert(code.clone(), Code { challenge, redirect_uri, claims: all.clone() }));
        (asked["state"].clone(), code)
    }

    fn change<T>(&self, work: impl FnOnce(&mut Says) -> T) -> T {
        work(&mut self.shared.says.lock().unwrap())
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.hang(false);
        // Wakes whoever accepts.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream, tls: Option<Arc<ServerConfig>>) {
        match tls {
            None => self.answer(stream),
            Some(config) => self.answer(StreamOwned::new(ServerConnection::new(config).unwrap(), stream)),
        }
    }

    /// One request; a client that goes away is let go.
    fn answer(&self, stream: impl Read + Write) {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        if stream.read_line(&mut line).is_err() || line.is_empty() {
            return;
        }
        let mut headers = BTreeMap::new();
        loop {
            let mut header = String::new();
            if stream.read_line(&mut header).is_err() {
                return;
            }
            let Some((name, value)) = header.trim_end().split_once(": ") else { break };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        if stream.read_exact(&mut body).is_err() {
            return;
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (status, extra, answer) = self.reply(&path, &headers, &String::from_utf8_lossy(&body));
        let head =
            format!("HTTP/1.1 {status} X\r\n{extra}Content-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
        let stream = stream.get_mut();
        let _ = stream.write_all(format!("{head}{answer}").as_bytes());
        let _ = stream.flush();
    }

    fn reply(&self, path: &str, headers: &BTreeMap<String, String>, body: &str) -> (u16, String, String) {
        let mut says = self.says.lock().unwrap();
        *says.requests.entry(path.to_owned()).or_default() += 1;
        let issuer = &self.issuer;
        let fine = |value: Value| (200, String::new(), value.to_string());
        let refused = || (400, String::new(), json!({"error": "invalid_grant"}).to_string());
        match path {
            "/.well-known/openid-configuration" => fine(json!({
                "issuer": issuer, "jwks_uri": format!("{issuer}/keys"), "token_endpoint": format!("{issuer}/token"),
                "authorization_endpoint": format!("{issuer}/authorize"),
                "userinfo_endpoint": format!("{issuer}/userinfo"),
                "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            })),
            "/keys" | "/other-keys" => {
                let says = self.released.wait_while(says, |says| says.hangs).unwrap();
                match &says.redirect {
                    Some(to) if path == "/keys" => (302, format!("Location: {to}\r\n"), String::new()),
                    _ => fine(json!({"keys": says.keys})),
                }
            }
            "/large" => (200, String::new(), " ".repeat(2 << 20)),
            "/token" => {
                let form = fields(body);
                let Some(code) = form.get("code").and_then(|code| says.codes.remove(code)) else { return refused() };
                let encoded = "s3cr%3At%2F%2B%20%25";
                let basic = format!("Basic {}", BASE64.encode(format!("{CLIENT}:{encoded}").as_bytes()));
                let verifier = digest::digest(&digest::SHA256, form["code_verifier"].as_bytes());
                let is_good = headers.get("authorization") == Some(&basic)
                    && BASE64URL_NOPAD.encode(verifier.as_ref()) == code.challenge
                    && form["redirect_uri"] == code.redirect_uri;
                if !is_good {
                    return refused();
                }
                let token = says.signer.sign(&code.claims);
                fine(json!({"access_token": "the access token", "token_type": "Bearer", "id_token": token}))
            }
            "/userinfo" if headers.get("authorization").is_some_and(|text| text == "Bearer the access token") => {
                fine(says.userinfo.clone())
            }
            _ => (404, String::new(), String::new()),
        }
    }
}

/// The fields of a query or a form.
pub(crate) fn fields(text: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced).decode_utf8().unwrap().into_owned()
    };
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}
