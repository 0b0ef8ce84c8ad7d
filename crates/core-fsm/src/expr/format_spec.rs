//! The small language behind the colon of an f-text.

use super::error::{ExprError, ExprErrorKind};
use super::meter::Meter;
use super::number::Number;
use super::repr::{float, text, whole};
use crate::Value;

#[derive(Debug, Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    zero: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

/// The text of a value under a specification.
pub(super) fn format(meter: &Meter, value: &Value, spec: &str) -> Result<String, ExprError> {
    if spec.is_empty() {
        return text(meter, value);
    }
    let unknown = || {
        ExprError::value(format!(
            "Invalid format specifier '{spec}' for object of type '{}'",
            value.type_name()
        ))
    };
    let parsed = parse(spec).ok_or_else(unknown)?;
    meter.check_length(parsed.width)?;
    meter.check_length(parsed.precision.unwrap_or_default())?;
    match (value, Number::of(value)) {
        (Value::Text(plain), _) => {
            if !matches!(parsed.kind, None | Some('s'))
                || parsed.sign.is_some()
                || parsed.grouping.is_some()
                || parsed.alternate
                || parsed.align == Some('=')
            {
                return Err(unknown());
            }
            let cut: String = match parsed.precision {
                Some(precision) => plain.chars().take(precision).collect(),
                None => plain.as_ref().to_owned(),
            };
            let (fill, align) = if parsed.zero && parsed.align.is_none() {
                ('0', '<')
            } else {
                (parsed.fill.unwrap_or(' '), parsed.align.unwrap_or('<'))
            };
            Ok(pad("", &cut, fill, align, parsed.width))
        }
        (Value::Bool(_), _)
            if parsed.kind.is_none()
                && parsed.sign.is_none()
                && parsed.grouping.is_none()
                && parsed.precision.is_none()
                && !parsed.alternate =>
        {
            // Without a kind of number true is a number still, as wide as its digits.
            number(
                meter,
                &parsed,
                Number::of(value).ok_or_else(unknown)?,
                &unknown,
            )
        }
        (_, Some(found)) => number(meter, &parsed, found, &unknown),
        (Value::Foreign(foreign), None) => foreign
            .format(spec)
            .unwrap_or_else(|| Err(unknown().to_string()))
            .map_err(ExprError::value),
        _ => Err(ExprError::type_error(format!(
            "unsupported format string passed to {}.__format__",
            value.type_name()
        ))),
    }
}

fn parse(spec: &str) -> Option<Spec> {
    let chars: Vec<char> = spec.chars().collect();
    let mut parsed = Spec::default();
    let mut at = 0;
    let is_align = |char: Option<&char>| matches!(char, Some('<' | '>' | '^' | '='));
    if is_align(chars.get(1)) {
        parsed.fill = Some(chars[0]);
        parsed.align = Some(chars[1]);
        at = 2;
    } else if is_align(chars.first()) {
        parsed.align = Some(chars[0]);
        at = 1;
    }
    if let Some(sign @ ('+' | '-' | ' ')) = chars.get(at) {
        parsed.sign = Some(*sign);
        at += 1;
    }
    if chars.get(at) == Some(&'#') {
        parsed.alternate = true;
        at += 1;
    }
    if chars.get(at) == Some(&'0') && parsed.fill.is_none() {
        parsed.zero = true;
        at += 1;
    }
    (parsed.width, at) = digits(&chars, at)?;
    if let Some(grouping @ (',' | '_')) = chars.get(at) {
        parsed.grouping = Some(*grouping);
        at += 1;
    }
    if chars.get(at) == Some(&'.') {
        let (precision, end) = digits(&chars, at + 1)?;
        if end == at + 1 {
            return None;
        }
        parsed.precision = Some(precision);
        at = end;
    }
    if let Some(kind) = chars.get(at) {
        parsed.kind = Some(*kind);
        at += 1;
    }
    (at == chars.len()).then_some(parsed)
}

fn digits(chars: &[char], start: usize) -> Option<(usize, usize)> {
    let mut end = start;
    while chars.get(end).is_some_and(char::is_ascii_digit) {
        end += 1;
    }
    let text: String = chars[start..end].iter().collect();
    if text.is_empty() {
        return Some((0, end));
    }
    Some((text.parse().ok()?, end))
}

