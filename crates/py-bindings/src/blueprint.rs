//! Everything a server is made of, read from Python once, ready to go to the thread it will run on.

use std::cmp::Reverse;
use std::rc::Rc;
use std::sync::Arc;

use core_http::cors::{Cors, Policy};
use core_http::counters::Counters;
use core_http::gate::Gate;
use core_http::handler::Handler;
use core_http::metrics::Metrics;
use core_http::router::Router;
use core_http::service::{Endpoint, Mount, Service};
use core_http::settings::Settings;
use core_http::tls::Tls;
use core_validate::JsonLimits;
use http::Method;
use pyo3::prelude::*;

use crate::access_log::AccessLogger;
use crate::application::Application;
use crate::gateway::Gateway;
use crate::guard::Guards;
use crate::hook_gate::HookGate;
use crate::pages::{self, Pages};
use crate::part_rules;
use crate::python_handler::{PythonHandler, PythonObserver};
use crate::route::Route;
use crate::socket_handler::SocketHandler;
use crate::static_files::StaticDirectory;
use crate::{cors, settings, shared_memory, tls};

pub(crate) struct Blueprint {
    routes: Vec<(Method, String, Arc<Route>)>,
    pages: Pages,
    pub(crate) settings: Settings,
    tls: Option<Tls>,
    cors: Option<Arc<Policy>>,
    access_logger: Option<AccessLogger>,
    static_files: Vec<StaticDirectory>,
    max_json_depth: usize,
    strict_json: bool,
    /// Hooks that every request passes before its route is looked for.
    entry: Option<Arc<Py<PyAny>>>,
    guards: Guards,
    front: Option<Arc<Route>>,
    mounts: Vec<(String, Arc<Route>, Arc<Route>)>,
    pub(crate) counters: Arc<Counters>,
}

impl Blueprint {
    /// Reads an application's routes and a `spikard.config.ServerConfig`.
    pub(crate) fn read(application: &Application, config: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = config.py();
        let mut static_files = Vec::new();
        for directory in config.getattr("static_files")?.try_iter()? {
            static_files.push(StaticDirectory::read(&directory?)?);
        }
        for directory in &application.static_files {
            static_files.push(StaticDirectory::read(directory.bind(py))?);
        }
        let pages = pages::read(application.owner(py), config)?;
        Ok(Self {
            routes: application.routes.clone(),
            guards: Guards::read(application, &pages, config)?,
            pages,
            settings: settings::read(config)?,
            static_files,
            tls: tls::read(config)?,
            cors: cors::read(&config.getattr("cors")?)?,
            access_logger: AccessLogger::find(config.py())?,
            max_json_depth: config.getattr("max_json_depth")?.extract()?,
            strict_json: config.getattr("strict_json")?.is_truthy()?,
            entry: application.entry.clone(),
            front: application.front.clone(),
            mounts: application.mounts.clone(),
            counters: Arc::default(),
        })
    }

