//! JSON text: the limits, the cursor both the streaming check and the parser run on, and the parser.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use crate::error::JsonFault;
use crate::number::Num;

/// The deepest nesting any limit may allow: above it the stack would decide.
const DEEPEST: usize = 256;

/// What a JSON document may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonLimits {
    /// Arrays and objects inside each other; at most 256 whatever is asked.
    pub max_depth: usize,
    /// A key that comes twice in an object is a fault; otherwise the last wins.
    pub strict_keys: bool,
}

impl Default for JsonLimits {
    fn default() -> Self {
        Self {
            max_depth: 64,
            strict_keys: false,
        }
    }
}

/// The value of a JSON document. A byte order mark is skipped; anything but blanks after the value is refused.
pub fn parse(json: &[u8], limits: JsonLimits) -> Result<Value, JsonFault> {
    let mut reader = Reader::open(json, limits)?;
    let value = reader.value()?;
    reader.finish()?;
    Ok(value)
}

/// A cursor over JSON text known to be UTF-8.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Bytes skipped before `text`.
    base: usize,
    depth: usize,
    max_depth: usize,
    strict_keys: bool,
}

/// A number as it stands in the text.
#[derive(Clone, Copy)]
pub(crate) struct RawNumber<'a> {
    text: &'a str,
    integer: bool,
}

impl<'a> RawNumber<'a> {
    pub(crate) fn num(self) -> Num<'static> {
        if self.integer {
            if let Some(int) = short_integer(self.text) {
                return Num::Int(int);
            }
            if self.text != "-0" {
                if let Ok(int) = self.text.parse::<i64>() {
                    return Num::Int(int);
                }
                if let Ok(unsigned) = self.text.parse::<u64>() {
                    return Num::Unsigned(unsigned);
                }
            }
        }
        // The scanner has let only numbers within the range of a double through.
        Num::Float(self.text.parse().unwrap_or(f64::NAN))
    }

    pub(crate) fn is_integer(self) -> bool {
        self.integer || self.num().is_integer()
    }
}

/// Up to 18 digits fit whatever they are.
pub(crate) fn short_integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > 18 || digits.is_empty() || (negative && digits == b"0") {
        return None;
    }
    let mut value: i64 = 0;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

impl<'a> Reader<'a> {
    pub(crate) fn open(json: &'a [u8], limits: JsonLimits) -> Result<Self, JsonFault> {
        let (base, bytes) = match json {
            [0xEF, 0xBB, 0xBF, rest @ ..] => (3, rest),
            _ => (0, json),
        };
        let text = std::str::from_utf8(bytes).map_err(|error| JsonFault::Encoding {
            offset: base + error.valid_up_to(),
        })?;
        let max_depth = limits.max_depth.min(DEEPEST);
        Ok(Self {
            text,
            at: 0,
            base,
            depth: 0,
            max_depth,
            strict_keys: limits.strict_keys,
        })
    }

    #[cold]
    pub(crate) fn fault(&self, message: &'static str) -> JsonFault {
        JsonFault::Syntax {
            offset: self.base + self.at,
            message,
        }
    }

