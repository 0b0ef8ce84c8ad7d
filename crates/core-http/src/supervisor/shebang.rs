//! The interpreter named by an installed console script.

use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Longest piece of a script worth looking at; installers write the interpreter into the first two lines.
const LIMIT: u64 = 4096;

/// The interpreter a script names, if it names one.
pub(crate) fn interpreter(script: &Path) -> Option<PathBuf> {
    let mut head = Vec::new();
    std::fs::File::open(script)
        .ok()?
        .take(LIMIT)
        .read_to_end(&mut head)
        .ok()?;
    parse(&String::from_utf8_lossy(&head)).map(PathBuf::from)
}

fn parse(head: &str) -> Option<String> {
    let mut lines = head.lines();
    let command = lines.next()?.strip_prefix("#!")?.trim();
    if command == "/bin/sh" {
        // Paths with spaces, or too long for the kernel, are written as shell code that Python reads as a string.
        return quoted(lines.next()?.strip_prefix("'''exec'")?.trim_start());
    }
    // `/usr/bin/env python3` names no particular interpreter.
    let program = command.split_whitespace().next()?;
    (Path::new(program).is_absolute() && Path::new(program).file_name()? != "env")
        .then(|| command.to_owned())
        .map(without_options)
}

/// The kernel gives everything after the program as one argument, but installers may write options such as `-E` there.
fn without_options(command: String) -> String {
    match command.find(" -") {
        Some(end) => command[..end].trim_end().to_owned(),
        None => command,
    }
}

/// The first word of shell code: in double quotes, in single quotes, or up to a space.
fn quoted(code: &str) -> Option<String> {
    let word = match code.chars().next()? {
        quote @ ('"' | '\'') => code[1..].split(quote).next()?,
        _ => code.split(' ').next()?,
    };
    Path::new(word).is_absolute().then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn forms_of_installers() {
        for (head, expected) in [
            (
                "#!/venv/bin/python3.12\nimport sys\n",
                Some("/venv/bin/python3.12"),
            ),
            ("#! /venv/bin/python -E\n", Some("/venv/bin/python")),
            ("#!/with space/bin/python\n", Some("/with space/bin/python")),
            (
                "#!/bin/sh\n'''exec' /very/long/python \"$0\" \"$@\"\n' '''\n",
                Some("/very/long/python"),
            ),
            (
                "#!/bin/sh\n'''exec' \"/with space/python\" \"$0\" \"$@\"\n' '''\n",
                Some("/with space/python"),
            ),
            (
                "#!/bin/sh\n'''exec' '/with space/python' \"$0\" \"$@\"\n",
                Some("/with space/python"),
            ),
            ("#!/bin/sh\necho hello\n", None),
            ("#!/usr/bin/env python3\n", None),
            ("#!python\n", None),
            ("#!\n", None),
            ("\u{7f}ELF", None),
            ("", None),
        ] {
            assert_eq!(parse(head).as_deref(), expected, "{head:?}");
        }
    }
}
