//! Pacing of calls to others: callers take their place in line at once and are told how long to wait.
//!
//! Where [`gcra`](super::gcra) refuses, this goes into debt. One moment is all it remembers: when the bucket was, or will
//! be, empty.

use std::sync::atomic::{AtomicI64, Ordering};

/// Nanoseconds since a moment of the caller's choice; never less than zero.
pub type Moment = i64;

const SECOND: f64 = 1e9;
/// No sum of two of these overflows.
const HORIZON: i64 = 1 << 61;

/// So many tokens per second, and so many at most when nobody takes any.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Nanoseconds per token; zero for a pace without a limit.
    interval: f64,
    /// What a full bucket is worth, in time.
    depth: i64,
}

impl Pace {
    /// `None` unless the rate is above zero (it may be infinite) and the burst is finite and above zero.
    pub fn new(per_second: f64, burst: f64) -> Option<Self> {
        if !(per_second > 0.0 && burst > 0.0 && burst.is_finite()) {
            return None;
        }
        let interval = SECOND / per_second;
        Some(Self {
            interval,
            // Rounded as costs are: a full bucket has room for exactly a burst.
            depth: nanos((interval * burst).ceil()),
        })
    }

    /// What so many tokens cost; rounded up, so that no rounding lets a call start early.
    fn cost(&self, tokens: f64) -> i64 {
        nanos((self.interval * tokens).ceil())
    }

    /// When a bucket that was empty at `empty_at` counts as having been empty, seen from `now`: it holds no more than a
    /// burst.
    fn settled(&self, empty_at: Moment, now: Moment) -> Moment {
        empty_at.max(now.saturating_sub(self.depth))
    }

    /// Takes tokens, on credit if need be: the bucket's new moment, and how long to wait in nanoseconds.
    pub fn reserve(&self, empty_at: Moment, now: Moment, tokens: f64) -> (Moment, i64) {
        let next = self
            .settled(empty_at, now)
            .saturating_add(self.cost(tokens))
            .min(HORIZON);
        (next, next.saturating_sub(now).max(0))
    }

    /// Gives tokens back.
    pub fn cancel(&self, empty_at: Moment, tokens: f64) -> Moment {
        empty_at.saturating_sub(self.cost(tokens))
    }

    /// How many tokens there are; below zero in debt.
    pub fn level(&self, empty_at: Moment, now: Moment) -> f64 {
        let worth = now.saturating_sub(self.settled(empty_at, now));
        if self.interval == 0.0 {
            return if worth < 0 {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            };
        }
        worth as f64 / self.interval
    }

    /// Whether a bucket is as good as one that nobody has touched.
    pub fn is_full(&self, empty_at: Moment, now: Moment) -> bool {
        empty_at <= now.saturating_sub(self.depth)
    }
}

/// A bucket shared by threads, without a lock.
#[derive(Debug)]
pub struct TokenBucket {
    pace: Pace,
    empty_at: AtomicI64,
}

impl TokenBucket {
    /// A full bucket.
    pub fn new(pace: Pace) -> Self {
        Self {
            pace,
            empty_at: AtomicI64::new(-HORIZON),
        }
    }

    /// Takes tokens at once, on credit if need be; how long to wait for them, in nanoseconds.
    pub fn reserve(&self, now: Moment, tokens: f64) -> i64 {
        let mut wait = 0;
        self.change(|empty_at| {
            let (next, nanos) = self.pace.reserve(empty_at, now, tokens);
            wait = nanos;
            Some(next)
        });
        wait
    }

    /// Takes tokens if they are there; else takes none and says how long they will not be, in nanoseconds.
    pub fn take(&self, now: Moment, tokens: f64) -> i64 {
        let mut wait = 0;
        self.change(|empty_at| {
            let (next, nanos) = self.pace.reserve(empty_at, now, tokens);
            wait = nanos;
            (nanos == 0).then_some(next)
        });
        wait
    }

    /// Gives tokens back that were reserved and not used.
    pub fn cancel(&self, tokens: f64) {
        self.change(|empty_at| Some(self.pace.cancel(empty_at, tokens)));
    }

    /// Nobody starts for so many nanoseconds; those who wait already keep their place.
    pub fn pause(&self, now: Moment, nanos: i64) {
        let until = now.saturating_add(nanos.max(0)).min(HORIZON);
        self.change(|empty_at| (empty_at < until).then_some(until));
    }

    /// How many tokens there are; below zero when callers wait.
    pub fn level(&self, now: Moment) -> f64 {
        self.pace.level(self.empty_at.load(Ordering::Acquire), now)
    }

    fn change(&self, mut next: impl FnMut(Moment) -> Option<Moment>) {
        // An update that is declined leaves what was there, which is what it means.
        let _ = self
            .empty_at
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, &mut next);
    }
}

