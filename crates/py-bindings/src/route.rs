//! A route's plan, read once from `spikard.routing.plan.HandlerPlan` and used for every request.

use std::sync::Arc;
use std::time::Duration;

use core_http::compression::Compression;
use core_http::cors::Policy;
use core_validate::{ParameterSet, ParameterSpec, Schema, Source};
use http::{HeaderValue, StatusCode};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::body_plan::{self, BodyPlan};
use crate::part_rules::RouteFiles;
use crate::socket_plan::SocketPlan;
use crate::{compression, cors, json_value};

/// How the handler is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `async def`: an eager task.
    Task,
    /// `async def` that never suspends: driven to its end at once.
    Direct,
    /// `def` on the loop's thread.
    Inline,
    /// `def` in the thread pool.
    Thread,
}

/// What a request knows of its route.
#[derive(Debug)]
pub(crate) struct RouteNames {
    pub(crate) path_names: Arc<[String]>,
    pub(crate) route: Py<PyAny>,
    pub(crate) app: Py<PyAny>,
}

impl RouteNames {
    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        Self {
            path_names: Arc::clone(&self.path_names),
            route: self.route.clone_ref(py),
            app: self.app.clone_ref(py),
        }
    }
}

/// How one parameter's value reaches the handler.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) name: Py<PyAny>,
    /// Formats (uuid, date, …) as Python objects rather than text.
    pub(crate) typed: bool,
    pub(crate) convert: Option<Py<PyAny>>,
    pub(crate) default: Default,
    /// Where the value came from and under which name, for faults of `convert`.
    pub(crate) source: Source,
    pub(crate) wire_name: String,
    pub(crate) secret: bool,
}

/// What stands in for an absent value.
#[derive(Debug)]
pub(crate) enum Default {
    None,
    Value(Py<PyAny>),
    Factory(Py<PyAny>),
}

/// The plain values a handler may ask for by name or type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    Request,
    Headers,
    QueryParams,
    PathParams,
    Cookies,
    Method,
    Path,
    RawBody,
    State,
    App,
    BackgroundTasks,
    /// A dict of header names in lower case.
    PlainHeaders,
    /// A dict of query parameters; the last of repeated ones.
    PlainQuery,
    WebSocket,
}

/// One argument of the call, in order.
#[derive(Debug)]
pub(crate) enum Argument {
    Parameter(usize),
    Body,
    BodyField(Py<PyAny>),
    Object(Object),
    /// A query model: its constructor and its fields' parameters.
    Model {
        constructor: Py<PyAny>,
        fields: Vec<(usize, Py<PyAny>)>,
    },
    Constant(Py<PyAny>),
    /// The files of one field, delivered by a function of the plan's.
    Files {
        name: String,
        deliver: Py<PyAny>,
        default: Default,
    },
}

#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) handler: Py<PyAny>,
    pub(crate) name: String,
    pub(crate) mode: Mode,
    pub(crate) parameters: ParameterSet,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) keyword_names: Vec<Py<PyAny>>,
    pub(crate) var_keyword: bool,
    pub(crate) body: Option<BodyPlan>,
    pub(crate) needs_request: bool,
    pub(crate) needs_query: bool,
    pub(crate) needs_cookies: bool,
    pub(crate) status: StatusCode,
    pub(crate) response_class: Option<Py<PyAny>>,
    /// What JSON answers are held to, where that is asked for.
    pub(crate) response_check: Option<Schema>,
    /// How deep JSON may nest; None leaves it to the server.
    pub(crate) max_json_depth: Option<usize>,
    pub(crate) max_body_size: Option<Option<u64>>,
    pub(crate) request_timeout: Option<Option<Duration>>,
    /// Absent: as the server has it; `None`: switched off.
    pub(crate) cors: Option<Option<Arc<Policy>>>,
    pub(crate) compression: Option<Option<Arc<Compression>>>,
    pub(crate) cache_control: Option<HeaderValue>,
    pub(crate) files: RouteFiles,
    /// Whether the handler reads the body itself, as it comes.
    pub(crate) streams_body: bool,
    /// Types the route answers with, for requests that say which they take; empty for any.
    pub(crate) produces: Vec<String>,
    pub(crate) names: RouteNames,
    /// Hooks to run before the body is read.
    pub(crate) gate: Option<Arc<Py<PyAny>>>,
    /// Whether hooks of its own see what becomes of its requests.
    pub(crate) is_hooked: bool,
    /// Of a WebSocket.
    pub(crate) socket: Option<Arc<SocketPlan>>,
    /// Whether what it leads requests on to runs in its context.
    pub(crate) shares_context: bool,
}

