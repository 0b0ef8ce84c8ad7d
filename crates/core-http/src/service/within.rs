//! Requests that come from within the process.

use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use http::header::HeaderValue;

use super::Service;
use super::finishing::Exchange;
use super::running::Running;
use crate::accept_encoding;
use crate::inbound::{Door, Inbound};
use crate::metrics::{Flight, Place};
use crate::request::Head;
use crate::request_id::RequestId;
use crate::response::Response;

/// A note that travels with a head through the front and back: which route answered in the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Led(Arc<OnceLock<Place>>);

impl Led {
    pub(super) fn through(head: &mut Head) -> Self {
        let led = Self::default();
        head.parts.extensions.insert(led.clone());
        led
    }

    pub(super) fn place(&self) -> Option<Place> {
        self.0.get().copied()
    }

    fn to(&self, place: Place) {
        // A front that leads a request on twice is known by the first.
        let _ = self.0.set(place);
    }
}

impl Service {
    /// Answers a request that did not come over a connection of this server: one that the front leads on, or one that
    /// another server has taken.
    pub async fn exchange(self: &Rc<Self>, mut head: Head, body: Inbound, door: Door) -> Response {
        if head.id.is_none()
            && let Some(name) = &self.settings.request_id_header
        {
            let given = head.parts.headers.get(name).map(HeaderValue::as_bytes);
            head.id = Some(RequestId::accept_or_new(given));
        }
        let is_led_on = door == Door::BehindFront;
        let mut flight = None;
        if !is_led_on {
            self.counters.count_request();
            flight = self.metrics.as_ref().map(Flight::begin);
        }
        let led = head.parts.extensions.remove::<Led>();
        let mut exchange = Exchange {
            running: Running::new(Rc::default(), flight),
            id: head.id.as_ref().map(RequestId::to_header_value),
            version: head.parts.version,
            // What the front leads on is marked when it comes back.
            crossing: match &self.cors {
                Some(cors) if !is_led_on => cors.crossing(&self.router, &head.parts, &head.origin),
                _ => None,
            },
            is_secure: head.origin.secure,
            // What the front leads on is compressed when it comes back.
            accept_encoding: if self.compresses && !is_led_on {
                accept_encoding::joined(&head.parts.headers)
            } else {
                None
            },
            may_compress: !is_led_on,
            trail: self.needs_trail().then(Rc::default),
            led: None,
            // What the front leads on is in the log already.
            logged: match &self.access_log {
                Some(log) if !is_led_on => {
                    Some(log.begin(&head.parts, &head.origin, head.id.as_ref()))
                }
                _ => None,
            },
        };
        let reply = match self.check_head(&head, false) {
            Some(refusal) => self.revise(head, refusal),
            None => match &self.front {
                Some(front) if !is_led_on => {
                    exchange.led = Some(Led::through(&mut head));
                    self.admit(front, None, head, body)
                }
                _ => self.begin(head, body, exchange.trail.as_ref()),
            },
        };
        let response = reply.settled().await;
        if let (Some(led), Some(trail)) = (led, &exchange.trail) {
            led.to(trail.place.get());
        }
        self.finish(response, exchange).settled().await
    }
}
