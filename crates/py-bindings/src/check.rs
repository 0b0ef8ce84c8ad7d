//! The checks of a request that need no Python: parameters, media type, body.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use core_http::cookie;
use core_http::media_type::{self, MediaType};
use core_http::problem::Problem;
use core_http::query;
use core_http::request::{Head, Request};
use core_http::router::decode_segment;
use core_validate::{Coerced, Fault, Faults, JsonFault, JsonLimits, Loc, RawInput, Slot};
use http::header;
use serde_json::Value;

use crate::body_plan::{BodyKind, BodyPlan};
use crate::form;
use crate::headers::text_of;
use crate::msgpack;
use crate::route::Route;

/// A request's texts, decoded once for all parameters.
struct Texts<'a> {
    path: Vec<Cow<'a, str>>,
    query: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    cookies: Vec<(String, String)>,
    head: &'a Head,
}

impl RawInput for Texts<'_> {
    fn path(&self, index: usize) -> Option<&str> {
        self.path.get(index).map(AsRef::as_ref)
    }

    fn query(&self) -> &[(Cow<'_, str>, Cow<'_, str>)] {
        &self.query
    }

    fn header<'a>(&'a self, lower_name: &str, visit: &mut dyn FnMut(Cow<'a, str>)) {
        for value in self.head.parts.headers.get_all(lower_name) {
            visit(text_of(value));
        }
    }

    fn cookie<'a>(&'a self, name: &str, visit: &mut dyn FnMut(Cow<'a, str>)) {
        for (key, value) in &self.cookies {
            if key == name {
                visit(Cow::Borrowed(value));
            }
        }
    }
}

fn texts<'a>(route: &Route, head: &'a Head) -> Result<Texts<'a>, Problem> {
    let path = head
        .params
        .iter(head.path())
        .map(decode_segment)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Problem::invalid_encoding(&format!("the path: {error}")))?;
    let query = if route.needs_query {
        query::parse(head.query())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Problem::invalid_encoding(&format!("the query: {error}")))?
    } else {
        Vec::new()
    };
    let mut cookies = Vec::new();
    if route.needs_cookies {
        for value in head.parts.headers.get_all(header::COOKIE) {
            cookies.extend(
                cookie::parse(&text_of(value))
                    .map(|(name, value)| (name.to_owned(), value.into_owned())),
            );
        }
    }
    Ok(Texts {
        path,
        query,
        cookies,
        head,
    })
}

