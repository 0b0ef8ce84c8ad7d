//! Dates, times and durations as text: RFC 3339 with the liberties HTTP clients take, ISO 8601 for durations.

/// A calendar date of the proleptic Gregorian calendar, years 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    pub year: u16,
    pub month: u8,
    pub day: u8,
}

/// A time of day; `offset` is seconds east of UTC, None without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub microsecond: u32,
    pub offset: Option<i32>,
}

/// A date and a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    pub date: Date,
    pub time: Time,
}

/// A signed span of time in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration {
    pub microseconds: i128,
}

const MICROS_PER_DAY: i128 = 86_400_000_000;
/// The longest span, in days.
const LONGEST: i128 = 999_999_999;

impl Duration {
    /// Whole days, rounded down; seconds and microseconds make up the rest and are never negative.
    pub fn parts(self) -> (i32, u32, u32) {
        let days = self.microseconds.div_euclid(MICROS_PER_DAY);
        let rest = self.microseconds.rem_euclid(MICROS_PER_DAY);
        (
            days as i32,
            (rest / 1_000_000) as u32,
            (rest % 1_000_000) as u32,
        )
    }

    /// `P1DT2H30M`, `PT1.5S`, `P2W`, a sign before them; no years, no months.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = sign(text);
        let rest = rest.strip_prefix(['P', 'p'])?;
        let mut total: i128 = 0;
        let mut cursor = rest.as_bytes();
        // Designators in the order in which they may come; time ones only after the T.
        let mut order: &[(u8, i128)] = &[(b'W', 7 * MICROS_PER_DAY), (b'D', MICROS_PER_DAY)];
        let mut in_time = false;
        let mut seen = false;
        while let Some(&first) = cursor.first() {
            if first.eq_ignore_ascii_case(&b'T') && !in_time {
                in_time = true;
                seen = false;
                order = &[(b'H', 3_600_000_000), (b'M', 60_000_000), (b'S', 1_000_000)];
                cursor = &cursor[1..];
                continue;
            }
            let length = cursor
                .iter()
                .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
                .count();
            let designator = cursor.get(length)?.to_ascii_uppercase();
            let place = order.iter().position(|(name, _)| *name == designator)?;
            total = total.checked_add(quantity(
                &cursor[..length],
                order[place].1,
                cursor.len() == length + 1,
            )?)?;
            order = &order[place + 1..];
            cursor = &cursor[length + 1..];
            seen = true;
        }
        if seen {
            Self::bounded(total, negative)
        } else {
            None
        }
    }

    /// Plain seconds, with a fraction perhaps.
    pub fn from_seconds(text: &str) -> Option<Self> {
        let (negative, digits) = sign(text);
        Self::bounded(quantity(digits.as_bytes(), 1_000_000, true)?, negative)
    }

    fn bounded(microseconds: i128, negative: bool) -> Option<Self> {
        (microseconds <= LONGEST * MICROS_PER_DAY).then_some(Self {
            microseconds: if negative {
                -microseconds
            } else {
                microseconds
            },
        })
    }
}

fn sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// `digits[.digits]` times a unit in microseconds; a fraction only where `fraction` allows it.
fn quantity(digits: &[u8], unit: i128, fraction: bool) -> Option<i128> {
    let point = digits.iter().position(|byte| matches!(byte, b'.' | b','));
    let (whole, part) = match point {
        Some(at) if fraction => (&digits[..at], &digits[at + 1..]),
        Some(_) => return None,
        None => (digits, &[][..]),
    };
    if whole.is_empty() || whole.len() > 18 || (point.is_some() && part.is_empty()) {
        return None;
    }
    if !whole.iter().chain(part).all(u8::is_ascii_digit) {
        return None;
    }
    let number = |digits: &[u8]| {
        digits
            .iter()
            .fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'))
    };
    let kept = &part[..part.len().min(12)];
    let power = 10_i128.pow(kept.len() as u32);
    Some(number(whole) * unit + (number(kept) * unit + power / 2) / power)
}

/// `2` digits at a place.
fn two(bytes: &[u8], at: usize) -> Option<u8> {
    match bytes.get(at..at + 2)? {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some((a - b'0') * 10 + (b - b'0')),
        _ => None,
    }
}

