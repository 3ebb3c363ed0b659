//! A request's body: any bytes are an object of fields, or an error that repeats nothing of them.
#![no_main]

use arca::api::{KeyValues, StringList};
use arca::engine::Body;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let body = Body::new(bytes.to_vec().into());
    if let Ok(fields) = body.fields() {
        assert!(fields.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
    let _ = body.decode::<KeyValues>();
    let _ = body.decode::<std::collections::BTreeMap<String, StringList>>();
});
