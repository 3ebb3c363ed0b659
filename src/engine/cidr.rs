//! The addresses that roles, secret ids and tokens are bound to.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::error::{Error, Result};

/// Addresses and networks in their one spelling; a single address is written without a mask.
pub fn bound_cidrs(texts: &[String]) -> Result<Vec<String>> {
    texts.iter().map(|text| network(text).map(spelling)).collect()
}

/// Whether `address` lies in one of `bounds`; no bounds are any address. An unknown address lies in none.
pub fn address_is_bound(bounds: &[String], address: Option<IpAddr>) -> bool {
    let within = |address: IpAddr| bounds.iter().any(|text| network(text).is_ok_and(|net| net.contains(&address)));
    bounds.is_empty() || address.map(|address| address.to_canonical()).is_some_and(within)
}

/// Whether every network of `inner` lies in one of `outer`; no `outer` bounds hold any.
pub fn cidrs_within(inner: &[String], outer: &[String]) -> Result<bool> {
    let outer = outer.iter().map(|text| network(text)).collect::<Result<Vec<_>>>()?;
    let inner = inner.iter().map(|text| network(text)).collect::<Result<Vec<_>>>()?;
    let held = |net: &IpNet| outer.iter().any(|outer| outer.contains(net));
    Ok(outer.is_empty() || inner.iter().all(held))
}

fn network(text: &str) -> Result<IpNet> {
    let complaint = || Error::invalid("a bound CIDR must be an address or a network like 10.0.0.0/8");
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(IpNet::from(address)),
        Err(_) => text.parse().map_err(|_| complaint()),
    }
}

fn spelling(network: IpNet) -> String {
    let single = network.prefix_len() == network.max_prefix_len();
    if single { network.addr().to_string() } else { network.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(items: &[&str]) -> Vec<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    #[test]
    fn spellings() {
        let given = texts(&["127.0.0.1/32", "10.0.0.0/8", "::1", "fd00::/8"]);
        assert_eq!(bound_cidrs(&given).unwrap(), texts(&["127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8"]));
        for bad in ["", "10.0.0.0/33", "ten", "10.0.0"] {
            assert!(bound_cidrs(&texts(&[bad])).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses() {
        let bounds = texts(&["10.0.0.0/8", "::1"]);
        let bound = |address: &str| address_is_bound(&bounds, address.parse().ok());
        assert!(bound("10.1.2.3") && bound("::1") && bound("::ffff:10.1.2.3"));
        assert!(!bound("11.0.0.1") && !bound("::2") && !bound("no address"));
        assert!(address_is_bound(&[], None));
    }

    #[test]
    fn subsets() {
        let within = |inner: &[&str], outer: &[&str]| cidrs_within(&texts(inner), &texts(outer)).unwrap();
        assert!(within(&["10.1.0.0/16", "10.2.3.4"], &["10.0.0.0/8"]));
        assert!(within(&["1.2.3.4"], &[]));
        assert!(within(&[], &["10.0.0.0/8"]));
        assert!(!within(&["0.0.0.0/0"], &["10.0.0.0/8"]));
        assert!(!within(&["10.0.0.1", "11.0.0.1"], &["10.0.0.0/8"]));
    }
}
