//! Values of the file to the types that keys have.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;

use crate::api::Ttl;
use crate::hcl::{Kind, Number, Value};

/// A type that a key can have.
pub(super) trait Setting: Sized {
    /// Reads a value; the error says what is expected.
    fn read(value: &Value) -> Result<Self, &'static str>;

    /// What stands for a key that is not there and has no default.
    fn unset() -> Option<Self> {
        None
    }
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Switch(pub(super) bool);

impl Setting for Switch {
    fn read(value: &Value) -> Result<Self, &'static str> {
        match &value.kind {
            Kind::Bool(flag) => Some(*flag),
            Kind::Number(Number::Integer(0)) => Some(false),
            Kind::Number(Number::Integer(1)) => Some(true),
            Kind::Text(text) => match text.as_str() {
                "1" | "t" | "true" | "TRUE" | "True" => Some(true),
                "0" | "f" | "false" | "FALSE" | "False" => Some(false),
                _ => None,
            },
            Kind::List(_) | Kind::Null | Kind::Number(_) | Kind::Object(_) => None,
        }
        .map(Self)
        .ok_or("expected true or false")
    }
}

/// A share, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio(pub f64);

impl Setting for Ratio {
    fn read(value: &Value) -> Result<Self, &'static str> {
        let share = value.as_scalar().and_then(|text| text.parse().ok());
        share.filter(|share| (0.0..=1.0).contains(share)).map(Self).ok_or("expected a number from 0 to 1")
    }
}

impl Setting for u64 {
    fn read(value: &Value) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected a whole number that is not negative";
        value.as_scalar().and_then(|text| text.parse().ok()).ok_or(EXPECTED)
    }
}

impl Setting for u32 {
    fn read(value: &Value) -> Result<Self, &'static str> {
        let number = u64::read(value)?;
        Self::try_from(number).map_err(|_| "expected a whole number below 4294967296")
    }
}

impl Setting for String {
    fn read(value: &Value) -> Result<Self, &'static str> {
        value.as_text().map(str::to_owned).ok_or("expected text")
    }
}

impl Setting for PathBuf {
    fn read(value: &Value) -> Result<Self, &'static str> {
        let text = value.as_text().filter(|text| !text.is_empty());
        text.map(Self::from).ok_or("expected the path of a file or directory")
    }
}

impl Setting for Ttl {
    fn read(value: &Value) -> Result<Self, &'static str> {
        value.as_scalar().ok_or("expected a duration like 90s, 30m or 1h").and_then(|text| Self::parse(&text))
    }
}

impl Setting for SocketAddr {
    fn read(value: &Value) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected an IP address and a port, like 127.0.0.1:8200";
        const PORT: u16 = 8200;
        let text = value.as_text().ok_or(EXPECTED)?;
        if let Ok(address) = text.parse() {
            return Ok(address);
        }
        if let Ok(address) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return Ok(Self::new(address, PORT));
        }
        let (host, port) = text.rsplit_once(':').ok_or(EXPECTED)?;
        let port = port.parse().map_err(|_| EXPECTED)?;
        match host {
            "" => Ok(Self::new(Ipv4Addr::UNSPECIFIED.into(), port)),
            "localhost" => Ok(Self::new(Ipv4Addr::LOCALHOST.into(), port)),
            _ => Err(EXPECTED),
        }
    }
}

/// Networks: a list, or a text with commas. A bare address is a network of one.
impl Setting for Vec<IpNet> {
    fn read(value: &Value) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected a list of networks like 10.0.0.0/8";
        let network = |text: &str| {
            let text = text.trim();
            text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| EXPECTED)
        };
        if let Some(text) = value.as_text() {
            return text.split(',').filter(|part| !part.trim().is_empty()).map(network).collect();
        }
        let list = value.as_list().ok_or(EXPECTED)?;
        list.values().map(|element| element.as_text().ok_or(EXPECTED).and_then(network)).collect()
    }
}

/// Paths: a list, or one path.
impl Setting for Vec<PathBuf> {
    fn read(value: &Value) -> Result<Self, &'static str> {
        match value.as_list() {
            Some(list) => list.values().map(PathBuf::read).collect(),
            None => PathBuf::read(value).map(|path| vec![path]).map_err(|_| "expected a list of paths"),
        }
    }
}

impl<T: Setting> Setting for Option<T> {
    fn read(value: &Value) -> Result<Self, &'static str> {
        let is_unset = matches!(value.kind, Kind::Null) || value.as_text() == Some("");
        if is_unset { Ok(None) } else { T::read(value).map(Some) }
    }

    fn unset() -> Option<Self> {
        Some(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hcl;

    fn read<T: Setting>(text: &str) -> Result<T, &'static str> {
        T::read(hcl::parse(format!("k = {text}").as_bytes()).unwrap().items()[0].value())
    }

    #[test]
    fn addresses() {
        for (text, address) in [
            ("127.0.0.1:8200", "127.0.0.1:8200"),
            ("[::1]:1", "[::1]:1"),
            (":8200", "0.0.0.0:8200"),
            ("localhost:80", "127.0.0.1:80"),
            ("10.0.0.1", "10.0.0.1:8200"),
            ("::1", "[::1]:8200"),
            ("[::]", "[::]:8200"),
        ] {
            assert_eq!(read::<SocketAddr>(&format!("\"{text}\"")), Ok(address.parse().unwrap()), "{text}");
        }
        for text in ["\"example.com:1\"", "\"\"", "\"1.2.3.4:99999\"", "8200", "\"a\""] {
            assert!(read::<SocketAddr>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn loose_values() {
        for (text, flag) in [("true", true), ("\"true\"", true), ("1", true), ("\"0\"", false), ("false", false)] {
            assert_eq!(read::<Switch>(text), Ok(Switch(flag)), "{text}");
        }
        assert!(read::<Switch>("\"yes\"").is_err() && read::<Switch>("2").is_err());
        assert_eq!(read::<Ttl>("90"), Ok(Ttl::from_seconds(90)));
        assert_eq!(read::<Ttl>("\"1m\""), Ok(Ttl::from_seconds(60)));
        assert_eq!(read::<u32>("\"7\""), Ok(7));
        assert!(read::<u32>("-1").is_err() && read::<u32>("4294967296").is_err() && read::<String>("1").is_err());
        assert_eq!(read::<Option<String>>("\"\""), Ok(None));
        let networks = read::<Vec<IpNet>>("[\"10.0.0.0/8\", \"::1\"]").unwrap();
        assert_eq!(networks, ["10.0.0.0/8".parse().unwrap(), "::1/128".parse::<IpNet>().unwrap()]);
        assert_eq!(read::<Vec<IpNet>>("\"10.0.0.0/8, ::1\""), Ok(networks));
        assert!(read::<Vec<IpNet>>("\"x\"").is_err());
        assert_eq!(read::<Vec<PathBuf>>("[\"/a\", \"/b\"]"), Ok(vec!["/a".into(), "/b".into()]));
        assert_eq!(read::<Vec<PathBuf>>("\"/a\""), Ok(vec!["/a".into()]));
        assert!(read::<Vec<PathBuf>>("[1]").is_err() && read::<Vec<PathBuf>>("\"\"").is_err());
    }
}
