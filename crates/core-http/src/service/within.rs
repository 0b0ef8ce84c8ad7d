//! Requests that come from within the process.

use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::Service;
use super::finishing::Exchange;
use super::notes::Notes;
use crate::inbound::{Door, Inbound};
use crate::metrics::Place;
use crate::request::{Head, Request};
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
        let mut notes = Notes::of(self, &head.parts.headers);
        if head.id.is_none() {
            head.id = self.id_for(&mut notes);
        }
        let is_led_on = door == Door::BehindFront;
        let led = head.parts.extensions.remove::<Led>();
        let request = Box::new(Request::new(head, Bytes::new()));
        let mut exchange =
            Exchange::begin(self, &request.head, &mut notes, Rc::default(), is_led_on);
        let reply = self.reply(request, body, &mut exchange, &notes);
        let response = reply.settled().await;
        if let (Some(led), Some(trail)) = (led, &exchange.trail) {
            led.to(trail.place.get());
        }
        self.finish(response, exchange).settled().await
    }
}
