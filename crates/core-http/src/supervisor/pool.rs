//! All workers: start them, watch them, start them again.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::future::pending;
use std::io::IsTerminal as _;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::backoff::random;
use super::fault::Fault;
use super::interpreter::Interpreter;
use super::listener::{self, Listeners};
use super::message::{Event, Failure, FailureKind, PROTOCOL, Settings};
use super::options::Options;
use super::signals::{Signals, Wish};
use super::slot::Slot;
use super::stopping::Stopping;
use super::watch::Watch;
use super::worker::{News, Phase, Worker, WorkerId, ending};
use super::{log, memory, shared};

/// How often the memory of workers is looked at.
const MEMORY_CHECK: Duration = Duration::from_secs(5);
/// A worker that has reported a failure has this long to end.
const FAILED_END: Duration = Duration::from_secs(5);

/// Something planned for later.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Alarm {
    /// Fill the slot, if this is still its latest attempt.
    Fill {
        slot: usize,
        attempt: u64,
    },
    /// Kill the worker if it is still in a phase it should have left.
    Overdue {
        worker: WorkerId,
        phase: Phase,
    },
    /// The worker has served for as long as it may.
    Aged {
        worker: WorkerId,
    },
    MemoryCheck,
    /// Time for the drain is over.
    StopNow,
}

/// What ends the server.
pub(crate) type End = Result<u8, Fault>;

#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) options: Options,
    pub(crate) interpreter: Interpreter,
    pub(crate) slots: Vec<Slot>,
    pub(crate) workers: BTreeMap<WorkerId, Worker>,
    /// What they count limits and figures in, if there is such memory.
    shared: Option<File>,
    /// Bound as soon as the first worker knows the configuration.
    pub(crate) listeners: Option<Listeners>,
    pub(crate) settings: Settings,
    /// Slots still to be renewed by a rolling replacement; the first one is being renewed.
    pub(crate) rolling: VecDeque<usize>,
    /// What the workers replaced by it may still take.
    pub(crate) linger: Duration,
    pub(crate) stopping: Option<Stopping>,
    /// Whether any worker has ever been ready.
    pub(crate) proven: bool,
    announced: bool,
    in_terminal: bool,
    next_id: WorkerId,
    news: UnboundedSender<(WorkerId, News)>,
    alarms: UnboundedSender<Alarm>,
    inbox: Option<Inbox>,
}

#[derive(Debug)]
struct Inbox {
    news: UnboundedReceiver<(WorkerId, News)>,
    alarms: UnboundedReceiver<Alarm>,
}

impl Pool {
    pub(crate) fn new(options: Options, interpreter: Interpreter) -> Self {
        let (news, news_inbox) = unbounded_channel();
        let (alarms, alarms_inbox) = unbounded_channel();
        Self {
            options,
            interpreter,
            slots: Vec::new(),
            workers: BTreeMap::new(),
            shared: shared::memory_file()
                .inspect_err(|error| {
                    log::note(format_args!(
                        "no shared memory, so each worker counts limits and figures for itself: {error}"
                    ));
                })
                .ok(),
            listeners: None,
            settings: Settings::default(),
            rolling: VecDeque::new(),
            linger: super::rolling::LINGER,
            stopping: None,
            proven: false,
            announced: false,
            in_terminal: std::io::stderr().is_terminal(),
            next_id: 1,
            news,
            alarms,
            inbox: Some(Inbox {
                news: news_inbox,
                alarms: alarms_inbox,
            }),
        }
    }

    /// Serve until told to stop, or until it makes no sense to go on.
    pub(crate) async fn run(mut self) -> End {
        let mut signals =
            Signals::listen().map_err(|error| Fault::system("listen to signals", &error))?;
        let mut watch = self
            .options
            .reload
            .then(|| Watch::start(&self.options.reload_dirs))
            .transpose()?;
        // Taken once: `run` consumes the pool.
        let Some(mut inbox) = self.inbox.take() else {
            return Ok(0);
        };
        let given = self.options.fd.is_some() || self.chooses_socket();
        self.listeners = if given {
            self.options.fd
        } else {
            listener::handed_over()
        }
        .map(Listeners::Inherited);
        self.slots.push(Slot::default());
        let mut end = self.start(0);
        loop {
            if let Some(end) = end {
                return end;
            }
            end = tokio::select! {
                biased;
                Some((worker, news)) = inbox.news.recv() => self.on_news(worker, news),
                wish = signals.next() => self.on_wish(wish),
                Some(alarm) = inbox.alarms.recv() => self.on_alarm(alarm),
                change = next_change(&mut watch) => self.on_change(&change),
            };
        }
    }

