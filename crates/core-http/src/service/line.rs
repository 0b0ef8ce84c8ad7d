//! A request's line in the access log, written also when its client does not wait for the answer.

use std::rc::Rc;

use super::Service;
use crate::access_log::Entry;
use crate::metrics::Place;
use crate::response::Response;
use crate::trail::Trail;

/// Written when the answer goes out, or else when this is dropped.
pub(super) struct Line {
    service: Rc<Service>,
    trail: Rc<Trail>,
    /// Until it is written.
    entry: Option<Entry>,
}

impl Line {
    pub(super) fn new(service: &Rc<Service>, trail: &Rc<Trail>, entry: Entry) -> Self {
        Self {
            service: Rc::clone(service),
            trail: Rc::clone(trail),
            entry: Some(entry),
        }
    }

    /// The answer is on its way.
    pub(super) fn write(mut self, place: Place, response: &Response) {
        if let (Some(log), Some(entry)) = (&self.service.access_log, self.entry.take()) {
            log.end(&entry, self.service.name_of(place), response);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let (Some(log), Some(entry)) = (&self.service.access_log, self.entry.take()) {
            log.abandon(&entry, self.service.name_of(self.trail.place.get()));
        }
    }
}
