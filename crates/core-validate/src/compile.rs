//! From a schema document to nodes.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Number, Value};

use crate::error::SchemaError;
use crate::fault::escape_pointer;
use crate::format::Format;
use crate::object::{Additional, ObjectRules};
use crate::pattern::{Pattern, PatternFallback};
use crate::scalar::{Bound, NumberRules, TextRules};
use crate::schema::{ArrayRules, Choices, Condition, Flow, Node, NodeId, Rules, Schema, kind};

/// Schemas inside each other; deeper ones are a mistake.
const DEEPEST: usize = 128;

pub(crate) fn compile(
    document: &Value,
    fallback: Option<&dyn PatternFallback>,
) -> Result<Schema, SchemaError> {
    let mut names = HashMap::new();
    collect_names(document, &mut String::new(), &mut names, 0)?;
    let mut compiler = Compiler {
        document,
        names,
        fallback,
        nodes: Vec::new(),
        known: HashMap::new(),
        foreign: Vec::new(),
        depth: 0,
    };
    let root = compiler.node(document, "")?;
    let mut schema = Schema {
        nodes: compiler.nodes,
        root,
        kinds: Vec::new(),
        foreign_patterns: compiler.foreign,
    };
    crate::analysis::finish(&mut schema, &compiler.known)?;
    Ok(schema)
}

/// Anchors (as `#name`) and ids (as they stand) with their pointers.
fn collect_names(
    value: &Value,
    pointer: &mut String,
    names: &mut HashMap<String, String>,
    depth: usize,
) -> Result<(), SchemaError> {
    if depth > 2 * DEEPEST {
        return Err(SchemaError::new(pointer, "schema is nested too deeply"));
    }
    let length = pointer.len();
    match value {
        Value::Object(members) => {
            for word in ["$anchor", "$dynamicAnchor"] {
                if let Some(Value::String(name)) = members.get(word) {
                    names.insert(format!("#{name}"), pointer.clone());
                }
            }
            if let Some(Value::String(id)) = members.get("$id") {
                names.insert(id.trim_end_matches('#').to_owned(), pointer.clone());
            }
            for (key, member) in members {
                if matches!(
                    key.as_str(),
                    "enum" | "const" | "default" | "examples" | "example"
                ) {
                    continue;
                }
                pointer.push('/');
                pointer.push_str(&escape_pointer(key));
                collect_names(member, pointer, names, depth + 1)?;
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push('/');
                pointer.push_str(itoa::Buffer::new().format(index));
                collect_names(item, pointer, names, depth + 1)?;
                pointer.truncate(length);
            }
        }
        _ => {}
    }
    Ok(())
}

struct Compiler<'d> {
    document: &'d Value,
    names: HashMap<String, String>,
    fallback: Option<&'d dyn PatternFallback>,
    nodes: Vec<Node>,
    known: HashMap<String, NodeId>,
    foreign: Vec<String>,
    depth: usize,
}

type Members = Map<String, Value>;

impl<'d> Compiler<'d> {
    /// The node of the schema at a pointer, compiled at its first use.
    fn node(&mut self, schema: &'d Value, pointer: &str) -> Result<NodeId, SchemaError> {
        if let Some(known) = self.known.get(pointer) {
            return Ok(*known);
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(SchemaError::new(pointer, "schema is nested too deeply"));
        }
        let id = self.nodes.len();
        self.nodes.push(Node::Any);
        self.known.insert(pointer.to_owned(), id);
        self.nodes[id] = match schema {
            Value::Bool(true) => Node::Any,
            Value::Bool(false) => Node::Never,
            Value::Object(members) => self.rules(members, pointer)?,
            _ => {
                return Err(SchemaError::new(
                    pointer,
                    "a schema is an object or a boolean",
                ));
            }
        };
        self.depth -= 1;
        Ok(id)
    }

    fn rules(&mut self, members: &'d Members, pointer: &str) -> Result<Node, SchemaError> {
        let declared = declared_types(members, pointer)?;
        let types = declared.iter().fold(0, |all, kind| all | kind);
        let rules = Rules {
            types: if members.contains_key("type") {
                types
            } else {
                kind::ALL
            },
            declared,
            nullable: flag(members, "nullable", pointer)?,
            text: self.text(members, pointer)?,
            number: number(members, pointer)?,
            array: self.array(members, pointer)?,
            object: self.object(members, pointer)?,
            choices: choices(members, pointer)?,
            constant: members.get("const").cloned(),
            reference: self.reference(members, pointer)?,
            optional: None,
            all_of: self.list(members, "allOf", pointer)?,
            any_of: self.list(members, "anyOf", pointer)?,
            one_of: self.list(members, "oneOf", pointer)?,
            not: self.member(members, "not", pointer)?,
            condition: self.condition(members, pointer)?,
            secret: members.get("secret") == Some(&Value::Bool(true))
                || members
                    .get("format")
                    .is_some_and(|format| format == "password"),
            holds_secret: false,
            flow: Flow::Buffer,
        };
        if rules.says_nothing_itself() && rules.is_plain() && !rules.secret {
            return Ok(Node::Any);
        }
        Ok(Node::Rules(Box::new(rules)))
    }

