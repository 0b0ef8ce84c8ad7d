//! The closed catalogue of problems the server itself answers with.

use http::StatusCode;

/// One line of the catalogue: what went wrong, with its type, title and status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    BadRequest,
    InvalidJson,
    InvalidEncoding,
    InvalidHost,
    Unauthorized,
    Forbidden,
    CorsForbidden,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    RequestTimeout,
    PayloadTooLarge,
    UriTooLong,
    UnsupportedMediaType,
    UnsupportedCharset,
    RangeNotSatisfiable,
    ExpectationFailed,
    ValidationError,
    UpgradeRequired,
    RateLimited,
    HeaderFieldsTooLarge,
    InternalServerError,
    DependencyError,
    NotImplemented,
    ServiceUnavailable,
}

impl ProblemKind {
    pub const ALL: [Self; 25] = [
        Self::BadRequest,
        Self::InvalidJson,
        Self::InvalidEncoding,
        Self::InvalidHost,
        Self::Unauthorized,
        Self::Forbidden,
        Self::CorsForbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::RequestTimeout,
        Self::PayloadTooLarge,
        Self::UriTooLong,
        Self::UnsupportedMediaType,
        Self::UnsupportedCharset,
        Self::RangeNotSatisfiable,
        Self::ExpectationFailed,
        Self::ValidationError,
        Self::UpgradeRequired,
        Self::RateLimited,
        Self::HeaderFieldsTooLarge,
        Self::InternalServerError,
        Self::DependencyError,
        Self::NotImplemented,
        Self::ServiceUnavailable,
    ];

    /// The plain kind of a status, when the catalogue has one; the first of several is the general one.
    pub fn of_status(status: StatusCode) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.status() == status)
    }

    /// The end of the `type` URI; also the stable code of the kind.
    pub const fn suffix(self) -> &'static str {
        self.line().0
    }

    pub const fn title(self) -> &'static str {
        self.line().1
    }

    pub const fn status(self) -> StatusCode {
        self.line().2
    }

    const fn line(self) -> (&'static str, &'static str, StatusCode) {
        use StatusCode as S;
        match self {
            Self::BadRequest => ("bad-request", "Bad Request", S::BAD_REQUEST),
            Self::InvalidJson => ("invalid-json", "Bad Request", S::BAD_REQUEST),
            Self::InvalidEncoding => ("invalid-encoding", "Bad Request", S::BAD_REQUEST),
            Self::InvalidHost => ("invalid-host", "Bad Request", S::BAD_REQUEST),
            Self::Unauthorized => ("unauthorized", "Unauthorized", S::UNAUTHORIZED),
            Self::Forbidden => ("forbidden", "Forbidden", S::FORBIDDEN),
            Self::CorsForbidden => ("cors-forbidden", "Forbidden", S::FORBIDDEN),
            Self::NotFound => ("not-found", "Not Found", S::NOT_FOUND),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                "Method Not Allowed",
                S::METHOD_NOT_ALLOWED,
            ),
            Self::NotAcceptable => ("not-acceptable", "Not Acceptable", S::NOT_ACCEPTABLE),
            Self::RequestTimeout => ("request-timeout", "Request Timeout", S::REQUEST_TIMEOUT),
            Self::PayloadTooLarge => (
                "payload-too-large",
                "Payload Too Large",
                S::PAYLOAD_TOO_LARGE,
            ),
            Self::UriTooLong => ("uri-too-long", "URI Too Long", S::URI_TOO_LONG),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                "Unsupported Media Type",
                S::UNSUPPORTED_MEDIA_TYPE,
            ),
            Self::UnsupportedCharset => (
                "unsupported-charset",
                "Unsupported Charset",
                S::UNSUPPORTED_MEDIA_TYPE,
            ),
            Self::RangeNotSatisfiable => (
                "range-not-satisfiable",
                "Range Not Satisfiable",
                S::RANGE_NOT_SATISFIABLE,
            ),
            Self::ExpectationFailed => (
                "expectation-failed",
                "Expectation Failed",
                S::EXPECTATION_FAILED,
            ),
            Self::UpgradeRequired => ("upgrade-required", "Upgrade Required", S::UPGRADE_REQUIRED),
            Self::ValidationError => (
                "validation-error",
                "Request Validation Failed",
                S::UNPROCESSABLE_ENTITY,
            ),
            Self::RateLimited => ("rate-limited", "Too Many Requests", S::TOO_MANY_REQUESTS),
            Self::HeaderFieldsTooLarge => (
                "header-fields-too-large",
                "Request Header Fields Too Large",
                S::REQUEST_HEADER_FIELDS_TOO_LARGE,
            ),
            Self::InternalServerError => (
                "internal-server-error",
                "Internal Server Error",
                S::INTERNAL_SERVER_ERROR,
            ),
            Self::DependencyError => (
                "dependency-error",
                "Dependency Resolution Failed",
                S::INTERNAL_SERVER_ERROR,
            ),
            Self::NotImplemented => ("not-implemented", "Not Implemented", S::NOT_IMPLEMENTED),
            Self::ServiceUnavailable => (
                "service-unavailable",
                "Service Unavailable",
                S::SERVICE_UNAVAILABLE,
            ),
        }
    }
}
