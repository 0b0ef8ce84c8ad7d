//! The command line.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::str::FromStr;

use lexopt::{Arg, Parser};
use serde_json::{Map, Value};

use super::fault::Fault;

const NAMES: [&str; 27] = [
    "access-log",
    "app-dir",
    "backlog",
    "debug",
    "fd",
    "help",
    "host",
    "keep-alive-timeout",
    "log-level",
    "max-requests",
    "max-requests-jitter",
    "no-access-log",
    "pid-file",
    "port",
    "python",
    "reload",
    "reload-dir",
    "request-timeout",
    "shutdown-timeout",
    "uds",
    "unix",
    "version",
    "worker-lifetime",
    "worker-max-rss",
    "workers",
    "h",
    "V",
];
const LOG_LEVELS: [&str; 5] = ["critical", "error", "warning", "info", "debug"];

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Command {
    Help,
    Version,
    Serve(Box<Options>),
}

/// A server to run.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options {
    pub(crate) target: String,
    pub(crate) python: Option<PathBuf>,
    pub(crate) app_dir: Option<PathBuf>,
    pub(crate) pid_file: Option<PathBuf>,
    /// An inherited socket.
    pub(crate) fd: Option<i32>,
    pub(crate) reload: bool,
    pub(crate) reload_dirs: Vec<PathBuf>,
    pub(crate) debug: bool,
    /// Fields of the application's configuration that the command line overrides, under their Python names.
    pub(crate) config: Map<String, Value>,
}

/// Parse the arguments after the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Fault> {
    let mut parser = Parser::from_args(arguments);
    let mut options = Options::default();
    let mut target: Option<String> = None;
    while let Some(argument) = parser.next().map_err(|error| usage(&error.to_string()))? {
        let name = match argument {
            Arg::Value(value) => {
                let value = text("TARGET", value)?;
                if let Some(first) = &target {
                    return Err(usage(&format!(
                        "one TARGET expected, got {first:?} and {value:?}"
                    )));
                }
                target = Some(value);
                continue;
            }
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Short('V') | Arg::Long("version") => return Ok(Command::Version),
            Arg::Short(letter) => return Err(unknown(&format!("-{letter}"), None)),
            Arg::Long(name) => name.to_owned(),
        };
        option(&mut options, &mut parser, &name)?;
    }
    options.target = target
        .ok_or_else(|| usage("no TARGET given, such as `module:app` or `path/to/file.py`"))?;
    check(&options)?;
    Ok(Command::Serve(Box::new(options)))
}

fn option(options: &mut Options, parser: &mut Parser, name: &str) -> Result<(), Fault> {
    let flag = format!("--{name}");
    let mut value = || {
        parser
            .value()
            .map_err(|_| usage(&format!("{flag} needs a value")))
    };
    let setting: Value = match name {
        "python" => return value().map(|path| options.python = Some(path.into())),
        "app-dir" => return value().map(|path| options.app_dir = Some(path.into())),
        "pid-file" => return value().map(|path| options.pid_file = Some(path.into())),
        "reload-dir" => {
            options.reload = true;
            return value().map(|path| options.reload_dirs.push(path.into()));
        }
        "reload" => {
            options.reload = true;
            return Ok(());
        }
        "debug" => {
            options.debug = true;
            return Ok(());
        }
        "fd" => {
            options.fd = Some(number(&flag, value()?, 0, i64::from(i32::MAX))? as i32);
            return Ok(());
        }
        "host" | "uds" | "unix" => non_empty(&flag, value()?)?.into(),
        "port" => number(&flag, value()?, 0, 65_535)?.into(),
        "backlog" => number(&flag, value()?, 1, i64::from(i32::MAX))?.into(),
        "workers" => workers(&flag, value()?)?.into(),
        "shutdown-timeout" => seconds(&flag, value()?, 1.0)?,
        "keep-alive-timeout" | "worker-lifetime" => seconds(&flag, value()?, 0.001)?,
        "request-timeout" => {
            let value = value()?;
            if value == "none" {
                Value::Null
            } else {
                seconds(&flag, value, 0.001)?
            }
        }
        "max-requests" | "worker-max-rss" => number(&flag, value()?, 1, i64::MAX)?.into(),
        "max-requests-jitter" => number(&flag, value()?, 0, i64::MAX)?.into(),
        "log-level" => log_level(value()?)?.into(),
        "no-access-log" => false.into(),
        "access-log" => access_log(parser.optional_value().as_deref())?,
        _ => return Err(unknown(&flag, nearest(name))),
    };
    let field = if name == "unix" {
        "uds"
    } else {
        name.trim_start_matches("no-")
    };
    options.config.insert(field.replace('-', "_"), setting);
    Ok(())
}

