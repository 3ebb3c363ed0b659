//! The certificates of `arca tls bootstrap` and the client's TLS, against a TLS server that wants a client certificate.

#[cfg(test)]
mod tls {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::{Command, Output};
    use std::sync::Arc;
    use std::{fs, thread};

    use rustls::crypto::aws_lc_rs;
    use rustls::server::WebPkiClientVerifier;
    use rustls::{RootCertStore, ServerConfig, ServerConnection, Stream};
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, PrivateKeyDer};

    fn arca(folder: &Path, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arca"));
        command.args(args).env_clear().env("HOME", folder).current_dir(folder).output().unwrap()
    }

    fn certificates(path: &Path) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_file_iter(path).unwrap().map(Result::unwrap).collect()
    }

    /// A server with the bootstrap's certificates that answers every request with a token's look-up.
    fn serve(folder: &Path) -> SocketAddr {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(certificates(&folder.join("ca.pem")).remove(0)).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
        let key = PrivateKeyDer::from_pem_file(folder.join("server-key.pem")).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.unwrap())
            .with_single_cert(certificates(&folder.join("server.pem")), key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let config = Arc::new(config);
        thread::spawn(move || {
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                // A client that is refused, or refuses, ends here.
                drop(answer(&mut Stream::new(&mut connection, &mut socket)));
            }
        });
        address
    }

    fn answer(stream: &mut impl ReadWrite) -> std::io::Result<()> {
        let mut request = Vec::new();
        let mut byte = [0];
        while !request.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte)?;
            request.push(byte[0]);
        }
        let request = String::from_utf8_lossy(&request).to_lowercase();
        let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        let asked = request.lines().any(|line| line == "x-vault-request: true");
        let body = format!(r#"{{"data":{{"host":"{host}","marked":{asked}}}}}"#);
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())?;
        stream.flush()
    }

    trait ReadWrite: Read + Write {}
    impl<T: Read + Write> ReadWrite for T {}

    /// What is named in the shipped configuration, and in what is said about it, is what is made.
    #[test]
    fn what_bootstrap_makes_is_called_as_the_configuration_has_it() {
        let home = tempfile::tempdir().unwrap();
        let made = arca(home.path(), &["tls", "bootstrap", "-out=pki"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for shipped in ["deploy/arca.hcl", "docs/configuration.md"] {
            let text = fs::read_to_string(root.join(shipped)).unwrap();
            let named = |key: &str| {
                let line = text.lines().map(str::trim).find(|line| line.starts_with(key)).unwrap();
                line.split('"').nth(1).unwrap().strip_prefix("/etc/arca/tls/").unwrap().to_owned()
            };
            for key in ["tls_cert_file", "tls_key_file", "tls_client_ca_file"] {
                let name = named(key);
                assert!(home.path().join("pki").join(&name).is_file(), "{shipped}: {key} is {name}");
                let said = String::from_utf8_lossy(&made.stdout);
                let line = said.lines().find(|line| line.trim_start().starts_with(key)).unwrap();
                assert!(line.ends_with(&format!("/pki/{name}\"")), "{line}");
            }
        }
    }

    #[test]
    fn what_bootstrap_makes_carries_a_request_and_nothing_else_does() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        let made = arca(home, &["tls", "bootstrap", "-out=pki", "-host=vault.example.com", "-client=alice"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        for (file, mode) in [
            ("ca", 0o644),
            ("server", 0o644),
            ("client", 0o644),
            ("ca-key", 0o600),
            ("server-key", 0o600),
            ("client-key", 0o600),
        ] {
            let metadata = fs::metadata(home.join(format!("pki/{file}.pem"))).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, mode, "{file}");
        }
        let address = format!("-address=https://{}", serve(&home.join("pki")));
        let (ca, cert, key) = ("-ca-cert=pki/ca.pem", "-client-cert=pki/client.pem", "-client-key=pki/client-key.pem");

        let good = arca(home, &["read", "-format=json", &address, ca, cert, key, "x"]);
        let (out, err) = (String::from_utf8_lossy(&good.stdout), String::from_utf8_lossy(&good.stderr));
        assert!(good.status.success() && out.contains("\"marked\": true"), "{out}{err}");

        let named =
            arca(home, &["read", "-field=host", &address, ca, cert, key, "-tls-server-name=vault.example.com", "x"]);
        let host = address.trim_start_matches("-address=https://");
        assert_eq!(String::from_utf8_lossy(&named.stdout), host, "{}", String::from_utf8_lossy(&named.stderr));

        for (args, reason) in [
            (vec![cert, key], "UnknownIssuer"),
            (vec![ca, cert, key, "-tls-server-name=other.example.com"], "not valid for name"),
            (vec![ca], "client certificate"),
            (vec![ca, cert, "-client-key=pki/server-key.pem"], "private key of this certificate"),
            (vec!["-ca-cert=pki/ca-key.pem", cert, key], "not a certificate in PEM form"),
        ] {
            let mut all = vec!["read", &address, "x"];
            all.extend(&args);
            let refused = arca(home, &all);
            let text = String::from_utf8_lossy(&refused.stderr).to_string();
            assert!(!refused.status.success() && text.contains(reason), "{args:?}: {text}");
        }

        let unchecked = arca(home, &["read", "-field=marked", &address, cert, key, "-tls-skip-verify", "x"]);
        assert_eq!(String::from_utf8_lossy(&unchecked.stdout), "true");
        assert!(String::from_utf8_lossy(&unchecked.stderr).contains("WARNING!"));

        let plain = arca(home, &["read", &address.replace("https", "http"), "x"]);
        assert!(!plain.status.success());
    }
}
