//! `Cache`: the facts of the entities that were asked about of late.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use super::facts::Facts;

/// Into how many parts the entities fall for counting their changes. A change of one makes the facts of another that are
/// being read at that moment not be kept, if both are of the same part: rare with so many, and never wrong.
const PARTS: usize = 256;

/// Facts by the id of the entity. Bounded: of two halves the older one is dropped when the younger one is full, so what
/// is used stays and nothing is ever searched.
#[derive(Debug)]
pub(super) struct Cache {
    half: usize,
    hasher: RandomState,
    inner: RwLock<Inner>,
}

#[derive(Debug)]
struct Inner {
    young: HashMap<String, Arc<Facts>>,
    old: HashMap<String, Arc<Facts>>,
    /// Counts the changes of the entities of each part.
    changes: Vec<u64>,
    /// Counts the changes of groups.
    group_changes: u64,
}

/// How many changes there had been when reading began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    changes: u64,
    group_changes: u64,
}

impl Cache {
    /// A cache of at most `capacity` entities.
    pub(super) fn new(capacity: usize) -> Self {
        let inner = Inner { young: HashMap::new(), old: HashMap::new(), changes: vec![0; PARTS], group_changes: 0 };
        Self { half: (capacity / 2).max(1), hasher: RandomState::new(), inner: RwLock::new(inner) }
    }

    /// What is kept of the entity `id`; what was not found lately counts as used now.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Facts>> {
        {
            let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(facts) = inner.young.get(id) {
                return Some(facts.clone());
            }
            if !inner.old.contains_key(id) {
                return None;
            }
        }
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let facts = inner.old.remove(id)?;
        inner.insert(id, &facts, self.half);
        Some(facts)
    }

    /// To be taken before the records of the entity `id` are read.
    pub(super) fn ticket(&self, id: &str) -> Ticket {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.ticket(self.part(id))
    }

    /// Keeps what was read, unless something changed since the ticket was taken.
    pub(super) fn keep(&self, id: &str, facts: &Arc<Facts>, ticket: Ticket) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if inner.ticket(self.part(id)) == ticket {
            inner.insert(id, facts, self.half);
        }
    }

    /// Forgets these entities: their records changed.
    pub(super) fn forget(&self, ids: &[String]) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            inner.young.remove(id);
            inner.old.remove(id);
            if let Some(changes) = inner.changes.get_mut(self.part(id)) {
                *changes = changes.wrapping_add(1);
            }
        }
    }

    /// Forgets everything: a group changed.
    pub(super) fn forget_all(&self) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.young.clear();
        inner.old.clear();
        inner.group_changes = inner.group_changes.wrapping_add(1);
    }

    fn part(&self, id: &str) -> usize {
        usize::try_from(self.hasher.hash_one(id) % PARTS as u64).unwrap_or_default()
    }
}

impl Inner {
    fn ticket(&self, part: usize) -> Ticket {
        Ticket { changes: self.changes.get(part).copied().unwrap_or_default(), group_changes: self.group_changes }
    }

    fn insert(&mut self, id: &str, facts: &Arc<Facts>, half: usize) {
        self.young.insert(id.to_owned(), facts.clone());
        if self.young.len() >= half {
            self.old = std::mem::take(&mut self.young);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(name: &str) -> Arc<Facts> {
        Arc::new(Facts { name: name.to_owned(), ..Facts::default() })
    }

    #[test]
    fn it_keeps_what_is_used_and_does_not_grow() {
        let cache = Cache::new(8);
        cache.keep("kept", &facts("kept"), cache.ticket("kept"));
        for number in 0..1_000 {
            let id = format!("e{number}");
            cache.keep(&id, &facts(&id), cache.ticket(&id));
            assert!(cache.find("kept").is_some(), "after {number}");
        }
        let inner = cache.inner.read().unwrap();
        assert!(inner.young.len() + inner.old.len() <= 8);
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let cache = Cache::new(8);
        let early = cache.ticket("e");
        cache.forget(&["e".to_owned()]);
        cache.keep("e", &facts("stale"), early);
        assert!(cache.find("e").is_none());
        let early = cache.ticket("e");
        cache.forget_all();
        cache.keep("e", &facts("stale"), early);
        assert!(cache.find("e").is_none());
        cache.keep("e", &facts("fresh"), cache.ticket("e"));
        assert_eq!(cache.find("e").unwrap().name, "fresh");
        cache.forget(&["e".to_owned()]);
        assert!(cache.find("e").is_none());
    }
}
