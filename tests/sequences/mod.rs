//! Sequences of requests against the whole pipeline, with a plain model beside it. `fuzz/fuzz_targets/sequences.rs` runs the
//! same model on arbitrary bytes.

#[expect(unreachable_pub, reason = "the fuzz target has these files too")]
mod model;
#[expect(unreachable_pub, reason = "the fuzz target has these files too")]
mod step;
#[expect(unreachable_pub, reason = "the fuzz target has these files too")]
mod world;

use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sequences_of_requests_do_what_the_model_does(bytes in vec(any::<u8>(), 0..240)) {
        model::run(&bytes);
    }
}

/// Every kind of step, one after the other, with every token: what the model can do is done at least once.
#[test]
fn a_long_sequence_with_every_kind_of_step() {
    let mut bytes = Vec::new();
    for round in 0_u8..6 {
        for kind in 0_u8..32 {
            // Sealing and crashing come in between, and are followed by what needs an open vault.
            bytes.extend([kind, round.wrapping_mul(7).wrapping_add(kind), round.wrapping_add(kind.wrapping_mul(3))]);
        }
        bytes.extend([28, 0, 0]);
    }
    model::run(&bytes);
}
