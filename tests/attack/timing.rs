//! Whether secrets can be told by time: two classes of input, in an order left to chance, and Welch's t-test on how long
//! each took (the method of dudect, Reparaz, Balasch, Verbauwhede 2017).
//!
//! A busy machine makes both classes slower; a measurement that looks like a difference is made again. One that is there
//! each time fails the test; the control shows that it would be seen.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::time::Instant;

use arca::entropy::{Entropy, SystemEntropy};
use arca::seal::{DistinctShares, Threshold, combine, split};
use arca::secret::{SealKey, Share, ct_eq};

use super::scale;

/// Above this a difference is more than chance and noise.
const SUSPICIOUS: f64 = 10.0;
const ATTEMPTS: usize = 6;

/// The mean, the variance and the number of what was measured, as it comes in.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let before = value - self.mean;
        self.mean += before / self.count;
        self.squares += before * (value - self.mean);
    }

    fn variance(self) -> f64 {
        self.squares / (self.count - 1.0)
    }
}

/// Welch's t of two classes, without the slowest tenth of all: what took so long was something else.
fn t(times: &[(bool, f64)]) -> f64 {
    let mut sorted: Vec<f64> = times.iter().map(|(_, time)| *time).collect();
    sorted.sort_by(f64::total_cmp);
    let most = sorted[sorted.len() * 9 / 10];
    let mut classes = [Moments::default(); 2];
    for (class, time) in times.iter().filter(|(_, time)| *time <= most) {
        classes[usize::from(*class)].add(*time);
    }
    let [a, b] = classes;
    (a.mean - b.mean) / (a.variance() / a.count + b.variance() / b.count).sqrt().max(f64::MIN_POSITIVE)
}

/// The smallest t of a few measurements of `work`, which comes after `choose` was told the class. What both classes work on is to
/// lie at the same place: where it lies shows.
fn measured(samples: usize, choose: impl Fn(bool), work: impl Fn()) -> f64 {
    let entropy: &dyn Entropy = &SystemEntropy::new();
    let mut least = f64::INFINITY;
    for _ in 0..ATTEMPTS {
        let mut times = Vec::with_capacity(samples);
        while times.len() < samples {
            for byte in entropy.bytes::<64>().unwrap() {
                let class = byte % 2 == 1;
                choose(class);
                let start = Instant::now();
                work();
                times.push((class, start.elapsed().as_secs_f64() * 1e9));
            }
        }
        least = least.min(t(&times).abs());
        if least < SUSPICIOUS {
            break;
        }
    }
    least
}

/// Two texts of a token's or a key's length: equal but for the last byte, or different from the first on.
fn texts(length: usize) -> (Vec<u8>, [Vec<u8>; 2]) {
    let secret = vec![b'a'; length];
    let (mut early, mut late) = (secret.clone(), secret.clone());
    early[0] = b'b';
    late[length - 1] = b'b';
    (secret, [early, late])
}

/// The t of comparing `secret` with the one or the other of `guesses`.
fn compared(samples: usize, secret: &[u8], guesses: &[Vec<u8>; 2], equal: impl Fn(&[u8], &[u8]) -> bool) -> f64 {
    let guess = RefCell::new(secret.to_vec());
    let choose = |class| guess.borrow_mut().copy_from_slice(&guesses[usize::from(class)]);
    measured(samples, choose, || {
        black_box(equal(black_box(secret), black_box(&guess.borrow())));
    })
}

/// The control: a comparison that stops at the first difference is found out.
#[test]
fn a_comparison_that_stops_early_is_seen() {
    let (secret, guesses) = texts(2048);
    let stops_early = |a: &[u8], b: &[u8]| a.iter().zip(b).all(|(a, b)| black_box(a) == black_box(b));
    let t = compared(4_000, &secret, &guesses, stops_early);
    println!("a_comparison_that_stops_early_is_seen: t = {t:.1}");
    assert!(t > SUSPICIOUS, "{t}");
}

#[test]
fn secrets_are_compared_in_the_same_time() {
    for length in [26, 32, 95, 2048] {
        let (secret, guesses) = texts(length);
        let t = compared(20_000 * scale(), &secret, &guesses, ct_eq);
        println!("secrets_are_compared_in_the_same_time: {length} bytes, t = {t:.1}");
        assert!(t < SUSPICIOUS, "{length} bytes: {t}");
    }
}

/// Shares of a key of zeros, and of one left to chance: combining them takes as long.
#[test]
fn shares_are_combined_in_the_same_time() {
    let entropy = SystemEntropy::new();
    let threshold = Threshold::new(3, 3).unwrap();
    let shares = |key: &SealKey| -> Vec<Share> { split(key, threshold, &entropy).unwrap().iter().map(copy).collect() };
    let zeros = shares(&SealKey::from_slice(&[0; 32]).unwrap());
    // Both have the same coordinates, which are no secret and may show.
    let random = moved(&shares(&SealKey::generate(&entropy).unwrap()), &zeros);
    let classes = [zeros, random];
    let chosen = Cell::new(0);
    let choose = |class| chosen.set(usize::from(class));
    let t = measured(1_500 * scale(), choose, || {
        let distinct = DistinctShares::new(&classes[chosen.get()], threshold).unwrap();
        black_box(combine(distinct));
    });
    println!("shares_are_combined_in_the_same_time: t = {t:.1}");
    assert!(t < SUSPICIOUS, "{t}");
}

fn copy(share: &Share) -> Share {
    Share::new(share.expose().to_vec())
}

/// The same values at the coordinates of `like`.
fn moved(shares: &[Share], like: &[Share]) -> Vec<Share> {
    let moved = shares.iter().zip(like).map(|(share, like)| {
        let mut bytes = share.expose().to_vec();
        *bytes.last_mut().unwrap() = *like.expose().last().unwrap();
        Share::new(bytes)
    });
    moved.collect()
}
