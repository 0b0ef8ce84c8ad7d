//! Answers that are known before anybody asks: documents and the files of pages that show them.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::GzDecoder;
use http::StatusCode;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName,
    HeaderValue, IF_NONE_MATCH, VARY,
};

use crate::body::Body;
use crate::handler::{Handler, Reply};
use crate::request::{Head, Request};
use crate::response::Response;

/// One of them. Cloning is cheap: the content is shared.
#[derive(Clone, Debug)]
pub struct Page {
    pub content: Bytes,
    /// Whether the content lies here compressed with gzip.
    pub is_gzip: bool,
    pub media_type: HeaderValue,
    pub cache_control: HeaderValue,
    /// A weak one: it holds for the content, compressed or not.
    pub etag: HeaderValue,
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Page {
    fn answer(&self, head: &Head) -> Response {
        let mut response = Response::default();
        let headers = response.headers_mut();
        headers.insert(ETAG, self.etag.clone());
        headers.insert(CACHE_CONTROL, self.cache_control.clone());
        if self.is_gzip {
            headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        if self.is_known(&head.parts.headers) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(CONTENT_TYPE, self.media_type.clone());
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
        let content = if !self.is_gzip {
            self.content.clone()
        } else if accepts_gzip(&head.parts.headers) {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            self.content.clone()
        } else {
            self.unpacked()
        };
        *response.body_mut() = Body::from(content);
        response
    }

    fn is_known(&self, headers: &HeaderMap) -> bool {
        let opaque = |tag: &[u8]| tag.strip_prefix(b"W/").unwrap_or(tag).to_vec();
        headers.get_all(IF_NONE_MATCH).iter().any(|value| {
            value
                .as_bytes()
                .split(|&byte| byte == b',')
                .map(<[u8]>::trim_ascii)
                .any(|tag| tag == b"*" || opaque(tag) == opaque(self.etag.as_bytes()))
        })
    }

    fn unpacked(&self) -> Bytes {
        let mut content = Vec::new();
        // Made by ourselves and read in a test: a broken one shows there, not here.
        let _ = GzDecoder::new(&self.content[..]).read_to_end(&mut content);
        content.into()
    }
}

impl Handler for Page {
    fn call(&self, request: Box<Request>) -> Reply {
        Reply::Ready(self.answer(&request.head))
    }
}

/// Whether gzip, or anything, is accepted with a weight above zero.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut any = false;
    for value in headers.get_all(ACCEPT_ENCODING) {
        for item in value.to_str().unwrap_or_default().split(',') {
            let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
            let weight = parameters
                .split(';')
                .filter_map(|one| one.trim().strip_prefix("q="))
                .find_map(|weight| weight.trim().parse::<f32>().ok())
                .unwrap_or(1.0);
            match coding.trim() {
                name if name.eq_ignore_ascii_case("gzip") => return weight > 0.0,
                "*" => any = weight > 0.0,
                _ => {}
            }
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::request::Origin;
    use crate::router::Params;

    const TEXT: &[u8] = b"let tea = 'Assam';";

    fn packed() -> Page {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(TEXT).unwrap();
        Page {
            content: encoder.finish().unwrap().into(),
            is_gzip: true,
            media_type: HeaderValue::from_static("text/javascript"),
            cache_control: HeaderValue::from_static("no-cache"),
            etag: HeaderValue::from_static("W/\"1\""),
            headers: vec![(
                HeaderName::from_static("x-frame-options"),
                HeaderValue::from_static("DENY"),
            )],
        }
    }

    fn head(name: HeaderName, value: &'static str) -> Head {
        let request = http::Request::get("/tea.js").header(name, value).body(());
        Head {
            parts: request.unwrap().into_parts().0,
            origin: Arc::new(Origin::default()),
            params: Params::default(),
            id: None,
        }
    }

    fn content(response: Response) -> Bytes {
        match response.into_body() {
            Body::Full(bytes) => bytes,
            other => panic!("{other:?} is no whole body"),
        }
    }

    #[test]
    fn gzip_goes_out_as_it_lies_there() {
        let page = packed();
        for accepted in ["gzip", "br, GZIP;q=0.1", "*", "br;q=1.0, *;q=0.5"] {
            let response = page.answer(&head(ACCEPT_ENCODING, accepted));
            assert_eq!(response.headers()[CONTENT_ENCODING], "gzip", "{accepted}");
            assert_eq!(response.headers()[VARY], "Accept-Encoding");
            assert_eq!(content(response), page.content);
        }
    }

    #[test]
    fn who_does_not_accept_gzip_gets_the_text() {
        for accepted in ["", "br", "gzip;q=0", "gzip; q=0.0, *", "identity, *;q=0"] {
            let response = packed().answer(&head(ACCEPT_ENCODING, accepted));
            assert_eq!(response.headers().get(CONTENT_ENCODING), None, "{accepted}");
            assert_eq!(response.headers()["x-frame-options"], "DENY");
            assert_eq!(content(response), TEXT, "{accepted}");
        }
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        for tags in ["\"1\"", "W/\"1\"", "\"0\" , W/\"1\"", "*"] {
            let response = packed().answer(&head(IF_NONE_MATCH, tags));
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{tags}");
            assert_eq!(response.headers()[ETAG], "W/\"1\"");
            assert!(matches!(response.into_body(), Body::Empty));
        }
        let changed = packed().answer(&head(IF_NONE_MATCH, "\"2\""));
        assert_eq!(changed.status(), StatusCode::OK);
    }
}
