//! The arguments of a call, built from checked values.

use core_http::request::{Head, Intake, Request as CoreRequest};
use core_validate::{Coerced, Fault, FaultKind, Faults, Loc, Slot, Source};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use crate::body_plan::{BodyKind, BodyPlan};
use crate::call::Carried;
use crate::headers::Headers;
use crate::hook_gate::bare_head;
use crate::query_params::QueryParams;
use crate::request::{Request, cookies_dict};
use crate::route::{Argument, Default, Delivery, Object, Route};
use crate::uploads::Uploads;
use crate::{check, form, json_value, socket_link, values};

/// A handler's arguments, ready.
#[derive(Debug)]
pub(crate) struct Call<'py> {
    pub(crate) positional: Bound<'py, PyTuple>,
    pub(crate) keywords: Option<Bound<'py, PyDict>>,
    /// Background tasks that the handler asked for, to run after its answer.
    pub(crate) after: Option<Bound<'py, PyAny>>,
    /// Where the request's hooks have run; the handler sees what they set.
    pub(crate) context: Option<Py<PyAny>>,
}

/// What of the body goes to the handler.
#[derive(Debug, Default)]
struct Delivered<'py> {
    value: Option<Bound<'py, PyAny>>,
    /// One value for each argument that takes files, in the order of the arguments.
    files: std::vec::IntoIter<Bound<'py, PyAny>>,
}

impl<'py> From<Bound<'py, PyAny>> for Delivered<'py> {
    fn from(value: Bound<'py, PyAny>) -> Self {
        Self {
            value: Some(value),
            ..Self::default()
        }
    }
}

/// Calls with what was prepared.
pub(crate) fn apply<'py>(
    function: &Bound<'py, PyAny>,
    call: &Call<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    match &call.keywords {
        None if call.positional.is_empty() => function.call0(),
        None => function.call1(&call.positional),
        Some(keywords) => function.call(&call.positional, Some(keywords)),
    }
}

/// Why no call could be made.
#[derive(Debug)]
pub(crate) enum Unready {
    /// The input's fault: a 422 with these errors, a JSON array.
    Invalid(Vec<u8>),
    /// Ours or the developer's.
    Fault(PyErr),
}

impl From<PyErr> for Unready {
    fn from(error: PyErr) -> Self {
        Self::Fault(error)
    }
}

pub(crate) type Values<'py> = Vec<Option<Bound<'py, PyAny>>>;

/// The Python values of a request's parameters; `None` where one is absent.
pub(crate) fn parameter_values<'py>(
    py: Python<'py>,
    route: &Route,
    slots: &[Slot<'_>],
) -> Result<Values<'py>, Unready> {
    let mut values = Vec::with_capacity(slots.len());
    let mut faults = Faults::default();
    for (slot, delivery) in slots.iter().zip(&route.deliveries) {
        let Slot::Value(coerced) = slot else {
            values.push(None);
            continue;
        };
        let value = values::to_python(py, coerced, delivery.typed)?;
        let value = match &delivery.convert {
            None => value,
            Some(convert) => match convert.bind(py).call1((value,)) {
                Ok(value) => value,
                Err(error) if is_value_error(py, &error) => {
                    faults.push(value_fault(py, delivery, coerced, &error));
                    continue;
                }
                Err(error) => return Err(error.into()),
            },
        };
        values.push(Some(value));
    }
    if faults.is_empty() {
        Ok(values)
    } else {
        Err(Unready::Invalid(faults.to_json()))
    }
}

fn is_value_error(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyValueError>(py) || error.is_instance_of::<PyTypeError>(py)
}

fn value_fault(
    py: Python<'_>,
    delivery: &Delivery,
    coerced: &core_validate::Coerced<'_>,
    error: &PyErr,
) -> Fault {
    let text = error.value(py).to_string();
    let loc = vec![
        Loc::from(delivery.source.loc()),
        Loc::from(delivery.wire_name.as_str()),
    ];
    let mut fault = Fault::new(FaultKind::ValueError, loc, format!("Value error, {text}"));
    fault.ctx.insert("error".to_owned(), text.into());
    fault.input = (!delivery.secret).then(|| coerced.to_json());
    fault
}

