//! Server-sent events, from what a handler yields to their lines.

use std::time::Duration;

use bytes::Bytes;
use core_http::event_stream::EventStream;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::encode;
use crate::schema::JsonSchema;

/// How the events of one answer are written.
#[derive(Debug)]
pub(crate) struct EventFormat {
    pub(crate) stream: EventStream,
    event_class: Py<PyAny>,
    schema: Option<Py<JsonSchema>>,
    /// Whether an event that doesn't fit the schema ends the stream.
    strict: bool,
}

/// In place of an event that doesn't fit: nothing to those who listen, and as slow as an event for whoever makes it.
const LEFT_OUT: &[u8] = b": left out, for it does not fit its schema\n\n";

/// The fields beside the data.
#[derive(Debug, Default)]
struct Fields {
    kind: Option<String>,
    id: Option<String>,
    retry: Option<u64>,
    comment: Option<String>,
}

impl EventFormat {
    /// That of an `EventStreamResponse`; None for any other answer.
    pub(crate) fn of(response: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let py = response.py();
        let Some(event_class) = response.getattr_opt(intern!(py, "event_class"))? else {
            return Ok(None);
        };
        let keep_alive: Option<f64> = response.getattr(intern!(py, "keep_alive"))?.extract()?;
        let keep_alive = keep_alive
            .map(|seconds| {
                Duration::try_from_secs_f64(seconds)
                    .map_err(|error| PyValueError::new_err(format!("keep_alive: {error}")))
            })
            .transpose()?;
        Ok(Some(Self {
            stream: EventStream { keep_alive },
            event_class: event_class.unbind(),
            schema: response.getattr(intern!(py, "checker"))?.extract()?,
            strict: response.getattr(intern!(py, "strict"))?.is_truthy()?,
        }))
    }

    /// The lines of one event, and whether it is the last.
    pub(crate) fn write(&self, item: &Bound<'_, PyAny>) -> PyResult<(Bytes, bool)> {
        let py = item.py();
        let (data, fields) = if item.is_instance(self.event_class.bind(py))? {
            let text = |name| item.getattr(name)?.extract::<Option<String>>();
            let fields = Fields {
                kind: text("event_type")?,
                id: text("id")?,
                retry: item.getattr(intern!(py, "retry"))?.extract()?,
                comment: text("comment")?,
            };
            (item.getattr(intern!(py, "data"))?, fields)
        } else {
            (item.clone(), Fields::default())
        };
        // An event of nothing but a comment, an id or a pause has no data.
        let has_data = !data.is_none()
            || fields.kind.is_some()
            || (fields.comment.is_none() && fields.id.is_none() && fields.retry.is_none());
        let payload = match data.cast::<PyString>() {
            _ if !has_data => None,
            Ok(text) => Some(text.to_str()?.as_bytes().to_vec()),
            Err(_) => Some(encode::to_json(&data)?),
        };
        if let (Some(schema), Some(payload)) = (&self.schema, &payload) {
            let document = match data.cast::<PyString>() {
                Ok(_) => &encode::to_json(&data)?,
                Err(_) => payload,
            };
            if let Some(errors) = schema.get().faults(document, "event") {
                py.import(intern!(py, "spikard.responses.pump"))?
                    .getattr(intern!(py, "report_invalid"))?
                    .call1((String::from_utf8_lossy(&errors),))?;
                if self.strict {
                    return Ok((refused(&errors), true));
                }
                return Ok((Bytes::from_static(LEFT_OUT), false));
            }
        }
        Ok((lines(payload.as_deref(), &fields).into(), false))
    }
}

/// What a strict stream ends with.
fn refused(errors: &[u8]) -> Bytes {
    let mut out =
        b"event: error\ndata: {\"type\":\"error\",\"error\":\"validation\",\"errors\":".to_vec();
    out.extend_from_slice(errors);
    out.extend_from_slice(b"}\n\n");
    out.into()
}

/// An event without a type begins with its data.
fn lines(payload: Option<&[u8]>, fields: &Fields) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.map_or(0, <[u8]>::len) + 64);
    let mut field = |name: &str, value: &[u8]| {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.push(b'\n');
    };
    if let Some(kind) = &fields.kind {
        field("event", kind.as_bytes());
    }
    if let Some(payload) = payload {
        for line in split(payload) {
            field("data", line);
        }
    }
    if let Some(id) = &fields.id {
        field("id", id.as_bytes());
    }
    if let Some(retry) = fields.retry {
        field("retry", retry.to_string().as_bytes());
    }
    if let Some(comment) = &fields.comment {
        for line in split(comment.as_bytes()) {
            field("", line);
        }
    }
    out.push(b'\n');
    out
}

/// Lines as the format knows them: ended by CR LF, LF or CR.
fn split(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let current = rest?;
        let Some(end) = memchr::memchr2(b'\n', b'\r', current) else {
            rest = None;
            return Some(current);
        };
        let after = if current[end..].starts_with(b"\r\n") {
            end + 2
        } else {
            end + 1
        };
        rest = Some(&current[after..]);
        Some(&current[..end])
    })
}
