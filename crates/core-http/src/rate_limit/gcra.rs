//! The arithmetic of limits: the generic cell rate algorithm. One moment per key is all it remembers.

use crate::clock::{Nanos, SECOND};

/// The longest time a limit can look ahead: 146 years, so that no sum overflows.
const HORIZON: Nanos = 1 << 62;

/// So many requests at once, so many per second in the long run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gcra {
    /// What one request costs, in time.
    interval: Nanos,
    /// How far requests may run ahead of time.
    tolerance: Nanos,
    burst: u32,
}

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub is_allowed: bool,
    /// How many more would be allowed at once.
    pub remaining: u32,
    /// How long until one more is allowed; zero if one is now.
    pub retry_after: Nanos,
    /// How long until all of the burst is there again.
    pub full_after: Nanos,
}

impl Gcra {
    /// `per_second` is above zero, `burst` at least one.
    pub fn new(per_second: f64, burst: u32) -> Self {
        let burst = burst.max(1);
        let interval = (SECOND as f64 / per_second).round();
        // A float is cut to the integer's range, and one that is not a number becomes 0.
        let interval = (interval as Nanos).clamp(1, HORIZON / Nanos::from(burst));
        Self {
            interval,
            tolerance: interval * Nanos::from(burst),
            burst,
        }
    }

    pub fn burst(&self) -> u32 {
        self.burst
    }

    pub fn interval(&self) -> Nanos {
        self.interval
    }

    /// How far requests may run ahead; also how long an unused key has to be remembered.
    pub fn tolerance(&self) -> Nanos {
        self.tolerance
    }

    /// Decides on a request at `now`. `arrival` is when all requests so far would have arrived, had they kept to the
    /// rate; `Some` is its new value.
    pub fn decide(&self, arrival: Nanos, now: Nanos) -> (Verdict, Option<Nanos>) {
        // No honest value is further ahead than the tolerance: what is comes from a clock that was set back.
        let ahead = arrival.saturating_sub(now).min(self.tolerance);
        if ahead + self.interval > self.tolerance {
            return (self.verdict(false, ahead), None);
        }
        let ahead = ahead + self.interval;
        (self.verdict(true, ahead), Some(now.saturating_add(ahead)))
    }

    /// The verdict when requests, this one included if it's allowed, are `ahead` of time.
    pub fn verdict(&self, is_allowed: bool, ahead: Nanos) -> Verdict {
        let room = self.tolerance.saturating_sub(ahead);
        Verdict {
            is_allowed,
            remaining: u32::try_from(room / self.interval).unwrap_or(u32::MAX),
            retry_after: self.interval.saturating_sub(room),
            full_after: ahead,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Nanos = 1_700_000_000 * SECOND;

    /// Sends requests at these seconds; says which are allowed.
    fn send(limit: Gcra, at: &[f64]) -> Vec<bool> {
        let mut arrival = 0;
        at.iter()
            .map(|seconds| {
                let now = T0 + (seconds * SECOND as f64) as Nanos;
                let (verdict, next) = limit.decide(arrival, now);
                arrival = next.unwrap_or(arrival);
                verdict.is_allowed
            })
            .collect()
    }

    #[test]
    fn a_burst_then_the_rate() {
        let limit = Gcra::new(2.0, 3);
        assert_eq!(
            send(limit, &[0.0, 0.0, 0.0, 0.0, 0.4, 0.5, 0.5, 1.0, 1.1]),
            [true, true, true, false, false, true, false, true, false]
        );
    }

    #[test]
    fn the_burst_comes_back_when_idle() {
        let limit = Gcra::new(1.0, 2);
        assert_eq!(
            send(limit, &[0.0, 0.0, 0.0, 10.0, 10.0, 10.0]),
            [true, true, false, true, true, false]
        );
    }

    #[test]
    fn tells_what_is_left_and_when() {
        let limit = Gcra::new(2.0, 3);
        let (first, next) = limit.decide(0, T0);
        assert_eq!((first.remaining, first.retry_after), (2, 0));
        assert_eq!(first.full_after, SECOND / 2);
        let (second, next) = limit.decide(next.unwrap(), T0);
        let (third, next) = limit.decide(next.unwrap(), T0);
        assert_eq!((second.remaining, third.remaining), (1, 0));
        let (refused, none) = limit.decide(next.unwrap(), T0 + SECOND / 10);
        assert_eq!(none, None);
        assert_eq!(
            refused,
            Verdict {
                is_allowed: false,
                remaining: 0,
                retry_after: SECOND * 4 / 10,
                full_after: SECOND * 14 / 10
            }
        );
    }

    #[test]
    fn extreme_rates_do_not_overflow() {
        for (per_second, burst) in [
            (1e-300, u32::MAX),
            (f64::MAX, 1),
            (1e300, u32::MAX),
            (f64::MIN_POSITIVE, 1),
        ] {
            let limit = Gcra::new(per_second, burst);
            let (verdict, next) = limit.decide(u64::MAX, u64::MAX - 1);
            assert!(verdict.remaining <= burst, "{per_second} {burst}");
            let _ = limit.decide(next.unwrap_or(0), T0);
        }
    }

    #[test]
    fn a_clock_set_back_does_not_lock_out() {
        let limit = Gcra::new(1.0, 2);
        let (_, next) = limit.decide(0, T0);
        // An hour back: at worst the whole burst has to be waited for.
        let now = T0 - 3600 * SECOND;
        let (verdict, _) = limit.decide(next.unwrap(), now);
        assert!(!verdict.is_allowed);
        assert_eq!(verdict.retry_after, SECOND);
    }

    #[test]
    fn never_more_than_the_rate_allows() {
        // In any window of w seconds at most burst + rate * w pass, however the requests come.
        let limit = Gcra::new(5.0, 4);
        let mut moments = Vec::new();
        let mut state = 7_u64;
        let mut now = 0.0;
        for _ in 0..3000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            now += (state >> 40) as f64 / f64::from(1 << 24) * 0.2;
            moments.push(now);
        }
        let allowed: Vec<f64> = send(limit, &moments)
            .into_iter()
            .zip(&moments)
            .filter_map(|(is_allowed, at)| is_allowed.then_some(*at))
            .collect();
        for (index, start) in allowed.iter().enumerate() {
            for (later, end) in allowed.iter().enumerate().skip(index) {
                let most = 4.0 + 5.0 * (end - start) + 1e-3;
                assert!((later - index + 1) as f64 <= most);
            }
        }
        assert!(allowed.len() > 1000);
    }
}
