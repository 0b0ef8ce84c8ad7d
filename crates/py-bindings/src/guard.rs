//! What stands between a request and its handler: limits, then who may come in.

use std::rc::Rc;
use std::sync::Arc;

use core_http::gate::Gate;
use core_http::rate_limit::Limit;
use pyo3::prelude::*;

use crate::application::Application;
use crate::auth::{BuiltDoors, Doors, Entrance};
use crate::gateway::Gateway;
use crate::pages::ServedPage;
use crate::rate_limit::Limits;
use crate::route::Route;

/// The limits and doors of an application, read.
pub(crate) struct Guards {
    limits: Limits,
    doors: Doors,
}

/// The same on the server's thread.
pub(crate) struct BuiltGuards<'a> {
    guards: &'a Guards,
    gateway: &'a Gateway,
    limits: Vec<Rc<Limit>>,
    doors: BuiltDoors,
}

impl Guards {
    pub(crate) fn read(
        application: &Application,
        pages: &[ServedPage],
        config: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let routes = || application.routes.iter().map(|(_, _, route)| &**route);
        Ok(Self {
            limits: Limits::read(config, routes())?,
            doors: Doors::read(config, routes(), pages)?,
        })
    }

    pub(crate) fn build<'a>(
        &'a self,
        gateway: &'a Gateway,
        problem_base_url: &str,
    ) -> BuiltGuards<'a> {
        BuiltGuards {
            guards: self,
            gateway,
            limits: self.limits.build(gateway, problem_base_url),
            doors: self.doors.build(gateway, problem_base_url),
        }
    }
}

impl BuiltGuards<'_> {
    /// The gates of the route with this number.
    pub(crate) fn of_route(&self, number: usize, route: &Arc<Route>) -> Vec<Rc<dyn Gate>> {
        self.gates(Entrance::Route(number), Some(route))
    }

    /// The gate of the page with this number, if it is for some only.
    pub(crate) fn of_page(&self, number: usize) -> Option<Rc<dyn Gate>> {
        self.guards.doors.gate(&self.doors, Entrance::Page(number))
    }

    /// The gates of what is mounted below a path: those of the application as a whole.
    pub(crate) fn of_mount(&self, route: &Arc<Route>) -> Vec<Rc<dyn Gate>> {
        self.gates(Entrance::Mount, Some(route))
    }

    fn gates(&self, entrance: Entrance, route: Option<&Arc<Route>>) -> Vec<Rc<dyn Gate>> {
        let Guards { limits, doors } = self.guards;
        let number = match entrance {
            Entrance::Route(number) => Some(number),
            Entrance::Page(_) | Entrance::Mount => None,
        };
        limits
            .gate(&self.limits, number, route, self.gateway)
            .into_iter()
            .chain(doors.gate(&self.doors, entrance))
            .collect()
    }
}
