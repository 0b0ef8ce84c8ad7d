//! The parser of multipart bodies: bytes are fed as they come, parts are asked for.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr;
use memchr::memmem::Finder;

use super::{MultipartError, PartHead};

/// Blanks allowed between a boundary and the end of its line.
const MAX_PADDING: usize = 128;

/// What comes out, in the order it stands in the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A part begins.
    Begin(PartHead),
    /// A piece of the part's content, never empty.
    Data(Bytes),
    /// The part is whole.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Preamble,
    /// Behind a boundary: a line end, or the two hyphens of the last one.
    Boundary,
    Head,
    Content,
    /// Behind the last boundary.
    Epilogue,
}

/// Feed it with [`Parser::feed`], then ask [`Parser::next`] until it has no more to say: then it holds no more than the
/// length of a boundary or of one part's header.
#[derive(Debug)]
pub struct Parser {
    delimiter: Finder<'static>,
    length: usize,
    max_head: usize,
    buffer: BytesMut,
    state: State,
    is_untouched: bool,
}

impl Parser {
    /// `max_head` bounds the header of each part, in bytes.
    pub fn new(boundary: &str, max_head: usize) -> Self {
        let delimiter = format!("\r\n--{boundary}");
        Self {
            length: delimiter.len(),
            delimiter: Finder::new(delimiter.as_bytes()).into_owned(),
            max_head,
            // So that a body may begin with its first boundary.
            buffer: BytesMut::from(&b"\r\n"[..]),
            state: State::Preamble,
            is_untouched: true,
        }
    }