fn default_value<'py>(py: Python<'py>, default: &Default) -> PyResult<Bound<'py, PyAny>> {
    match default {
        Default::None => Ok(py.None().into_bound(py)),
        Default::Value(value) => Ok(value.bind(py).clone()),
        Default::Factory(factory) => factory.bind(py).call0(),
    }
}

/// The whole call. `values` are the parameters' values in order.
#[inline]
pub(crate) fn build<'py>(
    py: Python<'py>,
    route: &Route,
    mut request: Box<CoreRequest>,
    values: Values<'py>,
) -> Result<(Call<'py>, Carried), (Unready, Carried)> {
    let mut body = Delivered::default();
    if let Some(plan) = &route.body {
        body = match decode_body(py, route, plan, &mut request) {
            Ok(body) => body,
            Err(unready) => return Err((unready, Carried::Core(request))),
        };
    }
    let mut carried = Carried::Core(request);
    if route.needs_request {
        carried = match carried.into_python(py, Some(route)).and_then(|request| {
            set_path_params(py, route, &request, &values)?;
            Ok(request)
        }) {
            Ok(request) => Carried::Python(request),
            Err(error) => return Err((error.into(), lost())),
        };
    }
    match arguments(py, route, &carried, &values, body) {
        Ok(call) => Ok((call, carried)),
        Err(error) => Err((error.into(), carried)),
    }
}

/// For the impossible case that a request's Python object can't be made: there is nothing left to show.
fn lost() -> Carried {
    Carried::Core(Box::new(CoreRequest::new(bare_head(), bytes::Bytes::new())))
}

/// `request.path_params` holds what the handler would get: converted values.
fn set_path_params<'py>(
    py: Python<'py>,
    route: &Route,
    request: &Py<Request>,
    values: &Values<'py>,
) -> PyResult<()> {
    let names = &route.names.path_names;
    if names.is_empty()
        || route
            .deliveries
            .iter()
            .filter(|d| d.source == Source::Path)
            .count()
            < names.len()
    {
        return Ok(());
    }
    let dict = PyDict::new(py);
    for (delivery, value) in route.deliveries.iter().zip(values) {
        if delivery.source == Source::Path
            && let Some(value) = value
        {
            dict.set_item(&delivery.wire_name, value)?;
        }
    }
    request.borrow_mut(py).set_path_params(dict.unbind());
    Ok(())
}

fn arguments<'py>(
    py: Python<'py>,
    route: &Route,
    carried: &Carried,
    values: &Values<'py>,
    body: Delivered<'py>,
) -> PyResult<Call<'py>> {
    let Delivered {
        value: body,
        mut files,
    } = body;
    let mut arguments = Vec::with_capacity(route.arguments.len());
    let parameter = |index: usize| match &values[index] {
        Some(value) => Ok(value.clone()),
        None => default_value(py, &route.deliveries[index].default),
    };
    let mut after = None;
    for argument in &route.arguments {
        arguments.push(match argument {
            Argument::Object(Object::BackgroundTasks) => {
                after.insert(background_tasks(py)?).clone()
            }
            Argument::Parameter(index) => parameter(*index)?,
            Argument::Body => body.clone().unwrap_or_else(|| py.None().into_bound(py)),
            Argument::Files { .. } => files.next().unwrap_or_else(|| py.None().into_bound(py)),
            Argument::BodyField(name) => match &body {
                Some(body) => body.get_item(name)?,
                None => py.None().into_bound(py),
            },
            Argument::Object(object) => object_of(py, *object, carried, route)?,
            Argument::Model {
                constructor,
                fields,
            } => {
                let keywords = PyDict::new(py);
                for (index, name) in fields {
                    if let Some(value) = &values[*index] {
                        keywords.set_item(name, value)?;
                    }
                }
                constructor.bind(py).call((), Some(&keywords))?
            }
            Argument::Constant(value) => value.bind(py).clone(),
        });
    }
    let (positional, mut keywords) = route.split_arguments(py, arguments)?;
    if route.var_keyword {
        let rest = keywords.get_or_insert_with(|| PyDict::new(py));
        for (index, delivery) in route.deliveries.iter().enumerate() {
            let bound = route.arguments.iter().any(|argument| match argument {
                Argument::Parameter(bound) => *bound == index,
                Argument::Model { fields, .. } => fields.iter().any(|(bound, _)| *bound == index),
                _ => false,
            });
            if !bound {
                rest.set_item(&delivery.name, parameter(index)?)?;
            }
        }
    }
    Ok(Call {
        positional,
        keywords,
        after,
        context: carried.context(py),
    })
}

