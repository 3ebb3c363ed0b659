//! What a disk gives back: the witness of a store, the links of its chain, and the records of sled.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    arca::storage::fuzz_witness(bytes);
    arca::storage::fuzz_sled(bytes);
});
