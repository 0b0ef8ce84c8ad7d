//! One connection to Redis. Commands go out as they come, answers come back in their order.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_local;

use super::redis_url::{Place, RedisUrl};
use super::resp::{self, NotResp, Reply};
use crate::tls_client;

/// For a connection, and for one answer.
const CONNECT: Duration = Duration::from_secs(1);
const ANSWER: Duration = Duration::from_millis(500);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Protocol(#[from] NotResp),
    #[error("the connection was closed")]
    Closed,
    #[error("no answer in time")]
    Slow,
    #[error("Redis says: {0}")]
    Refused(String),
}

struct Order {
    command: Vec<u8>,
    reply: oneshot::Sender<Reply>,
}

/// A connection that is ready for commands. It ends with the last clone.
#[derive(Clone, Debug)]
pub(super) struct Link {
    orders: mpsc::UnboundedSender<Order>,
}

impl Link {
    /// Connects and logs in.
    pub(super) async fn open(url: &RedisUrl) -> Result<Self, LinkError> {
        tokio::time::timeout(CONNECT, Self::connect(url))
            .await
            .unwrap_or(Err(LinkError::Slow))
    }

    async fn connect(url: &RedisUrl) -> Result<Self, LinkError> {
        let (orders, received) = mpsc::unbounded_channel();
        match &url.place {
            Place::Tcp {
                host,
                port,
                is_secure,
            } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                if *is_secure {
                    spawn_local(run(tls_client::connect(stream, host).await?, received));
                } else {
                    spawn_local(run(stream, received));
                }
            }
            #[cfg(unix)]
            Place::Unix(path) => {
                let stream = tokio::net::UnixStream::connect(path).await?;
                spawn_local(run(stream, received));
            }
            #[cfg(not(unix))]
            Place::Unix(_) => return Err(io::Error::from(io::ErrorKind::Unsupported).into()),
        }
        let link = Self { orders };
        if let Some(password) = &url.password {
            let mut words = vec![&b"AUTH"[..]];
            words.extend(url.user.as_deref().map(str::as_bytes));
            words.push(password.as_bytes());
            link.ask(&words).await?;
        }
        if url.database != 0 {
            let database = url.database.to_string();
            link.ask(&[b"SELECT", database.as_bytes()]).await?;
        }
        Ok(link)
    }

    /// Sends a command; the answer is none of the errors.
    pub(super) async fn ask(&self, words: &[&[u8]]) -> Result<Reply, LinkError> {
        let (reply, answer) = oneshot::channel();
        let mut command = Vec::new();
        resp::write(&mut command, words);
        self.orders
            .send(Order { command, reply })
            .map_err(|_| LinkError::Closed)?;
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(Ok(Reply::Error(text))) => Err(LinkError::Refused(text)),
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) => Err(LinkError::Closed),
            Err(_) => Err(LinkError::Slow),
        }
    }
}

/// Moves commands and answers until one side is gone; whoever waits then learns it by their sender's end.
async fn run<S>(stream: S, mut orders: mpsc::UnboundedReceiver<Order>)
where
    S: AsyncRead + AsyncWrite,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut waiting = VecDeque::new();
    let mut bytes = BytesMut::new();
    loop {
        tokio::select! {
            order = orders.recv() => {
                let Some(order) = order else { return };
                let mut commands = order.command;
                waiting.push_back(order.reply);
                while let Ok(more) = orders.try_recv() {
                    commands.extend_from_slice(&more.command);
                    waiting.push_back(more.reply);
                }
                if writer.write_all(&commands).await.is_err() || writer.flush().await.is_err() {
                    return;
                }
            }
            read = reader.read_buf(&mut bytes) => {
                if !matches!(read, Ok(1..)) {
                    return;
                }
                loop {
                    match resp::read(&bytes) {
                        Ok(None) => break,
                        Ok(Some((reply, length))) => {
                            bytes.advance(length);
                            let Some(sender) = waiting.pop_front() else { return };
                            // Whoever asked may have given up.
                            let _ = sender.send(reply);
                        }
                        Err(NotResp) => return,
                    }
                }
            }
        }
    }
}