    fn member(
        &mut self,
        members: &'d Members,
        word: &str,
        pointer: &str,
    ) -> Result<Option<NodeId>, SchemaError> {
        members
            .get(word)
            .map(|schema| self.node(schema, &format!("{pointer}/{word}")))
            .transpose()
    }

    fn list(
        &mut self,
        members: &'d Members,
        word: &str,
        pointer: &str,
    ) -> Result<Vec<NodeId>, SchemaError> {
        let Some(value) = members.get(word) else {
            return Ok(Vec::new());
        };
        let pointer = format!("{pointer}/{word}");
        match value {
            Value::Array(schemas) if !schemas.is_empty() => self.nodes_of(schemas, &pointer),
            _ => Err(SchemaError::new(
                &pointer,
                "must be a list of schemas, not empty",
            )),
        }
    }

    fn nodes_of(
        &mut self,
        schemas: &'d [Value],
        pointer: &str,
    ) -> Result<Vec<NodeId>, SchemaError> {
        schemas
            .iter()
            .enumerate()
            .map(|(index, schema)| self.node(schema, &format!("{pointer}/{index}")))
            .collect()
    }

    fn condition(
        &mut self,
        members: &'d Members,
        pointer: &str,
    ) -> Result<Option<Condition>, SchemaError> {
        let when = self.member(members, "if", pointer)?;
        let then = self.member(members, "then", pointer)?;
        let otherwise = self.member(members, "else", pointer)?;
        // An `if` alone decides nothing, but what it looked at counts as evaluated.
        Ok(when.map(|when| (when, then, otherwise)))
    }

    fn reference(
        &mut self,
        members: &'d Members,
        pointer: &str,
    ) -> Result<Option<NodeId>, SchemaError> {
        let Some((word, value)) = ["$ref", "$dynamicRef"]
            .into_iter()
            .find_map(|word| Some((word, members.get(word)?)))
        else {
            return Ok(None);
        };
        let place = format!("{pointer}/{word}");
        let Value::String(reference) = value else {
            return Err(SchemaError::new(&place, "must be a string"));
        };
        let target = self
            .resolve(reference)
            .map_err(|message| SchemaError::new(&place, message))?;
        let Some(schema) = self.document.pointer(&target) else {
            return Err(SchemaError::new(
                &place,
                format!("'{reference}' points at nothing"),
            ));
        };
        self.node(schema, &target).map(Some)
    }

    /// The pointer a reference means.
    fn resolve(&self, reference: &str) -> Result<String, String> {
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let start = if base.is_empty() {
            ""
        } else {
            self.names.get(base).map(String::as_str).ok_or_else(|| {
                format!("'{reference}' is outside the document; only local references are followed")
            })?
        };
        if fragment.is_empty() {
            return Ok(start.to_owned());
        }
        if fragment.starts_with('/') {
            let decoded = percent_decode_str(fragment)
                .decode_utf8()
                .map_err(|_| "reference is not UTF-8".to_owned())?;
            return Ok(format!("{start}{decoded}"));
        }
        let anchor = self.names.get(&format!("#{fragment}"));
        anchor
            .cloned()
            .ok_or_else(|| format!("no anchor named '{fragment}'"))
    }

    fn pattern(&mut self, source: &str, pointer: &str) -> Result<Pattern, SchemaError> {
        if regex::Regex::new(source).is_err() && self.fallback.is_some() {
            self.foreign.push(source.to_owned());
        }
        Pattern::compile(source, self.fallback).map_err(|reason| {
            SchemaError::new(pointer, format!("invalid pattern '{source}': {reason}"))
        })
    }

    fn text(&mut self, members: &Members, pointer: &str) -> Result<Option<TextRules>, SchemaError> {
        let pattern = match string(members, "pattern", pointer)? {
            Some(source) => Some(self.pattern(source, &format!("{pointer}/pattern"))?),
            None => None,
        };
        let mut format = string(members, "format", pointer)?.and_then(Format::of);
        match &mut format {
            Some(Format::Uuid(version)) if members.contains_key("uuidVersion") => {
                *version = Some(uuid_version(&members["uuidVersion"], pointer)?);
            }
            Some(Format::Duration(seconds)) => *seconds = flag(members, "plainSeconds", pointer)?,
            None if members.contains_key("contentMediaType")
                || members.contains_key("contentEncoding") =>
            {
                format = Some(Format::Binary);
            }
            _ => {}
        }
        let rules = TextRules {
            min_length: count(members, "minLength", pointer)?,
            max_length: count(members, "maxLength", pointer)?,
            pattern,
            format,
            no_null: flag(members, "no_null", pointer)?,
        };
        Ok((!rules.is_empty()).then_some(rules))
    }

