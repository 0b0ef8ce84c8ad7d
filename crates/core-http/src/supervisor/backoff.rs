//! How long to wait before a crashed worker is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);
/// A worker that lived this long was healthy; its death starts the count anew.
const HEALTHY: Duration = Duration::from_secs(10);

/// Doubles from attempt to attempt, and forgets after a healthy life.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The delay after a worker that lived for `lived`; `random` in `0..1` spreads workers that died together.
    pub(crate) fn delay(&mut self, lived: Duration, random: f64) -> Duration {
        if lived >= HEALTHY {
            self.failures = 0;
        }
        let doubled = FIRST
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        // Up to a quarter less, never more: the longest delay is a promise.
        doubled.mul_f64(1.0 - 0.25 * random.clamp(0.0, 1.0))
    }
}

/// A number in `0..1`, good enough to spread processes in time.
pub(crate) fn random() -> f64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    let bits = std::hash::RandomState::new().build_hasher().finish();
    bits as f64 / (u64::MAX as f64 + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_longest() {
        let mut backoff = Backoff::default();
        let delays: Vec<u128> = (0..9)
            .map(|_| backoff.delay(Duration::ZERO, 0.0).as_millis())
            .collect();
        assert_eq!(
            delays,
            [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
        );
    }

    #[test]
    fn a_healthy_life_resets_it() {
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.delay(Duration::from_secs(9), 0.0);
        }
        assert_eq!(backoff.delay(HEALTHY, 0.0), FIRST);
        assert_eq!(backoff.delay(Duration::ZERO, 0.0), FIRST * 2);
    }

    #[test]
    fn jitter_only_shortens_and_at_most_by_a_quarter() {
        for step in 0..=10 {
            let delay = Backoff::default().delay(Duration::ZERO, f64::from(step) / 10.0);
            assert!(delay <= FIRST && delay >= FIRST.mul_f64(0.75), "{delay:?}");
        }
    }

    #[test]
    fn never_overflows() {
        let mut backoff = Backoff { failures: u32::MAX };
        assert_eq!(backoff.delay(Duration::ZERO, 0.0), LONGEST);
    }

    #[test]
    fn random_stays_in_range_and_varies() {
        let numbers: Vec<f64> = (0..64).map(|_| random()).collect();
        assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)));
        assert!(
            numbers
                .iter()
                .any(|number| (number - numbers[0]).abs() > f64::EPSILON)
        );
    }
}