fn optional(value: Bound<'_, PyAny>) -> Option<Py<PyAny>> {
    (!value.is_none()).then(|| value.unbind())
}

pub(crate) fn default_of(plan: &Bound<'_, PyAny>) -> PyResult<Default> {
    let py = plan.py();
    let factory = plan.getattr(intern!(py, "default_factory"))?;
    if !factory.is_none() {
        return Ok(Default::Factory(factory.unbind()));
    }
    let default = plan.getattr(intern!(py, "default"))?;
    let missing = py
        .import(intern!(py, "spikard.params"))?
        .getattr(intern!(py, "MISSING"))?;
    Ok(if default.is(&missing) {
        Default::None
    } else {
        Default::Value(default.unbind())
    })
}

fn read_parameter(
    plan: &Bound<'_, PyAny>,
    path_names: &[String],
) -> PyResult<(ParameterSpec, Delivery)> {
    let py = plan.py();
    let name: String = plan.getattr(intern!(py, "name"))?.extract()?;
    let wire_name: String = plan.getattr(intern!(py, "wire_name"))?.extract()?;
    let source: String = plan.getattr(intern!(py, "source"))?.extract()?;
    let source = match source.as_str() {
        "path" => Source::Path,
        "query" => Source::Query,
        "header" => Source::Header,
        "cookie" => Source::Cookie,
        other => {
            return Err(PyValueError::new_err(format!(
                "parameter {name} has an unknown source {other:?}"
            )));
        }
    };
    let secret: bool = plan.getattr(intern!(py, "secret"))?.extract()?;
    let spec = ParameterSpec {
        path_index: path_names
            .iter()
            .position(|path_name| *path_name == wire_name)
            .unwrap_or(0),
        wire_name: wire_name.clone(),
        source,
        required: plan.getattr(intern!(py, "required"))?.extract()?,
        schema: json_value::from_python(&plan.getattr(intern!(py, "schema"))?)?,
        separator: plan.getattr(intern!(py, "separator"))?.extract()?,
        secret,
        name,
    };
    let delivery = Delivery {
        name: plan.getattr(intern!(py, "name"))?.unbind(),
        typed: plan.getattr(intern!(py, "typed"))?.extract()?,
        convert: optional(plan.getattr(intern!(py, "convert"))?),
        default: default_of(plan)?,
        source,
        wire_name,
        secret,
    };
    Ok((spec, delivery))
}

fn read_object(name: &str) -> PyResult<Object> {
    Ok(match name {
        "request" => Object::Request,
        "headers" => Object::Headers,
        "query_params" => Object::QueryParams,
        "path_params" => Object::PathParams,
        "cookies" => Object::Cookies,
        "method" => Object::Method,
        "path" => Object::Path,
        "raw_body" => Object::RawBody,
        "state" => Object::State,
        "app" => Object::App,
        "background_tasks" => Object::BackgroundTasks,
        "websocket" => Object::WebSocket,
        other => {
            return Err(PyValueError::new_err(format!(
                "no such object to inject: {other:?}"
            )));
        }
    })
}