fn object_of<'py>(
    py: Python<'py>,
    object: Object,
    carried: &Carried,
    route: &Route,
) -> PyResult<Bound<'py, PyAny>> {
    if let Carried::Python(request) = carried {
        let request = request.bind(py);
        return match object {
            Object::PlainHeaders => Ok(plain_headers(py, request.borrow().head())?.into_any()),
            Object::PlainQuery => Ok(plain_query(py, request.borrow().head())?.into_any()),
            Object::Request => Ok(request.clone().into_any()),
            Object::Headers => request.getattr(intern!(py, "headers")),
            Object::QueryParams => request.getattr(intern!(py, "query_params")),
            Object::PathParams => request.getattr(intern!(py, "path_params")),
            Object::Cookies => request.getattr(intern!(py, "cookies")),
            Object::Method => request.getattr(intern!(py, "method")),
            Object::Path => request.getattr(intern!(py, "path")),
            Object::RawBody => Ok(PyBytes::new(py, request.borrow().body_bytes()).into_any()),
            Object::State => request.getattr(intern!(py, "state")),
            Object::App => Ok(route.names.app.bind(py).clone()),
            Object::BackgroundTasks => background_tasks(py),
            Object::WebSocket => websocket(request),
        };
    }
    let Carried::Core(request) = carried else {
        unreachable!("the other kind returned above")
    };
    let head = &request.head;
    Ok(match object {
        Object::PlainHeaders => plain_headers(py, head)?.into_any(),
        Object::PlainQuery => plain_query(py, head)?.into_any(),
        Object::Cookies => cookies_dict(py, head)?.into_any(),
        Object::Method => PyString::new(py, head.parts.method.as_str()).into_any(),
        Object::Path => PyString::new(py, head.path()).into_any(),
        Object::RawBody => PyBytes::new(py, &request.body).into_any(),
        Object::App => route.names.app.bind(py).clone(),
        Object::Request
        | Object::Headers
        | Object::QueryParams
        | Object::PathParams
        | Object::State
        | Object::WebSocket
        | Object::BackgroundTasks => {
            unreachable!("these make the plan need the Python request")
        }
    })
}

/// The object of the socket that the request is part of.
fn websocket<'py>(request: &Bound<'py, Request>) -> PyResult<Bound<'py, PyAny>> {
    let link = request
        .borrow()
        .head()
        .parts
        .extensions
        .get::<socket_link::Carried>()
        .cloned();
    match link {
        Some(link) => link.0.websocket(request.as_any()),
        None => Err(PyTypeError::new_err(
            "only a handler registered with `websocket` gets a WebSocket",
        )),
    }
}

fn plain_headers<'py>(py: Python<'py>, head: &Head) -> PyResult<Bound<'py, PyDict>> {
    let headers = Headers {
        map: head.parts.headers.clone(),
    };
    let dict = PyDict::new(py);
    for name in headers.map.keys() {
        dict.set_item(name.as_str(), headers.find(name.as_str()))?;
    }
    Ok(dict)
}

