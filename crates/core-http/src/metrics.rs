//! Figures about requests, as Prometheus reads them.
//!
//! A server's work is all on one thread, so counting is adding to a cell: no lock, no atomic, and no memory taken once
//! every status has been seen.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::{Duration, Instant};

use http::StatusCode;

use crate::router::RouteId;

/// The media type of the text format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds of the histogram, as they are written and in microseconds.
const BOUNDS: [(&str, u64); 14] = [
    ("0.0005", 500),
    ("0.001", 1_000),
    ("0.0025", 2_500),
    ("0.005", 5_000),
    ("0.01", 10_000),
    ("0.025", 25_000),
    ("0.05", 50_000),
    ("0.1", 100_000),
    ("0.25", 250_000),
    ("0.5", 500_000),
    ("1", 1_000_000),
    ("2.5", 2_500_000),
    ("5", 5_000_000),
    ("10", 10_000_000),
];

/// Who answered a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// The server itself, because no route matched or it did not get that far.
    #[default]
    Nowhere,
    Route(RouteId),
    /// What is mounted below a path, by its place in the list of mounts.
    Mount(usize),
}

/// The figures of one server.
#[derive(Debug, Default)]
pub struct Metrics {
    in_flight: Cell<u64>,
    aborted: Cell<u64>,
    websockets_open: Cell<u64>,
    websockets: Cell<u64>,
    /// By the index of the route's id.
    routes: Vec<Figures>,
    mounts: Vec<Figures>,
    nowhere: Figures,
}

/// The figures of one route.
#[derive(Debug, Default)]
struct Figures {
    /// The labels `method` and `route`, as they are written.
    labels: String,
    statuses: RefCell<Vec<(StatusCode, u64)>>,
    buckets: [Cell<u64>; BOUNDS.len()],
    count: Cell<u64>,
    micros: Cell<u64>,
}

fn add(cell: &Cell<u64>, amount: u64) {
    cell.set(cell.get().wrapping_add(amount));
}

fn take(cell: &Cell<u64>) {
    cell.set(cell.get().saturating_sub(1));
}

impl Figures {
    fn of(method: &str, route: &str) -> Self {
        Self {
            labels: format!(
                "method=\"{}\",route=\"{}\"",
                escaped(method),
                escaped(route)
            ),
            ..Self::default()
        }
    }

    fn count(&self, status: StatusCode, took: Duration) {
        let micros = took.as_micros() as u64;
        let bucket = BOUNDS.partition_point(|(_, bound)| *bound < micros);
        if let Some(bucket) = self.buckets.get(bucket) {
            add(bucket, 1);
        }
        add(&self.count, 1);
        add(&self.micros, micros);
        let mut statuses = self.statuses.borrow_mut();
        match statuses.iter_mut().find(|(known, _)| *known == status) {
            Some((_, count)) => *count += 1,
            None => statuses.push((status, 1)),
        }
    }

    fn errors(&self) -> u64 {
        let statuses = self.statuses.borrow();
        let failed = statuses
            .iter()
            .filter(|(status, _)| status.is_server_error());
        failed.map(|(_, count)| count).sum()
    }
}

