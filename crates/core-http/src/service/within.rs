//! Requests that come from within the process.

use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use http::header::HeaderValue;

use super::Service;
use super::finishing::Exchange;
use crate::inbound::{Door, Inbound};
use crate::metrics::Place;
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
            head.id = Some(RequestId::accept_or_new(given, self.settings.fresh_ids));
        }
        let is_led_on = door == Door::BehindFront;
        let led = head.parts.extensions.remove::<Led>();
        let mut exchange = Exchange::begin(self, &head, Rc::default(), is_led_on);
        let reply = self.reply(head, body, &mut exchange, false);
        let response = reply.settled().await;
        if let (Some(led), Some(trail)) = (led, &exchange.trail) {
            led.to(trail.place.get());
        }
        self.finish(response, exchange).settled().await
    }
}
