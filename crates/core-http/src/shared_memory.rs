//! What the workers of one server have in common: a memory of fixed size, divided.

use std::sync::Arc;

use crate::cells::{Cells, Part};
use crate::metrics::board::Board;
use crate::rate_limit::table::Table;

/// Limits and figures in one memory.
#[derive(Clone, Debug)]
pub struct SharedMemory {
    pub limits: Table,
    pub figures: Board,
}

impl SharedMemory {
    /// The size of the memory, in numbers of eight bytes. Most of it is never touched.
    pub const CELLS: usize = Table::CELLS + Board::CELLS;
    /// Where the seats of the workers are in it.
    #[cfg(feature = "server-bin")]
    pub(crate) const SEATS: std::ops::Range<usize> =
        Table::CELLS + Board::SEATS.start..Table::CELLS + Board::SEATS.end;

    /// `None` if the memory is too small.
    pub fn over(cells: &Arc<dyn Cells>) -> Option<Self> {
        let part = |start, count| Part::of(Arc::clone(cells), start, count);
        Some(Self {
            limits: Table::over(Arc::new(part(0, Table::CELLS)?))?,
            figures: Board::over(part(Table::CELLS, Board::CELLS)?),
        })
    }
}
