//! What a role demands of a certificate beside its chain.

use crate::engine::fits_glob;
use crate::error::{Error, Result};

use super::leaf::Leaf;
use super::roles::Role;

/// Whether `leaf` has all that `role` demands. An empty demand is none.
pub(super) fn fits(role: &Role, leaf: &Leaf) -> bool {
    let common_name = std::slice::from_ref(&leaf.common_name);
    any_fits(role.allowed_names.as_deref(), &[common_name, &leaf.dns_names, &leaf.emails])
        && any_fits(role.allowed_common_names.as_deref(), &[common_name])
        && any_fits(role.allowed_dns_sans.as_deref(), &[&leaf.dns_names])
        && any_fits(role.allowed_email_sans.as_deref(), &[&leaf.emails])
        && any_fits(role.allowed_uri_sans.as_deref(), &[&leaf.uris])
        && any_fits(role.allowed_organizational_units.as_deref(), &[&leaf.units])
        && role.required_extensions.iter().flatten().all(|wanted| extension_fits(wanted, leaf))
}

/// That `demands` can be understood; the error says what form they must have.
pub(super) fn check_extensions(demands: &[String]) -> Result<()> {
    let complaint = "a required extension must be written as oid:value, or as hex:oid:value with the value in hex";
    if demands.iter().all(|demand| Demand::parse(demand).is_some()) { Ok(()) } else { Err(Error::invalid(complaint)) }
}

fn any_fits(patterns: Option<&[String]>, values: &[&[String]]) -> bool {
    let patterns = patterns.unwrap_or_default();
    // A blank pattern fits nothing, not even the common name of a certificate that has none.
    let fits = |value: &String| patterns.iter().any(|pattern| !pattern.is_empty() && fits_glob(pattern, value));
    patterns.is_empty() || values.iter().copied().flatten().any(fits)
}

fn extension_fits(wanted: &str, leaf: &Leaf) -> bool {
    let Some(demand) = Demand::parse(wanted) else { return false };
    let Some(value) = leaf.extensions.get(demand.oid) else { return false };
    if demand.hex {
        fits_glob(&demand.pattern.to_ascii_lowercase(), &value.hex)
    } else {
        fits_glob(demand.pattern, &value.text)
    }
}

/// `oid:pattern` for the text of an extension, `hex:oid:pattern` for all of its bytes.
struct Demand<'a> {
    hex: bool,
    oid: &'a str,
    pattern: &'a str,
}

impl<'a> Demand<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (hex, text) = text.strip_prefix("hex:").map_or((false, text), |rest| (true, rest));
        let (oid, pattern) = text.split_once(':')?;
        let arcs = oid.split('.').all(|arc| !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()));
        let in_hex = !hex || pattern.bytes().all(|byte| byte == b'*' || byte.is_ascii_hexdigit());
        (arcs && in_hex).then_some(Self { hex, oid, pattern })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demands_have_a_form() {
        let check = |text: &str| check_extensions(&[text.to_owned()]).is_ok();
        assert!(check("1.2.3:a*") && check("1.2.3:") && check("hex:1.2.3:0c*") && check("1.2.3:a:b"));
        assert!(!check("1.2.3") && !check("x:a") && !check("hex:1.2.3") && !check("hex:1.2.3:zz") && !check(":a"));
        assert!(!check("1..3:a"));
    }
}
