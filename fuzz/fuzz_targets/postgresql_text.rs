//! What an operator writes for PostgreSQL: a URL or statements, behind the name and the password that go into them.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    arca::engines::database::fuzz_statement(text);
    arca::engines::database::fuzz_url(text);
});