fn read_argument(argument: &Bound<'_, PyAny>) -> PyResult<Argument> {
    let (kind, payload): (String, Bound<'_, PyAny>) = argument.extract()?;
    Ok(match kind.as_str() {
        "parameter" => Argument::Parameter(payload.extract()?),
        "body" => Argument::Body,
        "body_field" => Argument::BodyField(payload.unbind()),
        "object" => Argument::Object(read_object(payload.extract()?)?),
        "plain" => Argument::Object(match payload.extract()? {
            "headers" => Object::PlainHeaders,
            "query_params" => Object::PlainQuery,
            other => read_object(other)?,
        }),
        "constant" => Argument::Constant(payload.unbind()),
        "file" => Argument::Files {
            name: payload.getattr(intern!(argument.py(), "name"))?.extract()?,
            deliver: payload.getattr(intern!(argument.py(), "deliver"))?.unbind(),
            default: default_of(&payload)?,
        },
        "model" => {
            let (constructor, indices, names): (Py<PyAny>, Vec<usize>, Vec<Py<PyAny>>) =
                payload.extract()?;
            Argument::Model {
                constructor,
                fields: indices.into_iter().zip(names).collect(),
            }
        }
        other => {
            return Err(PyValueError::new_err(format!(
                "no such kind of argument: {other:?}"
            )));
        }
    })
}

/// An option that may be absent (inherit), `None` (off) or a number above zero.
fn limit_of<'py>(
    options: &Bound<'py, PyAny>,
    name: &str,
) -> PyResult<Option<Option<Bound<'py, PyAny>>>> {
    if !options.contains(name)? {
        return Ok(None);
    }
    let value = options.get_item(name)?;
    Ok(Some((!value.is_none()).then_some(value)))
}

fn cache_control(value: &Bound<'_, PyAny>) -> PyResult<HeaderValue> {
    HeaderValue::from_str(value.extract()?).map_err(|_| {
        PyValueError::new_err(format!("cache_control is not a header value: {value:?}"))
    })
}

fn response_check(plan: &Bound<'_, PyAny>) -> PyResult<Option<Schema>> {
    let py = plan.py();
    let schema = plan.getattr(intern!(py, "response_schema"))?;
    if schema.is_none() || !plan.getattr(intern!(py, "checks_response"))?.is_truthy()? {
        return Ok(None);
    }
    crate::schema::compile(py, &json_value::from_python(&schema)?).map(Some)
}

