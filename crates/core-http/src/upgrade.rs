//! Connections that HTTP/1.1 hands over to another protocol.

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use std::rc::Rc;

use crate::wire::{Activity, Wire};

type Continuation = dyn FnOnce(Upgraded) -> LocalBoxFuture<'static, ()>;

/// What takes over a connection once its 101 is written. hyper's own way of handing over wants to move the connection to
/// another thread; ours never leave theirs.
pub struct Upgrade(Box<Continuation>);

/// A connection that speaks HTTP no more.
#[derive(Debug)]
pub(crate) struct Upgraded {
    pub(crate) wire: Wire,
    /// What was read beyond the request.
    pub(crate) ahead: Bytes,
    pub(crate) activity: Rc<Activity>,
}

impl Upgrade {
    pub(crate) fn new(
        continuation: impl FnOnce(Upgraded) -> LocalBoxFuture<'static, ()> + 'static,
    ) -> Self {
        Self(Box::new(continuation))
    }

    pub(crate) fn take_over(self, upgraded: Upgraded) -> LocalBoxFuture<'static, ()> {
        (self.0)(upgraded)
    }
}

impl std::fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Upgrade")
    }
}
