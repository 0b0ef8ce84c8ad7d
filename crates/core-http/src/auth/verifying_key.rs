//! Keys that signatures are checked with, from secrets, PEM texts and JSON Web Keys.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p521::ecdsa::signature::Verifier;
use ring::hmac;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use super::algorithm::{Algorithm, Family};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ELLIPTIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
/// The label of keys in the older form, without the name of their algorithm around them.
const BARE_RSA: &str = "RSA PUBLIC KEY";

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("it is no public key in PEM form (-----BEGIN PUBLIC KEY-----)")]
    NotPem,
    #[error("{0} takes a key of another kind")]
    WrongKind(&'static str),
    #[error("the key is damaged")]
    Damaged,
}

/// A key for one family of algorithms.
#[derive(Clone)]
pub enum VerifyingKey {
    Secret(Vec<u8>),
    /// PKCS#1.
    Rsa(Vec<u8>),
    RsaParts {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// An uncompressed point.
    P256(Vec<u8>),
    P384(Vec<u8>),
    P521(Box<p521::ecdsa::VerifyingKey>),
    Ed25519(Vec<u8>),
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({:?})", self.family())
    }
}

impl VerifyingKey {
    pub fn from_secret(secret: &[u8]) -> Self {
        Self::Secret(secret.to_vec())
    }

    /// A public key for this algorithm.
    pub fn from_pem(text: &str, algorithm: Algorithm) -> Result<Self, KeyError> {
        let is_bare = text.contains(BARE_RSA);
        let der = if is_bare {
            SubjectPublicKeyInfoDer::from_pem_slice(text.replace(BARE_RSA, "PUBLIC KEY").as_bytes())
        } else {
            SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes())
        }
        .map_err(|_| KeyError::NotPem)?;
        let key = if is_bare {
            Self::Rsa(der.to_vec())
        } else {
            Self::from_spki(&der)?
        };
        key.checked(algorithm)
    }

    fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let info = SubjectPublicKeyInfoRef::try_from(der).map_err(|_| KeyError::Damaged)?;
        let bytes = info
            .subject_public_key
            .as_bytes()
            .ok_or(KeyError::Damaged)?
            .to_vec();
        match info.algorithm.oid {
            RSA => Ok(Self::Rsa(bytes)),
            ED25519 => Ok(Self::Ed25519(bytes)),
            ELLIPTIC => match info.algorithm.parameters_oid() {
                Ok(P256) => Ok(Self::P256(bytes)),
                Ok(P384) => Ok(Self::P384(bytes)),
                Ok(P521) => Self::from_p521(&bytes),
                _ => Err(KeyError::WrongKind("the configured algorithm")),
            },
            _ => Err(KeyError::WrongKind("the configured algorithm")),
        }
    }

    fn from_p521(point: &[u8]) -> Result<Self, KeyError> {
        p521::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .map(|key| Self::P521(Box::new(key)))
            .map_err(|_| KeyError::Damaged)
    }

    /// A public JSON Web Key (RFC 7517); `None` for what is none, or for another use than signatures.
    pub(super) fn from_jwk(jwk: &Value) -> Option<Self> {
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok();
        if jwk["use"].as_str().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        match (jwk["kty"].as_str()?, jwk["crv"].as_str()) {
            ("RSA", _) => Some(Self::RsaParts {
                modulus: without_zeros(bytes("n")?),
                exponent: without_zeros(bytes("e")?),
            }),
            ("EC", Some(curve)) => {
                let length = match curve {
                    "P-256" => 32,
                    "P-384" => 48,
                    "P-521" => 66,
                    _ => return None,
                };
                let (x, y) = (bytes("x")?, bytes("y")?);
                if x.len() != length || y.len() != length {
                    return None;
                }
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                match curve {
                    "P-256" => Some(Self::P256(point)),
                    "P-384" => Some(Self::P384(point)),
                    _ => Self::from_p521(&point).ok(),
                }
            }
            ("OKP", Some("Ed25519")) => Some(Self::Ed25519(bytes("x")?)),
            _ => None,
        }
    }

    fn family(&self) -> Family {
        match self {
            Self::Secret(_) => Family::Secret,
            Self::Rsa(_) | Self::RsaParts { .. } => Family::Rsa,
            Self::P256(_) => Family::P256,
            Self::P384(_) => Family::P384,
            Self::P521(_) => Family::P521,
            Self::Ed25519(_) => Family::Edwards,
        }
    }

    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        self.family() == algorithm.family()
    }

    fn checked(self, algorithm: Algorithm) -> Result<Self, KeyError> {
        if !self.fits(algorithm) {
            return Err(KeyError::WrongKind(algorithm.name()));
        }
        let is_whole = match &self {
            Self::P256(point) => point.len() == 65 && point[0] == 4,
            Self::P384(point) => point.len() == 97 && point[0] == 4,
            Self::Ed25519(key) => key.len() == 32,
            Self::Secret(_) | Self::Rsa(_) | Self::RsaParts { .. } | Self::P521(_) => true,
        };
        is_whole.then_some(self).ok_or(KeyError::Damaged)
    }

    /// Whether the signature of `message` is one made with the other half of this key. Secrets are compared in
    /// constant time.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Secret(secret) => {
                let hash = match algorithm {
                    Algorithm::Hs256 => hmac::HMAC_SHA256,
                    Algorithm::Hs384 => hmac::HMAC_SHA384,
                    Algorithm::Hs512 => hmac::HMAC_SHA512,
                    _ => return false,
                };
                hmac::verify(&hmac::Key::new(hash, secret), message, signature).is_ok()
            }
            Self::Rsa(key) => rsa(algorithm).is_some_and(|kind| {
                UnparsedPublicKey::new(kind, key)
                    .verify(message, signature)
                    .is_ok()
            }),
            Self::RsaParts { modulus, exponent } => rsa(algorithm).is_some_and(|kind| {
                let key = RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                };
                key.verify(kind, message, signature).is_ok()
            }),
            Self::P256(point) => {
                algorithm == Algorithm::Es256
                    && UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
                        .verify(message, signature)
                        .is_ok()
            }
            Self::P384(point) => {
                algorithm == Algorithm::Es384
                    && UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point)
                        .verify(message, signature)
                        .is_ok()
            }
            Self::P521(key) => {
                algorithm == Algorithm::Es512
                    && p521::ecdsa::Signature::from_slice(signature)
                        .is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
            Self::Ed25519(key) => {
                algorithm == Algorithm::EdDsa
                    && UnparsedPublicKey::new(&signature::ED25519, key)
                        .verify(message, signature)
                        .is_ok()
            }
        }
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static signature::RsaParameters> {
    Some(match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

fn without_zeros(bytes: Vec<u8>) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes[zeros..].to_vec()
}