impl Metrics {
    /// Figures for routes and for mounts, both as (method, pattern), in the order of their ids and of the list.
    pub fn new<'a>(
        routes: impl IntoIterator<Item = (&'a str, &'a str)>,
        mounts: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self {
            routes: routes
                .into_iter()
                .map(|(method, pattern)| Figures::of(method, pattern))
                .collect(),
            mounts: mounts
                .into_iter()
                .map(|prefix| Figures::of("", &format!("{prefix}/*")))
                .collect(),
            nowhere: Figures::of("", ""),
            ..Self::default()
        }
    }

    fn figures(&self, place: Place) -> &Figures {
        match place {
            Place::Nowhere => None,
            Place::Route(id) => self.routes.get(id.index()),
            Place::Mount(index) => self.mounts.get(index),
        }
        .unwrap_or(&self.nowhere)
    }

    fn all(&self) -> impl Iterator<Item = &Figures> {
        let listed = self.routes.iter().chain(&self.mounts);
        listed
            .chain([&self.nowhere])
            .filter(|one| one.count.get() > 0)
    }

    /// Everything in the text format of Prometheus.
    pub fn to_text(&self, connections: usize) -> String {
        let mut out = String::with_capacity(4096);
        family(
            &mut out,
            "http_requests_total",
            "counter",
            "Requests answered.",
        );
        for figures in self.all() {
            let mut statuses = figures.statuses.borrow().clone();
            statuses.sort_unstable();
            for (status, count) in statuses {
                let (labels, status) = (&figures.labels, status.as_u16());
                line(
                    &mut out,
                    format_args!("http_requests_total{{{labels},status=\"{status}\"}} {count}"),
                );
            }
        }
        family(
            &mut out,
            "http_request_errors_total",
            "counter",
            "Requests answered with a status of 500 or above.",
        );
        for figures in self.all() {
            let (labels, errors) = (&figures.labels, figures.errors());
            line(
                &mut out,
                format_args!("http_request_errors_total{{{labels}}} {errors}"),
            );
        }
        family(
            &mut out,
            "http_request_duration_seconds",
            "histogram",
            "Time from a request's head to the head of its answer.",
        );
        for figures in self.all() {
            figures.write_histogram(&mut out);
        }
        for (name, kind, help, value) in [
            (
                "http_requests_in_flight",
                "gauge",
                "Requests being answered now.",
                self.in_flight.get(),
            ),
            (
                "http_requests_aborted_total",
                "counter",
                "Requests whose client went away first.",
                self.aborted.get(),
            ),
            (
                "http_connections",
                "gauge",
                "Connections open now.",
                connections as u64,
            ),
            (
                "websocket_connections",
                "gauge",
                "WebSockets open now.",
                self.websockets_open.get(),
            ),
            (
                "websocket_connections_total",
                "counter",
                "WebSockets accepted.",
                self.websockets.get(),
            ),
        ] {
            family(&mut out, name, kind, help);
            line(&mut out, format_args!("{name} {value}"));
        }
        out
    }
}

