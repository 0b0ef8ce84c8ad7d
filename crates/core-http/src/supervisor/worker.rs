//! One worker process.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::rc::Rc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStderr};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::channel::{Channel, Lines};
use super::interpreter::Interpreter;
use super::message::{Command, Event, Failure, PROTOCOL};
use super::options::Options;
use super::{log, signals};

/// Unique for the life of the server; process ids are not.
pub(crate) type WorkerId = u64;

/// What an interpreter that fails to start may say.
const MOST_OUTPUT: usize = 64 * 1024;
/// After its end, how long somebody else may still hold a worker's standard error open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How far a worker has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Booting,
    /// The interpreter has said hello and imports the application.
    Loading,
    Starting,
    Ready,
    /// Finishing its requests, on our order.
    Draining,
    /// Its end is of no interest any more.
    Discarded,
}

#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) slot: usize,
    pub(crate) pid: Pid,
    pub(crate) phase: Phase,
    pub(crate) started: Instant,
    pub(crate) failure: Option<Failure>,
    channel: Rc<Channel>,
}

/// Something a worker did.
#[derive(Debug)]
pub(crate) enum News {
    Said(Event),
    /// Its process has ended; `output` is what the interpreter printed before it said hello.
    Ended {
        status: Option<ExitStatus>,
        output: String,
    },
}

impl Worker {
    /// Start a process and watch it; what it does arrives at `news`.
    pub(crate) fn spawn(
        id: WorkerId,
        slot: usize,
        interpreter: &Interpreter,
        options: &Options,
        shared: Option<&File>,
        news: UnboundedSender<(WorkerId, News)>,
    ) -> io::Result<Self> {
        let (channel, theirs) = Channel::pair()?;
        let mut command = tokio::process::Command::new(&interpreter.path);
        command
            .args(["-m", "spikard.cli.worker", &options.target])
            .stdin(Stdio::from(theirs))
            .stderr(Stdio::piped());
        for name in ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"] {
            command.env_remove(name);
        }
        let mut child = command.spawn()?;
        drop(command); // with its copy of the worker's end of the channel
        let pid = child
            .id()
            .and_then(|pid| Pid::from_raw(pid.cast_signed()))
            .ok_or(ErrorKind::NotFound)?;
        let output = child.stderr.take();
        let start = Command::Start {
            protocol: PROTOCOL,
            target: &options.target,
            app_dir: options.app_dir.as_ref(),
            config: &options.config,
            debug: options.debug,
        };
        let channel = Rc::new(channel);
        let (stderr, stdin) = (io::stderr(), io::stdin());
        let mut descriptors = vec![stderr.as_fd(), stdin.as_fd()];
        descriptors.extend(shared.map(File::as_fd));
        // A process that is gone already is reported by its watch.
        let _ = channel.send(&start, &descriptors);
        tokio::task::spawn_local(watch(id, child, Rc::clone(&channel), output, news));
        Ok(Self {
            slot,
            pid,
            phase: Phase::Booting,
            started: Instant::now(),
            failure: None,
            channel,
        })
    }

    /// Let it serve: on `listener`, sent along, or on the inherited descriptor of that number.
    pub(crate) fn listen(
        &self,
        listener: Option<std::os::fd::BorrowedFd<'_>>,
        inherited: Option<i32>,
    ) {
        let descriptors = listener.as_slice();
        let _ = self
            .channel
            .send(&Command::Listen { fd: inherited }, descriptors);
    }

    /// Let it finish its requests and end.
    pub(crate) fn drain(&self, linger: Duration) {
        if self
            .channel
            .send(
                &Command::Drain {
                    linger: linger.as_secs_f64(),
                },
                &[],
            )
            .is_err()
        {
            self.signal(Signal::TERM);
        }
    }

    /// Only called for workers whose end has not been reported, so the process id is still theirs or nobody's.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = kill_process(self.pid, signal);
    }

    pub(crate) fn lived(&self) -> Duration {
        self.started.elapsed()
    }
}

impl std::fmt::Display for Worker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "worker {} (pid {})",
            self.slot + 1,
            self.pid.as_raw_pid()
        )
    }
}

/// Report what a worker says, then its end.
async fn watch(
    id: WorkerId,
    mut child: Child,
    channel: Rc<Channel>,
    mut stderr: Option<ChildStderr>,
    news: UnboundedSender<(WorkerId, News)>,
) {
    let mut speech = Speech {
        id,
        news,
        lines: Lines::default(),
        open: true,
        greeted: false,
    };
    let mut output = Vec::new();
    let mut chunk = [0; 4096];
    let status = loop {
        tokio::select! {
            biased;
            readable = channel.readable(), if speech.open => speech.hear(&channel, readable.is_ok()),
            read = read_some(&mut stderr, &mut chunk) => {
                keep(&mut output, &chunk[..read]);
                if read == 0 {
                    stderr = None;
                }
            }
            status = child.wait() => break status.ok(),
        }
        if speech.greeted && !output.is_empty() {
            // A working interpreter's warnings belong to the operator.
            log::text(&String::from_utf8_lossy(&std::mem::take(&mut output)));
        }
    };
    speech.hear(&channel, true);
    // A descendant may hold the pipe for longer than the worker lived.
    let _ = tokio::time::timeout(LAST_WORDS, async {
        while stderr.is_some() {
            match read_some(&mut stderr, &mut chunk).await {
                0 => stderr = None,
                read => keep(&mut output, &chunk[..read]),
            }
        }
    })
    .await;
    let output = String::from_utf8_lossy(&output).into_owned();
    let _ = speech.news.send((id, News::Ended { status, output }));
}

/// Zero at the end; waits for ever once the end has been seen.
async fn read_some(stderr: &mut Option<ChildStderr>, chunk: &mut [u8]) -> usize {
    match stderr {
        Some(stderr) => stderr.read(chunk).await.unwrap_or(0),
        None => std::future::pending().await,
    }
}

fn keep(output: &mut Vec<u8>, bytes: &[u8]) {
    let room = MOST_OUTPUT.saturating_sub(output.len());
    output.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

/// The worker's side of the conversation.
struct Speech {
    id: WorkerId,
    news: UnboundedSender<(WorkerId, News)>,
    lines: Lines,
    open: bool,
    greeted: bool,
}

impl Speech {
    /// Read and report everything that has arrived.
    fn hear(&mut self, channel: &Channel, readable: bool) {
        let mut buffer = [0; 4096];
        if !readable {
            self.open = false;
        }
        while self.open {
            let events = match channel.try_read(&mut buffer) {
                Ok(0) => Err(None),
                Ok(read) => self.lines.feed(&buffer[..read]).map_err(Some),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // A worker that ended without reading our last command.
                Err(_) => Err(None),
            };
            match events {
                Ok(events) => events.into_iter().for_each(|event| self.report(event)),
                Err(problem) => {
                    self.open = false;
                    if let Some(problem) = problem {
                        log::note(format_args!(
                            "a worker sent something else than a message: {problem}"
                        ));
                    }
                }
            }
        }
    }

    fn report(&mut self, event: Event) {
        self.greeted |= matches!(event, Event::Hello { .. });
        let _ = self.news.send((self.id, News::Said(event)));
    }
}

/// How a process ended, in words.
pub(crate) fn ending(status: Option<ExitStatus>) -> String {
    match status {
        Some(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(number)) => format!("killed by {}", signals::name(number)),
            (None, None) => status.to_string(),
        },
        None => "lost".to_owned(),
    }
}
