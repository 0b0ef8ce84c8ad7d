//! Reading a small document from a file or a URL, without holding anything up.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::tls_client;

/// All of it: name, connection, answer.
const PATIENCE: Duration = Duration::from_secs(10);
const LARGEST: usize = 1 << 20;

/// Where a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    File(PathBuf),
    Url(Uri),
}

impl Location {
    /// From `https://…`, `http://…`, `file://…` or a path; the error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("file://") {
            return Ok(Self::File(path.into()));
        }
        if !text.contains("://") {
            return Ok(Self::File(text.into()));
        }
        let url: Uri = text.parse().map_err(|error| format!("{error}"))?;
        match (url.scheme_str(), url.host()) {
            (Some("http" | "https"), Some(_)) => Ok(Self::Url(url)),
            _ => Err("only http, https and file are known".to_owned()),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            // What stands before the host and in the query may be secrets.
            Self::Url(url) => {
                let authority = url.authority().map_or("", |authority| authority.as_str());
                let host = authority
                    .rsplit_once('@')
                    .map_or(authority, |(_, host)| host);
                let scheme = url.scheme_str().unwrap_or_default();
                write!(f, "{scheme}://{host}{}", url.path())
            }
        }
    }
}

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Http(#[from] hyper::Error),
    #[error("{0}")]
    Request(#[from] http::Error),
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("it did not answer within {} seconds", PATIENCE.as_secs())]
    Slow,
    #[error("it cannot be read: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
    #[error("it is larger than {LARGEST} bytes")]
    TooLarge,
}

/// The document's bytes.
pub(super) async fn document(location: &Location) -> Result<Bytes, FetchError> {
    let fetching = async {
        match location {
            Location::File(path) => read(path.clone()).await,
            Location::Url(url) => get(url).await,
        }
    };
    tokio::time::timeout(PATIENCE, fetching)
        .await
        .unwrap_or(Err(FetchError::Slow))
}

async fn read(path: PathBuf) -> Result<Bytes, FetchError> {
    let reading = tokio::task::spawn_blocking(move || {
        if std::fs::metadata(&path)?.len() > LARGEST as u64 {
            return Err(FetchError::TooLarge);
        }
        Ok(Bytes::from(std::fs::read(&path)?))
    });
    reading
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error).into()))
}

async fn get(url: &Uri) -> Result<Bytes, FetchError> {
    let host = url.host().unwrap_or_default();
    let is_secure = url.scheme_str() == Some("https");
    let port = url.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
    // An IPv6 address stands in brackets in a URL only.
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((name, port)).await?;
    if !is_secure {
        return exchange(stream, url).await;
    }
    exchange(tls_client::connect(stream, name).await?, url).await
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    url: &Uri,
) -> Result<Bytes, FetchError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(url.path_and_query().map_or("/", |target| target.as_str()))
        .header(
            HOST,
            url.authority().map_or("", |authority| authority.as_str()),
        )
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("spikard/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())?;
    let answering = async {
        let response = sender.send_request(request).await?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status()));
        }
        let body = Limited::new(response.into_body(), LARGEST).collect().await;
        body.map(http_body_util::Collected::to_bytes)
            .map_err(FetchError::Body)
    };
    tokio::pin!(answering, connection);
    tokio::select! {
        answer = &mut answering => answer,
        // The connection's end completes the answer, or says why there is none.
        ended = &mut connection => match ended {
            Ok(()) => answering.await,
            Err(error) => Err(error.into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations() {
        for (text, expected) in [
            ("/etc/keys.json", "/etc/keys.json"),
            ("file:///etc/keys.json", "/etc/keys.json"),
            ("keys.json", "keys.json"),
            ("https://u:p@x.org:444/a?token=t", "https://x.org:444/a"),
            ("http://[::1]/k", "http://[::1]/k"),
        ] {
            assert_eq!(Location::parse(text).unwrap().to_string(), expected);
        }
        for text in ["ftp://x.org/", "https://", "http:// /"] {
            assert!(Location::parse(text).is_err(), "{text}");
        }
    }
}
