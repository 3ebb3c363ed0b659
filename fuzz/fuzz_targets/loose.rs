//! The inputs that may be written in several ways: `"30m"` or 1800, `"a,b"` or `["a","b"]`.
#![no_main]

use arca::api::{KeyValues, LooseBool, LooseInt, LooseText, StringList, Ttl};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Ttl::parse(text);
    let _ = serde_json::from_str::<Ttl>(text);
    let _ = serde_json::from_str::<LooseInt>(text);
    let _ = serde_json::from_str::<LooseBool>(text);
    let _ = serde_json::from_str::<LooseText>(text);
    let _ = serde_json::from_str::<StringList>(text);
    let _ = serde_json::from_str::<KeyValues>(text);
});