fn number(
    meter: &Meter,
    spec: &Spec,
    number: Number,
    unknown: &dyn Fn() -> ExprError,
) -> Result<String, ExprError> {
    let (negative, prefix, body) = match (&number, spec.kind) {
        (Number::Whole(value), None | Some('d' | 'n' | 'b' | 'o' | 'x' | 'X' | 'c')) => {
            if spec.precision.is_some() {
                return Err(ExprError::value(
                    "Precision not allowed in integer format specifier",
                ));
            }
            let magnitude = value.magnitude();
            meter.check_length(magnitude.bits() as usize / 16)?;
            let (prefix, digits) = match spec.kind {
                Some('b') => ("0b", magnitude.to_str_radix(2)),
                Some('o') => ("0o", magnitude.to_str_radix(8)),
                Some('x') => ("0x", magnitude.to_str_radix(16)),
                Some('X') => ("0X", magnitude.to_str_radix(16).to_uppercase()),
                Some('c') => {
                    let char = u32::try_from(value)
                        .ok()
                        .and_then(char::from_u32)
                        .ok_or_else(|| {
                            ExprError::new(ExprErrorKind::Overflow, "%c arg not in range(0x110000)")
                        })?;
                    if spec.sign.is_some() || spec.alternate || spec.grouping.is_some() {
                        return Err(unknown());
                    }
                    ("", char.to_string())
                }
                _ => ("", whole(&magnitude.clone().into())?),
            };
            let negative = value.sign() == num_bigint::Sign::Minus;
            (negative, if spec.alternate { prefix } else { "" }, digits)
        }
        (_, None | Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n' | '%')) => {
            let value = number.to_float()?;
            let digits = float_body(spec, value.abs());
            (value.is_sign_negative() && !value.is_nan(), "", digits)
        }
        _ => return Err(unknown()),
    };
    if spec.grouping.is_some() && matches!(spec.kind, Some('n' | 'c'))
        || spec.grouping == Some(',') && matches!(spec.kind, Some('b' | 'o' | 'x' | 'X'))
    {
        return Err(ExprError::value(format!(
            "Cannot specify '{}' with '{}'.",
            spec.grouping.unwrap_or(','),
            spec.kind.unwrap_or('d')
        )));
    }
    let sign = match (negative, spec.sign) {
        (true, _) => "-",
        (false, Some('+')) => "+",
        (false, Some(' ')) => " ",
        _ => "",
    };
    let head = format!("{sign}{prefix}");
    let default = if spec.kind == Some('c') { '<' } else { '>' };
    let (fill, align) = if spec.zero {
        ('0', spec.align.unwrap_or('='))
    } else {
        (spec.fill.unwrap_or(' '), spec.align.unwrap_or(default))
    };
    let body = match spec.grouping {
        Some(mark) => {
            let size = if matches!(spec.kind, Some('b' | 'o' | 'x' | 'X')) {
                4
            } else {
                3
            };
            // Zeros in front belong to the number, and are grouped with it.
            let least = if fill == '0' && align == '=' {
                spec.width.saturating_sub(head.len())
            } else {
                0
            };
            group(&body, mark, size, least)
        }
        None => body,
    };
    Ok(pad(&head, &body, fill, align, spec.width))
}

fn group(body: &str, mark: char, size: usize, least: usize) -> String {
    let end = body
        .find(|char: char| !char.is_ascii_hexdigit() || (size == 3 && !char.is_ascii_digit()))
        .unwrap_or(body.len());
    let (digits, rest) = body.split_at(end);
    if digits.is_empty() {
        return body.to_owned();
    }
    let mut count = digits.len();
    while count + (count - 1) / size + rest.len() < least {
        count += 1;
    }
    let padded = format!("{digits:0>count$}");
    let mut out = String::with_capacity(count * 2);
    for (at, digit) in padded.chars().enumerate() {
        if at > 0 && (count - at) % size == 0 {
            out.push(mark);
        }
        out.push(digit);
    }
    out + rest
}

fn pad(head: &str, body: &str, fill: char, align: char, width: usize) -> String {
    let length = head.chars().count() + body.chars().count();
    let missing = width.saturating_sub(length);
    let some = |count: usize| fill.to_string().repeat(count);
    match align {
        '<' => format!("{head}{body}{}", some(missing)),
        '^' => format!(
            "{}{head}{body}{}",
            some(missing / 2),
            some(missing - missing / 2)
        ),
        '=' => format!("{head}{}{body}", some(missing)),
        _ => format!("{}{head}{body}", some(missing)),
    }
}

/// Digits of a float that is not negative.
fn float_body(spec: &Spec, value: f64) -> String {
    let kind = spec.kind.unwrap_or('\0');
    let percent = if kind == '%' { "%" } else { "" };
    let value = if kind == '%' { value * 100.0 } else { value };
    if !value.is_finite() {
        let text = if value.is_nan() { "nan" } else { "inf" };
        return if kind.is_ascii_uppercase() {
            text.to_uppercase()
        } else {
            text.to_owned()
        } + percent;
    }
    let precision = spec.precision.unwrap_or(6);
    let point = if spec.alternate && precision == 0 {
        "."
    } else {
        ""
    };
    match kind {
        'f' | 'F' | '%' => format!("{value:.precision$}{point}{percent}"),
        'e' => exponent(&format!("{value:.precision$e}"), point),
        'E' => exponent(&format!("{value:.precision$e}"), point).to_uppercase(),
        'g' | 'n' => general(value, precision.max(1), spec.alternate, 0),
        'G' => general(value, precision.max(1), spec.alternate, 0).to_uppercase(),
        _ => match spec.precision {
            // Without a kind: like g, with a digit behind the point at least.
            Some(precision) => general(value, precision.max(1), spec.alternate, 1),
            None => float(value),
        },
    }
}

/// Rust writes `1.5e7` where Python writes `1.5e+07`.
fn exponent(text: &str, point: &str) -> String {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let number: i32 = exponent.parse().unwrap_or_default();
    let sign = if number < 0 { '-' } else { '+' };
    format!("{mantissa}{point}e{sign}{:02}", number.abs())
}

fn general(value: f64, precision: usize, alternate: bool, least: usize) -> String {
    let scientific = format!("{value:.*e}", precision - 1);
    let (_, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i64 = power.parse().unwrap_or_default();
    // The form without a kind leaves room for the digit that it adds.
    let highest = precision as i64 - least as i64;
    let strip = |text: &str| {
        if alternate || !text.contains('.') {
            text.to_owned()
        } else {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    };
    if power < -4 || power >= highest.max(i64::from(least == 0)) {
        let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let point = if alternate && precision == 1 { "." } else { "" };
        return exponent(&format!("{}{point}e{power}", strip(mantissa)), "");
    }
    let decimals = (precision as i64 - 1 - power).max(0) as usize;
    let plain = strip(&format!("{value:.decimals$}"));
    if alternate && !plain.contains('.') {
        plain + "."
    } else if least > 0 && !plain.contains('.') {
        plain + ".0"
    } else {
        plain
    }
}
