//! One line per request, written to standard output or given to whoever asks for them; nothing at all when off.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Instant, SystemTime};

use http::request::Parts;
use http_body::Body as _;

use crate::request::Origin;
use crate::request_id::RequestId;
use crate::response::Response;
use crate::settings::AccessLogFormat;
use crate::trace_context::TraceParent;

/// What stands in the log for an answer that was never sent: the number is nginx's, and no server sends it.
const CLIENT_GONE: u16 = 499;

/// Takes lines in place of standard output.
pub type LineSink = Box<dyn Fn(&str)>;

pub(crate) struct AccessLog {
    format: AccessLogFormat,
    pub(crate) sink: Option<LineSink>,
}

impl std::fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessLog")
            .field("format", &self.format)
            .field("has_sink", &self.sink.is_some())
            .finish()
    }
}

/// What a line needs of the request, noted before the handler takes it.
#[derive(Debug)]
pub(crate) struct Entry {
    began: Instant,
    method: http::Method,
    target: String,
    version: http::Version,
    client: Option<std::net::SocketAddr>,
    agent: Option<String>,
    id: Option<RequestId>,
    trace: Option<String>,
}

impl AccessLog {
    pub(crate) fn new(format: AccessLogFormat) -> Self {
        Self { format, sink: None }
    }

    #[allow(clippy::unused_self)] // begin and end belong together at the call site
    pub(crate) fn begin(&self, parts: &Parts, origin: &Origin, id: Option<&RequestId>) -> Entry {
        Entry {
            began: Instant::now(),
            method: parts.method.clone(),
            target: parts
                .uri
                .path_and_query()
                .map_or_else(String::new, |target| target.as_str().to_owned()),
            version: parts.version,
            client: origin.remote,
            agent: parts
                .headers
                .get(http::header::USER_AGENT)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            id: id.cloned(),
            trace: TraceParent::of(&parts.headers).map(|parent| parent.trace_id.to_owned()),
        }
    }

    /// `route` is the pattern that matched.
    pub(crate) fn end(&self, entry: &Entry, route: Option<&str>, response: &Response) {
        let bytes = response.body().size_hint().exact();
        self.write(entry, route, response.status().as_u16(), bytes);
    }

    /// The client has gone, or was cut off, before there was an answer.
    pub(crate) fn abandon(&self, entry: &Entry, route: Option<&str>) {
        self.write(entry, route, CLIENT_GONE, Some(0));
    }

    fn write(&self, entry: &Entry, route: Option<&str>, status: u16, bytes: Option<u64>) {
        let line = self.line(entry, route, (status, bytes), SystemTime::now());
        if let Some(sink) = &self.sink {
            sink(line.trim_end());
            return;
        }
        // A log that can't be written must not fail the request.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    }

    fn line(
        &self,
        entry: &Entry,
        route: Option<&str>,
        (status, bytes): (u16, Option<u64>),
        now: SystemTime,
    ) -> String {
        let micros = entry.began.elapsed().as_micros();
        let client = entry.client.map(|address| address.ip().to_string());
        let id = entry.id.as_ref().map(RequestId::as_str);
        match self.format {
            AccessLogFormat::Text => {
                let mut line = String::with_capacity(160);
                let _ = write!(
                    line,
                    "{} [{}] \"{} {} {:?}\" {status} {} {}us",
                    client.as_deref().unwrap_or("-"),
                    httpdate::fmt_http_date(now),
                    entry.method,
                    entry.target,
                    entry.version,
                    bytes.map_or_else(|| "-".to_owned(), |n| n.to_string()),
                    micros,
                );
                if let Some(id) = id {
                    let _ = write!(line, " {id}");
                }
                line.push('\n');
                line
            }
            AccessLogFormat::Json => {
                let time = now
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .map_or(0.0, |d| d.as_secs_f64());
                let value = serde_json::json!({
                    "time": time, "client": client, "method": entry.method.as_str(), "target": entry.target,
                    "route": route, "version": format!("{:?}", entry.version), "status": status, "bytes": bytes,
                    "duration_us": micros as u64, "user_agent": entry.agent, "request_id": id,
                    "trace_id": entry.trace,
                });
                format!("{value}\n")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let (parts, ()) = http::Request::builder()
            .uri("/a?b=%22c")
            .header(
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            )
            .body(())
            .expect("a valid request")
            .into_parts();
        AccessLog::new(AccessLogFormat::Text).begin(
            &parts,
            &Origin::default(),
            RequestId::accept(b"seven").as_ref(),
        )
    }

    #[test]
    fn a_text_line_holds_method_target_and_status() {
        let line = AccessLog::new(AccessLogFormat::Text).line(
            &entry(),
            Some("/{x}"),
            (200, Some(4)),
            SystemTime::UNIX_EPOCH,
        );
        assert!(
            line.starts_with("- [Thu, 01 Jan 1970 00:00:00 GMT] \"GET /a?b=%22c HTTP/1.1\" 200 4 "),
            "{line}"
        );
        assert!(line.ends_with("us seven\n"), "{line}");
    }

    #[test]
    fn a_json_line_is_one_json_object() {
        let line = AccessLog::new(AccessLogFormat::Json).line(
            &entry(),
            Some("/{x}"),
            (200, Some(4)),
            SystemTime::UNIX_EPOCH,
        );
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["status"], 200);
        assert_eq!(value["bytes"], 4);
        assert_eq!(value["target"], "/a?b=%22c");
        assert_eq!(value["route"], "/{x}");
        assert_eq!(value["request_id"], "seven");
        assert_eq!(value["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    }
}