    fn array(
        &mut self,
        members: &'d Members,
        pointer: &str,
    ) -> Result<Option<ArrayRules>, SchemaError> {
        let mut rules = ArrayRules {
            prefix: self.list(members, "prefixItems", pointer)?,
            min_items: count(members, "minItems", pointer)?,
            max_items: count(members, "maxItems", pointer)?,
            unique: flag(members, "uniqueItems", pointer)?,
            unevaluated: self.member(members, "unevaluatedItems", pointer)?,
            ..ArrayRules::default()
        };
        if let Some(Value::Array(schemas)) = members.get("items") {
            // Draft 7 spelt tuples so.
            rules.prefix = self.nodes_of(schemas, &format!("{pointer}/items"))?;
            rules.items = self.member(members, "additionalItems", pointer)?;
        } else {
            rules.items = self.member(members, "items", pointer)?;
        }
        let least = count(members, "minContains", pointer)?.unwrap_or(1);
        let most = count(members, "maxContains", pointer)?;
        rules.contains = self
            .member(members, "contains", pointer)?
            .map(|node| (node, least, most));
        Ok((!rules.is_empty()).then_some(rules))
    }

    fn object(
        &mut self,
        members: &'d Members,
        pointer: &str,
    ) -> Result<Option<ObjectRules>, SchemaError> {
        let mut rules = ObjectRules::default();
        rules.names = self.member(members, "propertyNames", pointer)?;
        rules.min_properties = count(members, "minProperties", pointer)?;
        rules.max_properties = count(members, "maxProperties", pointer)?;
        rules.unevaluated = self.member(members, "unevaluatedProperties", pointer)?;
        rules.additional = match members.get("additionalProperties") {
            None => Additional::Free,
            Some(Value::Bool(false)) => Additional::Forbidden,
            Some(schema) => {
                Additional::Judged(self.node(schema, &format!("{pointer}/additionalProperties"))?)
            }
        };
        for (name, schema) in map(members, "properties", pointer)? {
            let place = format!("{pointer}/properties/{}", escape_pointer(name));
            let slot = rules.intern(name);
            rules.members[slot].node = Some(self.node(schema, &place)?);
        }
        for (source, schema) in map(members, "patternProperties", pointer)? {
            let place = format!("{pointer}/patternProperties/{}", escape_pointer(source));
            let pattern = self.pattern(source, &place)?;
            rules.patterns.push((pattern, self.node(schema, &place)?));
        }
        // A boolean `required` inside a property belongs to parameter schemas and says nothing about members.
        if !matches!(members.get("required"), Some(Value::Bool(_))) {
            for name in members
                .get("required")
                .map(|list| strings(list, &format!("{pointer}/required")))
                .transpose()?
                .unwrap_or_default()
            {
                let slot = rules.intern(name);
                if !rules.required.contains(&slot) {
                    rules.required.push(slot);
                }
            }
        }
        for word in ["dependentRequired", "dependentSchemas", "dependencies"] {
            for (name, value) in map(members, word, pointer)? {
                let place = format!("{pointer}/{word}/{}", escape_pointer(name));
                self.dependency(&mut rules, word, name, value, &place)?;
            }
        }
        rules.seal();
        Ok((!rules.is_empty()).then_some(rules))
    }

    fn dependency(
        &mut self,
        rules: &mut ObjectRules,
        word: &str,
        name: &str,
        value: &'d Value,
        place: &str,
    ) -> Result<(), SchemaError> {
        let trigger = rules.intern(name);
        if word == "dependentRequired" || (word == "dependencies" && value.is_array()) {
            let needed = strings(value, place)?
                .into_iter()
                .map(|name| rules.intern(name))
                .collect();
            rules.dependent_required.push((trigger, needed));
        } else {
            rules
                .dependent_schemas
                .push((trigger, self.node(value, place)?));
        }
        Ok(())
    }
}

fn declared_types(members: &Members, pointer: &str) -> Result<Vec<u8>, SchemaError> {
    let Some(value) = members.get("type") else {
        return Ok(Vec::new());
    };
    let pointer = format!("{pointer}/type");
    let names = match value {
        Value::String(name) => vec![name.as_str()],
        Value::Array(names) if !names.is_empty() => strings(value, &pointer)?,
        _ => {
            return Err(SchemaError::new(
                &pointer,
                "must be a type name or a list of them",
            ));
        }
    };
    let of = |name: &str| match name {
        "null" => Ok(kind::NULL),
        "boolean" => Ok(kind::BOOL),
        "integer" => Ok(kind::INTEGER),
        "number" => Ok(kind::NUMBER),
        "string" => Ok(kind::STRING),
        "array" => Ok(kind::ARRAY),
        "object" => Ok(kind::OBJECT),
        _ => Err(SchemaError::new(
            &pointer,
            format!("'{name}' is not a JSON type"),
        )),
    };
    names.into_iter().map(of).collect()
}