/// Checks all parameters and hands their values on, or gives the 400 or 422 with every fault. The body has been
/// checked before, so it has no more to add.
pub(crate) fn resolve<R>(
    route: &Route,
    request: &Request,
    then: impl FnOnce(&[Slot<'_>]) -> R,
) -> Result<R, Problem> {
    if route.parameters.is_empty() {
        return Ok(then(&[]));
    }
    let mut faults = Faults::default();
    let texts = texts(route, &request.head)?;
    let slots = route.parameters.resolve(&texts, &mut faults);
    if faults.is_empty() {
        Ok(then(&slots))
    } else {
        Err(invalid_faults(&faults))
    }
}

/// Checks the body; where it has faults, the parameters' join them, so that one answer names all.
pub(crate) fn body(
    route: &Route,
    limits: JsonLimits,
    request: &mut Request,
) -> Result<(), Problem> {
    let Some(plan) = &route.body else {
        return Ok(());
    };
    let mut faults = Faults::default();
    examine(plan, limits, request, &mut faults)?;
    if faults.is_empty() {
        return Ok(());
    }
    let texts = texts(route, &request.head)?;
    let _ = route.parameters.resolve(&texts, &mut faults);
    Err(invalid_faults(&faults))
}

fn examine(
    plan: &BodyPlan,
    limits: JsonLimits,
    request: &mut Request,
    faults: &mut Faults,
) -> Result<(), Problem> {
    let kind = kind_of(plan, &request.head);
    match kind {
        BodyKind::Form | BodyKind::Multipart => {
            return form::examine(plan, request, limits, faults);
        }
        BodyKind::MsgPack if !request.body.is_empty() => {
            let json = msgpack::to_json(&request.body)?;
            let known = examine_json(plan, limits, &json, faults);
            request.head.parts.extensions.insert(Decoded::Json(json));
            return known;
        }
        _ => {}
    }
    if request.body.is_empty() {
        if plan.required && kind != BodyKind::Bytes {
            faults.push(Fault::missing(vec![Loc::from("body")], Some(Value::Null)));
        }
        return Ok(());
    }
    if kind != BodyKind::Json {
        return Ok(());
    }
    examine_json(plan, limits, &request.body, faults)
}

fn examine_json(
    plan: &BodyPlan,
    limits: JsonLimits,
    json: &[u8],
    faults: &mut Faults,
) -> Result<(), Problem> {
    match &plan.schema {
        Some(schema) => schema
            .examine(json, limits, &["body"], faults)
            .map(drop)
            .map_err(|fault| malformed(&fault)),
        None => Ok(()),
    }
}

/// A body in another form than it came in, kept with its request until the arguments are made.
#[derive(Clone, Debug)]
pub(crate) enum Decoded {
    /// What a form came to; None where it has no field and none was demanded.
    Form(Option<Arc<Coerced<'static>>>),
    /// A body that came in another format.
    Json(Bytes),
}

/// Parameters and body, for the side that has no interpreter.
pub(crate) fn whole(
    route: &Route,
    limits: JsonLimits,
    request: &mut Request,
) -> Result<(), Problem> {
    body(route, limits, request)?;
    resolve(route, request, |_| ())
}

/// How a body is read: as its type says, where the plan leaves a choice.
pub(crate) fn kind_of(plan: &BodyPlan, head: &Head) -> BodyKind {
    if plan.kind == BodyKind::Bytes {
        return BodyKind::Bytes;
    }
    let given = head.parts.headers.get(header::CONTENT_TYPE);
    if given.is_some_and(|given| given == "application/json") {
        return BodyKind::Json;
    }
    match media_type::classify(&given.map_or(Cow::Borrowed(""), text_of)) {
        // A text body sent as JSON is a JSON string.
        MediaType::Json => BodyKind::Json,
        MediaType::Absent if plan.kind == BodyKind::Text => BodyKind::Json,
        _ if plan.kind == BodyKind::Text => BodyKind::Text,
        MediaType::FormUrlencoded => BodyKind::Form,
        MediaType::Multipart { .. } => BodyKind::Multipart,
        MediaType::MsgPack => BodyKind::MsgPack,
        _ => plan.kind,
    }
}

/// As [`kind_of`], for a body that was found to be no form: only text bodies leave a choice then.
pub(crate) fn kind_without_forms(plan: &BodyPlan, head: &Head) -> BodyKind {
    if plan.kind == BodyKind::Text {
        kind_of(plan, head)
    } else {
        plan.kind
    }
}

/// The 400 for JSON that is none.
pub(crate) fn malformed(fault: &JsonFault) -> Problem {
    match fault {
        JsonFault::Depth { limit } => Problem::json_too_deep(*limit),
        other => Problem::invalid_json(other.offset(), &other.to_string()),
    }
}

fn invalid_faults(faults: &Faults) -> Problem {
    Problem::validation_error(faults.len(), faults.to_json(), faults.truncated())
}

/// The 422 for errors that Python found.
pub(crate) fn invalid(errors: &[u8]) -> Problem {
    let count = serde_json::from_slice::<Vec<serde::de::IgnoredAny>>(errors)
        .map_or(1, |errors| errors.len());
    Problem::validation_error(count, errors.to_vec(), false)
}

/// Whether the route takes this kind of body, else the 415; and the boundary, if it is a form in parts.
pub(crate) fn media_type(plan: &BodyPlan, head: &Head) -> Result<Option<String>, Problem> {
    let Some(given) = head.parts.headers.get(header::CONTENT_TYPE) else {
        return Ok(None);
    };
    // What nearly all say needs no parsing.
    if plan.kind == BodyKind::Json && plan.media_types.is_empty() && given == "application/json" {
        return Ok(None);
    }
    let text = text_of(given);
    let kind = media_type::classify(&text);
    if !takes(plan, &text, &kind) {
        return Err(Problem::unsupported_media_type());
    }
    if plan.kind == BodyKind::Bytes {
        return Ok(None);
    }
    match kind {
        MediaType::Multipart { boundary: None } => Err(Problem::missing_boundary()),
        MediaType::Multipart {
            boundary: Some(boundary),
        } => Ok(Some(boundary.into_owned())),
        _ => media_type::check_charset(&text)
            .map(|()| None)
            .map_err(|error| Problem::unsupported_charset(&error.charset)),
    }
}

/// Whether the client takes one of the types that the route answers with.
pub(crate) fn acceptable(produces: &[String], head: &Head) -> bool {
    let offers: Vec<&str> = produces.iter().map(String::as_str).collect();
    let mut accepted = head.parts.headers.get_all(header::ACCEPT).iter();
    let Some(first) = accepted.next() else {
        return true;
    };
    let whole = accepted.fold(text_of(first).into_owned(), |joined, value| {
        joined + ", " + &text_of(value)
    });
    media_type::best_match(&whole, &offers).is_some()
}

/// Whether a body of this type is the route's: by the types it lists, else by the kind of its body.
fn takes(plan: &BodyPlan, content_type: &str, kind: &MediaType<'_>) -> bool {
    if !plan.media_types.is_empty() {
        let essence = media_type::essence(content_type);
        return plan
            .media_types
            .iter()
            .any(|accepted| accepted.eq_ignore_ascii_case(essence));
    }
    matches!(
        (plan.kind, kind),
        (BodyKind::Bytes, _)
            | (
                BodyKind::Json,
                MediaType::Json
                    | MediaType::Absent
                    | MediaType::FormUrlencoded
                    | MediaType::Multipart { .. }
                    | MediaType::MsgPack
            )
            | (
                BodyKind::Text,
                MediaType::Text | MediaType::Absent | MediaType::Json
            )
            | (
                BodyKind::Form,
                MediaType::FormUrlencoded | MediaType::Multipart { .. } | MediaType::Absent
            )
            | (
                BodyKind::Multipart,
                MediaType::Multipart { .. } | MediaType::Absent
            )
    )
}
