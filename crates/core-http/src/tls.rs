//! Encrypted connections: certificates by host name, read again when their files change.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at, at most.
const LOOK: Duration = Duration::from_secs(10);

/// The first byte of every TLS connection: a handshake record (RFC 8446, 5.1).
pub(crate) const HANDSHAKE: u8 = 22;

/// A certificate chain and its private key, both PEM files.
#[derive(Clone, Debug)]
pub struct KeyPair {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// What an encrypted server needs.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    /// For clients that name no host, or one without a certificate of its own.
    pub default: KeyPair,
    /// Certificates by host name; `*.example.org` stands for one label.
    pub hosts: Vec<(String, KeyPair)>,
    /// Authorities that clients' certificates must come from, if they must have one.
    pub client_ca: Option<PathBuf>,
    /// Refuse TLS 1.2.
    pub only_1_3: bool,
    /// Offer HTTP/2 by ALPN.
    pub http2: bool,
}

/// A certificate or key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{}: {source}", path.display())]
    Read {
        path: PathBuf,
        source: rustls::pki_types::pem::Error,
    },
    #[error("{} holds no certificate", path.display())]
    Empty { path: PathBuf },
    #[error("{} and {}: {source}", pair.cert.display(), pair.key.display())]
    Pair {
        pair: KeyPair,
        source: rustls::Error,
    },
    #[error("{}: {reason}", path.display())]
    ClientCa { path: PathBuf, reason: String },
    #[error("{0}")]
    Protocol(rustls::Error),
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = |source| TlsError::Read {
        path: path.to_owned(),
        source,
    };
    let chain = CertificateDer::pem_file_iter(path)
        .map_err(read)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(read)?;
    if chain.is_empty() {
        return Err(TlsError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(chain)
}

impl KeyPair {
    fn load(&self) -> Result<CertifiedKey, TlsError> {
        let chain = read_chain(&self.cert)?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|source| TlsError::Read {
            path: self.key.clone(),
            source,
        })?;
        CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|source| {
            TlsError::Pair {
                pair: self.clone(),
                source,
            }
        })
    }
}

/// Picks a certificate by the name the client asks for.
#[derive(Debug)]
struct ByHost {
    exact: HashMap<String, Arc<CertifiedKey>>,
    default: Arc<CertifiedKey>,
}

impl ResolvesServerCert for ByHost {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let found = hello.server_name().and_then(|name| {
            let name = name.to_ascii_lowercase();
            self.exact.get(&name).or_else(|| {
                let (_, domain) = name.split_once('.')?;
                self.exact.get(&format!("*.{domain}"))
            })
        });
        Some(Arc::clone(found.unwrap_or(&self.default)))
    }
}

impl TlsSettings {
    fn load(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let resolver = ByHost {
            exact: self
                .hosts
                .iter()
                .map(|(host, pair)| Ok((host.to_ascii_lowercase(), Arc::new(pair.load()?))))
                .collect::<Result<_, TlsError>>()?,
            default: Arc::new(self.default.load()?),
        };
        let versions: &[_] = if self.only_1_3 {
            &[&rustls::version::TLS13]
        } else {
            rustls::ALL_VERSIONS
        };
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .map_err(TlsError::Protocol)?;
        let builder = match &self.client_ca {
            Some(path) => {
                let refused = |error: &dyn std::fmt::Display| TlsError::ClientCa {
                    path: path.clone(),
                    reason: error.to_string(),
                };
                let mut roots = RootCertStore::empty();
                for certificate in read_chain(path)? {
                    roots.add(certificate).map_err(|error| refused(&error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(
                    Arc::new(roots),
                    Arc::new(ring::default_provider()),
                )
                .build()
                .map_err(|error| refused(&error))?;
                builder.with_client_cert_verifier(verifier)
            }
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = if self.http2 {
            vec![b"h2".to_vec(), b"http/1.1".to_vec()]
        } else {
            vec![b"http/1.1".to_vec()]
        };
        Ok(Arc::new(config))
    }

    fn files(&self) -> impl Iterator<Item = &Path> {
        self.hosts
            .iter()
            .map(|(_, pair)| pair)
            .chain([&self.default])
            .flat_map(|pair| [pair.cert.as_path(), pair.key.as_path()])
            .chain(self.client_ca.as_deref())
    }

    /// When each file was last written; a file that is gone for a moment has no time.
    fn written(&self) -> Vec<Option<SystemTime>> {
        self.files()
            .map(|path| path.metadata().and_then(|data| data.modified()).ok())
            .collect()
    }
}

/// The certificates in use.
pub struct Tls {
    settings: TlsSettings,
    config: RefCell<Arc<ServerConfig>>,
    written: RefCell<Vec<Option<SystemTime>>>,
    looked: Cell<Instant>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads all files.
    pub fn load(settings: TlsSettings) -> Result<Self, TlsError> {
        Ok(Self {
            config: RefCell::new(settings.load()?),
            written: RefCell::new(settings.written()),
            looked: Cell::new(Instant::now()),
            settings,
        })
    }

    /// Reads the files again if they have changed. Files that cannot be used leave what is in use as it is.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        let written = self.settings.written();
        if *self.written.borrow() == written {
            return Ok(false);
        }
        // Noted in either case: a broken file is reported once, not at every look.
        self.written.replace(written);
        self.config.replace(self.settings.load()?);
        Ok(true)
    }

    /// Whether the files should be looked at again.
    pub(crate) fn is_due(&self) -> bool {
        let due = self.looked.get().elapsed() >= LOOK;
        if due {
            self.looked.set(Instant::now());
        }
        due
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config.borrow()))
    }
}

/// Whether the peer begins a TLS handshake; false for somebody who speaks plain HTTP to us.
pub(crate) async fn is_handshake(stream: &tokio::net::TcpStream) -> io::Result<bool> {
    let mut first = [0];
    Ok(stream.peek(&mut first).await? == 1 && first[0] == HANDSHAKE)
}
