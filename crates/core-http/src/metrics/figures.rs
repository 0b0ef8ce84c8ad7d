//! The figures of one route.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;

use super::board::{BLOCK, Board};
use super::{BOUNDS, line};
use crate::cells::{Cells, Part};

// Where the numbers are in a block; the first says whose it is.
const COUNT: usize = 1;
const MICROS: usize = 2;
const OTHER: usize = 3;
const BUCKETS: usize = 4;
/// Pairs of a status and how often it was given.
const STATUSES: usize = BUCKETS + BOUNDS.len();

#[derive(Debug)]
pub(super) struct Figures {
    /// The labels `method` and `route`, as they are written.
    labels: String,
    block: Part,
}

impl Figures {
    pub(super) fn of(board: &Board, method: &str, route: &str) -> Self {
        let labels = labels(method, route);
        let block = board.block(&labels).or_else(|| {
            // More routes than the workers have room for: this one is counted by each for itself.
            Board::local(1).block(&labels)
        });
        Self {
            labels,
            block: block.unwrap_or_else(|| unreachable!("a board for one has room for one")),
        }
    }

    pub(super) fn labels(&self) -> &str {
        &self.labels
    }

    fn numbers(&self) -> &[AtomicU64] {
        self.block.cells()
    }

    fn get(&self, index: usize) -> u64 {
        self.numbers()[index].load(Ordering::Relaxed)
    }

    pub(super) fn has_any(&self) -> bool {
        self.get(COUNT) > 0
    }

    pub(super) fn count(&self, status: StatusCode, took: Duration) {
        let micros = took.as_micros() as u64;
        let numbers = self.numbers();
        let add = |index: usize, amount| numbers[index].fetch_add(amount, Ordering::Relaxed);
        let bucket = BOUNDS.partition_point(|(_, bound)| *bound < micros);
        if bucket < BOUNDS.len() {
            add(BUCKETS + bucket, 1);
        }
        add(COUNT, 1);
        add(MICROS, micros);
        let status = u64::from(status.as_u16());
        let place = numbers[STATUSES..BLOCK].chunks_exact(2).find(|pair| {
            let known = pair[0].load(Ordering::Acquire);
            known == status
                || (known == 0
                    && pair[0]
                        .compare_exchange(0, status, Ordering::AcqRel, Ordering::Acquire)
                        .map_or_else(|theirs| theirs == status, |_| true))
        });
        place
            .map_or(&numbers[OTHER], |pair| &pair[1])
            .fetch_add(1, Ordering::Relaxed);
    }

    /// How often each status was given, by status.
    fn statuses(&self) -> Vec<(u64, u64)> {
        let mut statuses: Vec<(u64, u64)> = self.numbers()[STATUSES..BLOCK]
            .chunks_exact(2)
            .map(|pair| (pair[0].load(Ordering::Acquire), &pair[1]))
            .filter(|(status, _)| *status > 0)
            .map(|(status, count)| (status, count.load(Ordering::Relaxed)))
            .collect();
        statuses.sort_unstable();
        statuses
    }

    pub(super) fn write_statuses(&self, out: &mut String) {
        let labels = &self.labels;
        for (status, count) in self.statuses() {
            line(
                out,
                format_args!("http_requests_total{{{labels},status=\"{status}\"}} {count}"),
            );
        }
        let other = self.get(OTHER);
        if other > 0 {
            line(
                out,
                format_args!("http_requests_total{{{labels},status=\"other\"}} {other}"),
            );
        }
    }

    pub(super) fn errors(&self) -> u64 {
        let statuses = self.statuses().into_iter();
        let failed = statuses.filter(|(status, _)| (500..600).contains(status));
        failed.map(|(_, count)| count).sum()
    }

    pub(super) fn write_histogram(&self, out: &mut String) {
        let (labels, count) = (&self.labels, self.get(COUNT));
        let mut below = 0;
        for (index, (bound, _)) in BOUNDS.iter().enumerate() {
            below += self.get(BUCKETS + index);
            line(
                out,
                format_args!(
                    "http_request_duration_seconds_bucket{{{labels},le=\"{bound}\"}} {below}"
                ),
            );
        }
        line(
            out,
            format_args!("http_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} {count}"),
        );
        let seconds = Duration::from_micros(self.get(MICROS)).as_secs_f64();
        line(
            out,
            format_args!("http_request_duration_seconds_sum{{{labels}}} {seconds}"),
        );
        line(
            out,
            format_args!("http_request_duration_seconds_count{{{labels}}} {count}"),
        );
    }
}

fn labels(method: &str, route: &str) -> String {
    format!(
        "method=\"{}\",route=\"{}\"",
        escaped(method),
        escaped(route)
    )
}

fn escaped(label: &str) -> String {
    label
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        Figures::of(&Board::local(1), "GET", "/")
    }

    #[test]
    fn durations_fall_into_the_bucket_that_holds_them() {
        let figures = figures();
        for micros in [500, 501, 1_000, 10_000_001] {
            figures.count(StatusCode::OK, Duration::from_micros(micros));
        }
        let counts: Vec<u64> = (BUCKETS..STATUSES)
            .map(|index| figures.get(index))
            .collect();
        assert_eq!((counts[0], counts[1], counts.iter().sum()), (1, 2, 3));
        assert_eq!((figures.get(COUNT), figures.get(MICROS)), (4, 10_002_002));
    }

    #[test]
    fn statuses_beyond_those_that_have_a_place_are_others() {
        let figures = figures();
        let places = (BLOCK - STATUSES) as u16 / 2;
        for status in 200..200 + places + 2 {
            let status = StatusCode::from_u16(status).expect("a status");
            figures.count(status, Duration::ZERO);
        }
        assert_eq!(figures.statuses().len(), usize::from(places));
        let mut text = String::new();
        figures.write_statuses(&mut text);
        assert!(text.contains("status=\"other\"} 2"), "{text}");
    }
}
