//! The last touches of an answer.

use std::rc::Rc;

use http::header::{self, HeaderValue};
use http::{StatusCode, Version};

use super::Service;
use super::line::Line;
use super::notes::Notes;
use super::running::Running;
use super::within::Led;
use crate::compression::RouteCompression;
use crate::cors::Crossing;
use crate::handler::Reply;
use crate::metrics::{Flight, Place};
use crate::request::Head;
use crate::request_id::RequestId;
use crate::response::Response;
use crate::trail::Trail;
use crate::wire::Activity;

/// What is kept of a request for its answer's last touches. Small, for it is moved with every request: what few have is
/// in a box.
pub(super) struct Exchange {
    pub(super) running: Running,
    pub(super) id: Option<HeaderValue>,
    pub(super) version: Version,
    pub(super) is_secure: bool,
    pub(super) crossing: Option<Box<Crossing>>,
    pub(super) accept_encoding: Option<HeaderValue>,
    pub(super) trail: Option<Rc<Trail>>,
    /// Whether the front leads it on: it is counted, marked, compressed and logged when it comes back there.
    pub(super) is_led_on: bool,
    /// Where the front has led the request, if it went there.
    pub(super) led: Option<Led>,
    pub(super) line: Option<Box<Line>>,
}

impl Exchange {
    /// From here on the request is under way.
    pub(super) fn begin(
        service: &Rc<Service>,
        head: &Head,
        notes: &mut Notes,
        activity: Rc<Activity>,
        is_led_on: bool,
    ) -> Self {
        let trail = service.needs_trail().then(Rc::<Trail>::default);
        let mut exchange = Self {
            running: Running::new(activity),
            id: head.id.as_ref().map(RequestId::to_header_value),
            version: head.parts.version,
            is_secure: head.origin.secure,
            crossing: None,
            accept_encoding: None,
            trail,
            is_led_on,
            led: None,
            line: None,
        };
        if is_led_on {
            return exchange;
        }
        service.counters.count_request();
        if let Some(metrics) = &service.metrics {
            exchange.running.flight = Some(Flight::begin(metrics));
        }
        exchange.crossing = service
            .cors
            .as_ref()
            .and_then(|cors| cors.crossing(&service.router, &head.parts, &head.origin))
            .map(Box::new);
        exchange.accept_encoding = notes.accept_encoding.take();
        if let (Some(log), Some(trail)) = (&service.access_log, &exchange.trail) {
            let entry = log.begin(&head.parts, &head.origin, head.id.as_ref());
            exchange.line = Some(Box::new(Line::new(service, trail, entry)));
        }
        exchange
    }
}

impl Service {
    /// Adds what every answer carries, and compresses it.
    pub(super) fn finish(self: &Rc<Self>, response: Response, mut exchange: Exchange) -> Reply {
        let mut response = match &exchange.trail {
            Some(trail) => trail.apply(response),
            None => response,
        };
        let is_upgrade = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        if let Some(crossing) = &exchange.crossing {
            crossing.mark(headers);
        }
        if let (Some(name), Some(id)) = (&self.settings.request_id_header, exchange.id.take()) {
            headers.entry(name).or_insert(id);
        }
        if let Some(server) = &self.settings.server_header {
            headers
                .entry(header::SERVER)
                .or_insert_with(|| server.clone());
        }
        if let Some(security) = &self.settings.security_headers {
            security.add(headers, exchange.is_secure);
        }
        if self.draining.get() && exchange.version < Version::HTTP_2 && !is_upgrade {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if !self.compresses || exchange.is_led_on {
            return Reply::Ready(conclude(response, exchange));
        }
        match self.compress(response, exchange.accept_encoding.as_ref()) {
            Reply::Ready(response) => Reply::Ready(conclude(response, exchange)),
            Reply::Later(future) => Reply::Later(Box::pin(async move {
                let response = future.await;
                conclude(response, exchange)
            })),
        }
    }

    fn compress(&self, mut response: Response, accept: Option<&HeaderValue>) -> Reply {
        let own = response.extensions_mut().remove::<RouteCompression>();
        let is_asked = own.is_some();
        let compression = match &own {
            Some(own) => own.0.as_deref(),
            None => self.settings.compression.as_deref(),
        };
        match compression {
            Some(compression) if compression.is_worth_a_look(response.body()) => {
                compression.apply(response, accept, is_asked)
            }
            _ => Reply::Ready(response),
        }
    }

    /// The pattern of the route that answered, or the path of the mount.
    pub(super) fn name_of(&self, place: Place) -> Option<&str> {
        match place {
            Place::Nowhere => None,
            Place::Route(id) => Some(self.router.pattern(id)),
            Place::Mount(index) => self.mounts.get(index).map(|mount| mount.prefix.as_str()),
        }
    }
}

/// Counts and logs the answer as it goes out.
#[inline]
fn conclude(response: Response, mut exchange: Exchange) -> Response {
    if let Some(trail) = &exchange.trail {
        let led = exchange.led.and_then(|led| led.place());
        let place = led.unwrap_or_else(|| trail.place.get());
        exchange.running.answered(place, response.status());
        if let Some(line) = exchange.line {
            line.write(place, &response);
        }
    }
    exchange.running.hold_while_streaming(response)
}