fn plain_query<'py>(py: Python<'py>, head: &Head) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in QueryParams::parse(head.query())?.distinct() {
        dict.set_item(name, value)?;
    }
    Ok(dict)
}

fn background_tasks(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.import(intern!(py, "spikard.background"))?
        .getattr(intern!(py, "BackgroundTasks"))?
        .call0()
}

fn decode_body<'py>(
    py: Python<'py>,
    route: &Route,
    plan: &BodyPlan,
    request: &mut CoreRequest,
) -> Result<Delivered<'py>, Unready> {
    match request.head.parts.extensions.remove::<check::Decoded>() {
        Some(check::Decoded::Form(tree)) => {
            let intake = std::mem::take(&mut request.intake);
            return deliver_form(py, route, plan, tree.as_deref(), intake);
        }
        Some(check::Decoded::Json(json)) => {
            let value = plan.decode.bind(py).call1((PyBytes::new(py, &json),));
            return built(py, plan, value).map(Delivered::from);
        }
        None => {}
    }
    let kind = check::kind_without_forms(plan, &request.head);
    if request.body.is_empty() && kind == BodyKind::Json {
        // A required body that is absent was refused before.
        return Ok(default_value(py, &plan.default)?.into());
    }
    let bytes = PyBytes::new(py, without_mark(kind, &request.body));
    if kind == BodyKind::Bytes {
        return Ok(bytes.into_any().into());
    }
    if plan.kind == BodyKind::Text && kind == BodyKind::Json {
        // Checked to be a JSON string before.
        return Ok(json_value::parse(py, bytes.as_bytes())?.into());
    }
    built(py, plan, plan.decode.bind(py).call1((&bytes,))).map(Delivered::from)
}

/// What a decoder gave, or the faults of the body that it found.
fn built<'py>(
    py: Python<'py>,
    plan: &BodyPlan,
    result: PyResult<Bound<'py, PyAny>>,
) -> Result<Bound<'py, PyAny>, Unready> {
    result.or_else(|error| {
        let errors = plan.errors.bind(py).call1((error.value(py),))?;
        if errors.is_none() {
            return Err(error.into());
        }
        Err(Unready::Invalid(crate::encode::to_json(&errors)?))
    })
}

fn deliver_form<'py>(
    py: Python<'py>,
    route: &Route,
    plan: &BodyPlan,
    tree: Option<&Coerced<'static>>,
    intake: Intake,
) -> Result<Delivered<'py>, Unready> {
    let uploads = match intake {
        Intake::Parts(parts) => Uploads::of_parts(py, parts)?,
        Intake::Whole | Intake::Stream(_) => Uploads::default(),
    };
    let value = match tree {
        Some(tree) => {
            let tree = uploads.placed(py, tree)?;
            built(py, plan, plan.convert.bind(py).call1((tree,)))?
        }
        None => default_value(py, &plan.default)?,
    };
    let mut files = Vec::new();
    let mut faults = Faults::default();
    for argument in &route.arguments {
        let Argument::Files {
            name,
            deliver,
            default,
        } = argument
        else {
            continue;
        };
        let of_field = uploads.of_field(py, name)?;
        if of_field.is_empty() {
            files.push(default_value(py, default)?);
            continue;
        }
        match deliver.bind(py).call1((of_field,)) {
            Ok(file) => files.push(file),
            Err(error) if is_value_error(py, &error) => {
                faults.push(form::file_fault(name, &error.value(py).to_string()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if !faults.is_empty() {
        return Err(Unready::Invalid(faults.to_json()));
    }
    Ok(Delivered {
        value: Some(value),
        files: files.into_iter(),
    })
}

/// A byte order mark is no part of JSON (RFC 8259, 8.1); the check before has skipped it too.
fn without_mark(kind: BodyKind, body: &[u8]) -> &[u8] {
    if kind == BodyKind::Bytes {
        body
    } else {
        body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
    }
}
