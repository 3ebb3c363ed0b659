//! Whether secrets can be told by time: two classes of input, in an order left to chance, and Welch's t-test on how long
//! each took (the method of dudect, Reparaz, Balasch, Verbauwhede 2017).
//!
//! A busy machine makes both classes slower; a measurement that looks like a difference is made again. One that is there
//! each time fails the test; a control that leaks shows that it would be seen.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::time::Instant;

use arca::entropy::{Entropy, SystemEntropy};
use arca::seal::{DistinctShares, Threshold, combine, split};
use arca::secret::{ClientToken, SealKey, Share, ct_eq};
use serde_json::json;

use super::scale;
use crate::support::TestVault;

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

/// Welch's t of two classes, and the standard error of the difference, without the slower half of each: what took so long
/// was something else.
fn t(times: &[(bool, f64)]) -> (f64, f64) {
    let [a, b] = [false, true].map(|wanted| {
        let mut of_class: Vec<f64> =
            times.iter().filter(|(class, _)| *class == wanted).map(|(_, time)| *time).collect();
        of_class.sort_by(f64::total_cmp);
        let mut moments = Moments::default();
        of_class.iter().take(of_class.len() / 2).for_each(|time| moments.add(*time));
        moments
    });
    let error = (a.variance() / a.count + b.variance() / b.count).sqrt().max(f64::MIN_POSITIVE);
    ((a.mean - b.mean) / error, error)
}

/// What came of measuring.
#[derive(Clone, Copy, Debug)]
struct Measured {
    /// The smallest t of a few measurements: a difference that is not there each time is none.
    t: f64,
    /// How many of them there were.
    attempts: usize,
    /// How large a difference would have been suspicious, in nanoseconds for each reading of the clock.
    visible: f64,
}

impl Measured {
    fn of(mut measure: impl FnMut() -> Vec<(bool, f64)>) -> Self {
        let mut least = Self { t: f64::INFINITY, attempts: 0, visible: f64::INFINITY };
        while least.attempts < ATTEMPTS && least.t >= SUSPICIOUS {
            let (t, error) = t(&measure());
            if t.abs() < least.t {
                least = Self { t: t.abs(), visible: SUSPICIOUS * error, ..least };
            }
            least.attempts += 1;
        }
        least
    }

    /// Of a control, which is measured again if something else made a difference too small: only a control that is never
    /// found out says that differences are not seen.
    fn of_control(mut measure: impl FnMut() -> Vec<(bool, f64)>) -> Self {
        let mut last = Self::of(&mut measure);
        for _ in 1..ATTEMPTS {
            if last.t >= SUSPICIOUS {
                break;
            }
            last = Self::of(&mut measure);
        }
        last
    }
}

/// How long `work` took each time, after `choose` was told the class. What both classes work on is to lie at the same
/// place: where it lies shows.
fn times(samples: usize, mut choose: impl FnMut(bool), mut work: impl FnMut()) -> Vec<(bool, f64)> {
    let entropy: &dyn Entropy = &SystemEntropy::new();
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
    times
}

/// Two texts of a token's or a key's length: equal but for the last byte, or different from the first on.
fn texts(length: usize) -> (Vec<u8>, [Vec<u8>; 2]) {
    let secret = vec![b'a'; length];
    let (mut early, mut late) = (secret.clone(), secret.clone());
    early[0] = b'b';
    late[length - 1] = b'b';
    (secret, [early, late])
}

/// How many comparisons of this length go into one reading of the clock, which takes longer than one of them: some
/// hundred of what is short, and few enough that most readings are not interrupted.
fn at_once(length: usize) -> u32 {
    8_000 / u32::try_from(length).unwrap()
}

/// How long it took to compare a secret of this length with a text that differs early, or late.
fn compared(samples: usize, length: usize, equal: impl Fn(&[u8], &[u8]) -> bool) -> Vec<(bool, f64)> {
    let (secret, guesses) = texts(length);
    let guess = RefCell::new(secret.clone());
    let choose = |class| guess.borrow_mut().copy_from_slice(&guesses[usize::from(class)]);
    times(samples, choose, || {
        let guess = guess.borrow();
        for _ in 0..at_once(length) {
            black_box(equal(black_box(&secret), black_box(&guess)));
        }
    })
}

/// Tokens, keys, recorded tokens; and what is longer than any.
const LENGTHS: [usize; 4] = [26, 32, 95, 512];

/// The comparison that must not be.
fn stops_early(a: &[u8], b: &[u8]) -> bool {
    a.iter().zip(b).all(|(a, b)| black_box(a) == black_box(b))
}

/// At each length that is claimed, a comparison that stops at the first difference is found out, and ours is not.
#[test]
fn secrets_are_compared_in_the_same_time() {
    let samples = 2_000 * scale();
    for length in LENGTHS {
        let control = Measured::of_control(|| compared(samples, length, stops_early));
        let ours = Measured::of(|| compared(samples, length, ct_eq));
        println!(
            "secrets_are_compared_in_the_same_time: {length} bytes, t = {:.1} (attempt {} of {ATTEMPTS}; from {:.2} ns a \
             comparison on it would be {SUSPICIOUS}), one that stops early t = {:.1}",
            ours.t,
            ours.attempts,
            ours.visible / f64::from(at_once(length)),
            control.t,
        );
        assert!(control.t > SUSPICIOUS, "{length} bytes: a comparison that stops early is not found out: {control:?}");
        assert!(ours.t < SUSPICIOUS, "{length} bytes: {ours:?}");
    }
}

/// How many wrong tokens are looked up for one reading of the clock.
const TRIED: u8 = 30;

