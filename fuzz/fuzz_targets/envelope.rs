//! The barrier opens what it sealed, at its place, and nothing else; and reads what is its ledger.
#![no_main]

#[path = "../barrier.rs"]
mod barrier;

use arca::barrier::Balance;
use arca::storage::Key;
use barrier::BARRIER;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    assert!(BARRIER.open("place", bytes.to_vec()).is_err());
    let mut sealed = BARRIER.seal("place", bytes).expect("sealed");
    assert_eq!(BARRIER.open("place", sealed.clone()).expect("opened").as_slice(), bytes);
    assert!(BARRIER.open("other", sealed.clone()).is_err());
    let place = Key::new("core/ledger").expect("a key");
    let mut count = BARRIER.count().expect("a count");
    count.take(&place, &BARRIER.seal(place.as_str(), bytes).expect("sealed"));
    assert!(matches!(count.balance(), Balance::Unreadable | Balance::Even(_) | Balance::Uneven(..)));
    let middle = sealed.len() / 2;
    sealed[middle] ^= 1;
    assert!(BARRIER.open("place", sealed).is_err());
});
