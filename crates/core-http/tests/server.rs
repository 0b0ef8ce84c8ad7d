//! The server over real sockets: what goes over the wire when all is well, and when it isn't.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use core_http::body::Body;
use core_http::handler::{BodyPolicy, Handler, Reply};
use core_http::listener::bind_tcp;
use core_http::request::{Head, Origin, Request};
use core_http::response::Response;
use core_http::router::Router;
use core_http::server::Server;
use core_http::service::{Endpoint, Service};
use core_http::settings::Settings;
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// Answers with the body it got.
struct Echo;

impl Handler for Echo {
    fn admit(&self, _head: &Head) -> Result<BodyPolicy, Box<Response>> {
        Ok(BodyPolicy::Buffer)
    }
    fn call(&self, request: Box<Request>) -> Reply {
        Reply::Ready(Response::new(Body::from(request.body)))
    }
}

/// Never answers.
struct Never;

impl Handler for Never {
    fn call(&self, _request: Box<Request>) -> Reply {
        Reply::Later(Box::pin(std::future::pending()))
    }
}

struct Panics;

impl Handler for Panics {
    fn call(&self, _request: Box<Request>) -> Reply {
        panic!("on purpose");
    }
}

fn endpoint(handler: impl Handler + 'static) -> Rc<Endpoint> {
    Rc::new(Endpoint::new(Box::new(handler)))
}

/// Runs `test` against a server with these settings.
fn with_server<F, T>(settings: Settings, test: F)
where
    F: FnOnce(Rc<Server>, u16) -> T,
    T: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let mut router = Router::new();
        for (method, path, target) in [
            (Method::POST, "/echo", endpoint(Echo)),
            (Method::GET, "/echo", endpoint(Echo)),
            (Method::GET, "/never", endpoint(Never)),
            (Method::GET, "/panics", endpoint(Panics)),
        ] {
            router.insert(method, path, target).expect("a free route");
        }
        let server = Server::new(Rc::new(Service::new(router, settings, Box::new(()))));
        let mut bound = bind_tcp("127.0.0.1", 0, false, 16).expect("a free port");
        let port = bound[0].tcp_address().expect("a TCP socket").port();
        server.listen(bound.remove(0)).expect("a listening socket");
        tokio::time::timeout(Duration::from_secs(20), test(server, port))
            .await
            .expect("the test to end in time");
    });
}

/// Sends bytes and reads until the server closes.
async fn exchange(port: u16, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("a connection");
    stream.write_all(request).await.expect("a write");
    let mut answer = Vec::new();
    // A reset after the answer is as good an end as any.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).expect("text")
}

/// Reads one answer with a Content-Length off an open connection.
async fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().expect("a length"));
            if body.len() >= length {
                return text;
            }
        }
        let n = stream.read_buf(&mut answer).await.expect("a read");
        assert!(n > 0, "the connection ended early: {text}");
    }
}

fn problem(answer: &str) -> serde_json::Value {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(
        head.contains("content-type: application/problem+json"),
        "{head}"
    );
    serde_json::from_str(body).expect("a JSON problem")
}

#[test]
fn a_body_comes_back() {
    with_server(Settings::default(), |_, port| async move {
        let answer = exchange(
            port,
            b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("\r\nx-request-id: "), "{answer}");
        assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    });
}

#[test]
fn what_is_not_http_gets_a_problem() {
    with_server(Settings::default(), |_, port| async move {
        let answer = exchange(port, b"NOT A REQUEST\r\n\r\n").await;
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{answer}"
        );
        assert_eq!(problem(&answer)["status"], 400);
    });
}

