//! Who gets a connection, of those who show a certificate; and that a reload takes away what it should.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::ServerName;
use tempfile::TempDir;

use crate::support::{Certificates, Client, Issue, Issuer, Process, TestVault, Visitor, Wire, crl, eventually, issuer};

/// What the server's log says once other clients may come in.
const OTHERS: &str = "other clients are let in than before";

/// A server, and an authority of clients whose lists it goes by, besides the one of its operator.
struct Door {
    process: Process,
    folder: TempDir,
    authority: Issuer,
    token: String,
}

impl Door {
    fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let certificates = Certificates::write(folder.path());
        let authority = issuer("clients");
        let ca = folder.path().join("ca.pem");
        fs::write(&ca, fs::read_to_string(&ca).unwrap() + &authority.pem()).unwrap();
        let config = folder.path().join("arca.hcl");
        let text = fs::read_to_string(&config).unwrap();
        let list = folder.path().join("clients.crl").display().to_string();
        let keys = format!("listener \"tcp\" {{\n  tls_min_version = \"tls12\"\n  tls_client_crl_file = {list:?}\n");
        fs::write(&config, text.replace("listener \"tcp\" {\n", &keys)).unwrap();
        fs::write(folder.path().join("clients.crl"), crl(&authority, &[], 30)).unwrap();
        let process = Process::start(folder.path(), &certificates);
        let (share, token) = process.initialise();
        process.unseal(&share);
        Self { process, folder, authority, token }
    }

    /// A client with a certificate of this number by `authority`.
    fn visitor(&self, authority: &Issuer, serial: u64, version: &'static SupportedProtocolVersion) -> Visitor {
        let (certificate, key) = Issue { serial: Some(serial), ..Issue::default() }.by(authority);
        let (ca, _) = self.process.certificates();
        Visitor::new(self.process.address, ca, Some((&certificate, &key)), &[version], b"http/1.1")
    }

    /// Asks who the token is of; nothing for whoever gets no answer.
    fn ask(&self, wire: &mut Wire) -> Option<Asked> {
        let request =
            format!("GET /v1/auth/token/lookup-self HTTP/1.1\r\nhost: x\r\nx-vault-token: {}\r\n\r\n", self.token);
        wire.say(request.as_bytes()).ok()?;
        let answer = wire.hear().ok().filter(|answer| !answer.is_empty())?;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        Some(if wire.is_resumed() { Asked::Resumed } else { Asked::Anew })
    }

    fn file(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn reload(&self, word: &str) {
        self.process.reload(self.folder.path(), word);
    }

    /// The operator, of an authority that has no list.
    fn operator_is_served(&self) {
        self.process.anonymous().get("sys/health").is(200);
    }
}

/// How somebody who got an answer came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// With a session of before.
    Resumed,
    /// With the certificate.
    Anew,
}

/// At the door, before any request is read. What is revoked by a list that was uploaded is refused at the login:
/// `cve_2022_41316_crl_after_a_restart`.
#[test]
fn certificates_that_open_nothing() {
    let vault = TestVault::new();
    let stranger = issuer("arca");
    let (server, server_key) = &vault.pki.server;
    let refused = [
        ("of another authority", Issue::default().by(&stranger)),
        ("expired, of another authority", Issue { days: -1, ..Issue::default() }.by(&stranger)),
        ("of a server", (server.clone(), server_key.clone())),
    ];
    let mut count = 0;
    for (what, (certificate, key)) in &refused {
        let client = Client::new(vault.address, &vault.pki.ca, Some((certificate, key)));
        let answer = client.try_send("GET", "sys/health", None).ok();
        assert!(answer.is_none(), "{what}: {answer:?}");
        count += 1;
    }
    assert!(Client::new(vault.address, &vault.pki.ca, None).try_send("GET", "sys/health", None).is_err());
    vault.anonymous().get("sys/health").is(200);
    println!("certificates_that_open_nothing: {} kinds refused before a request was read", count + 1);
}

