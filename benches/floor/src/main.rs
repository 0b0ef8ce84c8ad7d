//! The floor: the least this machine spends on each case when no Python takes part.
//!
//! One thread, one current-thread runtime, HTTP/1.1. `/hello` is answered by hyper alone; everything else goes
//! through an axum router with serde, which is what a Rust programme of the same shape would use.

mod order;

use std::convert::Infallible;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tower::ServiceExt;

use order::{Order, Receipt};

#[derive(Serialize)]
struct Message<T> {
    message: T,
}

#[derive(Deserialize)]
struct ItemQuery {
    limit: i64,
    active: bool,
    q: String,
}

#[derive(Serialize)]
struct Item {
    id: i64,
    limit: i64,
    active: bool,
    q: String,
}

async fn item(Path(id): Path<i64>, Query(query): Query<ItemQuery>) -> Json<Item> {
    Json(Item {
        id,
        limit: query.limit,
        active: query.active,
        q: query.q,
    })
}

async fn place(Json(order): Json<Order>) -> Response {
    let faults = order.faults();
    if faults.is_empty() {
        Json(Receipt {
            id: order.id,
            customer: order.customer,
            quantity: order.quantity,
        })
        .into_response()
    } else {
        (StatusCode::UNPROCESSABLE_ENTITY, Json(faults)).into_response()
    }
}

async fn sleep() -> Json<Message<&'static str>> {
    tokio::task::yield_now().await;
    Json(Message {
        message: "Hello, World!",
    })
}

async fn redis_get(State(redis): State<Option<MultiplexedConnection>>) -> Response {
    let Some(mut redis) = redis else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    match redis.get::<_, String>("spikard:bench").await {
        Ok(message) => Json(Message { message }).into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

fn hello() -> hyper::Response<Either<Full<Bytes>, Body>> {
    let mut response = hyper::Response::new(Either::Left(Full::new(Bytes::from_static(
        br#"{"message":"Hello, World!"}"#,
    ))));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn redis_connection() -> Option<MultiplexedConnection> {
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| String::from("redis://127.0.0.1:6379"));
    let client = redis::Client::open(url).ok()?;
    client.get_multiplexed_async_connection().await.ok()
}

async fn answer(
    router: Router,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<Either<Full<Bytes>, Body>>, Infallible> {
    if request.uri().path() == "/hello" {
        return Ok(hello());
    }
    router
        .oneshot(request.map(Body::new))
        .await
        .map(|response| response.map(Either::Right))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args()
        .nth(1)
        .ok_or("usage: floor PORT")?
        .parse()?;
    let router = Router::new()
        .route("/items/{id}", get(item))
        .route("/orders", post(place))
        .route("/sleep", get(sleep))
        .route("/redis", get(redis_get))
        .with_state(redis_connection().await);
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let router = router.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(router.clone(), request));
            // A connection that breaks concerns only its client.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
