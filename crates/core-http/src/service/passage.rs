//! A request's way through gates.

use std::rc::Rc;

use super::{Endpoint, Service};
use crate::gate::{Gate, Passing};
use crate::handler::Reply;
use crate::request::Head;
use crate::trail::Trail;

/// Whose gates they are.
#[derive(Clone)]
pub(super) enum Stage {
    Entry,
    Endpoint(Rc<Endpoint>),
}

impl Stage {
    fn gates<'a>(&'a self, service: &'a Service) -> &'a [Rc<dyn Gate>] {
        match self {
            Self::Entry => &service.entry,
            Self::Endpoint(endpoint) => &endpoint.gates,
        }
    }
}

impl Service {
    /// Leads the request through all gates of a stage, then to `next`.
    pub(super) fn pass<N>(
        self: &Rc<Self>,
        stage: Stage,
        head: Head,
        trail: &Rc<Trail>,
        next: N,
    ) -> Reply
    where
        N: FnOnce(Head) -> Reply + 'static,
    {
        self.pass_from(0, stage, head, trail, next)
    }

    fn pass_from<N>(
        self: &Rc<Self>,
        from: usize,
        stage: Stage,
        mut head: Head,
        trail: &Rc<Trail>,
        next: N,
    ) -> Reply
    where
        N: FnOnce(Head) -> Reply + 'static,
    {
        for index in from..stage.gates(self).len() {
            match stage.gates(self)[index].pass(head, trail) {
                Passing::On(passed) => head = passed,
                Passing::Stop(refused) => return self.revise(refused.head, refused.response),
                Passing::Later(decision) => {
                    let (service, trail) = (Rc::clone(self), Rc::clone(trail));
                    return Reply::Later(Box::pin(async move {
                        let reply = match decision.await {
                            Ok(head) => service.pass_from(index + 1, stage, head, &trail, next),
                            Err(refused) => service.revise(refused.head, refused.response),
                        };
                        reply.settled().await
                    }));
                }
            }
        }
        next(head)
    }
}
