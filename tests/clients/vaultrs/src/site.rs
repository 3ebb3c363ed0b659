//! Where the server is, and what the client has to show.

use std::process::exit;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rustify::errors::ClientError as HttpError;
use vaultrs::client::{Identity, VaultClient, VaultClientSettingsBuilder};
use vaultrs::error::ClientError;
use vaultrs::sys::{self, ServerStatus};

/// A test's outcome; an error says why it cannot be run here.
pub type Outcome = Result<(), &'static str>;

/// A server that is initialised and unsealed.
pub struct Site {
    /// A client with a root token.
    pub root: VaultClient,
    /// As many key shares as unseal the vault; none if someone else initialised it.
    pub shares: Vec<String>,
    /// The authority of the client's certificate, PEM.
    pub authority: String,
    /// `postgresql://user:password@host:port/database`
    pub postgres: Option<String>,
}

impl Site {
    /// Initialises the server if it is new, and tries out unsealing.
    pub async fn prepare() -> Self {
        let ca = variable("ARCA_CLIENT_CA").unwrap_or_else(|| wanted("ARCA_CACERT"));
        let authority = std::fs::read_to_string(ca).unwrap();
        let postgres = variable("ARCA_TEST_POSTGRES");
        let anyone = client("", None);
        if !matches!(sys::status(&anyone).await.unwrap(), ServerStatus::UNINITIALIZED) {
            let Some(token) = variable("ARCA_TOKEN") else {
                eprintln!("the vault is initialised: ARCA_TOKEN must be a root token of it");
                exit(1);
            };
            return Self { root: client(&token, None), shares: Vec::new(), authority, postgres };
        }
        let made = sys::start_initialization(&anyone, 3, 2, None).await.unwrap();
        assert_eq!((made.keys.len(), made.keys_base64.len()), (3, 3));
        assert!(matches!(sys::status(&anyone).await.unwrap(), ServerStatus::SEALED));
        let shares = made.keys_base64[..2].to_vec();
        let first = sys::unseal(&anyone, Some(shares[0].clone()), None, None).await.unwrap();
        assert_eq!((first.sealed, first.progress, first.threshold, first.n_shares), (true, 1, 2, 3));
        let reset = sys::unseal(&anyone, None, Some(true), None).await.unwrap();
        assert_eq!(reset.progress, 0);
        unseal(&anyone, &shares).await;
        let again = sys::start_initialization(&anyone, 1, 1, None).await;
        assert_eq!(code(again), 400);
        Self { root: client(&made.root_token, None), shares, authority, postgres }
    }

    /// A client with another token.
    pub fn with_token(&self, token: &str) -> VaultClient {
        client(token, None)
    }

    /// A client in a namespace.
    pub fn within(&self, namespace: &str, token: &str) -> VaultClient {
        client(token, Some(namespace))
    }

    /// The root token.
    pub fn root_token(&self) -> String {
        self.root.settings.token.clone()
    }
}

/// Unseals with these shares, one after the other.
pub async fn unseal(anyone: &VaultClient, shares: &[String]) {
    for share in shares {
        sys::unseal(anyone, Some(share.clone()), None, None).await.unwrap();
    }
    assert!(matches!(sys::status(anyone).await.unwrap(), ServerStatus::OK));
}

/// The status of a call that must fail.
#[track_caller]
pub fn code<T>(result: Result<T, ClientError>) -> u16 {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(ClientError::APIError { code, .. }) => code,
        // An answer without a list of errors.
        Err(ClientError::RestClientError { source: HttpError::ServerResponseError { code, .. } }) => code,
        Err(other) => panic!("it failed otherwise: {other:?}"),
    }
}

/// A name that no earlier run has used.
pub fn unique(word: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    format!("{word}-{now:x}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

fn client(token: &str, namespace: Option<&str>) -> VaultClient {
    let mut pem = std::fs::read(wanted("ARCA_CLIENT_CERT")).unwrap();
    pem.extend(std::fs::read(wanted("ARCA_CLIENT_KEY")).unwrap());
    let mut settings = VaultClientSettingsBuilder::default();
    if let Some(namespace) = namespace {
        settings.set_namespace(namespace.to_owned());
    }
    let settings = settings
        .address(wanted("ARCA_ADDR"))
        .token(token)
        .ca_certs(vec![wanted("ARCA_CACERT")])
        .identity(Some(Identity::from_pem(&pem).unwrap()))
        .build()
        .unwrap();
    VaultClient::new(settings).unwrap()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn wanted(name: &str) -> String {
    variable(name).unwrap_or_else(|| {
        eprintln!("{name} is not set; see the head of tests/clients/suite.py");
        exit(1)
    })
}
