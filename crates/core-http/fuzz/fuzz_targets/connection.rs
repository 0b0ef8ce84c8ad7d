//! Whatever bytes a client sends: the connection ends, the process lives, and every answer is HTTP.
#![no_main]

use std::rc::Rc;
use std::time::Duration;

use core_http::body::Body;
use core_http::handler::{BodyPolicy, Handler, Reply};
use core_http::request::{Head, Request};
use core_http::response::Response;
use core_http::router::Router;
use core_http::server::{Server, memory_pair};
use core_http::service::{Endpoint, Service};
use core_http::settings::Settings;
use http::Method;
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::LocalSet;

struct Echo;

impl Handler for Echo {
    fn admit(&self, _head: &Head) -> Result<BodyPolicy, Box<Response>> {
        Ok(BodyPolicy::Buffer)
    }

    fn call(&self, request: Box<Request>) -> Reply {
        Reply::Ready(Response::new(Body::from(request.body)))
    }
}

fn service() -> Service {
    let mut router = Router::new();
    for (method, path) in [(Method::GET, "/"), (Method::POST, "/echo"), (Method::GET, "/a/{id}/{rest:path}")] {
        let endpoint = Endpoint::new(Box::new(Echo));
        router.insert(method, path, Rc::new(endpoint)).expect("a free route");
    }
    let settings = Settings {
        max_body_size: Some(4096),
        max_header_size: 8192,
        ..Settings::default()
    };
    Service::new(router, settings, Box::new(()))
}

fuzz_target!(|data: &[u8]| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let server = Server::new(Rc::new(service()));
        let (theirs, mut ours) = memory_pair();
        server.serve_memory(theirs, core_http::request::Origin::default());
        let (mut reading, mut writing) = tokio::io::split(&mut ours);
        let mut answer = Vec::new();
        let exchange = async {
            // The server may end first.
            let _ = tokio::join!(
                async {
                    let _ = writing.write_all(data).await;
                    let _ = writing.shutdown().await;
                },
                reading.read_to_end(&mut answer),
            );
        };
        tokio::time::timeout(Duration::from_secs(5), exchange)
            .await
            .expect("the connection to end when the client has ended");
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.") || data.starts_with(b"PRI * HTTP/2.0"),
            "not HTTP: {answer:?}"
        );
    });
});
