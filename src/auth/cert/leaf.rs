//! `Leaf`: what a client's certificate says about its holder.

use std::collections::BTreeMap;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use ring::digest;
use x509_parser::der_parser::asn1_rs::{Any, FromDer as _};
use x509_parser::prelude::{GeneralName, ParsedExtension, X509Certificate};

/// What a client's certificate says about its holder. Nothing in it is to be believed before the chain is verified.
#[derive(Debug)]
pub(super) struct Leaf {
    /// The common name; empty where there is none. Of several the last one counts.
    pub(super) common_name: String,
    pub(super) units: Vec<String>,
    pub(super) dns_names: Vec<String>,
    pub(super) emails: Vec<String>,
    pub(super) uris: Vec<String>,
    /// By their dotted numbers.
    pub(super) extensions: BTreeMap<String, ExtensionValue>,
    /// The serial number in decimal.
    pub(super) serial: String,
    /// `aa:bb:…`, from the extensions; empty where they are missing.
    pub(super) subject_key_id: String,
    pub(super) authority_key_id: String,
    /// SHA-256 of the certificate, in hex: names this very certificate.
    pub(super) fingerprint: String,
    /// Seconds since 1970 between which it is valid, both included.
    pub(super) valid: (i64, i64),
    /// Whether it may be used to log in: the extended key usage says so, or there is none.
    pub(super) for_clients: bool,
    /// The name of its issuer, as DER.
    pub(super) issuer: Vec<u8>,
    pub(super) raw_serial: Vec<u8>,
}

/// The value of an extension.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ExtensionValue {
    /// The text, where the value is an ASN.1 text; empty otherwise.
    pub(super) text: String,
    /// All of the value in lower-case hex.
    pub(super) hex: String,
}

impl Leaf {
    /// Reads a certificate; nothing if it is not one, or carries an extension twice.
    pub(super) fn parse(der: &[u8]) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let texts =
            |attribute: &x509_parser::x509::AttributeTypeAndValue<'_>| attribute.as_str().ok().map(str::to_owned);
        let subject = certificate.subject();
        let mut leaf = Self {
            common_name: subject.iter_common_name().filter_map(texts).last().unwrap_or_default(),
            units: subject.iter_organizational_unit().filter_map(texts).collect(),
            dns_names: Vec::new(),
            emails: Vec::new(),
            uris: Vec::new(),
            extensions: BTreeMap::new(),
            serial: certificate.tbs_certificate.serial.to_string(),
            subject_key_id: String::new(),
            authority_key_id: String::new(),
            fingerprint: fingerprint(der),
            valid: (certificate.validity().not_before.timestamp(), certificate.validity().not_after.timestamp()),
            for_clients: true,
            issuer: certificate.issuer().as_raw().to_vec(),
            raw_serial: certificate.raw_serial().to_vec(),
        };
        for (oid, extension) in certificate.extensions_map().ok()? {
            let value = ExtensionValue { text: text_of(extension.value), hex: HEXLOWER.encode(extension.value) };
            leaf.extensions.insert(oid.to_id_string(), value);
            leaf.read(extension.parsed_extension())?;
        }
        Some(leaf)
    }

    fn read(&mut self, extension: &ParsedExtension<'_>) -> Option<()> {
        if let ParsedExtension::SubjectAlternativeName(names) = extension {
            for name in &names.general_names {
                if let GeneralName::DNSName(name) = name {
                    self.dns_names.push((*name).to_owned());
                } else if let GeneralName::RFC822Name(name) = name {
                    self.emails.push((*name).to_owned());
                } else if let GeneralName::URI(name) = name {
                    self.uris.push((*name).to_owned());
                }
            }
        } else if let ParsedExtension::ExtendedKeyUsage(usage) = extension {
            self.for_clients = usage.client_auth || usage.any;
        } else if let ParsedExtension::SubjectKeyIdentifier(id) = extension {
            self.subject_key_id = colons(id.0);
        } else if let ParsedExtension::AuthorityKeyIdentifier(id) = extension {
            self.authority_key_id = id.key_identifier.as_ref().map(|id| colons(id.0)).unwrap_or_default();
        } else if let ParsedExtension::ParseError { .. } = extension {
            return None;
        }
        Some(())
    }
}

/// SHA-256 of a certificate, in hex.
pub(super) fn fingerprint(der: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, der).as_ref())
}

/// The bytes of `aa:bb:…`; nothing if it is not written so.
pub(super) fn without_colons(text: &str) -> Option<Vec<u8>> {
    HEXLOWER_PERMISSIVE.decode(text.replace(':', "").as_bytes()).ok()
}

fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

/// The text of an ASN.1 UTF8String, NumericString, PrintableString, T61String or IA5String; empty for anything else.
fn text_of(value: &[u8]) -> String {
    const TEXTS: [u32; 5] = [12, 18, 19, 20, 22];
    match Any::from_der(value) {
        Ok((rest, any)) if rest.is_empty() && any.header.is_universal() && TEXTS.contains(&any.tag().0) => {
            std::str::from_utf8(any.data).unwrap_or_default().to_owned()
        }
        Ok(_) | Err(_) => String::new(),
    }
}
