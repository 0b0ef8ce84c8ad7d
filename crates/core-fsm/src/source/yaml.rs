use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::error::SourceError;
use super::mark::{Mark, Part, Position};
use super::variable::{Lookup, shelter, substitute, unshelter};
use super::{MAX_DEPTH, MAX_VALUES, Source, check_size, scalar};
use crate::{Key, Map, Value};

/// Reads one YAML document. Duplicate keys and tags of other languages are errors; anchors, aliases and `<<` are understood.
pub fn read_yaml(text: &str, variables: Option<&Lookup<'_>>) -> Result<Source, SourceError> {
    check_size(text)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = match variables {
        Some(_) => shelter(text),
        None => text.into(),
    };
    let mut reader = Reader {
        sheltered: matches!(text, Cow::Owned(_)),
        parser: Parser::new_from_str(&text),
        variables,
        anchors: HashMap::new(),
        values: 0,
    };
    reader.document()
}

struct Reader<'t, 'v> {
    parser: Parser<'t, StrInput<'t>>,
    variables: Option<&'v Lookup<'v>>,
    sheltered: bool,
    anchors: HashMap<usize, Node>,
    values: usize,
}

/// A value that was read, its place, and how many values it stands for.
#[derive(Clone)]
struct Node {
    value: Value,
    mark: Mark,
    size: usize,
    /// A plain scalar, which as a key of a mapping may mean more than its text.
    plain: bool,
}

fn position(span: &Span) -> Position {
    Position {
        line: span.start.line().max(1),
        column: span.start.col() + 1,
    }
}

impl<'t> Reader<'t, '_> {
    fn next(&mut self) -> Result<(Event<'t>, Position), SourceError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, position(&span))),
            Some(Err(error)) => {
                let marker = error.marker();
                Err(SourceError::syntax(
                    error.info(),
                    Position {
                        line: marker.line().max(1),
                        column: marker.col() + 1,
                    },
                ))
            }
            None => Ok((Event::StreamEnd, Position { line: 1, column: 1 })),
        }
    }

    fn document(&mut self) -> Result<Source, SourceError> {
        let mut source = None;
        loop {
            let (event, position) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::Nothing
                | Event::StreamStart
                | Event::DocumentStart(_)
                | Event::DocumentEnd => {}
                _ if source.is_some() => {
                    return Err(SourceError::syntax(
                        "expected a single document, but another begins here",
                        position,
                    ));
                }
                event => {
                    let node = self.node(event, position, 0)?;
                    source = Some(Source {
                        value: node.value,
                        mark: node.mark,
                    });
                }
            }
        }
        Ok(source.unwrap_or_else(|| Source {
            value: Value::Null,
            mark: Mark::leaf(Position { line: 1, column: 1 }),
        }))
    }

    fn count(&mut self, size: usize, position: Position) -> Result<(), SourceError> {
        self.values += size;
        if self.values > MAX_VALUES {
            return Err(SourceError::limit(
                format!("the text stands for more than {MAX_VALUES} values"),
                position,
            ));
        }
        Ok(())
    }

    fn node(
        &mut self,
        event: Event<'t>,
        position: Position,
        depth: usize,
    ) -> Result<Node, SourceError> {
        if depth > MAX_DEPTH {
            return Err(SourceError::limit(
                format!("lists and mappings are nested deeper than {MAX_DEPTH} levels"),
                position,
            ));
        }
        let (anchor, node) = match event {
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(SourceError::syntax(
                        "the alias refers to a value that it is part of",
                        position,
                    ));
                };
                self.count(node.size, position)?;
                return Ok(node);
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.count(1, position)?;
                (anchor, self.scalar(&text, style, tag.as_deref(), position)?)
            }
            Event::SequenceStart(anchor, tag) => {
                self.count(1, position)?;
                collection_tag(tag.as_deref(), "seq", position)?;
                (anchor, self.sequence(position, depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                self.count(1, position)?;
                collection_tag(tag.as_deref(), "map", position)?;
                (anchor, self.mapping(position, depth)?)
            }
            _ => {
                return Err(SourceError::syntax("expected a value", position));
            }
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn scalar(
        &self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        position: Position,
    ) -> Result<Node, SourceError> {
        let text: Cow<'_, str> = if self.sheltered {
            unshelter(text).into()
        } else {
            text.into()
        };
        let (text, alone) = match self.variables {
            Some(lookup) if text.contains("${") => {
                let (filled, alone) = substitute(&text, lookup, position)?;
                (Cow::Owned(filled.into_owned()), Some(alone))
            }
            _ => (text, None),
        };
        let filled = alone.is_some();
        let plain = style == ScalarStyle::Plain;
        let value = match tag {
            Some(tag) => tagged(&text, tag, position)?,
            // What a variable is put into is text, unless it is the whole of it.
            None if plain && alone.unwrap_or(true) => scalar::resolve(text.trim()),
            None => Value::text(&text),
        };
        Ok(Node {
            value,
            mark: Mark::leaf(position),
            size: 1,
            plain: plain && tag.is_none() && !filled,
        })
    }

    fn sequence(&mut self, position: Position, depth: usize) -> Result<Node, SourceError> {
        let mut items = Vec::new();
        let mut mark = Mark::leaf(position);
        let mut size = 1;
        loop {
            let (event, position) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                break;
            }
            let node = self.node(event, position, depth + 1)?;
            size += node.size;
            items.push(node.value);
            mark.parts.push(Part {
                key: None,
                mark: node.mark,
            });
        }
        Ok(Node {
            value: Value::list(items),
            mark,
            size,
            plain: false,
        })
    }

    fn mapping(&mut self, position: Position, depth: usize) -> Result<Node, SourceError> {
        let mut map = Map::new();
        let mut mark = Mark::leaf(position);
        let mut seen: HashMap<Key, Position> = HashMap::new();
        let mut merged = Vec::new();
        let mut size = 1;
        loop {
            let (event, place) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let text = match &event {
                Event::Scalar(text, ..) => Some(text.to_string()),
                _ => None,
            };
            let key = self.node(event, place, depth + 1)?;
            let (event, inner) = self.next()?;
            let node = self.node(event, inner, depth + 1)?;
            size += node.size + 1;
            if key.plain && text.as_deref() == Some("<<") {
                merged.push((node, inner));
                continue;
            }
            let name = key_of(&key, text.as_deref(), place)?;
            if let Some(first) = seen.insert(name.clone(), place) {
                return Err(SourceError::syntax(
                    format!(
                        "duplicate key {}, first given at line {}, column {}",
                        key_text(&name),
                        first.line,
                        first.column
                    ),
                    place,
                ));
            }
            map.insert(name, node.value);
            mark.parts.push(Part {
                key: Some(place),
                mark: node.mark,
            });
        }
        for (node, place) in merged {
            merge(&node, place, &mut map, &mut mark)?;
        }
        Ok(Node {
            value: Value::map(map),
            mark,
            size,
            plain: false,
        })
    }
}

