//! Python files that change.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{Config, Event, EventKind, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::fault::Fault;
use super::log;

/// Editors write a file in several steps, and several files at once.
const SETTLE: Duration = Duration::from_millis(100);
const POLL: Duration = Duration::from_millis(500);
/// Directories with other people's code, or none at all.
const IGNORED: [&str; 6] = [
    "__pycache__",
    "node_modules",
    "site-packages",
    "target",
    "venv",
    "build",
];

/// Watches directories for changes of `.py` files.
pub(crate) struct Watch {
    watcher: Box<dyn Watcher>,
    watched: HashSet<PathBuf>,
    events: UnboundedReceiver<Event>,
    /// Kept here, since waiting for the next event may be broken off at any time.
    changed: HashSet<PathBuf>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Watch")
            .field("watched", &self.watched)
            .finish_non_exhaustive()
    }
}

impl Watch {
    /// Watch the given directories, or the current one.
    pub(crate) fn start(directories: &[PathBuf]) -> Result<Self, Fault> {
        let here = [PathBuf::from(".")];
        let mut roots = Vec::new();
        for directory in if directories.is_empty() {
            &here
        } else {
            directories
        } {
            let root = std::fs::canonicalize(directory)
                .ok()
                .filter(|root| root.is_dir());
            roots.push(root.ok_or_else(|| {
                Fault::Usage(format!(
                    "--reload-dir {} is not a directory",
                    directory.display()
                ))
            })?);
        }
        let native = Self::with(&roots, |sink| {
            RecommendedWatcher::new(sink, Config::default())
        });
        native
            .or_else(|error| {
                log::note(format_args!("watching files by looking at them ({error})"));
                Self::with(&roots, |sink| {
                    PollWatcher::new(sink, Config::default().with_poll_interval(POLL))
                })
            })
            .map_err(|error| Fault::Usage(format!("--reload cannot watch files: {error}")))
    }

    fn with<W: Watcher + 'static>(
        roots: &[PathBuf],
        make: impl FnOnce(Sink) -> notify::Result<W>,
    ) -> notify::Result<Self> {
        let (sender, events) = unbounded_channel();
        let sink: Sink = Box::new(move |event| {
            if let Ok(event) = event {
                // The receiver is only gone when the server is.
                let _ = sender.send(event);
            }
        });
        let mut watch = Self {
            watcher: Box::new(make(sink)?),
            watched: HashSet::new(),
            events,
            changed: HashSet::new(),
        };
        roots.iter().try_for_each(|root| watch.add(root))?;
        Ok(watch)
    }

    /// Watch a directory and those below it, one by one, since whole trees would include environments.
    fn add(&mut self, directory: &Path) -> notify::Result<()> {
        if !self.watched.insert(directory.to_owned()) {
            return Ok(());
        }
        self.watcher.watch(directory, RecursiveMode::NonRecursive)?;
        let Ok(entries) = std::fs::read_dir(directory) else {
            return Ok(());
        };
        entries
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| entry.path())
            .filter(|path| !is_ignored(path))
            .try_for_each(|path| self.add(&path))
    }

    /// Wait for the next change; several at once count as one. Gives what to tell the developer.
    pub(crate) async fn next(&mut self) -> String {
        loop {
            let event = if self.changed.is_empty() {
                self.events.recv().await
            } else {
                match tokio::time::timeout(SETTLE, self.events.recv()).await {
                    Ok(event) => event,
                    Err(_) => break,
                }
            };
            // The sender lives in the watcher, which lives in `self`.
            let Some(event) = event else {
                return std::future::pending().await;
            };
            let files = self.interesting(event);
            self.changed.extend(files);
        }
        let mut names: Vec<String> = self.changed.drain().map(|path| shown(&path)).collect();
        names.sort();
        match names.len() {
            0..=2 => names.join(" and "),
            more => format!("{} and {} more files", names[0], more - 1),
        }
    }

    /// The Python files of an event; directories that have appeared are watched from now on.
    fn interesting(&mut self, event: Event) -> Vec<PathBuf> {
        if matches!(event.kind, EventKind::Access(_)) {
            return Vec::new();
        }
        let mut files = Vec::new();
        for path in event.paths {
            if path.is_dir() {
                if !is_ignored(&path)
                    && matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_))
                {
                    files.extend(self.adopt(&path));
                }
            } else if is_python(&path) {
                files.push(path);
            } else {
                // A directory that is gone and comes back needs a new watch.
                self.watched.remove(&path);
            }
        }
        files
    }

    /// Watch a new directory; files that came with it are changes, too.
    fn adopt(&mut self, directory: &Path) -> Vec<PathBuf> {
        if self.watched.contains(directory) {
            return Vec::new();
        }
        // It may be gone again, which the next event tells.
        let _ = self.add(directory);
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .filter(|path| is_python(path))
            .collect()
    }
}

type Sink = Box<dyn FnMut(notify::Result<Event>) + Send>;

fn is_python(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "py")
}

fn is_ignored(directory: &Path) -> bool {
    let name = directory
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    name.starts_with('.') || IGNORED.contains(&name) || directory.join("pyvenv.cfg").exists()
}

/// Relative to the current directory when it lies there.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here)
        .unwrap_or(path)
        .display()
        .to_string()
}