/// A float as a whole number of nanoseconds within the horizon; what is not a number is nothing.
pub fn nanos(value: f64) -> i64 {
    // The cast saturates and makes 0 of NaN.
    (value as i64).clamp(0, HORIZON)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MILLISECOND: i64 = 1_000_000;

    fn bucket(per_second: f64, burst: f64) -> TokenBucket {
        TokenBucket::new(Pace::new(per_second, burst).unwrap())
    }

    #[test]
    fn a_burst_then_a_line() {
        let bucket = bucket(10.0, 3.0);
        let waits: Vec<i64> = (0..6)
            .map(|_| bucket.reserve(0, 1.0) / MILLISECOND)
            .collect();
        assert_eq!(waits, [0, 0, 0, 100, 200, 300]);
        assert!((bucket.level(0) + 3.0).abs() < 1e-6);
    }

    #[test]
    fn who_takes_waits_in_no_line() {
        let bucket = bucket(10.0, 1.0);
        assert_eq!(bucket.take(0, 1.0), 0);
        assert_eq!(bucket.take(0, 1.0), 100 * MILLISECOND);
        assert_eq!(bucket.take(50 * MILLISECOND, 1.0), 50 * MILLISECOND);
        assert_eq!(bucket.take(100 * MILLISECOND, 1.0), 0);
    }

    #[test]
    fn a_full_bucket_has_a_whole_burst_at_any_rate() {
        for per_second in [3.0, 7.0, 97.0, 113.7, 1e9, 3e9] {
            let bucket = bucket(per_second, 1.0);
            assert_eq!(bucket.take(0, 1.0), 0, "{per_second}");
            assert!(bucket.take(0, 1.0) > 0, "{per_second}");
        }
    }

    #[test]
    fn a_place_given_back_is_free() {
        let bucket = bucket(1.0, 1.0);
        bucket.reserve(0, 1.0);
        assert_eq!(bucket.reserve(0, 1.0), 1_000 * MILLISECOND);
        bucket.cancel(1.0);
        assert_eq!(bucket.reserve(0, 1.0), 1_000 * MILLISECOND);
    }

    #[test]
    fn a_pause_stops_everybody_and_forgives_nothing() {
        let bucket = bucket(10.0, 5.0);
        bucket.pause(0, 2_000 * MILLISECOND);
        assert_eq!(bucket.reserve(0, 1.0), 2_100 * MILLISECOND);
        bucket.pause(0, 1_000 * MILLISECOND);
        assert_eq!(bucket.reserve(0, 1.0), 2_200 * MILLISECOND);
    }

    #[test]
    fn without_a_limit_only_pauses_count() {
        let bucket = bucket(f64::INFINITY, 1.0);
        assert_eq!((0..100).map(|_| bucket.reserve(7, 1.0)).sum::<i64>(), 0);
        bucket.pause(7, 5);
        assert_eq!(bucket.reserve(7, 1.0), 5);
        assert_eq!(bucket.reserve(12, 1.0), 0);
        assert!(bucket.level(12) > 0.0);
    }

    #[test]
    fn senseless_paces_are_refused() {
        for (per_second, burst) in [
            (0.0, 1.0),
            (-1.0, 1.0),
            (f64::NAN, 1.0),
            (1.0, 0.0),
            (1.0, f64::INFINITY),
            (1.0, f64::NAN),
        ] {
            assert_eq!(Pace::new(per_second, burst), None, "{per_second} {burst}");
        }
    }

    proptest! {
        #[test]
        fn no_window_has_more_than_rate_and_burst(
            gaps in prop::collection::vec(0_i64..300 * MILLISECOND, 1..200),
            per_second in 1.0_f64..50.0,
            burst in 1.0_f64..10.0,
        ) {
            let bucket = bucket(per_second, burst);
            let mut now = 0;
            let mut starts = Vec::new();
            for gap in gaps {
                now += gap;
                starts.push(now + bucket.reserve(now, 1.0));
            }
            for (first, start) in starts.iter().enumerate() {
                for (last, end) in starts.iter().enumerate().skip(first) {
                    let most = per_second * (end - start) as f64 / 1e9 + burst + 1e-6;
                    prop_assert!((last - first + 1) as f64 <= most);
                }
            }
        }

        #[test]
        fn never_overflows(
            empty_at in any::<i64>(),
            now in 0..HORIZON,
            tokens in any::<f64>(),
            per_second in any::<f64>(),
            burst in any::<f64>(),
        ) {
            if let Some(pace) = Pace::new(per_second, burst) {
                let (next, wait) = pace.reserve(empty_at, now, tokens);
                prop_assert!(wait >= 0 && next <= HORIZON);
                let _ = pace.level(next, now);
                let _ = pace.cancel(next, tokens);
            }
        }
    }
}
