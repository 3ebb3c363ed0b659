//! `connection_url`, in both of libpq's forms: `postgresql://user:password@host:port/database?option=value` and
//! `host=… user=… password=…`. Both may have `{{username}}` and `{{password}}` in them.

use std::ops::Range;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use zeroize::Zeroizing;

use crate::secret::SecretText;

/// How the connection is protected (libpq's `sslmode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TlsMode {
    /// Not at all.
    Disable,
    /// TLS if the database has it, with whatever certificate.
    Prefer,
    /// TLS, with whatever certificate.
    Require,
    /// TLS, with a certificate of a known authority.
    VerifyCa,
    /// TLS, with a certificate of a known authority for this host.
    VerifyFull,
}

/// The parts of a connection's configuration that make up its URL.
#[derive(Clone, Copy)]
pub(super) struct Login<'a> {
    /// `connection_url`.
    pub(super) url: &'a SecretText,
    /// For `{{username}}`.
    pub(super) username: &'a str,
    /// For `{{password}}`.
    pub(super) password: &'a SecretText,
    /// Whether they are put in as they are.
    pub(super) disable_escaping: bool,
}

const MALFORMED: &str = "error creating database object: cannot parse connection url; write it like \
    postgresql://{{username}}:{{password}}@host:5432/database?sslmode=verify-full";

impl Login<'_> {
    /// Where to connect to and how; the error is a sentence for the caller.
    pub(super) fn target(&self) -> Result<(Config, TlsMode), &'static str> {
        if self.url.expose().trim().is_empty() {
            return Err("error creating database object: connection_url cannot be empty");
        }
        let filled = self.filled();
        // The first @ ends the login, as tokio-postgres reads it.
        let host = filled.find('@').unwrap_or_default();
        let options = if scheme(&filled).is_some() { query_options(&filled, host) } else { keyword_options(&filled)? };
        let mode = options.iter().rev().find(|option| option.is_called("sslmode", &filled));
        let mode = mode.map_or(Ok(TlsMode::Prefer), |option| tls_mode(option.value(&filled)))?;
        if options
            .iter()
            .any(|option| ["sslrootcert", "sslcert", "sslkey"].iter().any(|name| option.is_called(name, &filled)))
        {
            return Err("sslrootcert, sslcert and sslkey are not read from the connection_url; set tls_ca, \
                        tls_certificate and private_key to PEM text instead");
        }
        let mut text = Zeroizing::new(filled.to_string());
        for option in options.iter().rev().filter(|option| option.is_called("sslmode", &filled)) {
            text.replace_range(option.whole.clone(), "");
        }
        let mut config: Config = text.parse().map_err(|_| MALFORMED)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err("error creating database object: the connection_url names no host");
        }
        config.ssl_mode(match mode {
            TlsMode::Disable => SslMode::Disable,
            TlsMode::Prefer => SslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
        });
        Ok((config, mode))
    }

    fn filled(&self) -> Zeroizing<String> {
        let url = self.url.expose();
        let escape = |text: &str| match (self.disable_escaping, scheme(url)) {
            (true, _) => Zeroizing::new(text.to_owned()),
            (false, Some(_)) => percent_encoded(text),
            (false, None) => backslashed(text),
        };
        let (username, password) = (escape(self.username), escape(self.password.expose()));
        let mut filled = Zeroizing::new(String::with_capacity(url.len() + username.len() + password.len()));
        let mut rest = url;
        while let Some(start) = rest.find("{{") {
            let (head, tail) = rest.split_at(start);
            filled.push_str(head);
            let known = [("{{username}}", &username), ("{{password}}", &password)];
            let found = known.into_iter().find_map(|(name, value)| Some((tail.strip_prefix(name)?, value)));
            if let Some((after, value)) = found {
                filled.push_str(value);
                rest = after;
            } else {
                filled.push_str("{{");
                rest = tail.get(2..).unwrap_or_default();
            }
        }
        filled.push_str(rest);
        filled
    }
}

/// Whether the URL has a password in it rather than `{{password}}`.
pub(crate) fn has_password(url: &str) -> bool {
    password_place(url).is_some()
}

/// The URL with `xxxxx` in place of a password in it.
pub(crate) fn masked(url: &str) -> String {
    let mut text = url.to_owned();
    // From the end, so that the places before stay right.
    while let Some(place) = password_place(&text) {
        text.replace_range(place, "xxxxx");
    }
    text
}

/// Where a password stands in the URL.
fn password_place(url: &str) -> Option<Range<usize>> {
    const SHOWN: [&str; 2] = ["{{password}}", "xxxxx"];
    let shown =
        |place: &Range<usize>| url.get(place.clone()).is_some_and(|text| text.is_empty() || SHOWN.contains(&text));
    let in_authority = scheme(url).and_then(|start| {
        let end = start + url.get(start..)?.rfind('@')?;
        let colon = start + url.get(start..end)?.find(':')?;
        Some(colon + 1..end)
    });
    let options = match scheme(url) {
        // A password that is not escaped may have an @ in it, and so may an option.
        Some(_) => [url.find('@'), url.rfind('@')]
            .into_iter()
            .flat_map(|host| query_options(url, host.unwrap_or_default()))
            .collect(),
        // A text that cannot be read is hidden from its first such word on.
        None => keyword_options(url).unwrap_or_else(|_| {
            let start = url.find("password").map_or(0, |at| at + "password".len());
            vec![Place { name: start.saturating_sub("password".len())..start, value: start..url.len(), whole: 0..0 }]
        }),
    };
    let in_options = options.into_iter().filter(|option| option.is_called("password", url)).map(|option| option.value);
    in_authority.into_iter().chain(in_options).rfind(|place| !shown(place))
}

