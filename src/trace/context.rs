//! Which trace a request belongs to: W3C Trace Context, level 1 (<https://www.w3.org/TR/trace-context/>).

use crate::entropy::Entropy;

/// Names a trace; not all zeroes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId(pub [u8; 16]);

/// Names a span; not all zeroes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanId(pub [u8; 8]);

/// Where the span of a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace: TraceId,
    /// The span of the caller.
    pub parent: Option<SpanId>,
}

/// Which traces are looked at, of those for which nobody has decided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sampling {
    /// Traces whose id is below this.
    below: u64,
}

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TraceParent {
    trace: TraceId,
    span: SpanId,
    sampled: bool,
}

/// The flag of `traceparent` that says that the caller records its part.
const SAMPLED: u8 = 1;

impl Sampling {
    /// A share of all traces, from 0 to 1.
    pub(super) fn new(ratio: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "the share of the numbers below 2^63, of which the last bits do not matter"
        )]
        let below = (ratio.clamp(0.0, 1.0) * (1_u64 << 63) as f64) as u64;
        Self { below }
    }

    /// The decision that all SDKs of OpenTelemetry come to for the same trace and share: by the low 63 bits of the id.
    fn takes(self, trace: TraceId) -> bool {
        let low = trace.0.last_chunk().copied().map_or(u64::MAX, u64::from_be_bytes);
        low & (u64::MAX >> 1) < self.below
    }
}

impl TraceContext {
    /// The place of a request that came with `header`: in the trace of its caller if that is recorded, in none if it is
    /// not, and in a new one where there is no header, or one that cannot be read.
    pub(super) fn of_request(header: &str, sampling: Sampling, entropy: &dyn Entropy) -> Option<Self> {
        if let Some(TraceParent { trace, span, sampled }) = TraceParent::parse(header) {
            return sampled.then_some(Self { trace, parent: Some(span) });
        }
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes).ok()?;
        // All zeroes would be no id, and 2^-128 is as likely as that.
        let trace = TraceId(bytes);
        sampling.takes(trace).then_some(Self { trace, parent: None })
    }
}

impl TraceParent {
    /// Reads the header. Versions to come may have more behind it.
    fn parse(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let [version] = bytes::<1>(parts.next()?)?;
        let trace = bytes(parts.next()?)?;
        let span = bytes(parts.next()?)?;
        let [flags] = bytes::<1>(parts.next()?)?;
        let is_readable = match version {
            0 => parts.next().is_none(),
            0xff => false,
            1..=0xfe => true,
        };
        let is_named = trace != [0; 16] && span != [0; 8];
        (is_readable && is_named).then_some(Self {
            trace: TraceId(trace),
            span: SpanId(span),
            sampled: flags & SAMPLED != 0,
        })
    }
}

/// What the fuzz target runs: what was read of a header stands in it.
#[doc(hidden)]
pub fn fuzz(header: &str) {
    let Some(TraceParent { trace, span, sampled }) = TraceParent::parse(header) else { return };
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    let (version, rest) = header.trim().split_at_checked(2).unwrap_or_default();
    let written = format!("-{}-{}-", hex(&trace.0), hex(&span.0));
    let flags = rest.strip_prefix(&written).and_then(|rest| rest.get(..2));
    assert!(
        version != "ff"
            && flags.and_then(|flags| u8::from_str_radix(flags, 16).ok()).map(|f| f & 1 == 1) == Some(sampled)
    );
}

/// So many bytes in lower-case hexadecimal.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entropy::SeededEntropy;

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_example_of_the_standard() {
        let parent = TraceParent::parse(HEADER).unwrap();
        assert_eq!(data_encoding::HEXLOWER.encode(&parent.trace.0), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(data_encoding::HEXLOWER.encode(&parent.span.0), "00f067aa0ba902b7");
        assert!(parent.sampled);
        assert!(!TraceParent::parse(&HEADER.replace("-01", "-00")).unwrap().sampled);
        assert!(TraceParent::parse(&format!("cc{}-more", &HEADER[2..])).is_some(), "a version to come");
    }

    #[test]
    fn what_is_no_header_is_none() {
        for bad in [
            "",
            "00",
            &format!("{HEADER}-more"),
            &format!("ff{}", &HEADER[2..]),
            &HEADER.to_uppercase(),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
        for end in 0..HEADER.len() {
            let cut = TraceParent::parse(&HEADER[..end]);
            assert_eq!(cut, None, "{end}");
        }
    }

    #[test]
    fn the_caller_decides_where_there_is_one() {
        let entropy = SeededEntropy::new(1);
        let of = |header: &str, ratio| TraceContext::of_request(header, Sampling::new(ratio), &entropy);
        assert!(of(HEADER, 0.0).unwrap().parent.is_some());
        assert_eq!(of(&HEADER.replace("-01", "-00"), 1.0), None);
        assert_eq!(of("", 0.0), None);
        assert_eq!(of("garbage", 1.0).unwrap().parent, None);
        let taken = (0..1000).filter(|_| of("", 0.25).is_some()).count();
        assert!((200..300).contains(&taken), "{taken}");
    }

    proptest! {
        #[test]
        fn no_header_panics(header in ".*") {
            let _ = TraceParent::parse(&header);
        }
    }
}