    /// The next byte that is not blank, not taken yet.
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<u8, JsonFault> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Ok(byte);
            }
            self.at += 1;
        }
        Err(self.fault("unexpected end of JSON"))
    }

    #[inline]
    pub(crate) fn take(&mut self) {
        self.at += 1;
    }

    pub(crate) fn finish(&mut self) -> Result<(), JsonFault> {
        match self.peek() {
            Ok(_) => Err(self.fault("unexpected text after the JSON value")),
            Err(_) => Ok(()),
        }
    }

    /// Takes the `[` or `{` and goes one level down.
    #[inline]
    pub(crate) fn enter(&mut self) -> Result<(), JsonFault> {
        self.depth += 1;
        if self.depth > self.max_depth {
            return Err(JsonFault::Depth {
                limit: self.max_depth,
            });
        }
        self.at += 1;
        Ok(())
    }

    /// True when the list or object just entered ends at once.
    #[inline]
    pub(crate) fn ends(&mut self, close: u8) -> Result<bool, JsonFault> {
        if self.peek()? == close {
            self.at += 1;
            self.depth -= 1;
            return Ok(true);
        }
        Ok(false)
    }

    /// After an element: true when another follows.
    #[inline]
    pub(crate) fn more(&mut self, close: u8) -> Result<bool, JsonFault> {
        let byte = self.peek()?;
        if byte == b',' {
            self.at += 1;
            return Ok(true);
        }
        if byte == close {
            self.at += 1;
            self.depth -= 1;
            return Ok(false);
        }
        Err(self.fault(if close == b']' {
            "expected ',' or ']'"
        } else {
            "expected ',' or '}'"
        }))
    }

    /// A key and its colon.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<Cow<'a, str>, JsonFault> {
        if self.peek()? != b'"' {
            return Err(self.fault("expected a string as key"));
        }
        let key = self.string()?;
        if self.peek()? != b':' {
            return Err(self.fault("expected ':'"));
        }
        self.at += 1;
        Ok(key)
    }

    pub(crate) fn word(&mut self, word: &'static str) -> Result<(), JsonFault> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.fault("expected a value"))
    }

    /// Moves to the next quote, backslash or control character.
    #[inline]
    fn plain_run(&mut self) -> Result<u8, JsonFault> {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        while let Some(chunk) = bytes[at..].first_chunk::<8>() {
            let word = u64::from_le_bytes(*chunk);
            let quote = word ^ (ONES * 0x22);
            let slash = word ^ (ONES * 0x5C);
            let zero_quote = quote.wrapping_sub(ONES) & !quote;
            let zero_slash = slash.wrapping_sub(ONES) & !slash;
            let control = word.wrapping_sub(ONES * 0x20) & !word;
            let hits = (zero_quote | zero_slash | control) & HIGH;
            if hits != 0 {
                // The lowest hit is exact; only hits above a true one may be false.
                at += (hits.trailing_zeros() / 8) as usize;
                self.at = at;
                return Ok(bytes[at]);
            }
            at += 8;
        }
        while let Some(&byte) = bytes.get(at) {
            if byte < 0x20 || byte == b'"' || byte == b'\\' {
                self.at = at;
                return Ok(byte);
            }
            at += 1;
        }
        self.at = at;
        Err(self.fault("unexpected end of JSON in a string"))
    }

    /// A string; borrowed unless it has escapes. The cursor stands on its quote.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Cow<'a, str>, JsonFault> {
        self.at += 1;
        let start = self.at;
        match self.plain_run()? {
            b'"' => {
                let text = &self.text[start..self.at];
                self.at += 1;
                Ok(Cow::Borrowed(text))
            }
            _ => self.escaped_string(start).map(Cow::Owned),
        }
    }

    #[cold]
    fn escaped_string(&mut self, start: usize) -> Result<String, JsonFault> {
        let mut out = String::from(&self.text[start..self.at]);
        loop {
            let run = self.at;
            let stop = self.plain_run()?;
            out.push_str(&self.text[run..self.at]);
            match stop {
                b'"' => {
                    self.at += 1;
                    return Ok(out);
                }
                b'\\' => out.push(self.escape()?),
                _ => return Err(self.fault("control character in a string")),
            }
        }
    }

    /// Reads a string without making it.
    pub(crate) fn skip_string(&mut self) -> Result<(), JsonFault> {
        self.at += 1;
        loop {
            match self.plain_run()? {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => {
                    self.escape()?;
                }
                _ => return Err(self.fault("control character in a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonFault> {
        let byte = self.text.as_bytes().get(self.at + 1).copied().unwrap_or(0);
        let plain = match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.fault("unknown escape in a string")),
        };
        self.at += 2;
        Ok(plain)
    }

    fn unicode_escape(&mut self) -> Result<char, JsonFault> {
        let first = self.hex4(self.at + 2)?;
        let mut length = 6;
        let mut code = first;
        if (0xD800..0xDC00).contains(&first) {
            if !self.text.as_bytes()[self.at + 6..].starts_with(b"\\u") {
                return Err(self.fault("lone surrogate in a string"));
            }
            let second = self.hex4(self.at + 8)?;
            if !(0xDC00..0xE000).contains(&second) {
                return Err(self.fault("lone surrogate in a string"));
            }
            code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
            length = 12;
        }
        let Some(character) = char::from_u32(code) else {
            return Err(self.fault("lone surrogate in a string"));
        };
        self.at += length;
        Ok(character)
    }

    fn hex4(&self, from: usize) -> Result<u32, JsonFault> {
        let digits = self.text.as_bytes().get(from..from + 4).unwrap_or_default();
        if digits.len() < 4 {
            return Err(self.fault("unknown escape in a string"));
        }
        let mut code = 0;
        for digit in digits {
            match char::from(*digit).to_digit(16) {
                Some(value) => code = code * 16 + value,
                None => return Err(self.fault("unknown escape in a string")),
            }
        }
        Ok(code)
    }

    #[inline]
    fn digits(&mut self) -> usize {
        let bytes = self.text.as_bytes();
        let start = self.at;
        while bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - start
    }

    /// A number; the cursor stands on its first character.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<RawNumber<'a>, JsonFault> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        if bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        let leading_zero = bytes.get(self.at) == Some(&b'0');
        let whole = self.digits();
        if whole == 0 {
            return Err(self.fault("expected a value"));
        }
        if leading_zero && whole > 1 {
            self.at -= whole - 1;
            return Err(self.fault("leading zero in a number"));
        }
        let mut integer = true;
        let mut exponent = false;
        if bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            integer = false;
            if self.digits() == 0 {
                return Err(self.fault("expected a digit"));
            }
        }
        if matches!(bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            integer = false;
            exponent = true;
            if matches!(bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.fault("expected a digit"));
            }
        }
        let text = &self.text[start..self.at];
        if (exponent || whole > 300) && !text.parse::<f64>().is_ok_and(f64::is_finite) {
            self.at = start;
            return Err(self.fault("number out of range"));
        }
        Ok(RawNumber { text, integer })
    }

    /// The value at the cursor.
    pub(crate) fn value(&mut self) -> Result<Value, JsonFault> {
        match self.peek()? {
            b'"' => Ok(Value::String(self.string()?.into_owned())),
            b'{' => self.object(),
            b'[' => self.array(),
            b't' => self.word("true").map(|()| Value::Bool(true)),
            b'f' => self.word("false").map(|()| Value::Bool(false)),
            b'n' => self.word("null").map(|()| Value::Null),
            _ => {
                let number = match self.number()?.num() {
                    Num::Int(int) => Number::from(int),
                    Num::Unsigned(unsigned) => Number::from(unsigned),
                    Num::Float(float) => match Number::from_f64(float) {
                        Some(number) => number,
                        None => return Err(self.fault("number out of range")),
                    },
                    Num::Digits(_) => return Err(self.fault("number out of range")),
                };
                Ok(Value::Number(number))
            }
        }
    }

    fn array(&mut self) -> Result<Value, JsonFault> {
        self.enter()?;
        let mut items = Vec::new();
        if !self.ends(b']')? {
            loop {
                items.push(self.value()?);
                if !self.more(b']')? {
                    break;
                }
            }
        }
        Ok(Value::Array(items))
    }

    fn object(&mut self) -> Result<Value, JsonFault> {
        self.enter()?;
        let mut members = Map::new();
        if !self.ends(b'}')? {
            loop {
                self.peek()?;
                let offset = self.base + self.at;
                let key = self.key()?.into_owned();
                let value = self.value()?;
                if self.strict_keys && members.contains_key(&key) {
                    return Err(JsonFault::DuplicateKey { offset, key });
                }
                members.insert(key, value);
                if !self.more(b'}')? {
                    break;
                }
            }
        }
        Ok(Value::Object(members))
    }

    /// Reads a value without making it.
    pub(crate) fn skip(&mut self) -> Result<(), JsonFault> {
        match self.peek()? {
            b'"' => self.skip_string(),
            b'{' => {
                self.enter()?;
                if !self.ends(b'}')? {
                    loop {
                        if self.peek()? != b'"' {
                            return Err(self.fault("expected a string as key"));
                        }
                        self.skip_string()?;
                        if self.peek()? != b':' {
                            return Err(self.fault("expected ':'"));
                        }
                        self.take();
                        self.skip()?;
                        if !self.more(b'}')? {
                            break;
                        }
                    }
                }
                Ok(())
            }
            b'[' => {
                self.enter()?;
                if !self.ends(b']')? {
                    loop {
                        self.skip()?;
                        if !self.more(b']')? {
                            break;
                        }
                    }
                }
                Ok(())
            }
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number().map(|_| ()),
        }
    }
}