/// Where an option stands in a URL.
#[derive(Debug)]
struct Place {
    name: Range<usize>,
    value: Range<usize>,
    whole: Range<usize>,
}

impl Place {
    /// Whether its name is this one; it may be percent-encoded.
    fn is_called(&self, name: &str, text: &str) -> bool {
        let written = text.get(self.name.clone()).unwrap_or_default();
        percent_encoding::percent_decode_str(written).eq(name.bytes())
    }

    fn value<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.value.clone()).unwrap_or_default().trim_matches('\'')
    }
}

/// Where the URL's scheme ends, if it has one.
fn scheme(url: &str) -> Option<usize> {
    ["postgres://", "postgresql://"].into_iter().find(|scheme| url.starts_with(scheme)).map(str::len)
}

/// The options after the question mark of a URL, whose login ends at `host`.
fn query_options(url: &str, host: usize) -> Vec<Place> {
    let Some(start) = url.get(host..).and_then(|tail| tail.find('?')).map(|at| host + at + 1) else {
        return Vec::new();
    };
    let mut places = Vec::new();
    let mut at = start;
    for part in url.get(start..).unwrap_or_default().split('&') {
        let end = at + part.len();
        let equals = part.find('=').map_or(end, |equals| at + equals);
        // The separator goes with the option, so that taking one out leaves a URL.
        let whole = at..(end + 1).min(url.len());
        places.push(Place { name: at..equals, value: (equals + 1).min(end)..end, whole });
        at = end + 1;
    }
    places
}

/// The options of the form `host=… user=…`.
fn keyword_options(text: &str) -> Result<Vec<Place>, &'static str> {
    let mut places = Vec::new();
    let mut at = 0;
    loop {
        let blank = |at: usize| text.get(at..).map_or(0, |rest| rest.len() - rest.trim_start().len());
        at += blank(at);
        let rest = text.get(at..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(places);
        }
        let equals = at + rest.find('=').ok_or(MALFORMED)?;
        let name = text.get(at..equals).unwrap_or_default().trim_end();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(MALFORMED);
        }
        let start = equals + 1 + blank(equals + 1);
        let end = start + value_length(text.get(start..).unwrap_or_default()).ok_or(MALFORMED)?;
        places.push(Place { name: at..at + name.len(), value: start..end, whole: at..end });
        at = end;
    }
}

/// The bytes of a value, which may be in quotes and have backslashes.
fn value_length(text: &str) -> Option<usize> {
    let quoted = text.starts_with('\'');
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next()?;
            }
            '\'' if quoted => return Some(index + 1),
            c if c.is_whitespace() && !quoted => return Some(index),
            _ => {}
        }
    }
    if quoted { None } else { Some(text.len()) }
}

fn tls_mode(text: &str) -> Result<TlsMode, &'static str> {
    match text {
        "disable" => Ok(TlsMode::Disable),
        "" | "allow" | "prefer" => Ok(TlsMode::Prefer),
        "require" => Ok(TlsMode::Require),
        "verify-ca" => Ok(TlsMode::VerifyCa),
        "verify-full" => Ok(TlsMode::VerifyFull),
        _ => Err("sslmode must be disable, prefer, require, verify-ca or verify-full"),
    }
}

/// `text` with everything but letters, digits and `-._~` as `%XX` (RFC 3986).
fn percent_encoded(text: &str) -> Zeroizing<String> {
    const KEPT: percent_encoding::AsciiSet =
        percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    Zeroizing::new(percent_encoding::utf8_percent_encode(text, &KEPT).to_string())
}

