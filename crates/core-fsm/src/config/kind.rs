//! What a value at a place must be. Each function says so if it isn't, and gives the value as that kind if it is.
use super::issue::Issues;
use super::path::Place;
use crate::{Key, Map, Value};

/// Letters a to z, digits and underscores, at least one.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Names joined by dots, as expanded submachines have them.
pub fn is_dotted_name(text: &str) -> bool {
    text.split('.').all(is_name)
}

pub(super) fn mapping<'v>(
    value: &'v Value,
    place: &Place<'_>,
    issues: &mut Issues,
) -> Option<&'v Map> {
    let map = value.as_map();
    if map.is_none() {
        issues.shape(place, "Input should be a valid dictionary");
    }
    map
}

pub(super) fn list<'v>(
    value: &'v Value,
    place: &Place<'_>,
    issues: &mut Issues,
) -> Option<&'v [Value]> {
    let items = value.as_items();
    if items.is_none() {
        issues.shape(place, "Input should be a valid list");
    }
    items
}

pub(super) fn text<'v>(
    value: &'v Value,
    place: &Place<'_>,
    issues: &mut Issues,
) -> Option<&'v str> {
    let text = value.as_text();
    if text.is_none() {
        issues.shape(place, "Input should be a valid string");
    }
    text
}

/// Text, or null.
pub(super) fn optional_text(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    if !value.is_null() {
        text(value, place, issues);
    }
}

pub(super) fn texts(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    for (index, item) in list(value, place, issues)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        text(item, &place.index(index), issues);
    }
}

pub(super) fn name(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    if let Some(name) = text(value, place, issues)
        && !is_name(name)
    {
        pattern(name, place, issues);
    }
}

pub(super) fn pattern(name: &str, place: &Place<'_>, issues: &mut Issues) {
    issues.hinted(
        super::code::Code::Shape,
        place,
        "String should match pattern '^[a-z0-9_]+$'",
        match suggestion(name) {
            Some(better) => format!(
                "names are made of lowercase letters, digits and underscores: write '{better}'"
            ),
            None => "names are made of lowercase letters, digits and underscores".to_owned(),
        },
    );
}

/// A name near a text that is none.
fn suggestion(text: &str) -> Option<String> {
    let better: String = text
        .trim()
        .to_lowercase()
        .chars()
        .map(|letter| {
            if matches!(letter, ' ' | '-' | '.') {
                '_'
            } else {
                letter
            }
        })
        .collect();
    is_name(&better).then_some(better)
}

/// One of some texts.
pub(super) fn choice(value: &Value, choices: &[&str], place: &Place<'_>, issues: &mut Issues) {
    if value.as_text().is_some_and(|text| choices.contains(&text)) {
        return;
    }
    let mut listed = String::new();
    for (position, choice) in choices.iter().enumerate() {
        if position > 0 {
            listed.push_str(if position + 1 == choices.len() {
                " or "
            } else {
                ", "
            });
        }
        listed.push('\'');
        listed.push_str(choice);
        listed.push('\'');
    }
    let message = format!("Input should be {listed}");
    match value
        .as_text()
        .and_then(|text| closest(text, choices.iter().copied()))
    {
        Some(near) => issues.hinted(
            super::code::Code::Shape,
            place,
            message,
            format!("did you mean '{near}'?"),
        ),
        None => issues.shape(place, message),
    }
}

/// What a switch may be written as.
pub(crate) fn as_boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Float(number) if *number == 0.0 => Some(false),
        #[allow(clippy::float_cmp)] // Only the number one itself stands for true.
        Value::Float(number) if *number == 1.0 => Some(true),
        Value::Text(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" | "t" | "y" => Some(true),
            "false" | "0" | "no" | "off" | "f" | "n" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn boolean(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    if as_boolean(value).is_none() {
        let why = match value {
            Value::Text(_) | Value::Int(_) => ", unable to interpret input",
            _ => "",
        };
        issues.shape(place, format!("Input should be a valid boolean{why}"));
    }
}

/// The whole number that a value says.
pub(crate) fn as_whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Bool(flag) => Some(i64::from(*flag)),
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            Some(*number as i64)
        }
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

pub(super) fn whole(value: &Value, place: &Place<'_>, issues: &mut Issues) -> Option<i64> {
    let number = as_whole(value);
    if number.is_none() && !matches!(value, Value::Big(_)) {
        let why = match value {
            Value::Text(_) => ", unable to parse string as an integer",
            Value::Float(_) => ", got a number with a fractional part",
            _ => "",
        };
        issues.shape(place, format!("Input should be a valid integer{why}"));
    }
    number
}

/// The number that a value says.
pub(crate) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Bool(flag) => Some(f64::from(*flag)),
        Value::Float(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

pub(super) fn positive(value: &Value, place: &Place<'_>, issues: &mut Issues) {
    match as_number(value) {
        Some(number) if number > 0.0 => {}
        Some(_) => issues.shape(place, "Input should be greater than 0"),
        None => {
            let why = match value {
                Value::Text(_) => ", unable to parse string as a number",
                _ => "",
            };
            issues.shape(place, format!("Input should be a valid number{why}"));
        }
    }
}

pub(super) fn required(map: &Map, keys: &[&str], place: &Place<'_>, issues: &mut Issues) {
    for key in keys {
        if map.get(key).is_none() {
            issues.shape(&place.key(key), "Field required");
        }
    }
}

/// The entries of a mapping whose keys are texts; another key is an issue.
pub(super) fn entries<'v>(
    map: &'v Map,
    place: &Place<'_>,
    issues: &mut Issues,
) -> Vec<(&'v str, &'v Value)> {
    let mut entries = Vec::with_capacity(map.len());
    for (key, value) in map.iter() {
        match key {
            Key::Text(key) => entries.push((&**key, value)),
            Key::Int(number) => {
                issues.shape(&place.key(&number.to_string()), "Keys should be strings");
            }
            Key::Other(_, text) => issues.shape(&place.key(text), "Keys should be strings"),
        }
    }
    entries
}

/// The candidate that was probably meant.
pub(crate) fn closest<'c>(
    text: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    if text.len() > 64 {
        return None;
    }
    candidates
        .filter(|candidate| candidate.len().abs_diff(text.len()) <= 3 && candidate.len() <= 64)
        .map(|candidate| (distance(text.as_bytes(), candidate.as_bytes()), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 2).min(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must change to make one text of another.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(!a.eq_ignore_ascii_case(b)))
                .min(above + 1)
                .min(row[j] + 1);
            diagonal = above;
        }
    }
    row[right.len()]
}
