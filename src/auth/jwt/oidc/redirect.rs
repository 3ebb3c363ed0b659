//! Where the provider may send the browser.

/// Whether `asked` is one of `allowed`: the very same text, or a loopback address of the same path with another port,
/// which a program on the caller's machine cannot choose beforehand (RFC 8252, section 7.3).
pub(super) fn is_allowed(asked: &str, allowed: &[String]) -> bool {
    allowed
        .iter()
        .any(|allowed| allowed == asked || loopback(asked).is_some_and(|asked| loopback(allowed) == Some(asked)))
}

/// The host and the rest of a loopback address without TLS; nothing for any other address. Where there is a port it must be
/// digits: nothing else stands between the host and the path.
fn loopback(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("http://")?;
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    let host = ["localhost", "127.0.0.1", "[::1]"].into_iter().find(|host| authority.starts_with(host))?;
    let port = authority.strip_prefix(host)?;
    let is_port = |text: &str| text.parse::<u16>().is_ok() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_good = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    is_good.then_some((host, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_exact_but_for_the_port_of_a_loopback_address() {
        let allowed: Vec<String> = [
            "http://localhost:8250/oidc/callback",
            "http://127.0.0.1:8250/cb",
            "http://[::1]/cb6",
            "https://vault.example.com/ui/vault/auth/oidc/oidc/callback",
        ]
        .map(str::to_owned)
        .to_vec();
        for fine in [
            "http://localhost:8250/oidc/callback",
            "http://localhost:9999/oidc/callback",
            "http://localhost/oidc/callback",
            "http://127.0.0.1:1/cb",
            "http://[::1]:77/cb6",
            "https://vault.example.com/ui/vault/auth/oidc/oidc/callback",
        ] {
            assert!(is_allowed(fine, &allowed), "{fine}");
        }
        for bad in [
            "",
            "http://evil/x",
            "http://127.0.0.1:8250/oidc/callback",
            "http://LOCALHOST:8250/oidc/callback",
            "http://localhost:8250/oidc/callback/",
            "http://localhost:8250/oidc/callback?x=1",
            "http://localhost:8250/oidc/callback#x",
            "http://localhost:8250/oidc/../oidc/callback",
            "http://localhost:8250@evil/oidc/callback",
            "http://evil@localhost:8250/oidc/callback",
            "http://localhost.evil:8250/oidc/callback",
            "http://localhost:8250:1/oidc/callback",
            "http://localhost:+80/oidc/callback",
            "http://localhost:/oidc/callback",
            "http://localhost:99999/oidc/callback",
            "http://localhost:8250\\@evil/oidc/callback",
            "http:/localhost:8250/oidc/callback",
            "https://localhost:8250/oidc/callback",
            "http://[::1]:8250/oidc/callback",
            "http://localhost:8250/other",
            "https://vault.example.com:8443/ui/vault/auth/oidc/oidc/callback",
            "https://vault.example.com/ui/vault/auth/oidc/oidc/callback?x",
            "https://VAULT.example.com/ui/vault/auth/oidc/oidc/callback",
        ] {
            assert!(!is_allowed(bad, &allowed), "{bad}");
        }
        assert!(!is_allowed("http://localhost/x", &[]));
    }
}
