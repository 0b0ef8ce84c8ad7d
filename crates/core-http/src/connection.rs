//! One connection: choice of the protocol, HTTP/1.1 or HTTP/2 by hyper, and endings from outside.

use std::cell::Cell;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::problem::Problem;
use crate::proxy_protocol;
use crate::request::Origin;
use crate::service::Service;
use crate::tls::is_handshake;
use crate::upgrade::Upgraded;
use crate::wire::{Activity, Ending, Refusals, Transport, Wire};

/// What every HTTP/2 client sends first (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Streams of one HTTP/2 connection that may be open at once.
const MAX_STREAMS: u32 = 200;

/// How often a peer with open streams must show that it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// Header fields that hyper takes unless told otherwise.
const HYPER_MAX_HEADERS: usize = 100;

/// Runs the tasks of an HTTP/2 connection on this thread.
#[derive(Clone, Copy, Debug)]
struct LocalExecutor;

impl<F> Executor<F> for LocalExecutor
where
    F: Future<Output = ()> + 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// Serves a connection until either side ends it.
pub(crate) async fn serve(
    mut transport: Transport,
    mut origin: Origin,
    service: Rc<Service>,
    activity: Rc<Activity>,
    ticks: Rc<Cell<u64>>,
) {
    origin.root_path.clone_from(&service.settings.root_path);
    if service.settings.proxy_protocol
        && !matches!(transport, Transport::Memory(_))
        && !Box::pin(introduce(&mut transport, &mut origin, &service, &activity)).await
    {
        return;
    }
    if service.tls.is_some() && matches!(transport, Transport::Tcp(_)) {
        // Boxed, so that connections in the clear don't reserve room for a handshake.
        match Box::pin(encrypt(transport, &service, &activity)).await {
            Some(encrypted) => transport = encrypted,
            None => return,
        }
        origin.secure = true;
    }
    let Some((ahead, is_http2)) = read_ahead(&mut transport, &service, &activity).await else {
        return;
    };
    let origin = Arc::new(origin);
    let wire = Wire::new(transport, ahead, Rc::clone(&activity), ticks);
    if is_http2 {
        activity.is_http2.set(true);
        activity.in_head.set(false);
        // Boxed, so that the many connections that are HTTP/1 don't reserve room for it.
        Box::pin(serve_http2(wire, origin, service, activity)).await;
    } else {
        let wire = wire.with_refusals(Rc::clone(&service) as Rc<dyn Refusals>);
        serve_http1(wire, origin, service, activity).await;
    }
}

/// Reads the header of the PROXY protocol, and takes the word of a balancer that is believed. Tells whether the
/// connection goes on; without a proper header it ends in silence, since nobody knows what it speaks.
async fn introduce(
    transport: &mut Transport,
    origin: &mut Origin,
    service: &Service,
    activity: &Activity,
) -> bool {
    // The header is under the same time limit as the head of a request.
    activity.in_head.set(true);
    let announced = unless_ended(activity, proxy_protocol::read(transport)).await;
    activity.in_head.set(false);
    let Some(Ok(announced)) = announced else {
        return false;
    };
    let proxies = service.settings.trusted_proxies.as_ref();
    if proxies.is_none_or(|proxies| proxies.trust(origin.remote)) {
        origin.remote = announced.source.or(origin.remote);
        origin.local = announced.destination.or(origin.local);
        origin.secure |= announced.secure;
    }
    true
}

