//! Memory that all workers share, so that limits count over all of them: a file without a name.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;

use crate::rate_limit::table::Table;

/// The file, with room for a table of limits; whoever maps it sees zeros at first.
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
    file.set_len((Table::CELLS * size_of::<u64>()) as u64)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_room_and_no_name() {
        use std::os::unix::fs::MetadataExt as _;

        let metadata = memory_file().unwrap().metadata().unwrap();
        assert_eq!(metadata.len(), Table::CELLS as u64 * 8);
        assert_eq!(metadata.nlink(), 0);
        assert_eq!(metadata.mode() & 0o777, 0o600);
    }
}
