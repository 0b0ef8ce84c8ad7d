//! From `spikard.config.RateLimitConfig` to the gates of routes.

use std::rc::Rc;
use std::sync::Arc;

use core_http::exemption::Exemptions;
use core_http::gate::{Gate, Refused};
use core_http::rate_limit::bucket::{Bucket, KeyFunction};
use core_http::rate_limit::gcra::Gcra;
use core_http::rate_limit::redis::{RedisStore, check_url};
use core_http::rate_limit::table::Table;
use core_http::rate_limit::{Limit, RateLimit, Store};
use core_http::request::Head;
use futures_util::future::LocalBoxFuture;
use pyo3::prelude::*;

use crate::clock::clock;
use crate::gateway::Gateway;
use crate::inquiry::{Inquirer, Subject, read_key};
use crate::route::Route;
use crate::route_config::{Choice, config_error, route_choice};
use crate::shared_memory;

/// Whose requests count together.
enum By {
    Peer,
    Everyone,
    Function(Arc<Py<PyAny>>),
}

/// One `RateLimitConfig`: routes that have the same object share it.
struct Plan {
    config: Py<PyAny>,
    name: String,
    gcra: Gcra,
    by: By,
    /// None: in memory.
    redis: Option<(String, String)>,
    exempt: Exemptions,
    headers: bool,
}

/// The limits of an application, read.
pub(crate) struct Limits {
    plans: Vec<Plan>,
    /// By the number of the route.
    routes: Vec<Option<usize>>,
    /// That of everything that is no route.
    general: Option<usize>,
    table: Option<Table>,
}

impl Plan {
    fn read(config: &Bound<'_, PyAny>, index: usize) -> PyResult<Self> {
        let per_second: f64 = config.getattr("per_second")?.extract()?;
        // More at once than a number can say is no limit that anybody notices.
        let burst = config.getattr("burst")?.extract().unwrap_or(u32::MAX);
        let key = config.getattr("key")?;
        let by = if !key.is_none() {
            By::Function(Arc::new(key.unbind()))
        } else if config.getattr("ip_based")?.is_truthy()? {
            By::Peer
        } else {
            By::Everyone
        };
        let store: String = config.getattr("store")?.extract()?;
        let redis = if store == "memory" {
            None
        } else {
            check_url(&store).map_err(|error| {
                config_error(config.py(), &format!("RateLimitConfig.store: {error}"))
            })?;
            Some((store, config.getattr("prefix")?.extract()?))
        };
        Ok(Self {
            config: config.clone().unbind(),
            name: format!("{index}-{per_second}-{burst}"),
            gcra: Gcra::new(per_second, burst),
            by,
            redis,
            exempt: Exemptions::new(config.getattr("exempt")?.extract::<Vec<String>>()?),
            headers: config.getattr("headers")?.is_truthy()?,
        })
    }
}

impl Limits {
    /// Reads the limit of the server and those of the routes.
    pub(crate) fn read<'a>(
        config: &Bound<'_, PyAny>,
        routes: impl Iterator<Item = &'a Route>,
    ) -> PyResult<Self> {
        let mut limits = Self {
            plans: Vec::new(),
            routes: Vec::new(),
            general: None,
            table: None,
        };
        let general = config.getattr("rate_limit")?;
        limits.general = limits.plan(&general)?;
        for route in routes {
            let plan = match route_choice(config.py(), route, "rate_limit")? {
                Choice::Inherit => limits.general,
                Choice::Off => None,
                Choice::Own(own) => limits.plan(&own)?,
            };
            limits.routes.push(plan);
        }
        if limits.plans.iter().any(|plan| plan.redis.is_none()) {
            limits.table = Some(shared_memory::table());
        }
        Ok(limits)
    }

    fn plan(&mut self, config: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
        if config.is_none() {
            return Ok(None);
        }
        let known = self.plans.iter().position(|plan| plan.config.is(config));
        if known.is_none() {
            self.plans.push(Plan::read(config, self.plans.len())?);
        }
        Ok(known.or(Some(self.plans.len() - 1)))
    }

    /// The limits, on the server's thread.
    pub(crate) fn build(&self, gateway: &Gateway, problem_base_url: &str) -> Vec<Rc<Limit>> {
        self.plans
            .iter()
            .map(|plan| {
                Rc::new(Limit {
                    name: plan.name.clone(),
                    gcra: plan.gcra,
                    store: self.store(plan, gateway),
                    exempt: plan.exempt.clone(),
                    headers: plan.headers,
                    clock: Arc::clone(clock()),
                    problem_base_url: problem_base_url.into(),
                })
            })
            .collect()
    }

    fn store(&self, plan: &Plan, gateway: &Gateway) -> Store {
        let redis = plan.redis.as_ref().and_then(|(url, prefix)| {
            let gateway = gateway.clone();
            let warn =
                move |message: &str| Python::attach(|py| gateway.trouble().warn(py, message, None));
            // The URL was checked when it was read.
            RedisStore::new(url, prefix, Rc::new(warn)).ok()
        });
        match (redis, &self.table) {
            (Some(redis), _) => Store::Redis(Rc::new(redis)),
            (None, Some(table)) => Store::Memory(table.clone()),
            (None, None) => Store::Memory(Table::local()),
        }
    }

    /// The gate of a route, or of what is none.
    pub(crate) fn gate(
        &self,
        built: &[Rc<Limit>],
        number: Option<usize>,
        route: Option<&Arc<Route>>,
        gateway: &Gateway,
    ) -> Option<Rc<dyn Gate>> {
        let index = match number {
            Some(number) => self.routes.get(number).copied().flatten(),
            None => self.general,
        }?;
        let bucket = match &self.plans[index].by {
            By::Peer => Bucket::Peer,
            By::Everyone => Bucket::Everyone,
            By::Function(function) => Bucket::Function(Rc::new(PythonKey(Inquirer {
                gateway: gateway.clone(),
                function: Arc::clone(function),
                route: route.cloned(),
            }))),
        };
        Some(Rc::new(RateLimit {
            limit: Rc::clone(&built[index]),
            bucket,
        }))
    }
}

/// A key function of the application.
struct PythonKey(Inquirer);

impl KeyFunction for PythonKey {
    fn key(&self, head: Head) -> LocalBoxFuture<'static, Result<(Head, String), Box<Refused>>> {
        Box::pin(self.0.clone().ask(head, Subject::Request, read_key))
    }
}
