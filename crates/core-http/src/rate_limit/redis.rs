//! Limits in Redis, shared by machines: one round trip for each request.
//!
//! A limit must not take the service down: while Redis is away every request passes, and the log says so.
//! The client is our own, since one kind of command takes a few lines, and the client library brings forty others along.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::gcra::{Gcra, Verdict};
use super::redis_link::{Link, LinkError};
use super::redis_url::RedisUrl;
use super::resp::Reply;
use crate::clock::Nanos;

/// After a failure nobody waits for another one for so long.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two lines in the log.
const SILENCE: Duration = Duration::from_secs(10);
/// Longer keys are replaced by their fingerprint.
const LONGEST_KEY: usize = 200;

/// The same arithmetic as `gcra.rs`, in microseconds, by the clock of Redis unless one is given. Rounded, so that a
/// microsecond more or less decides nothing.
const DECIDE: &str = r"
local interval, tolerance, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if now < 0 then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local arrival = tonumber(redis.call('GET', KEYS[1]) or 0)
local ahead = math.min(math.max(arrival - now, 0), tolerance)
if ahead + interval > tolerance + 1 then
  return {0, math.floor(ahead + 0.5)}
end
ahead = ahead + interval
local lifetime = string.format('%.0f', math.min(math.ceil(ahead / 1000) + 1, 9e14))
redis.call('SET', KEYS[1], string.format('%.3f', now + ahead), 'PX', lifetime)
return {1, math.floor(ahead + 0.5)}
";

/// Writes a line to the log.
pub type Warn = Rc<dyn Fn(&str)>;

/// A connection with our script in Redis's memory, and the name of the script.
#[derive(Clone, Debug)]
struct Prepared {
    link: Link,
    script: Rc<str>,
}

/// Arrival times by key, in Redis.
pub struct RedisStore {
    url: RedisUrl,
    /// Before every key.
    prefix: String,
    prepared: Mutex<Option<Prepared>>,
    down_since: Cell<Option<Instant>>,
    warned: Cell<Option<Instant>>,
    warn: Warn,
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("RedisStore")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// Whether this is a URL of a Redis server; `Err` says why not.
pub fn check_url(url: &str) -> Result<(), String> {
    RedisUrl::parse(url).map(drop)
}

impl RedisStore {
    /// Nothing is connected yet.
    pub fn new(url: &str, prefix: &str, warn: Warn) -> Result<Self, String> {
        Ok(Self {
            url: RedisUrl::parse(url)?,
            prefix: prefix.to_owned(),
            prepared: Mutex::new(None),
            down_since: Cell::new(None),
            warned: Cell::new(None),
            warn,
        })
    }

    /// Decides on a request of `key` under the limit of this name; `None` if Redis cannot be asked. `held` is the time
    /// in place of Redis's own.
    pub async fn take(
        &self,
        limit: &str,
        key: &[u8],
        gcra: &Gcra,
        held: Option<Nanos>,
    ) -> Option<Verdict> {
        let micros = |nanos: Nanos| format!("{:.3}", nanos as f64 / 1e3);
        let (interval, tolerance) = (micros(gcra.interval()), micros(gcra.tolerance()));
        let now = held.map_or_else(|| "-1".to_owned(), micros);
        let name = self.name(limit, key);
        let prepared = self.prepared().await?;
        let words: [&[u8]; 7] = [
            b"EVALSHA",
            prepared.script.as_bytes(),
            b"1",
            &name,
            interval.as_bytes(),
            tolerance.as_bytes(),
            now.as_bytes(),
        ];
        let error = match prepared.link.ask(&words).await {
            Ok(Reply::List(items)) => match items.as_slice() {
                [Reply::Number(allowed), Reply::Number(ahead)] => {
                    let ahead = u64::try_from(*ahead).unwrap_or(0).saturating_mul(1000);
                    return Some(gcra.verdict(*allowed == 1, ahead));
                }
                _ => LinkError::Refused("nothing that was asked".to_owned()),
            },
            Ok(_) => LinkError::Refused("nothing that was asked".to_owned()),
            Err(error) => error,
        };
        *self.prepared.lock().await = None;
        self.fail(&error);
        None
    }

    fn name(&self, limit: &str, key: &[u8]) -> Vec<u8> {
        let mut name = format!("{}:{limit}:", self.prefix).into_bytes();
        if key.len() <= LONGEST_KEY {
            name.extend_from_slice(key);
        } else {
            let print = ring::digest::digest(&ring::digest::SHA256, key);
            for byte in print.as_ref() {
                name.extend_from_slice(format!("{byte:02x}").as_bytes());
            }
        }
        name
    }

    /// The connection, made now if there is none: by one request, the others wait for it.
    async fn prepared(&self) -> Option<Prepared> {
        let mut slot = self.prepared.lock().await;
        if let Some(prepared) = &*slot {
            return Some(prepared.clone());
        }
        let is_down = |since: Instant| since.elapsed() < PAUSE;
        if self.down_since.get().is_some_and(is_down) {
            return None;
        }
        match self.prepare().await {
            Ok(prepared) => {
                self.down_since.set(None);
                Some(slot.insert(prepared).clone())
            }
            Err(error) => {
                self.fail(&error);
                None
            }
        }
    }

    async fn prepare(&self) -> Result<Prepared, LinkError> {
        let link = Link::open(&self.url).await?;
        match link.ask(&[b"SCRIPT", b"LOAD", DECIDE.as_bytes()]).await? {
            Reply::Text(script) => Ok(Prepared {
                link,
                script: script.into(),
            }),
            _ => Err(LinkError::Refused("no name for the script".to_owned())),
        }
    }

    fn fail(&self, error: &LinkError) {
        let now = Instant::now();
        self.down_since.set(Some(now));
        let is_recent = |warned: Instant| now.duration_since(warned) < SILENCE;
        if !self.warned.get().is_some_and(is_recent) {
            self.warned.set(Some(now));
            (self.warn)(&format!(
                "the store of rate limits cannot be asked, requests pass without limit until it can: {error}"
            ));
        }
    }
}
