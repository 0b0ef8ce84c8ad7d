//! Lines on standard error.

use std::fmt::Arguments;
use std::io::Write as _;

use super::fault::Fault;

const NAME: &str = "spikard-server";

/// Something the operator wants to know, one line.
pub(crate) fn note(message: Arguments<'_>) {
    line(format_args!("{NAME}: {message}"));
}

/// A line without our name in front, such as the ready line that scripts wait for.
pub(crate) fn line(message: Arguments<'_>) {
    // One write, so that lines of several processes never mix; nobody is left to tell when it fails.
    let _ = std::io::stderr().write_all(format!("{message}\n").as_bytes());
}

/// Text that has its own line ends: a traceback, or what an interpreter had to say.
pub(crate) fn text(text: &str) {
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let _ = std::io::stderr().write_all(format!("{text}{end}").as_bytes());
}

/// The last line of a server that cannot go on.
pub(crate) fn fault(fault: &Fault) {
    line(format_args!(
        "{NAME}: error: {}",
        single_line(&fault.to_string())
    ));
}

/// Messages come from Python too, where nothing keeps line ends out of them.
pub(crate) fn single_line(message: &str) -> String {
    message
        .lines()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::single_line;

    #[test]
    fn a_message_of_many_lines_becomes_one() {
        assert_eq!(single_line("one\n  two\r\n\nthree"), "one two three");
    }
}