/// `text` with a backslash before what would end a value, inside of quotes and outside.
fn backslashed(text: &str) -> Zeroizing<String> {
    let mut escaped = Zeroizing::new(String::with_capacity(text.len() * 2));
    for character in text.chars() {
        if matches!(character, '\\' | '\'') || character.is_whitespace() {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// What the fuzz target runs: a URL (behind the second line) into which a user (the first line) and their password (the
/// second) go.
#[doc(hidden)]
pub fn fuzz(text: &str) {
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default().replace('\0', "");
    let (username, password, url) = (line(), SecretText::new(line()), line());
    let hidden = masked(&url);
    assert!(!has_password(&hidden) && masked(&hidden) == hidden);
    assert_eq!(has_password(&url), hidden != url);
    let target = |url: &str, disable_escaping| {
        let url = SecretText::new(url.to_owned());
        Login { url: &url, username: &username, password: &password, disable_escaping }.target()
    };
    for disable_escaping in [true, false] {
        if let Ok((config, _)) = target(&url, disable_escaping) {
            assert!(!config.get_hosts().is_empty() || !config.get_hostaddrs().is_empty());
        }
    }
    // What PostgreSQL is told from the URL itself is not shown.
    let found = target(&hidden, false).ok().and_then(|(config, _)| config.get_password().map(<[u8]>::to_vec));
    let shown = [b"xxxxx".as_slice(), b"", password.expose().as_bytes()];
    assert!(found.is_none_or(|found| shown.contains(&found.as_slice())));
    for url in ["postgresql://{{username}}:{{password}}@h/d", "host=h user='{{username}}' password='{{password}}'"] {
        let config = target(url, false).map(|(config, _)| config);
        let is_user = |config: &Config| config.get_user().unwrap_or_default() == username;
        let expected = password.expose().as_bytes();
        let is_password = |config: &Config| config.get_password().unwrap_or_default() == expected;
        assert!(
            username.is_empty()
                || password.expose().is_empty()
                || config.is_ok_and(|config| is_user(&config) && is_password(&config))
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn target(url: &str, username: &str, password: &str) -> Result<(Config, TlsMode), &'static str> {
        let (url, password) = (SecretText::new(url.to_owned()), SecretText::new(password.to_owned()));
        Login { url: &url, username, password: &password, disable_escaping: false }.target()
    }

    #[test]
    fn sslmode_is_understood_in_both_forms() {
        for (text, mode) in [
            ("disable", TlsMode::Disable),
            ("prefer", TlsMode::Prefer),
            ("require", TlsMode::Require),
            ("verify-ca", TlsMode::VerifyCa),
            ("verify-full", TlsMode::VerifyFull),
        ] {
            for url in [
                format!("postgresql://u:p@h:1/d?sslmode={text}"),
                format!("postgres://u:p@h:1/d?application_name=x&sslmode={text}&connect_timeout=5"),
                format!("postgres://u:p@h:1/d?application_name=a@b&sslmode={text}"),
                format!("postgres://u:p@h:1/d?ssl%6dode={text}"),
                format!("host=h sslmode={text} user=u password=p port=1 dbname=d"),
                format!("host=h user=u password=p port=1 dbname=d sslmode = '{text}'"),
            ] {
                let (config, found) = target(&url, "", "").unwrap();
                assert_eq!(found, mode, "{url}");
                assert_eq!((config.get_user(), config.get_password()), (Some("u"), Some(b"p".as_slice())));
                assert_eq!((config.get_ports(), config.get_dbname()), ([1].as_slice(), Some("d")));
            }
        }
        assert_eq!(target("postgresql://u:p@h/d", "", "").unwrap().1, TlsMode::Prefer);
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for url in [
            "",
            "garbage here",
            "postgresql:///d",
            "postgresql://h/d?sslmode=maybe",
            "host='h",
            "host=h =x",
            "postgresql://h/d?sslrootcert=/etc/x",
            "postgresql://h/d?nosuch=1",
            "postgresql://h:port/d",
        ] {
            let error = target(url, "u", "hunter2").unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn passwords_are_masked() {
        for (url, shown) in [
            ("postgresql://u:secret@h/d?sslmode=disable", "postgresql://u:xxxxx@h/d?sslmode=disable"),
            ("postgresql://u:se@cr:et/?@h/d", "postgresql://u:xxxxx@h/d"),
            ("postgresql://{{username}}:{{password}}@h/d", "postgresql://{{username}}:{{password}}@h/d"),
            ("postgresql://u@h/d?password=secret&sslmode=x", "postgresql://u@h/d?password=xxxxx&sslmode=x"),
            ("postgresql://u@h/d?p%61ssword=secret", "postgresql://u@h/d?p%61ssword=xxxxx"),
            ("postgresql://u@h/d?password=se@cret&sslmode=x", "postgresql://u@h/d?password=xxxxx&sslmode=x"),
            ("host=h password='a secret' user=u", "host=h password=xxxxx user=u"),
            ("host=h password={{password}}", "host=h password={{password}}"),
            ("host=h password='secret", "host=h passwordxxxxx"),
        ] {
            assert_eq!(masked(url), shown);
            assert_eq!(has_password(url), url != shown, "{url}");
        }
    }

    proptest! {
        #[test]
        fn any_login_arrives_as_it_is(username in "[^\\x00]{1,12}", password in "[^\\x00]{1,12}") {
            for url in [
                "postgresql://{{username}}:{{password}}@h:5/d?sslmode=disable",
                "host=h user={{username}} password={{password}} sslmode=disable",
                "host=h user='{{username}}' password='{{password}}' sslmode=disable",
            ] {
                let (config, mode) = target(url, &username, &password).unwrap();
                prop_assert_eq!(config.get_user(), Some(username.as_str()));
                prop_assert_eq!(config.get_password(), Some(password.as_bytes()));
                prop_assert_eq!(mode, TlsMode::Disable);
            }
        }

        #[test]
        fn no_text_makes_it_panic(url in "(postgres://|postgresql://)?[a-z=@:?&/'{} \\\\]{0,40}") {
            let _ = target(&url, "u", "p");
            let _ = masked(&url);
        }
    }
}