/// Looking up tokens that are wrong in the first character of their secret part, or in the last; each measurement has a
/// token of its own, since where in a tree its hash is looked for shows. How small a difference would be seen is printed,
/// and a look-up that compares the token itself first, and stops early, is found out.
#[test]
fn tokens_are_looked_up_in_the_same_time() {
    let vault = TestVault::new();
    let unsealed = vault.unsealed();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let make = || vault.root().post("auth/token/create", json!({"policies": ["default"]})).issued();
    let samples = 600 * scale();
    let measure = |compares: bool| {
        let token = make();
        let guesses = [wrong(&token, 2), wrong(&token, token.len() - 1)];
        let chosen = RefCell::new(Vec::new());
        let choose = |class| {
            let guesses: &Vec<ClientToken> = &guesses[usize::from(class)];
            *chosen.borrow_mut() = guesses.iter().map(|guess| ClientToken::new(guess.expose().to_owned())).collect();
        };
        times(samples, choose, || {
            for guess in &*chosen.borrow() {
                let mut both = token.chars().zip(guess.expose().chars());
                let is_known = compares && both.all(|(a, b)| black_box(a) == black_box(b));
                let found = runtime.block_on(unsealed.core.tokens.look_up(guess)).unwrap();
                assert!(black_box(found).is_none() && !black_box(is_known));
            }
        })
    };
    let control = Measured::of_control(|| measure(true));
    let ours = Measured::of(|| measure(false));
    println!(
        "tokens_are_looked_up_in_the_same_time: t = {:.1} (attempt {} of {ATTEMPTS}; from {:.0} ns a lookup on it would \
         be {SUSPICIOUS}), one that stops early t = {:.1}",
        ours.t,
        ours.attempts,
        ours.visible / f64::from(TRIED),
        control.t,
    );
    assert!(control.t > SUSPICIOUS, "a look-up that stops early is not found out: {control:?}");
    assert!(ours.t < SUSPICIOUS, "{ours:?}");
}

/// Tokens that differ from `token` in the character at `place`.
fn wrong(token: &str, place: usize) -> Vec<ClientToken> {
    let others =
        ('A'..='Z').chain('a'..='z').filter(|other| !token[place..].starts_with(*other)).take(usize::from(TRIED));
    others.map(|other| ClientToken::new(format!("{}{other}{}", &token[..place], &token[place + 1..]))).collect()
}

/// Shares with nothing but zeros, and shares of a key that is left to chance: combining them takes as long. A combination
/// whose multiplication looks at its operands is found out.
#[test]
fn shares_are_combined_in_the_same_time() {
    let entropy = SystemEntropy::new();
    let threshold = Threshold::new(3, 3).unwrap();
    let key = SealKey::generate(&entropy).unwrap();
    let random: Vec<Share> = split(&key, threshold, &entropy).unwrap().iter().map(copy).collect();
    // Both have the same coordinates, which are no secret and may show.
    let zeros = random.iter().map(zeroed).collect();
    let classes: [Vec<Share>; 2] = [zeros, random];
    let chosen = Cell::new(0);
    let measure = |work: &dyn Fn(&[Share])| {
        times(6_000 * scale(), |class| chosen.set(usize::from(class)), || work(&classes[chosen.get()]))
    };
    assert_eq!(combined_by_hand(&classes[1]), key.expose(), "the control combines something else");
    let control = Measured::of_control(|| measure(&|shares| drop(black_box(combined_by_hand(shares)))));
    let ours =
        Measured::of(|| measure(&|shares| drop(black_box(combine(DistinctShares::new(shares, threshold).unwrap())))));
    println!(
        "shares_are_combined_in_the_same_time: t = {:.1} (attempt {} of {ATTEMPTS}; from {:.0} ns a combination on it \
         would be {SUSPICIOUS}), one that looks at what it multiplies t = {:.1}",
        ours.t, ours.attempts, ours.visible, control.t,
    );
    assert!(control.t > SUSPICIOUS, "a multiplication that leaks is not found out: {control:?}");
    assert!(ours.t < SUSPICIOUS, "{ours:?}");
}

/// The key of these shares (the value at 0 of a polynomial over GF(2^8), by Lagrange's formula), with a multiplication that
/// must not be.
fn combined_by_hand(shares: &[Share]) -> Vec<u8> {
    let shares: Vec<(u8, &[u8])> =
        shares.iter().map(|share| share.expose().split_last().map(|(x, y)| (*x, y)).unwrap()).collect();
    let mut key = vec![0; shares[0].1.len()];
    for (x, values) in &shares {
        let others = shares.iter().map(|(other, _)| *other).filter(|other| other != x);
        let weight = others.fold(1, |weight, other| leaky(leaky(weight, other), inverse(other ^ x)));
        for (byte, value) in key.iter_mut().zip(*values) {
            *byte ^= leaky(weight, *value);
        }
    }
    key
}

/// The product in GF(2^8) modulo 0x11b, as long as `b` has bits.
fn leaky(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while black_box(b) != 0 {
        product ^= if b & 1 == 1 { a } else { 0 };
        a = (a << 1) ^ if a & 0x80 == 0 { 0 } else { 0x1b };
        b >>= 1;
    }
    product
}

/// The inverse, which is the power of 254.
fn inverse(a: u8) -> u8 {
    (0..7).fold((a, 1), |(power, inverse), _| (leaky(power, power), leaky(inverse, leaky(power, power)))).1
}

fn copy(share: &Share) -> Share {
    Share::new(share.expose().to_vec())
}

/// Zeros at the coordinate of this share.
fn zeroed(share: &Share) -> Share {
    let mut bytes = share.expose().to_vec();
    let (_, values) = bytes.split_last_mut().unwrap();
    values.fill(0);
    Share::new(bytes)
}