    /// A socket named on the command line is meant, even under a service manager.
    fn chooses_socket(&self) -> bool {
        ["host", "port", "uds"]
            .iter()
            .any(|field| self.options.config.contains_key(*field))
    }

    /// Start a worker in a slot: the first one there, or the replacement of the one that serves.
    pub(crate) fn start(&mut self, slot: usize) -> Option<End> {
        let id = self.next_id;
        self.next_id += 1;
        match Worker::spawn(
            id,
            slot,
            &self.interpreter,
            &self.options,
            self.shared.as_ref(),
            self.news.clone(),
        ) {
            Ok(worker) => {
                self.workers.insert(id, worker);
                let place = &mut self.slots[slot];
                if place.serving.is_none() {
                    place.serving = Some(id);
                } else {
                    place.replacement = Some(id);
                    self.expect_ready(id);
                }
                None
            }
            Err(error) if self.proven => {
                log::note(format_args!("cannot start {}: {error}", self.interpreter));
                self.retry(slot, Duration::ZERO);
                None
            }
            Err(error) => {
                let message = format!(
                    "cannot start {}: {error}; name another with --python",
                    self.interpreter
                );
                self.stop_with(Err(Fault::Interpreter(message)))
            }
        }
    }

    /// Fill the slot again after a while.
    pub(crate) fn retry(&mut self, slot: usize, lived: Duration) -> Duration {
        let place = &mut self.slots[slot];
        let delay = place.backoff.delay(lived, random());
        place.attempt += 1;
        let attempt = place.attempt;
        self.plan(delay, Alarm::Fill { slot, attempt });
        delay
    }