/// Waits for something, or for the end of the connection.
async fn unless_ended<T>(activity: &Activity, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    std::future::poll_fn(|cx| {
        activity.remember(cx);
        if activity.ending.get().is_some() {
            return Poll::Ready(None);
        }
        work.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Runs the TLS handshake. `None` if it fails, or the connection is to end before it is done.
async fn encrypt(
    transport: Transport,
    service: &Service,
    activity: &Activity,
) -> Option<Transport> {
    let (Transport::Tcp(mut stream), Some(tls)) = (transport, &service.tls) else {
        return None;
    };
    if tls.is_due()
        && let Err(error) = tls.refresh()
    {
        let message = format!("the certificates were not read again: {error}");
        service.observer.warned(&message);
    }
    // A handshake is under the same time limit as the head of a request.
    activity.in_head.set(true);
    let handshake = async {
        if !is_handshake(&stream).await.ok()? {
            let problem = Problem::bad_request("This address takes HTTPS, not plain HTTP");
            if let Some(refusal) = service.refusal_bytes(problem) {
                // The peer may be gone; there is nobody left to tell.
                let _ = stream.write_all(&refusal).await;
                let _ = stream.shutdown().await;
            }
            return None;
        }
        tls.acceptor().accept(stream).await.ok()
    };
    let stream = unless_ended(activity, handshake).await.flatten()?;
    activity.in_head.set(false);
    Some(Transport::Tls(Box::new(stream)))
}

/// Reads the first bytes, as many as tell HTTP/2 from HTTP/1.
async fn read_ahead(
    transport: &mut Transport,
    service: &Service,
    activity: &Activity,
) -> Option<(Bytes, bool)> {
    if !service.settings.http2 {
        return Some((Bytes::new(), false));
    }
    let mut ahead = BytesMut::with_capacity(1024);
    loop {
        let read = {
            let mut read = pin!(transport.read_buf(&mut ahead));
            std::future::poll_fn(|cx| {
                activity.remember(cx);
                if activity.ending.get().is_some() {
                    return Poll::Ready(Ok(0));
                }
                read.as_mut().poll(cx)
            })
            .await
        };
        match read {
            Ok(0) | Err(_) => {
                if !ahead.is_empty() && activity.ending.get() == Some(Ending::HeadTimeout) {
                    refuse_slow_head(transport, service).await;
                }
                return None;
            }
            Ok(_) => activity.in_head.set(true),
        }
        if ahead.starts_with(PREFACE) {
            return Some((ahead.freeze(), true));
        }
        if !PREFACE.starts_with(&ahead) {
            return Some((ahead.freeze(), false));
        }
    }
}

async fn refuse_slow_head<S: AsyncWriteExt + Unpin>(stream: &mut S, service: &Service) {
    if let Some(refusal) = service.refusal(408) {
        // The peer may be gone; there is nobody left to tell.
        let _ = stream.write_all(&refusal).await;
        let _ = stream.shutdown().await;
    }
}

async fn serve_http1(
    wire: Wire,
    origin: Arc<Origin>,
    service: Rc<Service>,
    activity: Rc<Activity>,
) {
    let settings = &service.settings;
    let mut builder = http1::Builder::new();
    if settings.max_headers != HYPER_MAX_HEADERS {
        // Saying what is the default anyway would move hyper's tables from the stack to a slower place.
        builder.max_headers(settings.max_headers);
    }
    builder
        .max_header_size(settings.max_header_size)
        .max_buf_size(settings.max_header_size.max(64 * 1024) + 16 * 1024)
        .auto_date_header(settings.date_header);
    let answers = {
        let (service, activity) = (Rc::clone(&service), Rc::clone(&activity));
        service_fn(move |request| {
            service.answer(request, Arc::clone(&origin), Rc::clone(&activity))
        })
    };
    let mut connection = builder.serve_connection(TokioIo::new(wire), answers);
    let mut graceful = false;
    let ended = std::future::poll_fn(|cx| {
        activity.remember(cx);
        match activity.ending.get() {
            Some(Ending::Cut | Ending::HeadTimeout) => return Poll::Ready(false),
            Some(Ending::Graceful) if !graceful => {
                graceful = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            _ => {}
        }
        // The end of the stream is ours to say: after an upgrade it isn't one.
        connection.poll_without_shutdown(cx).map(|end| end.is_ok())
    })
    .await;
    let parts = connection.into_parts();
    let mut wire = parts.io.into_inner();
    // Taken in any case: it holds the activity that holds it.
    let successor = activity.successor.take();
    if !ended {
        if activity.ending.get() == Some(Ending::HeadTimeout) {
            refuse_slow_head(&mut wire, &service).await;
        }
        return;
    }
    match successor {
        Some((upgrade, running)) => {
            drop(service);
            let ahead = parts.read_buf;
            let activity = Rc::clone(&activity);
            upgrade
                .take_over(Upgraded {
                    wire,
                    ahead,
                    activity,
                })
                .await;
            drop(running);
        }
        // The peer may be gone; there is nobody left to tell.
        None => drop(shut_down(&mut wire, &activity).await),
    }
}

/// Ends the stream, unless the connection is cut meanwhile.
async fn shut_down(wire: &mut Wire, activity: &Activity) -> io::Result<()> {
    std::future::poll_fn(|cx| {
        activity.remember(cx);
        match activity.ending.get() {
            Some(Ending::Cut | Ending::HeadTimeout) => Poll::Ready(Ok(())),
            _ => Pin::new(&mut *wire).poll_shutdown(cx),
        }
    })
    .await
}

async fn serve_http2(
    wire: Wire,
    origin: Arc<Origin>,
    service: Rc<Service>,
    activity: Rc<Activity>,
) {
    let settings = &service.settings;
    let mut builder = http2::Builder::new(LocalExecutor);
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(settings.max_header_size).unwrap_or(u32::MAX))
        .keep_alive_interval(Some(PING_INTERVAL))
        .auto_date_header(settings.date_header);
    let answers = {
        let (service, activity) = (Rc::clone(&service), Rc::clone(&activity));
        service_fn(move |request| {
            service.answer(request, Arc::clone(&origin), Rc::clone(&activity))
        })
    };
    let mut connection = pin!(builder.serve_connection(TokioIo::new(wire), answers));
    let mut graceful = false;
    std::future::poll_fn(|cx| {
        activity.remember(cx);
        match activity.ending.get() {
            Some(Ending::Cut | Ending::HeadTimeout) => return Poll::Ready(()),
            Some(Ending::Graceful) if !graceful => {
                graceful = true;
                connection.as_mut().graceful_shutdown();
            }
            _ => {}
        }
        connection.as_mut().poll(cx).map(|_| ())
    })
    .await;
}