impl Route {
    pub(crate) fn read(
        plan: &Bound<'_, PyAny>,
        route: &Bound<'_, PyAny>,
        app: Py<PyAny>,
        path_names: Vec<String>,
    ) -> PyResult<Self> {
        let py = plan.py();
        let name: String = plan.getattr(intern!(py, "name"))?.extract()?;
        let mut specs = Vec::new();
        let mut deliveries = Vec::new();
        for parameter in plan.getattr(intern!(py, "parameters"))?.try_iter()? {
            let (spec, delivery) = read_parameter(&parameter?, &path_names)?;
            specs.push(spec);
            deliveries.push(delivery);
        }
        let has = |source| specs.iter().any(|spec| spec.source == source);
        let (needs_query, needs_cookies) = (has(Source::Query), has(Source::Cookie));
        let parameters = crate::schema::compile_parameters(py, specs)?;
        let arguments = plan
            .getattr(intern!(py, "arguments"))?
            .try_iter()?
            .map(|argument| read_argument(&argument?))
            .collect::<PyResult<Vec<_>>>()?;
        let needs_request = arguments.iter().any(|argument| {
            matches!(
                argument,
                Argument::Object(
                    Object::Request
                        | Object::State
                        | Object::Headers
                        | Object::QueryParams
                        | Object::PathParams
                        | Object::WebSocket
                )
            )
        });
        let mode: String = plan.getattr(intern!(py, "mode"))?.extract()?;
        let status: Option<u16> = plan.getattr(intern!(py, "status_code"))?.extract()?;
        let options = plan.getattr(intern!(py, "route_options"))?;
        let max_json_depth = match limit_of(&options, "max_json_depth")? {
            Some(Some(depth)) => Some(depth.extract()?),
            // Switched off: only the parser's own bound is left.
            Some(None) => Some(usize::MAX),
            None => None,
        };
        Ok(Self {
            handler: plan.getattr(intern!(py, "handler"))?.unbind(),
            mode: match mode.as_str() {
                "direct" => Mode::Direct,
                "inline" => Mode::Inline,
                "thread" => Mode::Thread,
                _ => Mode::Task,
            },
            parameters,
            deliveries,
            arguments,
            keyword_names: plan.getattr(intern!(py, "keyword_names"))?.extract()?,
            var_keyword: plan.getattr(intern!(py, "var_keyword"))?.extract()?,
            body: body_plan::read(&plan.getattr(intern!(py, "body"))?)?,
            needs_request,
            needs_query,
            needs_cookies,
            status: StatusCode::from_u16(status.unwrap_or(200))
                .map_err(|error| PyValueError::new_err(error.to_string()))?,
            response_class: optional(plan.getattr(intern!(py, "response_class"))?),
            response_check: response_check(plan)?,
            max_json_depth,
            max_body_size: limit_of(&options, "max_body_size")?
                .map(|limit| limit.map(|limit| limit.extract()).transpose())
                .transpose()?
                .map(|limit: Option<u64>| limit.filter(|&limit| limit > 0)),
            request_timeout: limit_of(&options, "request_timeout")?
                .map(|limit| {
                    limit
                        .map(|limit| limit.extract::<f64>().map(Duration::from_secs_f64))
                        .transpose()
                })
                .transpose()?,
            gate: optional(plan.getattr(intern!(py, "gate"))?).map(Arc::new),
            shares_context: plan.getattr(intern!(py, "shares_context"))?.is_truthy()?,
            is_hooked: plan.getattr(intern!(py, "is_hooked"))?.is_truthy()?,
            cors: limit_of(&options, "cors")?
                .map(|config| config.map_or(Ok(None), |config| cors::read(&config)))
                .transpose()?,
            compression: limit_of(&options, "compression")?
                .map(|own| own.map_or(Ok(None), |own| compression::read(&own)))
                .transpose()?,
            cache_control: limit_of(&options, "cache_control")?
                .flatten()
                .map(|value| cache_control(&value))
                .transpose()?,
            files: RouteFiles {
                max_files: limit_of(&options, "max_files")?
                    .map(|limit| limit.map(|limit| limit.extract()).transpose())
                    .transpose()?,
                max_file_size: limit_of(&options, "max_file_size")?
                    .map(|limit| limit.map(|limit| limit.extract()).transpose())
                    .transpose()?,
            },
            streams_body: options.contains("stream_body")?
                && options.get_item("stream_body")?.is_truthy()?,
            produces: plan.getattr(intern!(py, "produces"))?.extract()?,
            names: RouteNames {
                path_names: path_names.into(),
                route: route.clone().unbind(),
                app,
            },
            name,
            socket: optional(plan.getattr(intern!(py, "socket"))?)
                .map(|socket| SocketPlan::read(socket.bind(py)).map(Arc::new))
                .transpose()?,
        })
    }

    /// The arguments as a tuple and, where the signature wants it, a dict.
    pub(crate) fn split_arguments<'py>(
        &self,
        py: Python<'py>,
        values: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyTuple>, Option<Bound<'py, PyDict>>)> {
        if self.keyword_names.is_empty() {
            return Ok((PyTuple::new(py, values)?, None));
        }
        let positional = values.len() - self.keyword_names.len();
        let keywords = PyDict::new(py);
        for (name, value) in self.keyword_names.iter().zip(&values[positional..]) {
            keywords.set_item(name, value)?;
        }
        Ok((PyTuple::new(py, &values[..positional])?, Some(keywords)))
    }
}

/// Nesting of a JSON body above this is refused, unless the route or server says otherwise.
pub(crate) const DEFAULT_JSON_DEPTH: usize = 64;