impl Figures {
    fn write_histogram(&self, out: &mut String) {
        let (labels, count) = (&self.labels, self.count.get());
        let mut below = 0;
        for ((bound, _), bucket) in BOUNDS.iter().zip(&self.buckets) {
            below += bucket.get();
            line(
                out,
                format_args!(
                    "http_request_duration_seconds_bucket{{{labels},le=\"{bound}\"}} {below}"
                ),
            );
        }
        line(
            out,
            format_args!("http_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} {count}"),
        );
        let seconds = Duration::from_micros(self.micros.get()).as_secs_f64();
        line(
            out,
            format_args!("http_request_duration_seconds_sum{{{labels}}} {seconds}"),
        );
        line(
            out,
            format_args!("http_request_duration_seconds_count{{{labels}}} {count}"),
        );
    }
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    line(out, format_args!("# HELP {name} {help}"));
    line(out, format_args!("# TYPE {name} {kind}"));
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

fn escaped(label: &str) -> String {
    label
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// A request on its way, in flight until this is dropped.
#[derive(Debug)]
pub(crate) struct Flight {
    metrics: Rc<Metrics>,
    began: Instant,
    is_answered: bool,
    is_websocket: bool,
}

impl Flight {
    pub(crate) fn begin(metrics: &Rc<Metrics>) -> Self {
        add(&metrics.in_flight, 1);
        Self {
            metrics: Rc::clone(metrics),
            began: Instant::now(),
            is_answered: false,
            is_websocket: false,
        }
    }

    /// The head of the answer is there.
    pub(crate) fn answered(&mut self, place: Place, status: StatusCode) {
        let metrics = &self.metrics;
        self.is_answered = true;
        metrics.figures(place).count(status, self.began.elapsed());
        if status == StatusCode::SWITCHING_PROTOCOLS {
            // From here on it is no request, but a connection of its own.
            self.is_websocket = true;
            take(&metrics.in_flight);
            add(&metrics.websockets, 1);
            add(&metrics.websockets_open, 1);
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        take(if self.is_websocket {
            &self.metrics.websockets_open
        } else {
            &self.metrics.in_flight
        });
        if !self.is_answered {
            add(&self.metrics.aborted, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::router::Router;

    fn metrics() -> (Rc<Metrics>, RouteId) {
        let mut router = Router::new();
        let first = router.insert(Method::GET, "/a", ()).expect("free");
        let metrics = Metrics::new([("GET", "/a\"\\"), ("POST", "/b")], ["/static"]);
        (Rc::new(metrics), first)
    }

    fn has(text: &str, line: &str) {
        assert!(text.lines().any(|one| one == line), "{line}\nin\n{text}");
    }

    #[test]
    fn requests_are_counted_by_route_and_status() {
        let (metrics, id) = metrics();
        for status in [StatusCode::OK, StatusCode::OK, StatusCode::BAD_GATEWAY] {
            Flight::begin(&metrics).answered(Place::Route(id), status);
        }
        Flight::begin(&metrics).answered(Place::Nowhere, StatusCode::NOT_FOUND);
        Flight::begin(&metrics).answered(Place::Mount(0), StatusCode::NOT_MODIFIED);
        let text = metrics.to_text(3);
        let labels = r#"method="GET",route="/a\"\\""#;
        has(
            &text,
            &format!("http_requests_total{{{labels},status=\"200\"}} 2"),
        );
        has(
            &text,
            &format!("http_requests_total{{{labels},status=\"502\"}} 1"),
        );
        has(&text, &format!("http_request_errors_total{{{labels}}} 1"));
        has(
            &text,
            &format!("http_request_duration_seconds_count{{{labels}}} 3"),
        );
        has(
            &text,
            &format!("http_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 3"),
        );
        has(
            &text,
            "http_requests_total{method=\"\",route=\"\",status=\"404\"} 1",
        );
        has(
            &text,
            "http_requests_total{method=\"\",route=\"/static/*\",status=\"304\"} 1",
        );
        has(&text, "http_connections 3");
        assert!(
            !text.contains("POST"),
            "no line for a route that nobody asked for\n{text}"
        );
    }

    #[test]
    fn durations_fall_into_the_bucket_that_holds_them() {
        let figures = Figures::of("GET", "/");
        for micros in [500, 501, 1_000, 10_000_001] {
            figures.count(StatusCode::OK, Duration::from_micros(micros));
        }
        let counts: Vec<u64> = figures.buckets.iter().map(Cell::get).collect();
        assert_eq!((counts[0], counts[1], counts.iter().sum()), (1, 2, 3));
        assert_eq!((figures.count.get(), figures.micros.get()), (4, 10_002_002));
    }

    #[test]
    fn what_goes_on_now_is_counted_up_and_down() {
        let (metrics, id) = metrics();
        let (mut one, other) = (Flight::begin(&metrics), Flight::begin(&metrics));
        let mut socket = Flight::begin(&metrics);
        socket.answered(Place::Route(id), StatusCode::SWITCHING_PROTOCOLS);
        has(&metrics.to_text(0), "http_requests_in_flight 2");
        has(&metrics.to_text(0), "websocket_connections 1");
        one.answered(Place::Route(id), StatusCode::OK);
        drop((one, other, socket));
        for line in [
            "http_requests_in_flight 0",
            "http_requests_aborted_total 1",
            "websocket_connections 0",
            "websocket_connections_total 1",
        ] {
            has(&metrics.to_text(0), line);
        }
    }
}
