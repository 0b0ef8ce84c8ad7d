//! Memory that all workers share, so that limits and figures count over all of them: a file without a name.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};

use crate::metrics::board;
use crate::shared_memory::SharedMemory;

const NUMBER: usize = size_of::<u64>();

/// The file, with room for everything that is shared; whoever maps it sees zeros at first.
pub(crate) fn memory_file() -> io::Result<File> {
    let path = std::env::temp_dir().join(format!(".spikard-{}", uuid::Uuid::new_v4()));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    // Nobody else shall open it, and it goes with its last user.
    fs::remove_file(&path)?;
    file.set_len((SharedMemory::CELLS * NUMBER) as u64)?;
    Ok(file)
}

/// Forgets what a process that is gone had going on; nobody else does it for one that was killed.
pub(crate) fn clear_seat(file: &File, process: u32) -> io::Result<()> {
    const SEAT: usize = board::SEAT * NUMBER;
    let start = (SharedMemory::SEATS.start * NUMBER) as u64;
    let mut seats = vec![0; SharedMemory::SEATS.len() * NUMBER];
    file.read_exact_at(&mut seats, start)?;
    for (number, seat) in seats.chunks_exact(SEAT).enumerate() {
        if seat.starts_with(&u64::from(process).to_ne_bytes()) {
            let place = start + (number * SEAT) as u64;
            // The owner last: from then on another worker may take the seat.
            file.write_all_at(&[0; SEAT - NUMBER], place + NUMBER as u64)?;
            file.write_all_at(&[0; NUMBER], place)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_room_and_no_name() {
        use std::os::unix::fs::MetadataExt as _;

        let metadata = memory_file().unwrap().metadata().unwrap();
        assert_eq!(metadata.len(), SharedMemory::CELLS as u64 * 8);
        assert_eq!(metadata.nlink(), 0);
        assert_eq!(metadata.mode() & 0o777, 0o600);
    }

    #[test]
    fn the_seat_of_the_dead_is_cleared_and_no_other() {
        let file = memory_file().unwrap();
        let start = (SharedMemory::SEATS.start * NUMBER) as u64;
        let seats: Vec<u8> = [7_u64, 1, 2, 3, 8, 4, 5, 6]
            .into_iter()
            .flat_map(u64::to_ne_bytes)
            .collect();
        file.write_all_at(&seats, start).unwrap();
        clear_seat(&file, 7).unwrap();
        let mut found = vec![0; seats.len()];
        file.read_exact_at(&mut found, start).unwrap();
        assert_eq!(found[..32], [0; 32]);
        assert_eq!(found[32..], seats[32..]);
    }
}
