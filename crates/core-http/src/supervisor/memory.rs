//! How much a worker has grown.

use rustix::process::Pid;

/// Resident memory of a process in KiB; nothing where the system doesn't tell.
pub(crate) fn resident_kib(pid: Pid) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_pid())).ok()?;
    parse(&status)
}

fn parse(status: &str) -> Option<u64> {
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_the_line_of_the_resident_set() {
        assert_eq!(
            parse("Name:\tpython3\nVmPeak:\t 9 kB\nVmRSS:\t   14228 kB\n"),
            Some(14228)
        );
        assert_eq!(parse("Name:\tpython3\n"), None);
    }
}
