//! The part of Redis's protocol (RESP2) that one kind of command needs.

/// No answer of ours has a longer line, text or list.
const LONGEST: usize = 64 * 1024;
const DEEPEST: u8 = 4;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Text(String),
    Number(i64),
    List(Vec<Reply>),
    Nothing,
    /// The server refused the command.
    Error(String),
}

/// Something that is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it speaks another protocol")]
pub(super) struct NotResp;

/// Writes a command.
pub(super) fn write(out: &mut Vec<u8>, words: &[&[u8]]) {
    out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// Reads the first answer, and how long it is; `None` if it is not complete yet.
pub(super) fn read(bytes: &[u8]) -> Result<Option<(Reply, usize)>, NotResp> {
    read_at(bytes, 0, 0)
}

fn read_at(bytes: &[u8], at: usize, depth: u8) -> Result<Option<(Reply, usize)>, NotResp> {
    let rest = &bytes[at..];
    let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else {
        return if rest.len() > LONGEST {
            Err(NotResp)
        } else {
            Ok(None)
        };
    };
    let (kind, line) = rest[..end].split_first().ok_or(NotResp)?;
    let line = String::from_utf8_lossy(line);
    let after = at + end + 2;
    let reply = match kind {
        b'+' => Reply::Text(line.into_owned()),
        b'-' => Reply::Error(line.into_owned()),
        b':' => Reply::Number(line.parse().map_err(|_| NotResp)?),
        b'$' => match length(&line)? {
            None => Reply::Nothing,
            Some(length) => {
                let Some(text) = bytes.get(after..after + length + 2) else {
                    return Ok(None);
                };
                let text = String::from_utf8_lossy(&text[..length]).into_owned();
                return Ok(Some((Reply::Text(text), after + length + 2)));
            }
        },
        b'*' => match length(&line)? {
            None => Reply::Nothing,
            Some(_) if depth == DEEPEST => return Err(NotResp),
            Some(count) => {
                let (mut items, mut next) = (Vec::new(), after);
                for _ in 0..count {
                    let Some((item, end)) = read_at(bytes, next, depth + 1)? else {
                        return Ok(None);
                    };
                    items.push(item);
                    next = end;
                }
                return Ok(Some((Reply::List(items), next)));
            }
        },
        _ => return Err(NotResp),
    };
    Ok(Some((reply, after)))
}

fn length(line: &str) -> Result<Option<usize>, NotResp> {
    match line.parse::<i64>() {
        Ok(-1) => Ok(None),
        Ok(length) => usize::try_from(length)
            .ok()
            .filter(|&length| length <= LONGEST)
            .map(Some)
            .ok_or(NotResp),
        Err(_) => Err(NotResp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands() {
        let mut out = Vec::new();
        write(&mut out, &[b"GET", b"a\r\n", b""]);
        assert_eq!(out, b"*3\r\n$3\r\nGET\r\n$3\r\na\r\n\r\n$0\r\n\r\n");
    }

    #[test]
    fn answers_complete_or_not() {
        let text = |text: &str| Reply::Text(text.to_owned());
        for (bytes, expected) in [
            (&b"+OK\r\n"[..], text("OK")),
            (b"-ERR no\r\n", Reply::Error("ERR no".to_owned())),
            (b":-12\r\n", Reply::Number(-12)),
            (b"$5\r\na\r\nbc\r\n", text("a\r\nbc")),
            (b"$0\r\n\r\n", text("")),
            (b"$-1\r\n", Reply::Nothing),
            (b"*-1\r\n", Reply::Nothing),
            (b"*0\r\n", Reply::List(Vec::new())),
            (
                b"*2\r\n:1\r\n*1\r\n+x\r\n",
                Reply::List(vec![Reply::Number(1), Reply::List(vec![text("x")])]),
            ),
        ] {
            assert_eq!(read(bytes), Ok(Some((expected, bytes.len()))));
            for cut in 0..bytes.len() {
                assert_eq!(read(&bytes[..cut]), Ok(None), "{bytes:?} cut at {cut}");
            }
        }
        assert_eq!(read(b":1\r\n:2\r\n"), Ok(Some((Reply::Number(1), 4))));
    }

    #[test]
    fn anything_else_is_refused() {
        let long = vec![b'+'; LONGEST + 2];
        for bytes in [
            &b"HTTP/1.1 400\r\n"[..],
            b"\r\n",
            b":x\r\n",
            b"$-2\r\n",
            b"$99999999999\r\n",
            b"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
            &long,
        ] {
            assert_eq!(read(bytes), Err(NotResp));
        }
    }
}