fn number(members: &Members, pointer: &str) -> Result<Option<NumberRules>, SchemaError> {
    let bound = |word: &str| -> Result<Option<Bound>, SchemaError> {
        let place = || format!("{pointer}/{word}");
        match members.get(word) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(Bound::new(number))),
            Some(Value::Bool(_)) if word.starts_with("exclusive") => Err(SchemaError::new(
                &place(),
                "must be a number; the boolean form of draft 4 is not read",
            )),
            Some(_) => Err(SchemaError::new(&place(), "must be a number")),
        }
    };
    if members
        .get("multipleOf")
        .and_then(Value::as_f64)
        .is_some_and(|step| step <= 0.0)
    {
        return Err(SchemaError::new(
            &format!("{pointer}/multipleOf"),
            "must be above zero",
        ));
    }
    let rules = NumberRules {
        above: bound("exclusiveMinimum")?,
        least: bound("minimum")?,
        below: bound("exclusiveMaximum")?,
        most: bound("maximum")?,
        step: bound("multipleOf")?,
    };
    Ok((!rules.is_empty()).then_some(rules))
}

fn choices(members: &Members, pointer: &str) -> Result<Option<Choices>, SchemaError> {
    match members.get("enum") {
        None => Ok(None),
        Some(Value::Array(values)) => {
            let mut words: Vec<String> = values.iter().map(quoted).collect();
            let last = words.pop().unwrap_or_default();
            let expected = if words.is_empty() {
                last
            } else {
                format!("{} or {last}", words.join(", "))
            };
            Ok(Some(Choices {
                values: values.clone(),
                expected,
            }))
        }
        Some(_) => Err(SchemaError::new(
            &format!("{pointer}/enum"),
            "must be a list of values",
        )),
    }
}

/// A value as messages show it: text in single quotes, the rest as JSON.
pub(crate) fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

fn uuid_version(value: &Value, pointer: &str) -> Result<u8, SchemaError> {
    let version = match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number
            .as_u64()
            .and_then(|version| u8::try_from(version).ok()),
        _ => None,
    };
    version
        .filter(|version| (1..=8).contains(version))
        .ok_or_else(|| SchemaError::new(&format!("{pointer}/uuidVersion"), "must be 1 to 8"))
}

fn count(members: &Members, word: &str, pointer: &str) -> Result<Option<usize>, SchemaError> {
    let whole = |number: &Number| {
        number.as_u64().or_else(|| {
            number
                .as_f64()
                .filter(|f| *f >= 0.0 && *f < 9e15 && f.fract() == 0.0)
                .map(|f| f as u64)
        })
    };
    match members.get(word) {
        None => Ok(None),
        Some(value) => match value.as_number().and_then(whole) {
            Some(count) => Ok(Some(count as usize)),
            None => Err(SchemaError::new(
                &format!("{pointer}/{word}"),
                "must be a whole number, zero or more",
            )),
        },
    }
}

fn flag(members: &Members, word: &str, pointer: &str) -> Result<bool, SchemaError> {
    match members.get(word) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(SchemaError::new(
            &format!("{pointer}/{word}"),
            "must be true or false",
        )),
    }
}

fn string<'m>(
    members: &'m Members,
    word: &str,
    pointer: &str,
) -> Result<Option<&'m str>, SchemaError> {
    match members.get(word) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(SchemaError::new(
            &format!("{pointer}/{word}"),
            "must be a string",
        )),
    }
}

fn strings<'m>(value: &'m Value, pointer: &str) -> Result<Vec<&'m str>, SchemaError> {
    let wrong = || SchemaError::new(pointer, "must be a list of strings");
    let items = value.as_array().ok_or_else(wrong)?;
    items
        .iter()
        .map(|item| item.as_str().ok_or_else(wrong))
        .collect()
}

fn map<'m>(
    members: &'m Members,
    word: &str,
    pointer: &str,
) -> Result<impl Iterator<Item = (&'m String, &'m Value)> + use<'m>, SchemaError> {
    match members.get(word) {
        None => Ok(None.into_iter().flatten()),
        Some(Value::Object(map)) => Ok(Some(map.iter()).into_iter().flatten()),
        Some(_) => Err(SchemaError::new(
            &format!("{pointer}/{word}"),
            "must be an object",
        )),
    }
}
