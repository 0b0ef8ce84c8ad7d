//! Why a request is not let in, and what its answer says about it.

use http::HeaderValue;
use http::header::WWW_AUTHENTICATE;

use super::requirement::Lack;
use crate::gate::Refused;
use crate::problem::Problem;
use crate::request::Head;
use crate::request_id::RequestId;

const INVALID: &str = "JWT validation failed";

/// The closed list of reasons.
#[derive(Clone, Debug, PartialEq)]
pub enum AuthFault {
    NoToken,
    NotBearer,
    Malformed {
        parts: usize,
    },
    BadSignature,
    NoExpiry,
    Expired,
    NotYetValid,
    IssuedInFuture,
    NotNumber {
        claim: &'static str,
    },
    WrongIssuer {
        expected: String,
    },
    WrongAudience,
    MissingClaims {
        names: Vec<String>,
    },
    /// Where a key is looked for, in words.
    NoKey {
        places: String,
    },
    WrongKey,
    Lacking(Lack),
    /// The keys that tokens are verified with could never be fetched: our fault, not the client's.
    NoVerifyingKeys,
}

impl AuthFault {
    pub fn problem(&self) -> Problem {
        match self {
            Self::NoToken => Problem::unauthorized(
                "Missing or invalid Authorization header",
                "Expected 'Authorization: Bearer <token>'",
            ),
            Self::NotBearer => Problem::unauthorized(
                "Invalid Authorization header format",
                "Authorization header must use Bearer scheme: 'Bearer <token>'",
            ),
            Self::Malformed { parts } => Problem::unauthorized(
                "Malformed JWT token",
                format!("Malformed JWT token: expected 3 parts separated by dots, found {parts}"),
            ),
            Self::BadSignature => Problem::unauthorized(INVALID, "Token signature is invalid"),
            Self::NoExpiry => Problem::unauthorized(INVALID, "Token has no expiration time"),
            Self::Expired => Problem::unauthorized(INVALID, "Token has expired"),
            Self::NotYetValid => Problem::unauthorized(
                INVALID,
                "JWT not valid yet, not before claim is in the future",
            ),
            Self::IssuedInFuture => {
                Problem::unauthorized(INVALID, "Token was issued in the future")
            }
            Self::NotNumber { claim } => {
                Problem::unauthorized(INVALID, format!("Token claim '{claim}' is not a number"))
            }
            Self::WrongIssuer { expected } => Problem::unauthorized(
                INVALID,
                format!("Token issuer is invalid, expected '{expected}'"),
            ),
            Self::WrongAudience => Problem::unauthorized(INVALID, "Token audience is invalid"),
            Self::MissingClaims { names } => {
                let plural = if names.len() == 1 { "" } else { "s" };
                Problem::forbidden(format!(
                    "Required claim{plural} {} missing from JWT",
                    quoted(names)
                ))
            }
            Self::NoKey { places } => Problem::unauthorized(
                "Missing API key",
                format!("Expected {places} with valid API key"),
            ),
            Self::WrongKey => {
                Problem::unauthorized("Invalid API key", "The provided API key is not valid")
            }
            Self::Lacking(lack) => Problem::forbidden(lack.detail()),
            Self::NoVerifyingKeys => {
                Problem::service_unavailable("Tokens cannot be verified at the moment")
            }
        }
    }

    /// The value of `WWW-Authenticate`. RFC 6750, 3.1: no error code where no credentials were sent.
    fn challenge(&self, detail: &str) -> Option<String> {
        let text = printable(detail);
        match self {
            Self::NoToken | Self::NotBearer => Some("Bearer realm=\"api\"".to_owned()),
            Self::NoKey { .. } | Self::WrongKey => Some("ApiKey realm=\"api\"".to_owned()),
            Self::MissingClaims { .. } | Self::Lacking(_) => Some(format!(
                "Bearer realm=\"api\", error=\"insufficient_scope\", error_description=\"{text}\""
            )),
            Self::NoVerifyingKeys => None,
            _ => Some(format!(
                "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"{text}\""
            )),
        }
    }

    /// The answer.
    pub(super) fn refuse(&self, head: Head, base_url: &str) -> Box<Refused> {
        let problem = self.problem();
        let challenge = self.challenge(problem.detail().unwrap_or_default());
        let id = head.id.as_ref().map(RequestId::as_str);
        let mut response = problem.into_response(base_url, id);
        match challenge.map(HeaderValue::try_from) {
            Some(Ok(value)) => {
                response.headers_mut().insert(WWW_AUTHENTICATE, value);
            }
            Some(Err(_)) => unreachable!("it is printable"),
            None => {
                response
                    .headers_mut()
                    .insert(http::header::RETRY_AFTER, HeaderValue::from(10));
            }
        }
        Box::new(Refused { head, response })
    }
}

/// Names as a sentence lists them.
pub(super) fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("'{}'", name.as_ref()))
        .collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// What may stand between the quotes of a challenge (RFC 6750, 3).
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '"' | '\\' => '\'',
            ' '..='~' => c,
            _ => '?',
        })
        .collect()
}
