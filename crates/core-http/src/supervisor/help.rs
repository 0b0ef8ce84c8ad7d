//! What `--help` prints.

pub(crate) const TEXT: &str = "\
Serve a Spikard application with one or more worker processes.

Usage: spikard-server [OPTIONS] TARGET

TARGET is the application:
  module:attribute        a Spikard instance, or a function that returns one
  module                  its attribute `app`, or its only Spikard instance
  path/to/file.py[:attr]  the same, from a file

Sockets:
  --host HOST              address to listen on [127.0.0.1; SPIKARD_HOST]
  --port PORT              port to listen on, 0 = any free one [8000; SPIKARD_PORT]
  --uds PATH               listen on a Unix socket instead
  --fd NUMBER              listen on an inherited socket instead
  --backlog NUMBER         connections the kernel queues for a worker [2048]

Processes:
  --workers NUMBER|auto    worker processes [1; SPIKARD_WORKERS]
  --python PATH            interpreter of the workers [the one this command is installed for; SPIKARD_PYTHON]
  --app-dir DIR            where modules are looked for first [.]
  --pid-file PATH          write the server's process id here
  --shutdown-timeout SECS  time for requests to finish when stopping [30]
  --max-requests N         replace a worker after N requests
  --max-requests-jitter N  plus a random number up to N, so that workers differ
  --worker-max-rss MIB     replace a worker that has grown beyond this
  --worker-lifetime SECS   replace a worker after this time

Requests:
  --request-timeout SECS|none     longest time for a request [30]
  --keep-alive-timeout SECS       longest idle time of a connection [75]
  --access-log[=text|json]        a line per request on standard output

Development:
  --reload                 restart when a Python file changes
  --reload-dir DIR         watch this directory instead of the current one; may be repeated
  --debug                  show exceptions in answers
  --log-level LEVEL        critical, error, warning, info or debug [info; SPIKARD_LOG_LEVEL]

  -h, --help               this text
  -V, --version            the version

Signals: TERM and INT stop (a second one forces), HUP replaces the workers one by one without losing a
connection, TTIN adds a worker and TTOU takes it away again.
Exit codes: 0 stopped, 2 configuration, 3 the application failed to start, 130 forced.
";
