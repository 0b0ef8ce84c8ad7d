//! The `spikard-server` program: processes, not requests.
//!
//! It finds a Python interpreter, binds the sockets, starts worker processes on them and keeps them alive. It never
//! links against Python and never looks at a request.
//!
//! - `options`: the command line
//! - `help`: what `--help` prints
//! - `interpreter`: which Python runs the workers, and why that one
//! - `shebang`: the interpreter named by an installed console script
//! - `listener`: the sockets, open in this process for its whole life
//! - `message`: what is said between this process and its workers
//! - `channel`: how it is said, descriptors included
//! - `worker`: one worker process
//! - `slot`: the place a worker serves in
//! - `pool`: all of them: start, watch, restart
//! - `rolling`: replace them one by one
//! - `stopping`: let them finish, then end
//! - `backoff`: how long to wait before the next attempt
//! - `signals`: what the outside world asks for
//! - `watch`: Python files that change (`--reload`)
//! - `memory`: how much a worker has grown; `shared`: memory that all of them see
//! - `pid_file`: our process id where others can read it
//! - `fault`: why the server ends
//! - `log`: lines on standard error

mod backoff;
mod channel;
mod fault;
mod help;
mod interpreter;
mod listener;
mod log;
mod memory;
mod message;
mod options;
mod pid_file;
mod pool;
mod rolling;
mod shared;
mod shebang;
mod signals;
mod slot;
mod stopping;
mod watch;
mod worker;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use self::fault::Fault;
use self::interpreter::{Interpreter, Rule, Surroundings};
use self::options::{Command, Options};
use self::pid_file::PidFile;
use self::pool::Pool;

/// Exit code of a configuration the server cannot start with.
pub const EXIT_CONFIG: u8 = 2;
/// Exit code of an application that fails while it starts.
pub const EXIT_STARTUP: u8 = 3;
/// Exit code after a second signal cut the drain short.
pub const EXIT_FORCED: u8 = 130;

/// Run the server with the process's arguments (the program's own name first) until it is stopped.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match run(arguments) {
        Ok(code) => ExitCode::from(code),
        Err(fault) => {
            log::fault(&fault);
            ExitCode::from(fault.exit_code())
        }
    }
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<u8, Fault> {
    let mut arguments = arguments.into_iter();
    let program = arguments.next().unwrap_or_default();
    let options = match options::parse(arguments)? {
        Command::Help => return Ok(print(help::TEXT)),
        Command::Version => {
            return Ok(print(concat!(
                "spikard-server ",
                env!("CARGO_PKG_VERSION"),
                "\n"
            )));
        }
        Command::Serve(options) => options,
    };
    if let Some(number) = options.fd {
        listener::check_inherited(number)?;
    }
    let interpreter = interpreter::find(
        options.python.as_deref(),
        &Surroundings::of_process(program),
    )?;
    if interpreter.rule == Rule::Path {
        log::note(format_args!(
            "warning: using {interpreter}; name the right one with --python"
        ));
    }
    serve(*options, interpreter)
}

fn serve(options: Options, interpreter: Interpreter) -> Result<u8, Fault> {
    let _pid_file = options
        .pid_file
        .as_deref()
        .map(PidFile::write)
        .transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::system("start the event loop", &error))?;
    let code =
        tokio::task::LocalSet::new().block_on(&runtime, Pool::new(options, interpreter).run());
    // Tasks that still wait (for a file event, a timer) must not keep the process alive.
    runtime.shutdown_background();
    code
}

fn print(text: &str) -> u8 {
    // A reader that closed early (`--help | head`) is not an error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    0
}
