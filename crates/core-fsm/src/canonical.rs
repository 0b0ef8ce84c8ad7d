//! Canonical JSON, as RFC 8785 has it: one text for everything that is the same.

use num_traits::ToPrimitive;

use crate::{Key, Value};

/// The canonical JSON of a value. Numbers that JSON cannot say (infinities, NaN) are texts; so are the host's own values, and
/// keys that are no texts.
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

// As deep as the value, which whoever makes values has a limit for.
fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => write_number(*number as f64, out),
        Value::Big(number) => write_number(number.to_f64().unwrap_or(f64::NAN), out),
        Value::Float(number) => write_number(*number, out),
        Value::Text(text) => write_text(text, out),
        Value::List(items) | Value::Tuple(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Map(map) => {
            let mut entries: Vec<(String, &Value)> =
                map.iter().map(|(key, value)| (name(key), value)).collect();
            entries.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
            out.push('{');
            for (position, (name, value)) in entries.into_iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_text(&name, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        Value::Foreign(foreign) => write_text(&foreign.text().unwrap_or_default(), out),
    }
}

fn name(key: &Key) -> String {
    match key {
        Key::Text(text) | Key::Other(_, text) => text.to_string(),
        Key::Int(number) => number.to_string(),
    }
}

/// A number as ECMAScript prints it.
fn write_number(number: f64, out: &mut String) {
    if number.is_finite() {
        out.push_str(ryu_js::Buffer::new().format_finite(number));
    } else {
        write_text(ryu_js::Buffer::new().format(number), out);
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Map;

    fn number(number: f64) -> String {
        canonical_json(&Value::Float(number))
    }

    #[test]
    fn numbers_are_as_ecmascript_prints_them() {
        // From the samples of RFC 8785.
        for (bits, text) in [
            (0x0000_0000_0000_0000_u64, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
        ] {
            assert_eq!(number(f64::from_bits(bits)), text);
        }
        assert_eq!(canonical_json(&Value::Int(7)), "7");
        assert_eq!(number(7.0), "7");
        assert_eq!(number(f64::INFINITY), "\"Infinity\"");
    }

    #[test]
    fn keys_are_ordered_by_utf_16_and_texts_escaped_no_more_than_needed() {
        // The sample of RFC 8785: U+1F600 comes before U+FB33, since its first unit does.
        let mut map = Map::new();
        for key in [
            "\u{20ac}",
            "\r",
            "\u{fb33}",
            "1",
            "\u{1f600}",
            "\u{80}",
            "\u{f6}",
        ] {
            map.insert(key, Value::text("\u{20ac}$\u{f}\nA'B\"\\\\\"/\u{7f}"));
        }
        let text = canonical_json(&Value::map(map));
        let value = "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\u{7f}\"";
        let expected: Vec<String> = [
            "\\r",
            "1",
            "\u{80}",
            "\u{f6}",
            "\u{20ac}",
            "\u{1f600}",
            "\u{fb33}",
        ]
        .iter()
        .map(|key| format!("\"{key}\":{value}"))
        .collect();
        assert_eq!(text, format!("{{{}}}", expected.join(",")));
    }

    #[test]
    fn what_is_inside_is_canonical_as_well() {
        let mut inner = Map::new();
        inner.insert("b", Value::Null);
        inner.insert("a", Value::Bool(true));
        let list = Value::list(vec![Value::map(inner), Value::Int(-1)]);
        assert_eq!(canonical_json(&list), "[{\"a\":true,\"b\":null},-1]");
    }
}
