//! A file that anyone may have handed to an operator as a backup: it is refused, or its records come out in order.
#![no_main]

use arca::backup::{BackupKey, Reader};
use arca::entropy::SeededEntropy;
use arca::secret::RootKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(reader) = Reader::open(bytes) else { return };
    let root = RootKey::generate(&SeededEntropy::new(1)).expect("a key");
    let key = BackupKey::derive(&root, &reader.meta().salt).expect("a key");
    let Ok(mut records) = reader.unlock(key) else { return };
    let mut before = None;
    while let Ok(Some((key, _))) = records.next_record() {
        assert!(before.as_ref().is_none_or(|before| *before < key));
        before = Some(key);
    }
});