    /// Takes the next bytes of the body.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.is_untouched &= bytes.is_empty();
        if self.state != State::Epilogue {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Whether the last boundary has come.
    pub fn is_over(&self) -> bool {
        self.state == State::Epilogue
    }

    /// Says whether the body may end here. One without a single byte is a form without parts.
    pub fn finish(&self) -> Result<(), MultipartError> {
        if self.is_over() || self.is_untouched {
            Ok(())
        } else {
            Err(MultipartError::Malformed(
                "it ends before its closing boundary",
            ))
        }
    }

    /// The next event; None when more bytes are needed for it, or when the body is over.
    #[allow(clippy::should_implement_trait)] // an iterator that ends and goes on would surprise
    pub fn next(&mut self) -> Result<Option<Event>, MultipartError> {
        loop {
            match self.state {
                State::Preamble => match self.delimiter.find(&self.buffer) {
                    Some(at) => {
                        self.buffer.advance(at + self.length);
                        self.state = State::Boundary;
                    }
                    None => {
                        let kept = self.buffer.len().min(self.length - 1);
                        self.buffer.advance(self.buffer.len() - kept);
                        return Ok(None);
                    }
                },
                State::Boundary => {
                    if !self.pass_boundary()? {
                        return Ok(None);
                    }
                }
                State::Head => {
                    let Some(head) = self.take_head()? else {
                        return Ok(None);
                    };
                    self.state = State::Content;
                    return Ok(Some(Event::Begin(head)));
                }
                State::Content => return Ok(self.take_content()),
                State::Epilogue => return Ok(None),
            }
        }
    }

    /// Whether the line of a boundary has been passed.
    fn pass_boundary(&mut self) -> Result<bool, MultipartError> {
        if self.buffer.starts_with(b"--") {
            self.state = State::Epilogue;
            self.buffer = BytesMut::new();
            return Ok(true);
        }
        let padding = self
            .buffer
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        if padding > MAX_PADDING {
            return Err(MultipartError::Malformed("a boundary's line is too long"));
        }
        match &self.buffer[padding..] {
            [b'\r', b'\n', ..] => {
                self.buffer.advance(padding + 2);
                self.state = State::Head;
                Ok(true)
            }
            [] | [b'\r'] => Ok(false),
            [b'-'] if padding == 0 => Ok(false),
            _ => Err(MultipartError::Malformed(
                "a boundary is not followed by a line end",
            )),
        }
    }

    fn take_head(&mut self) -> Result<Option<PartHead>, MultipartError> {
        const END: &[u8] = b"\r\n\r\n";
        let too_large = MultipartError::HeadTooLarge {
            limit: self.max_head,
        };
        // A part without any header ends its head at once.
        let length = if self.buffer.starts_with(b"\r\n") {
            Some(2)
        } else {
            memchr::memmem::find(&self.buffer, END).map(|at| at + END.len())
        };
        match length {
            Some(length) if length > self.max_head + END.len() => Err(too_large),
            Some(length) => PartHead::parse(&self.buffer.split_to(length)).map(Some),
            None if self.buffer.len() > self.max_head + END.len() => Err(too_large),
            None => Ok(None),
        }
    }

    fn take_content(&mut self) -> Option<Event> {
        match self.delimiter.find(&self.buffer) {
            Some(0) => {
                self.buffer.advance(self.length);
                self.state = State::Boundary;
                Some(Event::End)
            }
            Some(at) => Some(Event::Data(self.buffer.split_to(at).freeze())),
            None => {
                // What may be the beginning of a boundary waits for the next bytes.
                let tail = self.buffer.len().saturating_sub(self.length - 1);
                let safe =
                    memchr(b'\r', &self.buffer[tail..]).map_or(self.buffer.len(), |at| tail + at);
                (safe > 0).then(|| Event::Data(self.buffer.split_to(safe).freeze()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(head: &str, content: &str) -> String {
        format!("--b\r\n{head}\r\n\r\n{content}\r\n")
    }

    fn disposition(name: &str) -> String {
        format!("Content-Disposition: form-data; name=\"{name}\"")
    }

    /// Names and contents of all parts, when the body comes in pieces of this size.
    fn read(body: &[u8], piece: usize) -> Result<Vec<(String, Vec<u8>)>, MultipartError> {
        let mut parser = Parser::new("b", 256);
        let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
        let mut is_open = false;
        for bytes in body.chunks(piece.max(1)) {
            parser.feed(bytes);
            while let Some(event) = parser.next()? {
                match event {
                    Event::Begin(head) => {
                        assert!(!is_open);
                        is_open = true;
                        parts.push((head.name, Vec::new()));
                    }
                    Event::Data(data) => {
                        assert!(is_open && !data.is_empty());
                        parts.last_mut().expect("a part").1.extend_from_slice(&data);
                    }
                    Event::End => {
                        assert!(is_open);
                        is_open = false;
                    }
                }
            }
            assert!(parser.buffer.len() <= 256 + 4 + piece);
        }
        parser.finish()?;
        Ok(parts)
    }

    #[test]
    fn parts_come_in_order_whatever_the_pieces() {
        let body = format!(
            "preamble\r\n--bogus{}{}{}--b--\r\nepilogue --b\r\n",
            "\r\n",
            part(&disposition("a"), "one\r\n--\r\n-b"),
            part(&format!("{}\r\nX-Other: 1", disposition("e")), "")
        );
        let body = body.replace("\r\n--bogus\r\n", "\r\n-- bogus\r\n");
        for piece in 1..body.len() {
            assert_eq!(
                read(body.as_bytes(), piece).expect("a form"),
                [
                    ("a".to_owned(), b"one\r\n--\r\n-b".to_vec()),
                    ("e".to_owned(), Vec::new())
                ],
                "in pieces of {piece}"
            );
        }
    }

    #[test]
    fn a_form_may_have_no_parts() {
        assert_eq!(read(b"", 1).expect("a form"), []);
        assert_eq!(read(b"--b--", 2).expect("a form"), []);
        assert_eq!(read(b"\r\n--b--\r\n", 100).expect("a form"), []);
    }

    #[test]
    fn blanks_may_follow_a_boundary() {
        let body = format!("--b \t\r\n{}\r\n\r\nx\r\n--b--", disposition("a"));
        assert_eq!(
            read(body.as_bytes(), 3).expect("a form"),
            [("a".to_owned(), b"x".to_vec())]
        );
    }

    #[test]
    fn broken_forms_are_refused() {
        let head = disposition("a");
        let long = format!("{head}\r\nX: {}", "y".repeat(300));
        let cases = [
            part(&head, "x"),
            format!("{}--b", part(&head, "x")),
            format!("--b\r\n{head}\r\n\r\nx"),
            "--b\r\n\r\nx\r\n--b--".to_owned(),
            "no boundary at all".to_owned(),
            format!("--bb\r\n{head}\r\n\r\nx\r\n--b--"),
            format!("--b{}\r\n{head}\r\n\r\nx\r\n--b--", " ".repeat(200)),
            format!("{}--b--", part(&long, "x")),
            format!("--b\r\n{}", "z".repeat(400)),
        ];
        for body in cases {
            for piece in [1, 7, 1000] {
                assert!(read(body.as_bytes(), piece).is_err(), "{body:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            parts in proptest::collection::vec(("[a-z]{1,8}", proptest::collection::vec(any::<u8>(), 0..200)), 0..6),
            piece in 1usize..300,
        ) {
            let mut body = Vec::new();
            for (name, content) in &parts {
                prop_assume!(memchr::memmem::find(content, b"\r\n--b").is_none());
                body.extend_from_slice(format!("--b\r\n{}\r\n\r\n", disposition(name)).as_bytes());
                body.extend_from_slice(content);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"--b--\r\n");
            prop_assert_eq!(read(&body, piece).expect("a form"), parts);
        }

        #[test]
        fn nothing_panics_and_pieces_do_not_matter(
            tokens in proptest::collection::vec(prop_oneof![
                Just("--b".to_owned()), Just("--b--".to_owned()), Just("\r\n".to_owned()), Just("\r".to_owned()),
                Just("Content-Disposition: form-data; name=a".to_owned()), Just("\r\n\r\n".to_owned()), "[ -~]{0,10}",
            ], 0..30),
            piece in 1usize..20,
        ) {
            let body = tokens.concat();
            let whole = read(body.as_bytes(), body.len());
            let pieces = read(body.as_bytes(), piece);
            prop_assert_eq!(whole.is_ok(), pieces.is_ok());
            if let (Ok(whole), Ok(pieces)) = (whole, pieces) {
                prop_assert_eq!(whole, pieces);
            }
        }

        #[test]
        fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..500), piece in 1usize..50) {
            let _ = read(&body, piece);
        }
    }
}
