//! What is to be done to an answer, noted while its request was on the way in.

use std::cell::{Cell, RefCell};

use crate::metrics::Place;
use crate::response::Response;

type Touch = Box<dyn FnOnce(Response) -> Response>;

/// The touches of one request's answer, the last noted applied first. Every answer gets them, refusals too.
#[derive(Default)]
pub struct Trail {
    touches: RefCell<Vec<Touch>>,
    /// Who answers, once that is known.
    pub(crate) place: Cell<Place>,
}

impl Trail {
    /// Notes a touch.
    pub fn after(&self, touch: impl FnOnce(Response) -> Response + 'static) {
        self.touches.borrow_mut().push(Box::new(touch));
    }

    /// Applies and forgets all touches.
    pub(crate) fn apply(&self, response: Response) -> Response {
        let touches = self.touches.take();
        touches
            .into_iter()
            .rev()
            .fold(response, |response, touch| touch(response))
    }
}

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trail")
            .field("touches", &self.touches.borrow().len())
            .field("place", &self.place.get())
            .finish()
    }
}