    pub(crate) fn plan(&self, delay: Duration, alarm: Alarm) {
        let alarms = self.alarms.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(delay).await;
            let _ = alarms.send(alarm);
        });
    }

    fn on_news(&mut self, id: WorkerId, news: News) -> Option<End> {
        match news {
            News::Ended { status, output } => {
                let worker = self.workers.remove(&id)?;
                self.clear_seat(&worker);
                if self.stopping.is_some() {
                    return self.finished();
                }
                self.on_end(id, &worker, &ending(status), &output)
            }
            News::Said(event) => {
                let phase = self.workers.get(&id)?.phase;
                if self.stopping.is_some() || phase >= Phase::Draining {
                    return None;
                }
                self.on_event(id, event)
            }
        }
    }

    fn on_event(&mut self, id: WorkerId, event: Event) -> Option<End> {
        match event {
            Event::Hello {
                protocol,
                version,
                executable,
            } => self.on_hello(id, protocol, &version, &executable),
            Event::Loaded { config } => self.on_loaded(id, config),
            Event::Ready { addresses } => self.on_ready(id, &addresses),
            Event::Failed(failure) => {
                let worker = self.workers.get_mut(&id)?;
                worker.failure = Some(failure);
                let phase = worker.phase;
                self.plan(FAILED_END, Alarm::Overdue { worker: id, phase });
                None
            }
            Event::Recycle { reason } => {
                self.recycle(id, &reason);
                None
            }
        }
    }

    fn on_hello(
        &mut self,
        id: WorkerId,
        protocol: u32,
        version: &str,
        executable: &str,
    ) -> Option<End> {
        let worker = self.workers.get_mut(&id)?;
        worker.phase = Phase::Loading;
        let ours = env!("CARGO_PKG_VERSION");
        if protocol == PROTOCOL && version == ours {
            return None;
        }
        let message = format!(
            "{executable} ({}) has spikard {version} with worker protocol {protocol}, but this is spikard-server {ours} \
             with protocol {PROTOCOL}; name the interpreter they were both installed for with --python, and restart",
            self.interpreter.rule
        );
        worker.failure = Some(Failure {
            kind: FailureKind::Interpreter,
            message,
            traceback: None,
        });
        worker.signal(Signal::KILL);
        None
    }

    fn on_loaded(&mut self, id: WorkerId, settings: Settings) -> Option<End> {
        if self.listeners.is_some() && self.announced && self.settings.differs_for_good(&settings) {
            log::note(format_args!(
                "host, port, uds, backlog and workers only change with a restart of the server"
            ));
        }
        let (workers, memory_limit) = (settings.workers, settings.worker_max_rss.is_some());
        if self.listeners.is_none() {
            match Listeners::bind(&settings) {
                Ok(listeners) => self.listeners = Some(listeners),
                Err(fault) => return self.stop_with(Err(fault)),
            }
        }
        if self.slots.len() < workers && !self.announced {
            for slot in self.slots.len()..workers {
                self.slots.push(Slot::default());
                if let Some(end) = self.start(slot) {
                    return Some(end);
                }
            }
        }
        if memory_limit && self.settings.worker_max_rss.is_none() {
            self.plan(MEMORY_CHECK, Alarm::MemoryCheck);
        }
        self.settings = settings;
        let worker = self.workers.get_mut(&id)?;
        worker.phase = Phase::Starting;
        let listeners = self.listeners.as_ref()?;
        worker.listen(listeners.descriptor(worker.slot), listeners.inherited());
        None
    }

    fn on_ready(&mut self, id: WorkerId, addresses: &[String]) -> Option<End> {
        let worker = self.workers.get_mut(&id)?;
        worker.phase = Phase::Ready;
        worker.started = tokio::time::Instant::now();
        let slot = worker.slot;
        self.proven = true;
        if let Some(lifetime) = self.settings.worker_lifetime {
            // Up to a tenth more, so that workers started together don't leave together.
            let lifetime =
                Duration::from_secs_f64(lifetime.clamp(0.001, 1e9) * (1.0 + 0.1 * random()));
            self.plan(lifetime, Alarm::Aged { worker: id });
        }
        self.take_over(id, slot);
        let starting = |slot: &Slot| {
            slot.serving
                .and_then(|id| self.workers.get(&id))
                .is_none_or(|worker| worker.phase < Phase::Ready)
        };
        if !self.announced && !self.slots.iter().any(starting) {
            self.announced = true;
            self.announce(addresses);
        }
        self.roll_on(slot)
    }

    fn announce(&self, addresses: &[String]) {
        let own = self
            .listeners
            .as_ref()
            .map(Listeners::address)
            .into_iter()
            .collect::<Vec<_>>();
        let addresses = if addresses.is_empty() {
            &own
        } else {
            addresses
        }
        .join(", ");
        match self.slots.len() {
            1 => log::line(format_args!("listening on {addresses}")),
            count => log::line(format_args!("listening on {addresses} ({count} workers)")),
        }
    }

    /// A worker has ended without having been told to.
    fn on_end(&mut self, id: WorkerId, worker: &Worker, ending: &str, output: &str) -> Option<End> {
        let slot = worker.slot;
        if worker.phase >= Phase::Draining {
            return None;
        }
        let place = self.slots.get_mut(slot)?;
        let was_replacement = place.replacement == Some(id);
        if was_replacement {
            place.replacement = None;
        } else if place.serving == Some(id) {
            place.serving = None;
        } else {
            return None;
        }
        if worker.phase == Phase::Ready {
            return self.on_crash(worker, ending);
        }
        let failure = worker
            .failure
            .clone()
            .unwrap_or_else(|| self.silent_failure(worker, ending, output));
        if !self.proven && !self.waits_for_changes(&failure) {
            return self.stop_with(Err(report(&failure)));
        }
        self.on_failed_start(worker, was_replacement, &failure)
    }

    fn on_crash(&mut self, worker: &Worker, ending: &str) -> Option<End> {
        if !self.slots[worker.slot].is_empty() {
            log::note(format_args!(
                "{worker} died, {ending}; its replacement is starting"
            ));
            return None;
        }
        let delay = self.retry(worker.slot, worker.lived());
        log::note(format_args!(
            "{worker} died, {ending}; restarting in {:.1} s",
            delay.as_secs_f64()
        ));
        None
    }

    fn on_failed_start(
        &mut self,
        worker: &Worker,
        was_replacement: bool,
        failure: &Failure,
    ) -> Option<End> {
        let fault = report(failure);
        let rolling = self.rolling.front() == Some(&worker.slot);
        if rolling {
            self.rolling.clear();
        }
        let place = &self.slots[worker.slot];
        if self.options.reload {
            let old = if place.serving.is_some() {
                "; still serving the previous version"
            } else {
                ""
            };
            log::note(format_args!("{fault}{old}; waiting for a change"));
        } else if was_replacement && rolling {
            log::note(format_args!(
                "{fault}; the new {worker} failed, the old workers stay"
            ));
        } else {
            let delay = self.retry(worker.slot, worker.lived());
            log::note(format_args!(
                "{fault}; {worker} failed, trying again in {:.1} s",
                delay.as_secs_f64()
            ));
        }
        None
    }

    /// With `--reload` a mistake in the code is something the next edit repairs.
    fn waits_for_changes(&self, failure: &Failure) -> bool {
        self.options.reload && failure.kind != FailureKind::Interpreter
    }

    /// A worker that ended before it could say why.
    fn silent_failure(&self, worker: &Worker, ending: &str, output: &str) -> Failure {
        if worker.phase > Phase::Booting {
            let message = format!("{worker} died while the application was starting, {ending}");
            return Failure {
                kind: FailureKind::Startup,
                message,
                traceback: None,
            };
        }
        let reason = output
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or(ending)
            .trim();
        // Interpreters put their own path in front, which the message has already.
        let own_name = format!("{}: ", self.interpreter.path.display());
        let reason = reason.strip_prefix(&own_name).unwrap_or(reason);
        let message = format!(
            "{} cannot run spikard: {reason}; name the right interpreter with --python",
            self.interpreter
        );
        Failure {
            kind: FailureKind::Interpreter,
            message,
            traceback: None,
        }
    }

    fn on_wish(&mut self, wish: Wish) -> Option<End> {
        match wish {
            Wish::Stop => self.stop(),
            _ if self.stopping.is_some() => None,
            // The terminal is gone, and with it whoever wanted to see us.
            Wish::Reload if self.in_terminal && !std::io::stderr().is_terminal() => self.stop(),
            Wish::Reload => self.roll(super::rolling::LINGER),
            Wish::AddWorker => self.add_worker(),
            Wish::RemoveWorker => {
                self.remove_worker();
                None
            }
        }
    }

    fn on_change(&mut self, change: &str) -> Option<End> {
        if self.stopping.is_some() {
            return None;
        }
        log::note(format_args!("{change} changed, reloading"));
        self.roll(super::rolling::SHORT_LINGER)
    }

    fn on_alarm(&mut self, alarm: Alarm) -> Option<End> {
        match alarm {
            Alarm::StopNow => self.kill_all(),
            _ if self.stopping.is_some() => {}
            Alarm::Fill { slot, attempt } => {
                let place = self.slots.get(slot)?;
                let wanted = place.is_empty() || place.due && place.replacement.is_none();
                if place.attempt == attempt && wanted {
                    return self.start(slot);
                }
            }
            Alarm::Overdue { worker, phase } => {
                let late = self
                    .workers
                    .get(&worker)
                    .filter(|worker| worker.phase == phase)?;
                log::note(format_args!("{late} takes too long, killing it"));
                late.signal(Signal::KILL);
            }
            Alarm::Aged { worker } => self.recycle(worker, "its lifetime is over"),
            Alarm::MemoryCheck => self.check_memory(),
        }
        None
    }

    /// Takes what a worker had going on out of the figures of all.
    fn clear_seat(&self, worker: &Worker) {
        let process = worker.pid.as_raw_nonzero().get().cast_unsigned();
        if let Some(file) = &self.shared
            && let Err(error) = shared::clear_seat(file, process)
        {
            log::note(format_args!(
                "the figures go on counting a worker that is gone: {error}"
            ));
        }
    }

    fn check_memory(&mut self) {
        let Some(limit) = self.settings.worker_max_rss else {
            return;
        };
        let heavy: Vec<(WorkerId, u64)> = self
            .workers
            .iter()
            .filter(|(_, worker)| worker.phase == Phase::Ready)
            .filter_map(|(id, worker)| Some((*id, memory::resident_kib(worker.pid)? / 1024)))
            .filter(|(_, mebibytes)| *mebibytes > limit)
            .collect();
        for (id, mebibytes) in heavy {
            self.recycle(id, &format!("{mebibytes} MiB of memory, {limit} allowed"));
        }
        self.plan(MEMORY_CHECK, Alarm::MemoryCheck);
    }
}

/// Print a failure's traceback; its last line is for the caller.
fn report(failure: &Failure) -> Fault {
    if let Some(traceback) = &failure.traceback {
        log::text(traceback);
    }
    let message = log::single_line(&failure.message);
    match failure.kind {
        FailureKind::Interpreter => Fault::Interpreter(message),
        FailureKind::Config => Fault::Config(message),
        FailureKind::Startup => Fault::Startup(message),
    }
}

async fn next_change(watch: &mut Option<Watch>) -> String {
    match watch {
        Some(watch) => watch.next().await,
        None => pending().await,
    }
}
