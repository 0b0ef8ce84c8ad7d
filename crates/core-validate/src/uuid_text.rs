//! UUIDs as text: `8-4-4-4-12`, 32 hex digits, in braces, or after `urn:uuid:`.

/// The sixteen bytes, or why there are none.
pub(crate) fn parse(text: &str) -> Result<[u8; 16], &'static str> {
    let mut core = text;
    if let Some(inner) = core.strip_prefix('{') {
        core = inner.strip_suffix('}').ok_or("closing brace missing")?;
    } else if core
        .get(..9)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("urn:uuid:"))
    {
        core = &core[9..];
    }
    let core = core.as_bytes();
    let hyphens = match core.len() {
        36 => true,
        32 if core.len() == text.len() => false,
        _ => return Err("wrong length"),
    };
    let mut bytes = [0_u8; 16];
    let mut at = 0;
    for (index, byte) in bytes.iter_mut().enumerate() {
        if hyphens && matches!(index, 4 | 6 | 8 | 10) {
            if core[at] != b'-' {
                return Err("hyphen expected");
            }
            at += 1;
        }
        match (hex(core[at]), hex(core[at + 1])) {
            (Some(high), Some(low)) => *byte = high << 4 | low,
            _ => return Err("not a hexadecimal digit"),
        }
        at += 2;
    }
    Ok(bytes)
}

/// The version nibble.
pub(crate) fn version(bytes: [u8; 16]) -> u8 {
    bytes[6] >> 4
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_gives_the_same_bytes() {
        let plain = parse("c892496f-b1fd-4b91-bdb8-b46f92df1716").expect("canonical");
        for spelling in [
            "c892496fb1fd4b91bdb8b46f92df1716",
            "{C892496F-B1FD-4B91-BDB8-B46F92DF1716}",
            "urn:uuid:c892496f-b1fd-4b91-bdb8-b46f92df1716",
        ] {
            assert_eq!(parse(spelling), Ok(plain), "{spelling}");
        }
        assert_eq!(version(plain), 4);
    }

    #[test]
    fn wrong_spellings_are_refused() {
        for wrong in [
            "",
            "not-a-uuid",
            "c892496fb1fd-4b91-bdb8-b46f92df1716-",
            "{c892496f-b1fd-4b91-bdb8-b46f92df1716",
            "{c892496fb1fd4b91bdb8b46f92df1716}",
            "c892496g-b1fd-4b91-bdb8-b46f92df1716",
            "c892496f-b1fd-4b91-bdb8-b46f92df171é",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
