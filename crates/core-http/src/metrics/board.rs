//! Where figures are kept: a memory that is one server's, or that of all workers together.
//!
//! What only grows is counted by all workers in the same numbers, so that nothing is lost when one of them dies. What
//! goes on now is counted by each at a seat of its own, which is cleared when the worker is gone.

use std::hash::{DefaultHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::cells::{self, Cells, Part};

/// Numbers that belong to no route.
const HEADER: usize = 8;
/// Numbers of one worker's seat.
pub(crate) const SEAT: usize = 4;
/// Workers at one time that are seen by the others.
const SEATS: usize = 1024;
/// Numbers of one route.
pub(super) const BLOCK: usize = 64;
/// Routes of a server, those of its earlier versions included.
const BLOCKS: usize = 16_384;

/// The memory, divided.
#[derive(Clone, Debug)]
pub struct Board {
    memory: Part,
    seats: usize,
}

/// What a worker has going on.
#[derive(Clone, Debug)]
pub(super) struct Seat(Part);

/// What all workers have going on.
#[derive(Debug, Default)]
pub(super) struct Present {
    pub(super) workers: u64,
    pub(super) in_flight: u64,
    pub(super) connections: u64,
    pub(super) websockets: u64,
}

impl Seat {
    fn number(&self, index: usize) -> &AtomicU64 {
        &self.0.cells()[index]
    }

    pub(super) fn in_flight(&self) -> &AtomicU64 {
        self.number(1)
    }

    pub(super) fn connections(&self) -> &AtomicU64 {
        self.number(2)
    }

    pub(super) fn websockets(&self) -> &AtomicU64 {
        self.number(3)
    }
}

impl Board {
    /// The size of what workers share, in numbers of eight bytes.
    pub(crate) const CELLS: usize = HEADER + SEATS * SEAT + BLOCKS * BLOCK;
    /// Where the seats are; the first number of each is the process that has it, or 0.
    #[cfg(feature = "server-bin")]
    pub(crate) const SEATS: std::ops::Range<usize> = HEADER..HEADER + SEATS * SEAT;

    /// In memory of [`Board::CELLS`] numbers that others may use as well.
    pub(crate) fn over(memory: Part) -> Self {
        Self {
            memory,
            seats: SEATS,
        }
    }

    /// In memory of its own, for this many routes.
    pub(super) fn local(routes: usize) -> Self {
        let count = HEADER + SEAT + routes * BLOCK;
        let memory = Part::of(cells::local(count), 0, count);
        Self {
            memory: memory.unwrap_or_else(|| unreachable!("the part is the whole")),
            seats: 1,
        }
    }

    /// Requests whose client went away first.
    pub(super) fn aborted(&self) -> &AtomicU64 {
        &self.memory.cells()[0]
    }

    /// WebSockets accepted.
    pub(super) fn websockets(&self) -> &AtomicU64 {
        &self.memory.cells()[1]
    }

    /// The seat of a process; `None` if all are taken.
    pub(super) fn seat(&self, process: u32) -> Option<Seat> {
        let process = u64::from(process);
        (0..self.seats)
            .map(|number| HEADER + number * SEAT)
            .find(|&start| is_or_becomes(&self.memory.cells()[start], process))
            .and_then(|start| self.part(start, SEAT).map(Seat))
    }

    /// The numbers of a route, the same for all who call it by this name; `None` if there is no room for another.
    pub(super) fn block(&self, name: &str) -> Option<Part> {
        let mut hasher = DefaultHasher::new();
        hasher.write(name.as_bytes());
        // 0 is a place that nobody has.
        let print = hasher.finish().max(1);
        let first = HEADER + self.seats * SEAT;
        let blocks = (self.memory.cells().len() - first) / BLOCK;
        let home = ((u128::from(print) * blocks as u128) >> 64) as usize;
        (0..blocks)
            .map(|step| first + (home + step) % blocks * BLOCK)
            .find(|&start| is_or_becomes(&self.memory.cells()[start], print))
            .and_then(|start| self.part(start, BLOCK))
    }

    pub(super) fn present(&self) -> Present {
        let mut present = Present::default();
        for number in 0..self.seats {
            let Some(seat) = self.part(HEADER + number * SEAT, SEAT).map(Seat) else {
                continue;
            };
            if seat.number(0).load(Ordering::Acquire) == 0 {
                continue;
            }
            present.workers += 1;
            present.in_flight += seat.in_flight().load(Ordering::Relaxed);
            present.connections += seat.connections().load(Ordering::Relaxed);
            present.websockets += seat.websockets().load(Ordering::Relaxed);
        }
        present
    }

    fn part(&self, start: usize, count: usize) -> Option<Part> {
        self.memory.part(start, count)
    }
}

/// Whether a place is `owner`'s, or was free and is so now.
fn is_or_becomes(place: &AtomicU64, owner: u64) -> bool {
    match place.compare_exchange(0, owner, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => true,
        Err(theirs) => theirs == owner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> Board {
        let memory = Part::of(cells::local(Board::CELLS), 0, Board::CELLS).expect("the whole");
        Board::over(memory)
    }

    fn add(place: &AtomicU64) {
        place.fetch_add(1, Ordering::Relaxed);
    }

    #[test]
    fn routes_of_one_name_share_their_numbers_and_no_others() {
        let board = shared();
        let names: Vec<String> = (0..BLOCKS).map(|number| format!("/{number}")).collect();
        for name in &names {
            add(&board.block(name).expect("room").cells()[1]);
        }
        for name in &names {
            let block = board.block(name).expect("its own");
            assert_eq!(block.cells()[1].load(Ordering::Relaxed), 1, "{name}");
        }
        assert!(board.block("one more").is_none());
    }

    #[test]
    fn workers_have_seats_of_their_own_and_are_seen_together() {
        let board = shared();
        let (one, other) = (board.seat(7).expect("free"), board.seat(8).expect("free"));
        add(one.in_flight());
        add(other.in_flight());
        add(board.seat(8).expect("its own").connections());
        let present = board.present();
        assert_eq!((present.workers, present.in_flight), (2, 2));
        assert_eq!((present.connections, present.websockets), (1, 0));
    }

    #[test]
    fn the_last_seat_is_the_last() {
        let board = Board::local(0);
        assert!(board.seat(7).is_some());
        assert!(board.seat(8).is_none());
    }
}
