//! Why a socket ends: codes (RFC 6455, 7.4) and reasons.

pub(crate) const GOING_AWAY: u16 = 1001;
pub(crate) const PROTOCOL: u16 = 1002;
/// Reported, never sent: the close had no code.
pub(crate) const NO_CODE: u16 = 1005;
/// Reported, never sent: the connection broke.
pub(crate) const ABNORMAL: u16 = 1006;
pub(crate) const INVALID_DATA: u16 = 1007;
pub(crate) const TOO_BIG: u16 = 1009;
pub(crate) const RESTART: u16 = 1012;

/// Longest reason in bytes: a control frame holds 125, two of them the code.
const REASON_LIMIT: usize = 123;

/// How a socket ended, as the application is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    pub code: u16,
    pub reason: String,
}

impl Closure {
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }

    /// The connection broke without a close.
    pub fn abnormal() -> Self {
        Self::new(ABNORMAL, "")
    }
}

/// What the client did wrong: the code it is told and the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
}

impl Violation {
    pub(crate) const fn protocol(reason: &'static str) -> Self {
        Self {
            code: PROTOCOL,
            reason,
        }
    }

    pub(crate) const fn data(reason: &'static str) -> Self {
        Self {
            code: INVALID_DATA,
            reason,
        }
    }

    pub(crate) const TOO_BIG: Self = Self {
        code: TOO_BIG,
        reason: "the message is too big",
    };
}

/// Whether an endpoint may send this code.
pub fn is_sendable(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// The payload of a close frame.
pub(crate) fn payload(code: u16, reason: &str) -> Vec<u8> {
    let mut end = reason.len().min(REASON_LIMIT);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(&reason.as_bytes()[..end]);
    payload
}

/// The code and the reason of a close frame's payload; none where it is empty.
pub(crate) fn parse(payload: &[u8]) -> Result<Option<Closure>, Violation> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() {
            Ok(None)
        } else {
            Err(Violation::protocol("a close frame with half a code"))
        };
    };
    let code = u16::from_be_bytes(*code);
    if !is_sendable(code) {
        return Err(Violation::protocol("a close code that nobody may send"));
    }
    match std::str::from_utf8(reason) {
        Ok(reason) => Ok(Some(Closure::new(code, reason))),
        Err(_) => Err(Violation::data("the close reason is not UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_may_be_sent() {
        for code in [
            1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999,
        ] {
            assert!(is_sendable(code), "{code}");
        }
        for code in [
            0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535,
        ] {
            assert!(!is_sendable(code), "{code}");
        }
    }

    #[test]
    fn a_reason_is_cut_between_characters() {
        let long = "ü".repeat(100);
        let sent = payload(1000, &long);
        assert_eq!(sent.len(), 2 + 122);
        assert_eq!(parse(&sent), Ok(Some(Closure::new(1000, "ü".repeat(61)))));
    }

    #[test]
    fn payloads() {
        assert_eq!(parse(b""), Ok(None));
        assert_eq!(parse(b"\x03").map_err(|fault| fault.code), Err(PROTOCOL));
        assert_eq!(parse(b"\x03\xe8"), Ok(Some(Closure::new(1000, ""))));
        assert_eq!(
            parse(b"\x03\xed").map_err(|fault| fault.code),
            Err(PROTOCOL)
        );
        assert_eq!(
            parse(b"\x03\xe8\xff").map_err(|fault| fault.code),
            Err(INVALID_DATA)
        );
    }
}