#[test]
fn ambiguous_requests_are_refused_and_closed() {
    let refused = [
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\ncontent-length: 0\r\n\r\n0\r\n\r\n",
        "GET /echo HTTP/1.1\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    ];
    with_server(Settings::default(), |_, port| async move {
        for request in refused {
            let answer = exchange(port, request.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{request} {answer}");
            assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        }
    });
}

#[test]
fn a_head_above_the_limit_is_431() {
    let settings = Settings {
        max_header_size: 2048,
        ..Settings::default()
    };
    with_server(settings, |_, port| async move {
        let request = format!(
            "GET /echo HTTP/1.1\r\nHost: x\r\nX-Big: {}\r\n\r\n",
            "a".repeat(4000)
        );
        let answer = exchange(port, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert_eq!(problem(&answer)["status"], 431);
    });
}

#[test]
fn too_many_fields_are_431() {
    let settings = Settings {
        max_headers: 10,
        ..Settings::default()
    };
    with_server(settings, |_, port| async move {
        let fields = (0..20)
            .map(|n| format!("X-{n}: 1\r\n"))
            .collect::<Vec<_>>()
            .concat();
        let answer = exchange(
            port,
            format!("GET /echo HTTP/1.1\r\nHost: x\r\n{fields}\r\n").as_bytes(),
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    });
}

#[test]
fn a_long_target_is_414() {
    let settings = Settings {
        max_uri_length: 100,
        ..Settings::default()
    };
    with_server(settings, |_, port| async move {
        let request = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(200));
        let answer = exchange(port, request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 414 "), "{answer}");
        assert_eq!(problem(&answer)["status"], 414);
    });
}

#[test]
fn a_slow_head_is_408() {
    let settings = Settings {
        header_read_timeout: Duration::from_millis(50),
        ..Settings::default()
    };
    with_server(settings, |_, port| async move {
        let answer = exchange(port, b"GET /echo HTTP/1.1\r\nHost:").await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert_eq!(problem(&answer)["status"], 408);
    });
}

#[test]
fn a_slow_head_after_an_answer_is_408() {
    let settings = Settings {
        header_read_timeout: Duration::from_millis(50),
        ..Settings::default()
    };
    with_server(settings, |_, port| async move {
        let mut stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("a connection");
        stream
            .write_all(b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .expect("a write");
        assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 200"));
        stream.write_all(b"GET /ec").await.expect("a write");
        assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 408"));
    });
}

#[test]
fn a_slow_body_is_408() {
    let settings = Settings {
        body_read_timeout: Duration::from_millis(50),
        ..Settings::default()
    };
    with_server(settings, |_, port| async move {
        let answer = exchange(
            port,
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    });
}

#[test]
fn an_idle_connection_is_closed() {
    let settings = Settings {
        keep_alive_timeout: Duration::from_millis(50),
        ..Settings::default()
    };
    with_server(settings, |_, port| async move {
        let answer = exchange(port, b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    });
}

#[test]
fn a_body_above_the_limit_is_refused_before_it_is_read() {
    let settings = Settings {
        max_body_size: Some(10),
        ..Settings::default()
    };
    with_server(settings, |_, port| async move {
        let declared = exchange(
            port,
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n",
        )
        .await;
        assert!(declared.starts_with("HTTP/1.1 413 "), "{declared}");
        let counted = exchange(
            port,
            b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n",
        )
        .await;
        assert!(counted.starts_with("HTTP/1.1 413 "), "{counted}");
        assert_eq!(problem(&counted)["status"], 413);
    });
}

#[test]
fn a_truncated_body_ends_the_connection_and_nothing_else() {
    with_server(Settings::default(), |server, port| async move {
        let mut stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("a connection");
        stream
            .write_all(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhe")
            .await
            .expect("a write");
        drop(stream);
        while server.service().counters.connections() > 0 {
            tokio::task::yield_now().await;
        }
        let answer = exchange(
            port,
            b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    });
}

#[test]
fn a_client_that_leaves_drops_its_request() {
    with_server(Settings::default(), |server, port| async move {
        let mut stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("a connection");
        stream
            .write_all(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .expect("a write");
        while server.service().counters.requests() == 0 {
            tokio::task::yield_now().await;
        }
        drop(stream);
        while server.service().counters.connections() > 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_handler_without_end_is_408() {
    let settings = Settings {
        request_timeout: Some(Duration::from_millis(50)),
        ..Settings::default()
    };
    with_server(settings, |_, port| async move {
        let answer = exchange(
            port,
            b"GET /never HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    });
}

#[test]
fn a_panic_is_an_opaque_500() {
    with_server(Settings::default(), |_, port| async move {
        let answer = exchange(
            port,
            b"GET /panics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
        assert!(!answer.contains("on purpose"), "{answer}");
    });
}

#[test]
fn requests_in_one_packet_are_answered_in_order() {
    with_server(Settings::default(), |_, port| async move {
        let one = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n";
        let last =
            "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\n";
        let answer = exchange(port, format!("{one}1{one}2{last}3").as_bytes()).await;
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 3, "{answer}");
        let (one, rest) = answer.split_once("\r\n\r\n1").expect("the first body");
        assert!(
            one.starts_with("HTTP/1.1 200") && rest.ends_with("\r\n\r\n3"),
            "{answer}"
        );
    });
}

#[test]
fn draining_lets_a_lingering_connection_send_one_more() {
    with_server(Settings::default(), |server, port| async move {
        let mut stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("a connection");
        stream
            .write_all(b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .expect("a write");
        assert!(!read_answer(&mut stream).await.contains("connection: close"));
        let drained = tokio::task::spawn_local(
            Rc::clone(&server).drain(Duration::from_secs(10), Duration::from_secs(10)),
        );
        tokio::task::yield_now().await;
        stream
            .write_all(b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .expect("a write");
        assert!(read_answer(&mut stream).await.contains("connection: close"));
        drained.await.expect("the drain to end");
        assert_eq!(server.service().counters.connections(), 0);
    });
}

#[test]
fn draining_without_linger_closes_idle_connections() {
    with_server(Settings::default(), |server, port| async move {
        let mut stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("a connection");
        stream
            .write_all(b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .expect("a write");
        read_answer(&mut stream).await;
        server.drain(Duration::from_secs(10), Duration::ZERO).await;
        assert_eq!(stream.read(&mut [0; 1]).await.expect("the end"), 0);
    });
}

#[test]
fn draining_cuts_what_outlives_its_time() {
    with_server(Settings::default(), |server, port| async move {
        let mut stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("a connection");
        stream
            .write_all(b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .expect("a write");
        while server.service().counters.requests() == 0 {
            tokio::task::yield_now().await;
        }
        server
            .drain(Duration::from_millis(20), Duration::ZERO)
            .await;
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
    });
}

#[test]
fn memory_connections_are_served_too() {
    with_server(Settings::default(), |server, _| async move {
        let (ours, mut theirs) = core_http::server::memory_pair();
        server.serve_memory(ours, Origin::default());
        theirs
            .write_all(b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await
            .expect("a write");
        let mut answer = String::new();
        theirs.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    });
}

#[test]
fn http2_by_prior_knowledge() {
    with_server(Settings::default(), |_, port| async move {
        let stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("a connection");
        let io = hyper_util::rt::TokioIo::new(stream);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), io)
                .await
                .expect("a handshake");
        let driving = tokio::spawn(connection);
        let request = http::Request::post("http://x/echo")
            .body(http_body_util::Full::new(Bytes::from_static(b"two")))
            .expect("a request");
        let response = sender.send_request(request).await.expect("an answer");
        assert_eq!(response.status(), 200);
        let body = http_body_util::BodyExt::collect(response.into_body())
            .await
            .expect("a body");
        assert_eq!(body.to_bytes(), "two");
        driving.abort();
    });
}
