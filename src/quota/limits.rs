//! `RateLimits`: the rules in force and what each address has left of them.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crate::time::Timestamp;

use super::bucket::Bucket;
use super::rule::{QuotaConfig, RateLimit};
use super::scope::{Asked, deciding};

/// The rules in force. Counting is this node's alone.
pub struct RateLimits {
    state: RwLock<Arc<State>>,
}

struct State {
    config: QuotaConfig,
    rules: Vec<Arc<Rule>>,
}

struct Rule {
    limit: RateLimit,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    buckets: HashMap<IpAddr, Bucket>,
    /// When those that are as good as new were dropped last.
    swept: Option<Timestamp>,
}

/// A request that may go ahead under a limit, and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowance {
    /// `X-Ratelimit-Limit`.
    pub limit: f64,
    /// `X-Ratelimit-Remaining`.
    pub remaining: f64,
    /// Whether the answer is to say so.
    pub shown: bool,
}

/// A request that comes too early.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryAfter {
    /// When to ask again, from now.
    pub wait: Duration,
    /// The limit that refuses.
    pub limit: f64,
    /// Whether the answer is to say so in headers.
    pub shown: bool,
    /// Whether the refusal goes to the audit log.
    pub audited: bool,
}

/// For so many addresses a rule counts apart; those beyond share one count, so that made-up addresses cost no memory.
const ADDRESSES: usize = 65_536;
/// The least time between two looks for addresses that need not be counted apart any more.
const SWEEPS: Duration = Duration::from_secs(1);
/// Stands for the addresses beyond, and for requests without one.
const OTHERS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

impl RateLimits {
    /// These rules.
    pub fn new(config: QuotaConfig, limits: Vec<RateLimit>) -> Self {
        Self { state: RwLock::new(Arc::new(State::new(config, limits, &[]))) }
    }

    /// Replaces the rules. A rule that stays as it was keeps its counts.
    pub fn replace(&self, config: QuotaConfig, limits: Vec<RateLimit>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *state = Arc::new(State::new(config, limits, &state.rules));
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.state.read().unwrap_or_else(PoisonError::into_inner).rules.is_empty()
    }

    /// Whether a role that the request logs in with could matter, which it costs something to find out.
    pub fn ask_role(&self, asked: &Asked<'_>) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner).clone();
        state.rules.iter().any(|rule| rule.limit.scope.asks_role(asked)) && !state.config.exempts(asked.path)
    }

    /// Counts a request by `client`. Nothing if no limit is for it.
    pub fn check(
        &self,
        asked: &Asked<'_>,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<Allowance>, RetryAfter> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner).clone();
        if state.rules.is_empty() || state.config.exempts(asked.path) {
            return Ok(None);
        }
        let found = deciding(state.rules.iter().map(|rule| &rule.limit.scope), asked);
        let Some(rule) = found.and_then(|index| state.rules.get(index)) else { return Ok(None) };
        let shown = state.config.response_headers;
        match rule.take(client.map_or(OTHERS, network), now) {
            Ok(remaining) => Ok(Some(Allowance { limit: rule.limit.rate, remaining, shown })),
            Err(wait) => Err(RetryAfter { wait, limit: rule.limit.rate, shown, audited: state.config.audit_refusals }),
        }
    }
}

impl State {
    fn new(config: QuotaConfig, limits: Vec<RateLimit>, known: &[Arc<Rule>]) -> Self {
        let rules = limits.into_iter().map(|limit| {
            let same = known.iter().find(|rule| rule.limit == limit).cloned();
            same.unwrap_or_else(|| Arc::new(Rule { limit, counts: Mutex::default() }))
        });
        Self { config, rules: rules.collect() }
    }
}

impl Rule {
    fn take(&self, client: IpAddr, now: Timestamp) -> Result<f64, Duration> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.buckets.len() >= ADDRESSES && !counts.buckets.contains_key(&client) {
            counts.sweep(&self.limit, now);
        }
        let buckets = &mut counts.buckets;
        let client = if buckets.len() < ADDRESSES || buckets.contains_key(&client) { client } else { OTHERS };
        buckets.entry(client).or_insert_with(|| Bucket::full(&self.limit, now)).take(&self.limit, now)
    }
}

impl Counts {
    /// Drops the buckets that are as good as new. All others wait for it, so it is done now and then only.
    fn sweep(&mut self, limit: &RateLimit, now: Timestamp) {
        // Absolute: after a clock that went back it is not put off.
        if self.swept.is_some_and(|swept| now.since(swept) < SWEEPS && swept.since(now) < SWEEPS) {
            return;
        }
        self.swept = Some(now);
        self.buckets.retain(|_, bucket| !bucket.is_idle(limit, now));
    }
}

/// Whom an address belongs to: of IPv6 the network of 64 bits, since one host has all of it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