/// Certificates of the right authority that are over, or that are not yet good.
#[test]
fn certificates_out_of_their_time() {
    let door = Door::open();
    let ask = |from: i64, days: i64| {
        let (certificate, key) = Issue { from, days, ..Issue::default() }.by(&door.authority);
        let client = Client::new(door.process.address, door.process.certificates().0, Some((&certificate, &key)));
        client.try_send("GET", "sys/health", None).ok().map(|answer| answer.status)
    };
    assert_eq!(ask(-365, 30), Some(200));
    let refused = [(-365, -1), (-365, -300), (1, 30), (300, 400)];
    for (from, days) in refused {
        assert_eq!(ask(from, days), None, "from day {from} to day {days}");
    }
    door.operator_is_served();
    println!("certificates_out_of_their_time: {} refused, one that is good let in", refused.len());
}

/// A client that asks for another server than this one does not take this one for it.
#[test]
fn a_server_of_another_name_is_not_believed() {
    let vault = TestVault::new();
    let (certificate, key) = &vault.pki.client;
    let visitor = Visitor::new(vault.address, &vault.pki.ca, Some((certificate, key)), &[&TLS13], b"http/1.1");
    let ask = |name: &'static str| {
        let mut wire = visitor.connect_to(ServerName::try_from(name).unwrap());
        let said = wire.say(b"GET /v1/sys/health HTTP/1.1\r\nhost: x\r\n\r\n").map_err(|error| error.to_string());
        said.map(|()| wire.hear().unwrap())
    };
    for name in ["localhost", "127.0.0.1"] {
        assert!(ask(name).unwrap().starts_with("HTTP/1.1 200"), "{name}");
    }
    let others = ["vault.example.com", "localhost.example.com", "127.0.0.2", "::1"];
    for name in others {
        assert!(ask(name).unwrap_err().contains("not valid for name"), "{name}");
    }
    println!("a_server_of_another_name_is_not_believed: {} names refused, 2 that it has believed", others.len());
}

/// From the reload on, whoever is on a list gets no connection, neither with a session of before nor with a token, and
/// keeps none; others go on.
#[test]
fn revoked_certificates_open_nothing() {
    let door = Door::open();
    let (mut refused, mut served) = (0, 0);
    for (round, version) in [&TLS13, &TLS12].into_iter().enumerate() {
        let first = 100 * (u64::try_from(round).unwrap() + 1);
        let visitors: Vec<_> =
            (first..first + 10).map(|serial| door.visitor(&door.authority, serial, version)).collect();
        let (bad, good) = visitors.split_at(5);
        let mut held = Vec::new();
        for visitor in &visitors {
            assert_eq!(door.ask(&mut visitor.connect()), Some(Asked::Anew));
            let mut wire = visitor.connect();
            assert_eq!(door.ask(&mut wire), Some(Asked::Resumed), "there is a session to resume");
            held.push(wire);
        }
        let serials: Vec<u64> = (100..first + 5).filter(|serial| serial % 100 < 5).collect();
        door.file("clients.crl", &crl(&door.authority, &serials, 30));
        door.reload(OTHERS);
        for (visitor, wire) in bad.iter().zip(&mut held) {
            eventually("the open connection ends", || door.ask(wire).is_none().then_some(()));
            assert_eq!(door.ask(&mut visitor.connect()), None, "with the session of before, and a token");
            assert_eq!(door.ask(&mut visitor.connect()), None, "with the certificate, and a token");
            refused += 3;
        }
        let again = door.visitor(&door.authority, first, version);
        assert_eq!(door.ask(&mut again.connect()), None, "with no session");
        refused += 1;
        for visitor in good {
            assert_eq!(door.ask(&mut visitor.connect()), Some(Asked::Anew), "sessions end, the certificate is good");
            assert_eq!(door.ask(&mut visitor.connect()), Some(Asked::Resumed));
            served += 2;
        }
        door.operator_is_served();
        served += 1;
    }
    println!("revoked_certificates_open_nothing: revoked: {refused} refused, {served} served");
}

