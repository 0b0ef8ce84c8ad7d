use jiff::{SpanRelativeTo, Unit};

/// Units of a delay and what they are in milliseconds; the longest name of those that begin alike comes first.
const UNITS: [(&str, f64); 6] = [
    ("ms", 1.0),
    ("s", 1_000.0),
    ("m", 60_000.0),
    ("h", 3_600_000.0),
    ("d", 86_400_000.0),
    ("w", 604_800_000.0),
];

/// A delay in milliseconds: digits alone, numbers with units (`1h30m`, `1.5s`) or ISO 8601 (`PT1H30M`).
pub fn parse_delay(text: &str) -> Result<i64, String> {
    let plain: String = text
        .chars()
        .filter(|char| !char.is_whitespace())
        .collect::<String>()
        .to_lowercase();
    if plain.starts_with('-') {
        return Err(format!("Invalid delay value: {text:?} is negative"));
    }
    let wrong = || {
        format!(
            "Invalid delay value: {text:?}; write milliseconds, a number with ms, s, m, h, d or w, or ISO 8601 like PT1H30M"
        )
    };
    if plain.starts_with('p') {
        return iso(&plain.to_uppercase()).ok_or_else(wrong);
    }
    if !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return plain.parse().map_err(|_| wrong());
    }
    let mut total = 0.0;
    let mut rest = plain.as_str();
    let mut last = f64::INFINITY;
    while !rest.is_empty() {
        let end = rest
            .find(|char: char| !char.is_ascii_digit() && char != '.')
            .ok_or_else(wrong)?;
        let number: f64 = rest[..end]
            .parse()
            .ok()
            .filter(|_| rest.as_bytes()[0].is_ascii_digit() && rest.as_bytes()[end - 1] != b'.')
            .ok_or_else(wrong)?;
        let (name, unit) = UNITS
            .iter()
            .find(|(name, _)| rest[end..].starts_with(name))
            .ok_or_else(wrong)?;
        // Each unit once, the largest first.
        if *unit >= last {
            return Err(wrong());
        }
        last = *unit;
        total += number * unit;
        rest = &rest[end + name.len()..];
    }
    if last.is_infinite() || total >= 9e15 {
        return Err(wrong());
    }
    Ok(total.round() as i64)
}

fn iso(text: &str) -> Option<i64> {
    let span: jiff::Span = text.parse().ok()?;
    let total = span
        .total((Unit::Millisecond, SpanRelativeTo::days_are_24_hours()))
        .ok()?;
    (0.0..9e15).contains(&total).then(|| total.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_milliseconds() {
        for (text, milliseconds) in [
            ("0", 0),
            ("500", 500),
            ("500ms", 500),
            ("5s", 5_000),
            (" 5 s ", 5_000),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("1h30m", 5_400_000),
            ("1d", 86_400_000),
            ("1w", 604_800_000),
            ("1H", 3_600_000),
            ("PT1H30M", 5_400_000),
            ("PT1.5S", 1_500),
            ("P1D", 86_400_000),
            ("P2W", 1_209_600_000),
        ] {
            assert_eq!(parse_delay(text), Ok(milliseconds), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "abc",
            "5x",
            "-5s",
            "-1",
            "s",
            "1.s",
            ".5s",
            "5s1h",
            "1s1s",
            "PT",
            "P1M",
            "-PT1S",
            "1.5",
            "1e3s",
            "99999999999999999999",
            "1..5s",
        ] {
            assert!(parse_delay(text).is_err(), "{text}");
        }
    }
}