impl fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("RateLimits").field("rules", &state.rules.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Ttl;
    use crate::quota::Scope;

    const START: Timestamp = Timestamp::from_unix_nanos(1_800_000_000_000_000_000);

    fn limit(path: &str, rate: f64, block: u64) -> RateLimit {
        RateLimit {
            name: path.to_owned(),
            scope: Scope { path: path.to_owned(), role: String::new(), inheritable: false },
            rate,
            interval: Ttl::from_seconds(1),
            block_interval: Ttl::from_seconds(block),
        }
    }

    fn asked(path: &str) -> Asked<'_> {
        Asked { namespace: "", path, role: "" }
    }

    fn at(millis: u64) -> Timestamp {
        START.plus(Duration::from_millis(millis))
    }

    #[expect(clippy::unnecessary_wraps, reason = "the check takes an address that may be missing")]
    fn client(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn an_address_has_so_many_requests_in_an_interval() {
        let limits = RateLimits::new(QuotaConfig::default(), vec![limit("kv/", 2.0, 0)]);
        let ask = |address: &str, millis| limits.check(&asked("kv/a"), client(address), at(millis));
        assert!(ask("192.0.2.1", 0).is_ok() && ask("192.0.2.1", 1).is_ok());
        let refused = ask("192.0.2.1", 2).unwrap_err();
        assert!(refused.wait <= Duration::from_millis(500), "{refused:?}");
        assert!(ask("192.0.2.2", 2).is_ok(), "another address has its own");
        assert!(ask("192.0.2.1", 600).is_ok());
        assert_eq!(limits.check(&asked("sys/health"), client("192.0.2.1"), at(2)), Ok(None));
    }

    #[test]
    fn who_asks_too_often_is_blocked() {
        let limits = RateLimits::new(QuotaConfig::default(), vec![limit("", 1.0, 60)]);
        let ask = |millis| limits.check(&asked("kv/a"), client("192.0.2.1"), at(millis));
        assert!(ask(0).is_ok() && ask(1).is_err() && ask(30_000).is_err());
        assert!(ask(60_002).is_ok());
    }

    #[test]
    fn one_network_of_64_bits_is_one_client() {
        let limits = RateLimits::new(QuotaConfig::default(), vec![limit("", 1.0, 0)]);
        let ask = |address: &str| limits.check(&asked("kv/a"), client(address), START);
        assert!(ask("2001:db8::1").is_ok() && ask("2001:db8::2").is_err() && ask("2001:db8:0:1::1").is_ok());
        assert!(ask("192.0.2.1").is_ok() && ask("::ffff:192.0.2.1").is_err());
    }

    #[test]
    fn a_rule_that_stays_keeps_its_counts() {
        let limits = RateLimits::new(QuotaConfig::default(), vec![limit("kv/", 1.0, 0)]);
        let ask = || limits.check(&asked("kv/a"), client("192.0.2.1"), START);
        assert!(ask().is_ok() && ask().is_err());
        limits.replace(QuotaConfig::default(), vec![limit("kv/", 1.0, 0), limit("other/", 1.0, 0)]);
        assert!(ask().is_err());
        limits.replace(QuotaConfig::default(), vec![limit("kv/", 2.0, 0)]);
        assert!(ask().is_ok());
        limits.replace(QuotaConfig::default(), Vec::new());
        assert_eq!(ask(), Ok(None));
    }

    #[test]
    fn a_storm_on_one_role_leaves_the_others_alone() {
        let mut of_role = limit("auth/approle/", 1.0, 0);
        "web".clone_into(&mut of_role.scope.role);
        let limits = RateLimits::new(QuotaConfig::default(), vec![limit("", 100.0, 0), of_role]);
        let ask = |role: &str| {
            let asked = Asked { role, ..asked("auth/approle/login") };
            limits.check(&asked, client("192.0.2.1"), START)
        };
        assert!(ask("web").is_ok() && ask("web").is_err() && ask("db").is_ok() && ask("").is_ok());
        assert!(limits.ask_role(&asked("auth/approle/login")) && !limits.ask_role(&asked("kv/a")));
    }

    #[test]
    fn made_up_addresses_cost_no_memory() {
        let limits = RateLimits::new(QuotaConfig::default(), vec![limit("", 1.0, 0)]);
        for number in 0..70_000_u32 {
            let _ = limits.check(&asked("kv/a"), Some(Ipv4Addr::from_bits(number + 1).into()), START);
        }
        let state = limits.state.read().unwrap().clone();
        assert!(state.rules[0].counts.lock().unwrap().buckets.len() <= ADDRESSES + 1);
    }

    #[test]
    fn addresses_beyond_are_not_searched_for_room_with_each_request() {
        let limits = RateLimits::new(QuotaConfig::default(), vec![limit("", 4.0, 0)]);
        let ask = |number: u32, millis| {
            limits.check(&asked("kv/a"), Some(Ipv4Addr::from_bits(number).into()), at(millis)).is_ok()
        };
        let known = || {
            let state = limits.state.read().unwrap().clone();
            let counts = state.rules[0].counts.lock().unwrap();
            counts.buckets.len()
        };
        let full = u32::try_from(ADDRESSES).unwrap();
        assert!((1..=full).all(|number| ask(number, 0)));
        // Nothing is idle yet, which is found out once.
        assert!(ask(full + 1, 0));
        assert_eq!(known(), ADDRESSES + 1);
        // By now all are, but it is too early to look again.
        assert!(ask(full + 2, 999));
        assert_eq!(known(), ADDRESSES + 1);
        assert!(ask(full + 3, 1000));
        assert_eq!(known(), 2, "itself, and those who were counted together a moment ago");
    }
}
