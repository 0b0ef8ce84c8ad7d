//! Our process id where others can read it.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};

use super::fault::Fault;

/// Written at start, removed when dropped.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Refuses to replace the file of another server that is still alive.
    pub(crate) fn write(path: &Path) -> Result<Self, Fault> {
        let refuse = |reason: String| Fault::PidFile {
            path: path.to_owned(),
            reason,
        };
        if let Some(pid) = running(path) {
            return Err(refuse(format!(
                "process {pid} is running; stop it, or choose another --pid-file"
            )));
        }
        std::fs::write(path, format!("{}\n", std::process::id()))
            .map_err(|error| refuse(error.to_string()))?;
        Ok(Self {
            path: path.to_owned(),
        })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if recorded(&self.path) == i32::try_from(std::process::id()).ok() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn recorded(path: &Path) -> Option<i32> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn running(path: &Path) -> Option<i32> {
    let pid = recorded(path)?;
    let alive = test_kill_process(Pid::from_raw(pid).filter(|_| pid > 0)?).is_ok();
    (alive && pid.unsigned_abs() != std::process::id()).then_some(pid)
}