fn check(options: &Options) -> Result<(), Fault> {
    let given = |field: &str| options.config.contains_key(field);
    let tcp = given("host") || given("port");
    if given("uds") && tcp {
        return Err(usage(
            "--uds excludes --host and --port; give one or the other",
        ));
    }
    if options.fd.is_some() && (tcp || given("uds")) {
        return Err(usage(
            "--fd excludes --host, --port and --uds; the socket is already bound",
        ));
    }
    Ok(())
}

fn workers(flag: &str, value: OsString) -> Result<i64, Fault> {
    if value == "auto" {
        return Ok(std::thread::available_parallelism().map_or(1, |count| count.get() as i64));
    }
    number(flag, value, 1, 1024)
}

fn access_log(format: Option<&OsStr>) -> Result<Value, Fault> {
    match format.map(OsStr::to_str) {
        None => Ok("text".into()),
        Some(Some(format @ ("text" | "json"))) => Ok(format.into()),
        Some(_) => Err(usage(
            "--access-log is text or json, written --access-log=json",
        )),
    }
}

fn log_level(value: OsString) -> Result<String, Fault> {
    let level = text("--log-level", value)?.to_lowercase();
    if LOG_LEVELS.contains(&level.as_str()) {
        return Ok(level);
    }
    Err(usage(&format!(
        "--log-level is one of {}, not {level:?}",
        LOG_LEVELS.join(", ")
    )))
}

fn number(flag: &str, value: OsString, least: i64, most: i64) -> Result<i64, Fault> {
    let wrong = |value: &str| {
        let range = if most == i64::MAX {
            format!("from {least} up")
        } else {
            format!("from {least} to {most}")
        };
        usage(&format!("{flag} is a whole number {range}, not {value:?}"))
    };
    let value = text(flag, value)?;
    let number = i64::from_str(&value).map_err(|_| wrong(&value))?;
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(wrong(&value))
    }
}

fn seconds(flag: &str, value: OsString, least: f64) -> Result<Value, Fault> {
    let value = text(flag, value)?;
    match f64::from_str(&value) {
        Ok(seconds) if seconds >= least && seconds <= 1e9 => {
            // Whole numbers stay whole: the configuration has integer fields.
            Ok(i64::from_str(&value).map_or_else(|_| seconds.into(), Value::from))
        }
        _ => Err(usage(&format!(
            "{flag} is a number of seconds from {least} up, not {value:?}"
        ))),
    }
}

fn non_empty(flag: &str, value: OsString) -> Result<String, Fault> {
    let value = text(flag, value)?;
    if value.is_empty() {
        Err(usage(&format!("{flag} must not be empty")))
    } else {
        Ok(value)
    }
}

fn text(what: &str, value: OsString) -> Result<String, Fault> {
    value
        .into_string()
        .map_err(|value| usage(&format!("{what} is not valid UTF-8: {}", value.display())))
}

fn usage(message: &str) -> Fault {
    Fault::Usage(format!("{message} (see --help)"))
}

fn unknown(flag: &str, nearest: Option<&str>) -> Fault {
    match nearest {
        Some(nearest) => usage(&format!("unknown option {flag}; did you mean --{nearest}?")),
        None => usage(&format!("unknown option {flag}")),
    }
}

/// The option somebody probably meant.
fn nearest(name: &str) -> Option<&'static str> {
    let long = NAMES.iter().filter(|known| known.len() > 1);
    let (distance, known) = long.map(|known| (edits(name, known), *known)).min()?;
    (distance <= 1 + known.len() / 4).then_some(known)
}

