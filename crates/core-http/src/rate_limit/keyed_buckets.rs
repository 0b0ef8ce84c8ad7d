//! A bucket for each of many keys, in bounded memory.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::token_bucket::{Moment, Pace};

/// Buckets of one pace, by key.
#[derive(Debug)]
pub struct KeyedBuckets {
    pace: Pace,
    max_keys: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    empty_at: HashMap<Arc<str>, Moment>,
    /// The same, those that will be full soonest first.
    order: BTreeSet<(Moment, Arc<str>)>,
}

impl KeyedBuckets {
    /// Buckets for `max_keys` keys at most; at least one.
    pub fn new(pace: Pace, max_keys: usize) -> Self {
        Self {
            pace,
            max_keys: max_keys.max(1),
            state: Mutex::default(),
        }
    }

    /// Takes tokens of a key at once, on credit if need be; how long to wait for them, in nanoseconds.
    pub fn reserve(&self, key: &str, now: Moment, tokens: f64) -> i64 {
        let mut state = self.state();
        let before = state.remove(key);
        let (next, wait) = self
            .pace
            .reserve(before.unwrap_or(Moment::MIN / 4), now, tokens);
        if before.is_none() {
            self.make_room(&mut state, now);
        }
        state.insert(key, next);
        wait
    }

    /// Takes tokens of a key if they are there; else takes none and says how long they will not be, in nanoseconds.
    pub fn take(&self, key: &str, now: Moment, tokens: f64) -> i64 {
        let wait = self.reserve(key, now, tokens);
        if wait > 0 {
            self.cancel(key, tokens);
        }
        wait
    }

    /// Gives tokens back that were reserved and not used.
    pub fn cancel(&self, key: &str, tokens: f64) {
        let mut state = self.state();
        if let Some(before) = state.remove(key) {
            state.insert(key, self.pace.cancel(before, tokens));
        }
    }

    /// How many keys are remembered.
    pub fn len(&self) -> usize {
        self.state().empty_at.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets keys until there is room for one: all whose buckets are full, which means nothing, and then the one that
    /// will be full soonest.
    fn make_room(&self, state: &mut State, now: Moment) {
        while let Some((empty_at, key)) = state.order.first().cloned() {
            if state.empty_at.len() < self.max_keys && !self.pace.is_full(empty_at, now) {
                break;
            }
            state.remove(&key);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remove(&mut self, key: &str) -> Option<Moment> {
        let (key, empty_at) = self.empty_at.remove_entry(key)?;
        self.order.remove(&(empty_at, key));
        Some(empty_at)
    }

    fn insert(&mut self, key: &str, empty_at: Moment) {
        let key: Arc<str> = key.into();
        self.order.insert((empty_at, Arc::clone(&key)));
        self.empty_at.insert(key, empty_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn buckets(max_keys: usize) -> KeyedBuckets {
        KeyedBuckets::new(Pace::new(1.0, 2.0).unwrap(), max_keys)
    }

    #[test]
    fn keys_do_not_wait_for_each_other() {
        let buckets = buckets(10);
        let waits: Vec<i64> = ["a", "a", "a", "b"]
            .iter()
            .map(|key| buckets.reserve(key, 0, 1.0) / SECOND)
            .collect();
        assert_eq!(waits, [0, 0, 1, 0]);
    }

    #[test]
    fn full_buckets_are_forgotten() {
        let buckets = buckets(10);
        for key in ["a", "b", "c"] {
            buckets.reserve(key, 0, 1.0);
        }
        assert_eq!(buckets.len(), 3);
        buckets.reserve("d", 2 * SECOND, 1.0);
        assert_eq!(buckets.len(), 1);
    }

    #[test]
    fn memory_is_bounded_and_the_busiest_are_remembered() {
        let buckets = buckets(3);
        for _ in 0..5 {
            buckets.reserve("busy", 0, 1.0);
        }
        for key in 0..1000 {
            buckets.reserve(&key.to_string(), 0, 1.0);
        }
        assert_eq!(buckets.len(), 3);
        assert_eq!(buckets.take("busy", 0, 1.0), 4 * SECOND);
        buckets.cancel("busy", 1.0);
        assert_eq!(buckets.take("busy", 0, 1.0), 3 * SECOND);
    }
}