    /// The service, on its thread; Python is reached through `gateway`.
    pub(crate) fn build(self, gateway: &Gateway) -> Rc<Service> {
        let mut router = Router::new();
        let mut is_guarded = false;
        let mut cors = Cors {
            general: self.cors.clone(),
            ..Cors::default()
        };
        let mut counted = Vec::new();
        let guards = self.guards.build(gateway, &self.settings.problem_base_url);
        for (number, (method, pattern, route)) in self.routes.iter().enumerate() {
            let endpoint = self.endpoint(route, gateway, guards.of_route(number, route));
            is_guarded |= !endpoint.gates.is_empty();
            // Conflicts were refused when the application took the route.
            let Ok(id) = router.insert(method.clone(), pattern, Rc::new(endpoint)) else {
                continue;
            };
            counted.push((method.as_str(), pattern.as_str()));
            if let Some(own) = &route.cors {
                cors.own.insert(id, own.clone());
            }
        }
        for (number, served) in self.pages.iter().enumerate() {
            let mut endpoint = Endpoint::new(Box::new(served.page.clone()));
            endpoint.gates.extend(guards.of_page(number));
            is_guarded |= !endpoint.gates.is_empty();
            let path = served.path.as_str();
            // A route of the application's own at the same path wins.
            if router.insert(Method::GET, path, Rc::new(endpoint)).is_ok() {
                counted.push(("GET", path));
            }
        }
        // What it lets through passes the gates of the route inside.
        let front = self
            .front
            .as_ref()
            .map(|route| Rc::new(self.endpoint(route, gateway, Vec::new())));
        let mounts: Vec<_> = self
            .mounts
            .iter()
            .map(|(prefix, route, socket)| {
                // What is mounted is no less closed than a route.
                let [endpoint, socket] = [route, socket].map(|route| {
                    let endpoint = self.endpoint(route, gateway, guards.of_mount(route));
                    is_guarded |= !endpoint.gates.is_empty();
                    Rc::new(endpoint)
                });
                Mount {
                    prefix: prefix.clone(),
                    endpoint,
                    socket: Some(socket),
                }
            })
            .collect();
        drop(guards);
        let compresses = self
            .routes
            .iter()
            .any(|(_, _, route)| matches!(route.compression, Some(Some(_))));
        let base_url = self.settings.problem_base_url.clone();
        let observer = Box::new(PythonObserver(gateway.clone()));
        let mut service = Service::new(router, self.settings, observer);
        service.compresses |= compresses;
        for directory in self.static_files {
            let observer = Rc::new(PythonObserver(gateway.clone()));
            service.mounts.push(directory.mount(&base_url, observer));
        }
        service.tls = self.tls;
        service.cors = cors.is_active().then_some(cors);
        service.counters = self.counters;
        if let Some(logger) = self.access_logger {
            service.send_access_log(logger.into_sink());
        }
        service.front = front;
        service.mounts.extend(mounts);
        // The first of several with the same prefix stays the first.
        service
            .mounts
            .sort_by_key(|mount| Reverse(mount.prefix.len()));
        if let Some(hooks) = &self.entry {
            service.entry.push(HookGate::of(gateway, hooks, None));
        }
        service.is_guarded = is_guarded || !service.entry.is_empty();
        if service.settings.metrics_path.is_some() {
            let mounts = service.mounts.iter().map(|mount| mount.prefix.as_str());
            service.metrics = Some(Rc::new(Metrics::new(
                shared_memory::board(),
                counted,
                mounts,
            )));
        }
        Rc::new(service)
    }

    fn endpoint(
        &self,
        route: &Arc<Route>,
        gateway: &Gateway,
        mut gates: Vec<Rc<dyn Gate>>,
    ) -> Endpoint {
        // The last before the body.
        if let Some(hooks) = &route.gate {
            gates.push(HookGate::of(gateway, hooks, Some(route)));
        }
        Endpoint {
            handler: self.handler(route, gateway),
            max_body_size: route.max_body_size,
            request_timeout: route.request_timeout,
            gates,
            compression: route.compression.clone(),
            cache_control: route.cache_control.clone(),
        }
    }

    fn handler(&self, route: &Arc<Route>, gateway: &Gateway) -> Box<dyn Handler> {
        let limits = JsonLimits {
            max_depth: route.max_json_depth.unwrap_or(self.max_json_depth),
            strict_keys: self.strict_json,
        };
        let parts = Arc::new(part_rules::of_route(route, &self.settings.parts));
        let (gateway, plan) = (gateway.clone(), route.socket.clone());
        let route = Arc::clone(route);
        match plan {
            Some(plan) => Box::new(SocketHandler {
                route,
                plan,
                gateway,
                limits,
            }),
            None => Box::new(PythonHandler {
                route,
                gateway,
                limits,
                parts,
            }),
        }
    }
}
