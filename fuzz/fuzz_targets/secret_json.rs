//! A secret's payload stays the text that it came as.
#![no_main]

use arca::secret::SecretJson;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(payload) = serde_json::from_slice::<SecretJson>(bytes) {
        assert_eq!(payload.copy().expose(), payload.expose());
        assert!(!(payload.is_null() && payload.is_object()));
    }
});