/// Puts the entries of another mapping, or of a list of mappings, under those that are there.
fn merge(node: &Node, place: Position, map: &mut Map, mark: &mut Mark) -> Result<(), SourceError> {
    let refused = || SourceError::syntax("'<<' needs a mapping or a list of mappings", place);
    match &node.value {
        Value::Map(other) => {
            for ((key, value), part) in other.iter().zip(&node.mark.parts) {
                if map.get_key(key).is_none() {
                    map.insert(key.clone(), value.clone());
                    mark.parts.push(part.clone());
                }
            }
            Ok(())
        }
        Value::List(items) => {
            for (item, part) in items.iter().zip(&node.mark.parts) {
                if item.as_map().is_none() {
                    return Err(refused());
                }
                let inner = Node {
                    value: item.clone(),
                    mark: part.mark.clone(),
                    size: 0,
                    plain: false,
                };
                merge(&inner, place, map, mark)?;
            }
            Ok(())
        }
        _ => Err(refused()),
    }
}

fn key_text(key: &Key) -> String {
    match key {
        Key::Text(text) | Key::Other(_, text) => format!("'{text}'"),
        Key::Int(number) => number.to_string(),
    }
}

/// The key that a node is: whole numbers are numbers, anything else that is plain is its text, so that `on:` and `null:`
/// are the names they look like.
fn key_of(node: &Node, text: Option<&str>, place: Position) -> Result<Key, SourceError> {
    match (&node.value, text) {
        (Value::Text(text), _) => Ok(Key::Text(Arc::clone(text))),
        (Value::Int(number), _) => Ok(Key::Int(*number)),
        (_, Some(text)) => Ok(Key::from(text)),
        _ => Err(SourceError::syntax(
            "a key must be a text or a number",
            place,
        )),
    }
}

fn tagged(text: &str, tag: &Tag, position: Position) -> Result<Value, SourceError> {
    let refused = |kind: &str| {
        SourceError::syntax(format!("'{text}' is not {kind}, as its tag says"), position)
    };
    if tag.handle.is_empty() && tag.suffix == "!" || tag.handle == "!" && tag.suffix.is_empty() {
        return Ok(Value::text(text));
    }
    if !tag.is_yaml_core_schema() {
        return Err(unknown(tag, position));
    }
    match tag.suffix.as_str() {
        "str" => Ok(Value::text(text)),
        "int" => scalar::integer(text).ok_or_else(|| refused("a whole number")),
        "float" => scalar::float(text)
            .map(Value::Float)
            .ok_or_else(|| refused("a number")),
        "bool" => match scalar::resolve(text) {
            flag @ Value::Bool(_) => Ok(flag),
            _ => Err(refused("a boolean")),
        },
        "null" => match scalar::resolve(text) {
            Value::Null => Ok(Value::Null),
            _ => Err(refused("null")),
        },
        _ => Err(unknown(tag, position)),
    }
}

fn collection_tag(tag: Option<&Tag>, kind: &str, position: Position) -> Result<(), SourceError> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == kind) => {
            Err(unknown(tag, position))
        }
        _ => Ok(()),
    }
}

fn unknown(tag: &Tag, position: Position) -> SourceError {
    SourceError::syntax(
        format!(
            "the tag '{}{}' is not understood; take it away",
            tag.handle, tag.suffix
        ),
        position,
    )
}