/// How many characters have to be inserted, removed or replaced to turn one word into the other.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, String> {
        match parse(line.split_whitespace().map(OsString::from)) {
            Ok(Command::Serve(options)) => Ok(*options),
            Ok(other) => panic!("{other:?}"),
            Err(fault) => Err(fault.to_string()),
        }
    }

    #[test]
    fn only_what_is_given_overrides_the_configuration() {
        let options = parsed("shop:app").unwrap();
        assert_eq!(
            options,
            Options {
                target: "shop:app".into(),
                ..Options::default()
            }
        );
    }

    #[test]
    fn values_in_all_forms() {
        let options = parsed(
            "--host ::1 --port=0 a.b:app --workers 3 --request-timeout none --shutdown-timeout 1.5 --keep-alive-timeout 5 \
             --max-requests 10 --max-requests-jitter 0 --worker-max-rss 300 --worker-lifetime 60 --backlog 5 \
             --access-log=json --log-level INFO --debug --reload-dir src --reload-dir lib --app-dir x --python p --pid-file f",
        )
        .unwrap();
        let config = serde_json::json!({
            "host": "::1", "port": 0, "workers": 3, "request_timeout": null, "shutdown_timeout": 1.5,
            "keep_alive_timeout": 5, "max_requests": 10, "max_requests_jitter": 0, "worker_max_rss": 300,
            "worker_lifetime": 60, "backlog": 5, "access_log": "json", "log_level": "info",
        });
        assert_eq!(Value::Object(options.config), config);
        assert_eq!(
            options.reload_dirs,
            [PathBuf::from("src"), PathBuf::from("lib")]
        );
        assert!(options.reload && options.debug);
        assert_eq!(options.target, "a.b:app");
    }

    #[test]
    fn the_access_log_takes_no_separate_value() {
        let options = parsed("--access-log app.py").unwrap();
        assert_eq!(
            (options.target.as_str(), &options.config["access_log"]),
            ("app.py", &Value::from("text"))
        );
        assert_eq!(
            parsed("x --no-access-log").unwrap().config["access_log"],
            Value::from(false)
        );
    }

    #[test]
    fn faults_name_the_option_and_the_rule() {
        for (line, part) in [
            ("", "no TARGET"),
            ("a b", "one TARGET"),
            (
                "a --port 65536",
                "--port is a whole number from 0 to 65535, not \"65536\"",
            ),
            ("a --port x", "--port is a whole number"),
            ("a --workers 0", "--workers is a whole number from 1"),
            (
                "a --request-timeout 0",
                "--request-timeout is a number of seconds",
            ),
            (
                "a --shutdown-timeout nan",
                "--shutdown-timeout is a number of seconds",
            ),
            (
                "a --shutdown-timeout inf",
                "--shutdown-timeout is a number of seconds",
            ),
            ("a --access-log=xml", "--access-log is text or json"),
            ("a --log-level loud", "--log-level is one of"),
            ("a --uds s --port 1", "--uds excludes"),
            ("a --fd 3 --uds s", "--fd excludes"),
            ("a --host=", "--host must not be empty"),
            ("a --host", "--host needs a value"),
            (
                "a --worker 2",
                "unknown option --worker; did you mean --workers?",
            ),
            ("a --bogus", "unknown option --bogus (see --help)"),
            ("a -x", "unknown option -x"),
            ("a --reload=yes", "--reload"),
        ] {
            let message = parsed(line).expect_err(line);
            assert!(message.contains(part), "{line}: {message}");
        }
    }

    #[test]
    fn every_option_is_in_the_help_text() {
        for name in NAMES
            .iter()
            .filter(|name| name.len() > 1 && !["unix", "no-access-log"].contains(name))
        {
            assert!(
                super::super::help::TEXT.contains(&format!("--{name}")),
                "{name}"
            );
        }
    }

    #[test]
    fn any_arguments_give_an_answer() {
        let words = [
            "", "-", "--", "-h", "-p", "--port", "--port=", "=", "1", "--fd=-1", "--fd=9", "a:b",
            "--reload", "\u{e9}", "-V=",
        ];
        let mut seed: usize = 1;
        for length in 0..6 {
            for _ in 0..500 {
                let arguments: Vec<OsString> = (0..length)
                    .map(|_| {
                        seed = seed
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1_442_695_040_888_963_407);
                        OsString::from(words[(seed >> 33) % words.len()])
                    })
                    .collect();
                if let Err(fault) = parse(arguments) {
                    assert_eq!(
                        (fault.exit_code(), fault.to_string().lines().count()),
                        (2, 1)
                    );
                }
            }
        }
    }
}
