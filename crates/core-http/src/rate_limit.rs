//! Limits of requests per time, as gates.
//!
//! - [`gcra`]: the arithmetic
//! - [`bucket`]: whose requests count together
//! - [`token_bucket`], [`keyed_buckets`]: pacing of our own calls to others
//! - [`table`], [`redis`]: where arrival times are kept; [`redis_link`], [`redis_url`], [`resp`]: talking with Redis

pub mod bucket;
pub mod gcra;
pub mod keyed_buckets;
pub mod redis;
mod redis_link;
mod redis_url;
mod resp;
pub mod table;
pub mod token_bucket;

use std::rc::Rc;
use std::sync::Arc;

use http::header::{HeaderName, HeaderValue, RETRY_AFTER};

use self::bucket::{Bucket, peer_key};
use self::gcra::{Gcra, Verdict};
use self::redis::RedisStore;
use self::table::Table;
use crate::clock::{Clock, Nanos, SECOND};
use crate::exemption::{Exemptions, is_preflight};
use crate::gate::{Gate, Passing, Refused};
use crate::problem::Problem;
use crate::request::Head;
use crate::request_id::RequestId;
use crate::response::Response;
use crate::trail::Trail;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// Where arrival times are kept.
#[derive(Clone, Debug)]
pub enum Store {
    Memory(Table),
    Redis(Rc<RedisStore>),
}

/// A limit as it is declared.
#[derive(Debug)]
pub struct Limit {
    /// Tells it from other limits in the same store; the same in every process.
    pub name: String,
    pub gcra: Gcra,
    pub store: Store,
    pub exempt: Exemptions,
    /// Whether answers say what is left.
    pub headers: bool,
    pub clock: Arc<Clock>,
    /// Before the type of problems.
    pub problem_base_url: Rc<str>,
}

/// The gate of a limit. Those that share one count together.
#[derive(Clone, Debug)]
pub struct RateLimit {
    pub limit: Rc<Limit>,
    pub bucket: Bucket,
}

impl Gate for RateLimit {
    fn pass(&self, head: Head, trail: &Rc<Trail>) -> Passing {
        let limit = &self.limit;
        if limit.exempt.hold(head.path()) || is_preflight(&head) {
            return Passing::On(head);
        }
        let key = match &self.bucket {
            Bucket::Peer => peer_key(head.origin.remote.map(|address| address.ip())),
            Bucket::Everyone => String::new(),
            Bucket::Function(function) => {
                let (limit, trail, named) =
                    (Rc::clone(limit), Rc::clone(trail), function.key(head));
                return Passing::Later(Box::pin(async move {
                    let (head, key) = named.await?;
                    limit.ask(head, &key, &trail).await
                }));
            }
        };
        match &limit.store {
            Store::Memory(table) => {
                let verdict = limit.look_up(table, &key);
                limit.settle(head, &verdict, trail).into()
            }
            Store::Redis(_) => {
                let (limit, trail) = (Rc::clone(limit), Rc::clone(trail));
                Passing::Later(Box::pin(async move { limit.ask(head, &key, &trail).await }))
            }
        }
    }
}

impl Limit {
    async fn ask(&self, head: Head, key: &str, trail: &Rc<Trail>) -> Result<Head, Box<Refused>> {
        let verdict = match &self.store {
            Store::Memory(table) => Some(self.look_up(table, key)),
            Store::Redis(store) => {
                store
                    .take(&self.name, key.as_bytes(), &self.gcra, self.clock.held())
                    .await
            }
        };
        match verdict {
            Some(verdict) => self.settle(head, &verdict, trail),
            None => Ok(head),
        }
    }

    fn look_up(&self, table: &Table, key: &str) -> Verdict {
        table.take(&self.name, key.as_bytes(), &self.gcra, self.clock.now())
    }

    fn settle(
        &self,
        head: Head,
        verdict: &Verdict,
        trail: &Rc<Trail>,
    ) -> Result<Head, Box<Refused>> {
        if self.headers {
            let state = State::new(&self.gcra, verdict, self.clock.now());
            trail.after(move |response| state.write(response));
        }
        if verdict.is_allowed {
            return Ok(head);
        }
        let seconds = whole_seconds(verdict.retry_after).max(1);
        let id = head.id.as_ref().map(RequestId::as_str);
        let mut response = Problem::rate_limited(seconds).into_response(&self.problem_base_url, id);
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
        Err(Box::new(Refused { head, response }))
    }
}

/// What an answer says about its limit.
struct State {
    burst: u32,
    /// Seconds in which the whole burst comes back.
    window: u64,
    remaining: u32,
    /// Seconds until there is more: the next request after a refusal, else the whole burst.
    wait: u64,
    /// When the whole burst is there again, in seconds since 1970.
    reset: u64,
}

impl State {
    fn new(gcra: &Gcra, verdict: &Verdict, now: Nanos) -> Self {
        Self {
            burst: gcra.burst(),
            window: whole_seconds(gcra.tolerance()).max(1),
            remaining: verdict.remaining,
            wait: if verdict.is_allowed {
                whole_seconds(verdict.full_after)
            } else {
                whole_seconds(verdict.retry_after).max(1)
            },
            reset: whole_seconds(now.saturating_add(verdict.full_after)),
        }
    }

    /// A handler's own headers stay.
    fn write(&self, mut response: Response) -> Response {
        let mut put = |name, value| {
            response.headers_mut().entry(name).or_insert(value);
        };
        put(LIMIT, HeaderValue::from(self.burst));
        put(REMAINING, HeaderValue::from(self.remaining));
        put(RESET, HeaderValue::from(self.reset));
        let texts = [
            (
                POLICY,
                format!("\"default\";q={};w={}", self.burst, self.window),
            ),
            (
                STATE,
                format!("\"default\";r={};t={}", self.remaining, self.wait),
            ),
        ];
        for (name, text) in texts {
            if let Ok(value) = HeaderValue::try_from(text) {
                put(name, value);
            }
        }
        response
    }
}

/// Rounded up.
fn whole_seconds(time: Nanos) -> u64 {
    time.div_ceil(SECOND)
}

#[cfg(test)]
mod tests;
