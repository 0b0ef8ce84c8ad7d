//! Figures about requests, as Prometheus reads them.
//!
//! Counting is adding to numbers in memory that all workers share: no lock, and no memory taken. Whoever is asked tells
//! the figures of all.

pub(crate) mod board;
mod figures;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::StatusCode;

pub use self::board::Board;
use self::board::Seat;
use self::figures::Figures;
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
#[derive(Debug)]
pub struct Metrics {
    board: Board,
    seat: Seat,
    /// By the index of the route's id.
    routes: Vec<Figures>,
    mounts: Vec<Figures>,
    nowhere: Figures,
}

fn add(number: &AtomicU64) {
    number.fetch_add(1, Ordering::Relaxed);
}

fn take(number: &AtomicU64) {
    number.fetch_sub(1, Ordering::Relaxed);
}

impl Metrics {
    /// Figures for routes and for mounts, both as (method, pattern), in the order of their ids and of the list.
    ///
    /// They are counted on the board of all workers, if there is one.
    pub fn new<'a>(
        shared: Option<Board>,
        routes: impl IntoIterator<Item = (&'a str, &'a str)>,
        mounts: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let routes: Vec<_> = routes.into_iter().collect();
        let mounts: Vec<_> = mounts.into_iter().collect();
        let board = shared.unwrap_or_else(|| Board::local(routes.len() + mounts.len() + 1));
        let seat = board.seat(std::process::id()).or_else(|| {
            // More workers than are seen by the others.
            Board::local(0).seat(std::process::id())
        });
        Self {
            seat: seat.unwrap_or_else(|| unreachable!("a board for one has a seat for one")),
            routes: routes
                .into_iter()
                .map(|(method, pattern)| Figures::of(&board, method, pattern))
                .collect(),
            mounts: mounts
                .into_iter()
                .map(|prefix| Figures::of(&board, "", &format!("{prefix}/*")))
                .collect(),
            nowhere: Figures::of(&board, "", ""),
            board,
        }
    }

    pub(crate) fn connection_opened(&self) {
        add(self.seat.connections());
    }

    pub(crate) fn connection_closed(&self) {
        take(self.seat.connections());
    }

    fn figures(&self, place: Place) -> &Figures {
        match place {
            Place::Nowhere => None,
            Place::Route(id) => self.routes.get(id.index()),
            Place::Mount(index) => self.mounts.get(index),
        }
        .unwrap_or(&self.nowhere)
    }

    /// Those that have something to tell, each once.
    fn all(&self) -> impl Iterator<Item = &Figures> {
        let listed = self.routes.iter().chain(&self.mounts);
        let mut told = HashSet::new();
        listed
            .chain([&self.nowhere])
            .filter(move |one| one.has_any() && told.insert(one.labels()))
    }

    /// Everything in the text format of Prometheus.
    pub fn to_text(&self) -> String {
        let mut out = String::with_capacity(4096);
        family(
            &mut out,
            "http_requests_total",
            "counter",
            "Requests answered.",
        );
        for figures in self.all() {
            figures.write_statuses(&mut out);
        }
        family(
            &mut out,
            "http_request_errors_total",
            "counter",
            "Requests answered with a status of 500 or above.",
        );
        for figures in self.all() {
            let (labels, errors) = (figures.labels(), figures.errors());
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
        let present = self.board.present();
        for (name, kind, help, value) in [
            (
                "http_requests_in_flight",
                "gauge",
                "Requests being answered now.",
                present.in_flight,
            ),
            (
                "http_requests_aborted_total",
                "counter",
                "Requests whose client went away first.",
                self.board.aborted().load(Ordering::Relaxed),
            ),
            (
                "http_connections",
                "gauge",
                "Connections open now.",
                present.connections,
            ),
            (
                "http_workers",
                "gauge",
                "Worker processes whose figures these are.",
                present.workers,
            ),
            (
                "websocket_connections",
                "gauge",
                "WebSockets open now.",
                present.websockets,
            ),
            (
                "websocket_connections_total",
                "counter",
                "WebSockets accepted.",
                self.board.websockets().load(Ordering::Relaxed),
            ),
        ] {
            family(&mut out, name, kind, help);
            line(&mut out, format_args!("{name} {value}"));
        }
        out
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
        add(metrics.seat.in_flight());
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
            take(metrics.seat.in_flight());
            add(metrics.board.websockets());
            add(metrics.seat.websockets());
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let metrics = &self.metrics;
        take(if self.is_websocket {
            metrics.seat.websockets()
        } else {
            metrics.seat.in_flight()
        });
        if !self.is_answered {
            add(metrics.board.aborted());
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
        let routes = [("GET", "/a\"\\"), ("POST", "/b")];
        let metrics = Metrics::new(None, routes, ["/static"]);
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
        metrics.connection_opened();
        let text = metrics.to_text();
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
        has(&text, "http_connections 1");
        has(&text, "http_workers 1");
        assert!(
            !text.contains("POST"),
            "no line for a route that nobody asked for\n{text}"
        );
    }

    #[test]
    fn what_goes_on_now_is_counted_up_and_down() {
        let (metrics, id) = metrics();
        let (mut one, other) = (Flight::begin(&metrics), Flight::begin(&metrics));
        let mut socket = Flight::begin(&metrics);
        socket.answered(Place::Route(id), StatusCode::SWITCHING_PROTOCOLS);
        has(&metrics.to_text(), "http_requests_in_flight 2");
        has(&metrics.to_text(), "websocket_connections 1");
        one.answered(Place::Route(id), StatusCode::OK);
        drop((one, other, socket));
        for line in [
            "http_requests_in_flight 0",
            "http_requests_aborted_total 1",
            "websocket_connections 0",
            "websocket_connections_total 1",
        ] {
            has(&metrics.to_text(), line);
        }
    }
    #[test]
    fn workers_tell_the_figures_of_all() {
        let memory = crate::cells::local(crate::shared_memory::SharedMemory::CELLS);
        let shared = || {
            let shared = crate::shared_memory::SharedMemory::over(&memory).expect("large enough");
            Some(shared.figures)
        };
        let (one, other) = (
            Rc::new(Metrics::new(shared(), [("GET", "/a")], [])),
            // As a newer version of the application has it.
            Rc::new(Metrics::new(shared(), [("GET", "/b"), ("GET", "/a")], [])),
        );
        let mut router = Router::new();
        let ids = ["/0", "/1"].map(|path| router.insert(Method::GET, path, ()).expect("free"));
        Flight::begin(&one).answered(Place::Route(ids[0]), StatusCode::OK);
        Flight::begin(&other).answered(Place::Route(ids[1]), StatusCode::OK);
        for metrics in [one, other] {
            has(
                &metrics.to_text(),
                "http_requests_total{method=\"GET\",route=\"/a\",status=\"200\"} 2",
            );
        }
    }
}