/// A file that cannot be used changes nothing: whoever was refused still is, whoever was served still is. A list whose
/// time is over counts on.
#[test]
fn lists_that_cannot_be_used_keep_those_of_before() {
    let door = Door::open();
    let (bad, good) = (door.visitor(&door.authority, 1, &TLS13), door.visitor(&door.authority, 2, &TLS13));
    let stands = |what: &str| {
        assert_eq!(door.ask(&mut bad.connect()), None, "{what}");
        assert!(door.ask(&mut good.connect()).is_some(), "{what}");
        door.operator_is_served();
    };
    door.file("clients.crl", &crl(&door.authority, &[1], 30));
    door.reload(OTHERS);
    stands("a list");
    let empty = crl(&door.authority, &[], 30);
    let bad_ones = [
        ("nothing", String::new(), "it has no list"),
        ("half of one", empty[..empty.len() / 2].to_owned(), "it cannot be read"),
        ("no list", door.authority.pem().replace("CERTIFICATE", "X509 CRL"), "it has a list that cannot be read"),
        ("a list by somebody else of that name", crl(&issuer("clients"), &[], 30), "was not signed by the authority"),
        ("two lists", empty.clone() + &empty, "it has two lists of CN=clients"),
    ];
    for (what, text, why) in &bad_ones {
        door.file("clients.crl", text);
        door.reload("the certificates could not be read; those of before stay");
        let log = fs::read_to_string(door.folder.path().join("server.log")).unwrap();
        let said = log.lines().rev().find(|line| line.contains("those of before stay")).unwrap();
        assert!(said.contains(why), "{what}: {said}");
        stands(what);
        refuses_to_start(door.folder.path(), why);
    }
    fs::remove_file(door.folder.path().join("clients.crl")).unwrap();
    door.reload("the certificates could not be read; those of before stay");
    stands("no file");
    refuses_to_start(door.folder.path(), "clients.crl");

    door.file("clients.crl", &crl(&door.authority, &[1], -1));
    door.reload("the time of the list of CN=clients is over");
    stands("a list whose time is over");
    let other = issuer("between");
    door.file("clients.crl", &(crl(&door.authority, &[1], 30) + &crl(&other, &[2], 30)));
    door.reload("the list of CN=between is of none of the authorities of clients");
    stands("a list of another authority, with a number that is good");
    println!("lists_that_cannot_be_used_keep_those_of_before: {} files kept out", bad_ones.len() + 1);
}

/// With these files a server does not start, and says why.
fn refuses_to_start(folder: &Path, why: &str) {
    // In a store of its own: that of the running one is taken.
    let (store, config) = (TempDir::new().unwrap(), folder.join("arca.hcl"));
    let text = fs::read_to_string(config).unwrap();
    let other = text.replace(&folder.join("store").display().to_string(), &store.path().display().to_string());
    let config = store.path().join("arca.hcl");
    fs::write(&config, other).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_arcad")).arg("--config").arg(&config).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(why) && !said.contains("listening"), "{said}");
}

/// A session says who somebody was when it was made. With other authorities that counts for nothing.
#[test]
fn a_session_is_not_resumed_under_other_authorities() {
    let (mut refused, mut resumed) = (0, 0);
    for version in [&TLS13, &TLS12] {
        let door = Door::open();
        let before = door.visitor(&door.authority, 1, version);
        assert_eq!(door.ask(&mut before.connect()), Some(Asked::Anew));
        let mut held = before.connect();
        assert_eq!(door.ask(&mut held), Some(Asked::Resumed), "there is a session to resume");

        let fresh = issuer("others");
        let operators = door.process.certificates().0.to_owned();
        door.file("ca.pem", &(operators + &fresh.pem()));
        door.file("clients.crl", &crl(&fresh, &[], 30));
        door.reload(OTHERS);
        for _ in 0..5 {
            assert_eq!(door.ask(&mut before.connect()), None, "a session of before opens the door");
            refused += 1;
        }
        eventually("the open connection ends", || door.ask(&mut held).is_none().then_some(()));
        let after = door.visitor(&fresh, 1, version);
        assert_eq!(door.ask(&mut after.connect()), Some(Asked::Anew));
        for _ in 0..5 {
            assert_eq!(door.ask(&mut after.connect()), Some(Asked::Resumed));
            resumed += 1;
        }
        door.operator_is_served();
    }
    println!(
        "a_session_is_not_resumed_under_other_authorities: {refused} refused with sessions of before, {resumed} resumed \
         by a client of the new authority"
    );
}
