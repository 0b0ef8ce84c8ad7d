//! Limits in memory: a table of fixed size, updated without locks, so that worker processes can share it.
//!
//! A key has a place in one bucket of sixteen. Where all are taken, the key that has the least to wait for gives its
//! place up; one whose burst is whole again loses nothing by that.

use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::gcra::{Gcra, Verdict};
use crate::cells::{self, Cells};
use crate::clock::Nanos;

/// Keys in a bucket.
const WAYS: usize = 16;
/// Keys in a table.
const KEYS: usize = 100_000;
const BUCKETS: usize = KEYS / WAYS;
/// Numbers per key: its fingerprint and its arrival time.
const WORDS: usize = 2;
/// Before the buckets: the secret of the fingerprints.
const HEADER: usize = 2;

/// Arrival times by key.
#[derive(Clone)]
pub struct Table {
    cells: Arc<dyn Cells>,
    secret: (u64, u64),
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").finish_non_exhaustive()
    }
}

impl Table {
    /// The size of a table, in numbers of eight bytes.
    pub const CELLS: usize = HEADER + BUCKETS * WAYS * WORDS;

    /// A table of this process.
    pub fn local() -> Self {
        Self::over(cells::local(Self::CELLS))
            .unwrap_or_else(|| unreachable!("it has the right size"))
    }

    /// A table in memory that others may use as well; `None` if that is too small.
    pub fn over(cells: Arc<dyn Cells>) -> Option<Self> {
        let header = cells.cells().get(..Self::CELLS)?;
        // Whoever comes first chooses, the others take over. Unguessable, so that nobody can fill one bucket.
        let random = uuid::Uuid::new_v4().as_u64_pair();
        let agree = |cell: &AtomicU64, own: u64| {
            cell.compare_exchange(0, own.max(1), Ordering::AcqRel, Ordering::Acquire)
                .map_or_else(|theirs| theirs, |_| own.max(1))
        };
        let secret = (agree(&header[0], random.0), agree(&header[1], random.1));
        Some(Self { cells, secret })
    }

    /// Decides on a request of `key` under the limit of this name, and remembers it.
    pub fn take(&self, limit: &str, key: &[u8], gcra: &Gcra, now: Nanos) -> Verdict {
        let place = self.place(self.fingerprint(limit, key));
        let mut seen = place.arrival;
        let mut arrival = if place.is_new { 0 } else { seen };
        loop {
            let (verdict, next) = gcra.decide(arrival, now);
            let Some(next) = next else {
                return verdict;
            };
            match place
                .cell
                .compare_exchange(seen, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return verdict,
                Err(theirs) => (seen, arrival) = (theirs, theirs),
            }
        }
    }

    fn place(&self, print: u64) -> Place<'_> {
        let bucket = ((u128::from(print) * BUCKETS as u128) >> 64) as usize;
        let start = HEADER + bucket * WAYS * WORDS;
        let cells = &self.cells.cells()[start..start + WAYS * WORDS];
        loop {
            let mut least: Option<(&[AtomicU64], u64, Nanos)> = None;
            for pair in cells.chunks_exact(WORDS) {
                let owner = pair[0].load(Ordering::Acquire);
                let arrival = pair[1].load(Ordering::Acquire);
                if owner == print {
                    return Place {
                        cell: &pair[1],
                        arrival,
                        is_new: false,
                    };
                }
                if least.is_none_or(|(_, _, earliest)| arrival < earliest) {
                    least = Some((pair, owner, arrival));
                }
            }
            let Some((pair, owner, arrival)) = least else {
                unreachable!("a bucket has places")
            };
            if pair[0]
                .compare_exchange(owner, print, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
            {
                return Place {
                    cell: &pair[1],
                    arrival,
                    is_new: true,
                };
            }
            // Another process took the place: perhaps for the same key.
        }
    }

    fn fingerprint(&self, limit: &str, key: &[u8]) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.secret.0);
        hasher.write_u64(self.secret.1);
        hasher.write_usize(limit.len());
        hasher.write(limit.as_bytes());
        hasher.write(key);
        // 0 is a place that nobody has.
        hasher.finish().max(1)
    }
}

/// Where a key's time is.
struct Place<'a> {
    cell: &'a AtomicU64,
    arrival: Nanos,
    /// The key was not there: the time is that of the one that gave its place up.
    is_new: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;

    const T0: Nanos = 1_700_000_000 * SECOND;

    fn allowed(table: &Table, limit: &str, key: &str, gcra: &Gcra, now: Nanos) -> bool {
        table.take(limit, key.as_bytes(), gcra, now).is_allowed
    }

    #[test]
    fn keys_and_limits_are_apart() {
        let (table, gcra) = (Table::local(), Gcra::new(1.0, 1));
        assert!(allowed(&table, "a", "1", &gcra, T0));
        assert!(!allowed(&table, "a", "1", &gcra, T0));
        assert!(allowed(&table, "a", "2", &gcra, T0));
        assert!(allowed(&table, "b", "1", &gcra, T0));
        assert!(allowed(&table, "a", "1", &gcra, T0 + SECOND));
    }

    #[test]
    fn tables_over_the_same_memory_share_their_keys() {
        let cells = cells::local(Table::CELLS);
        let (one, other) = (
            Table::over(Arc::clone(&cells)).unwrap(),
            Table::over(cells).unwrap(),
        );
        let gcra = Gcra::new(1.0, 2);
        assert!(allowed(&one, "l", "k", &gcra, T0));
        assert!(allowed(&other, "l", "k", &gcra, T0));
        assert!(!allowed(&one, "l", "k", &gcra, T0));
        assert!(!allowed(&other, "l", "k", &gcra, T0));
    }

    #[test]
    fn memory_that_is_too_small_is_refused() {
        assert!(Table::over(cells::local(Table::CELLS - 1)).is_none());
    }

    #[test]
    fn more_keys_than_places_are_served_all_the_same() {
        let (table, gcra) = (Table::local(), Gcra::new(1.0, 1));
        for number in 0..3 * KEYS {
            assert!(allowed(&table, "l", &number.to_string(), &gcra, T0));
        }
    }

    #[test]
    fn a_full_bucket_gives_up_whoever_has_least_to_wait() {
        let (table, gcra) = (Table::local(), Gcra::new(1.0, 1000));
        // One busy key, and far more idle ones than there are places.
        for _ in 0..1000 {
            assert!(allowed(&table, "l", "busy", &gcra, T0));
        }
        for number in 0..3 * KEYS {
            assert!(allowed(&table, "l", &number.to_string(), &gcra, T0));
        }
        assert!(!allowed(&table, "l", "busy", &gcra, T0));
    }

    #[test]
    fn threads_together_get_no_more_than_the_burst() {
        let (table, gcra) = (Table::local(), Gcra::new(1e-6, 500));
        let passed = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        if allowed(&table, "l", "k", &gcra, T0) {
                            passed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert_eq!(passed.into_inner(), 500);
    }
}
