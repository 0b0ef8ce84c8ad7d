//! A bearer token in its three parts, before anything about it is believed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::fault::AuthFault;

/// What a token says about its signature.
#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood: none is.
    crit: Option<Value>,
}

/// A token whose header has been read.
#[derive(Debug)]
pub(super) struct Token<'a> {
    /// What is signed.
    pub(super) message: &'a str,
    payload: &'a str,
    pub(super) signature: Vec<u8>,
    pub(super) kid: Option<String>,
}

impl<'a> Token<'a> {
    /// Reads a token that has to be signed with this algorithm.
    pub(super) fn read(text: &'a str, algorithm: Algorithm) -> Result<Self, AuthFault> {
        let parts = text.split('.').count();
        let (Some((message, signature)), 3) = (text.rsplit_once('.'), parts) else {
            return Err(AuthFault::Malformed { parts });
        };
        let Some((header, payload)) = message.split_once('.') else {
            return Err(AuthFault::Malformed { parts });
        };
        let decoded = URL_SAFE_NO_PAD
            .decode(header)
            .ok()
            // From bytes the members that we skip would not have to be UTF-8, and a list would do for an object.
            .and_then(|json| String::from_utf8(json).ok())
            .filter(|json| json.trim_start().starts_with('{'))
            .and_then(|json| serde_json::from_str::<Header>(&json).ok())
            .zip(URL_SAFE_NO_PAD.decode(signature).ok());
        match decoded {
            // The configured one, never the one that the token would like.
            Some((header, signature))
                if header.alg == algorithm.name() && header.crit.is_none() =>
            {
                Ok(Self {
                    message,
                    payload,
                    signature,
                    kid: header.kid,
                })
            }
            _ => Err(AuthFault::BadSignature),
        }
    }

    /// The claims' JSON text.
    pub(super) fn claims(&self) -> Result<Vec<u8>, AuthFault> {
        URL_SAFE_NO_PAD
            .decode(self.payload)
            .map_err(|_| AuthFault::BadSignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(header: &[u8]) -> bool {
        let text = format!("{}.e30.", URL_SAFE_NO_PAD.encode(header));
        Token::read(&text, Algorithm::Hs256).is_ok()
    }

    #[test]
    fn headers_are_json_in_whole() {
        assert!(reads(br#"{"alg":"HS256","typ":"JWT","x":[1]}"#));
        for header in [
            &b"{\"alg\":\"HS256\",\"typ\":\"\xceJWT\"}"[..],
            b"{\"alg\":\"HS256\"} {}",
            b"{\"alg\":\"none\"}",
            b"{\"alg\":\"none\",\"alg\":\"HS256\"}",
            b"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}",
            b"[\"HS256\",null,null]",
            b"[]",
            b"",
        ] {
            assert!(!reads(header), "{}", String::from_utf8_lossy(header));
        }
    }
}
