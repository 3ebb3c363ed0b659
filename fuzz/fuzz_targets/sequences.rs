//! A sequence of requests against the whole pipeline in memory, three bytes each, with the plain model of
//! `tests/sequences/` beside it.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/sequences"]
mod sequences {
    pub mod model;
    pub mod step;
    pub mod world;
}

fuzz_target!(|bytes: &[u8]| sequences::model::run(bytes));
