use std::sync::Arc;

use super::chart::{Chart, Language};
use super::session::ChartHost;
use super::undefined::undefined;
use crate::{Env, Host, Map, Scope, Value};

/// The variables of a session.
#[derive(Clone, Debug, Default)]
pub(super) struct Data {
    pub(super) values: Map,
    /// `_sessionid`, `_name`, `_ioprocessors`.
    pub(super) system: Map,
    /// The event that is being processed, once there has been one.
    pub(super) event: Option<Value>,
}

/// Whether a name is one of those that charts can't assign to.
pub(super) fn is_system(name: &str) -> bool {
    matches!(
        name,
        "_sessionid" | "_name" | "_ioprocessors" | "_event" | "_x"
    )
}

impl Data {
    pub(super) fn look_up(&self, name: &str, language: Language) -> Option<Value> {
        if let Some(value) = self.values.get(name) {
            return Some(value.clone());
        }
        if name == "_event" {
            return Some(match (&self.event, language) {
                (Some(event), _) => event.clone(),
                (None, Language::Ecma) => undefined(),
                (None, _) => Value::Null,
            });
        }
        self.system.get(name).cloned()
    }
}

/// What expressions see: the variables, which states are active, and the host.
pub(super) struct View<'a> {
    pub(super) chart: &'a Chart,
    pub(super) data: &'a Data,
    pub(super) is_active: &'a dyn Fn(&str) -> bool,
    pub(super) host: &'a dyn ChartHost,
}

impl View<'_> {
    pub(super) fn env(&self) -> Env<'_> {
        Env {
            host: self,
            limits: super::code::limits(),
        }
    }
}

impl Scope for View<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        self.data
            .look_up(name, self.chart.language)
            .or_else(|| self.host.guard(name, &self.data.values).map(Value::Bool))
    }

    fn walk(&self, path: &[Arc<str>]) -> Result<Value, usize> {
        match path.first() {
            Some(root) if self.data.values.get(root).is_some() => self.data.values.walk(path),
            Some(root) => {
                let mut value = self.get(root).ok_or(0_usize)?;
                for (at, name) in path.iter().enumerate().skip(1) {
                    value = value.member(name).ok_or(at)?;
                }
                Ok(value)
            }
            None => Err(0),
        }
    }
}

impl Host for View<'_> {
    fn now(&self) -> Option<i64> {
        self.host.now()
    }

    fn random(&self) -> Option<f64> {
        self.host.random()
    }

    fn in_state(&self, name: &str) -> Option<bool> {
        Some((self.is_active)(name))
    }
}