impl Date {
    /// `2025-01-31`.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let year = u16::from(two(bytes, 0)?) * 100 + u16::from(two(bytes, 2)?);
        let (month, day) = (two(bytes, 5)?, two(bytes, 8)?);
        let valid = year > 0 && (1..=12).contains(&month) && day > 0 && day <= days_in(year, month);
        valid.then_some(Self { year, month, day })
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

impl Time {
    /// `10:30:00`, `10:30:00.123456Z`, `10:30:00+02:00`. A leap second is refused: no calendar type holds it.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (hour, minute, second) = (two(bytes, 0)?, two(bytes, 3)?, two(bytes, 6)?);
        if bytes[2] != b':' || bytes[5] != b':' || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let mut rest = &bytes[8..];
        let mut microsecond = 0;
        if let [b'.', fraction @ ..] = rest {
            let length = fraction
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if length == 0 {
                return None;
            }
            // Digits past the microsecond are cut, as every calendar library does.
            for digit in fraction[..length].iter().chain(b"000000").take(6) {
                microsecond = microsecond * 10 + u32::from(digit - b'0');
            }
            rest = &fraction[length..];
        }
        let offset = match rest {
            [] => None,
            [b'Z' | b'z'] => Some(0),
            [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
                let (hours, minutes) = (two(rest, 1)?, two(rest, 4)?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
                Some(if *sign == b'-' { -seconds } else { seconds })
            }
            _ => return None,
        };
        Some(Self {
            hour,
            minute,
            second,
            microsecond,
            offset,
        })
    }
}

impl DateTime {
    /// A date and a time with `T`, `t` or a blank between them; the zone may be absent.
    pub fn parse(text: &str) -> Option<Self> {
        let date = Date::parse(text.get(..10)?)?;
        if !matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' ')) {
            return None;
        }
        Some(Self {
            date,
            time: Time::parse(text.get(11..)?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let micros = |text: &str| Duration::parse(text).map(|duration| duration.microseconds);
        assert_eq!(micros("P1DT2H30M"), Some(95_400_000_000));
        assert_eq!(micros("PT1.5S"), Some(1_500_000));
        assert_eq!(micros("-P1W"), Some(-604_800_000_000));
        assert_eq!(micros("P0.5D"), Some(43_200_000_000));
        for wrong in [
            "P",
            "PT",
            "P1Y",
            "P1M",
            "P1DT",
            "PT1H2",
            "1D",
            "P1.5DT1H",
            "PT1S1M",
            "P1T1H",
            "PT.5S",
            "P99999999999D",
            "é",
        ] {
            assert_eq!(micros(wrong), None, "{wrong}");
        }
        assert_eq!(
            Duration::from_seconds("-90.25").map(Duration::parts),
            Some((-1, 86_309, 750_000))
        );
        assert_eq!(Duration::from_seconds("1e3"), None);
        assert_eq!(Duration::from_seconds(""), None);
    }

    #[test]
    fn dates_and_times() {
        assert!(Date::parse("2024-02-29").is_some());
        for wrong in [
            "2023-02-29",
            "2025-13-45",
            "2025-1-01",
            "0000-01-01",
            "2025-01-01T",
            "20250101",
            "２０25-01-1",
        ] {
            assert!(Date::parse(wrong).is_none(), "{wrong}");
        }
        let parsed = DateTime::parse("2024-01-02 03:04:05.1234567-05:30").map(|value| value.time);
        assert_eq!(
            parsed,
            Some(Time {
                hour: 3,
                minute: 4,
                second: 5,
                microsecond: 123_456,
                offset: Some(-19_800)
            })
        );
        assert_eq!(Time::parse("10:30:00").and_then(|time| time.offset), None);
        for wrong in [
            "23:59:60Z",
            "24:00:00Z",
            "10:30",
            "10:30:00.",
            "10:30:00+2:00",
            "10:30:00+02",
            "10:30:00Zx",
            "é0:30:00",
        ] {
            assert!(Time::parse(wrong).is_none(), "{wrong}");
        }
        assert!(DateTime::parse("2024-01-02").is_none());
        assert!(DateTime::parse("2024-01-02é3:04:05").is_none());
    }
}
