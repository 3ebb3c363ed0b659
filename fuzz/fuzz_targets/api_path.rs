//! A request's path has one spelling, and is read as what it is written as.
#![no_main]

use arca::api::ApiPath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(path) = ApiPath::parse(text) {
        let again = ApiPath::parse(path.as_str()).expect("a path that was read is a path");
        assert_eq!(again.as_str(), path.as_str());
        assert!(path.as_str().split('/').all(|segment| segment != "." && segment != ".."));
    }
});
