//! The parameters of a route: compiled once, then found in a request, coerced and checked.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;

use crate::coerce::Coerce;
use crate::coerce_tree::Shape;
use crate::coerced::{Coerced, Slot};
use crate::error::SchemaError;
use crate::fault::{Fault, Loc, escape_pointer};
use crate::faults::Faults;
use crate::pattern::PatternFallback;
use crate::place::{Place, Sink};
use crate::schema::Schema;
use crate::tree::{DEEPEST_NAME, Names, steps};

/// Where a parameter comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    Path,
    Query,
    Header,
    Cookie,
}

impl Source {
    /// The first step of a fault's `loc`: plural for headers, as it has always been.
    pub fn loc(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "headers",
            Self::Cookie => "cookie",
        }
    }
}

/// What a route says about one parameter.
#[derive(Debug, Clone)]
pub struct ParameterSpec {
    /// The Python name.
    pub name: String,
    /// The name in the request; header names in any case.
    pub wire_name: String,
    pub source: Source,
    pub required: bool,
    pub schema: Value,
    /// Splits one text into the items of a list.
    pub separator: Option<String>,
    /// Never shown in faults; `authorization` and `cookie` headers never are anyway.
    pub secret: bool,
    /// Position among the path parameters of the route.
    pub path_index: usize,
}

/// The texts of a request, decoded.
pub trait RawInput {
    /// The path parameter at a position.
    fn path(&self, index: usize) -> Option<&str>;
    /// The query pairs in their order.
    fn query(&self) -> &[(Cow<'_, str>, Cow<'_, str>)];
    /// Every value of a header, name in lower case.
    fn header<'a>(&'a self, lower_name: &str, visit: &mut dyn FnMut(Cow<'a, str>));
    /// Every value of a cookie.
    fn cookie<'a>(&'a self, name: &str, visit: &mut dyn FnMut(Cow<'a, str>));
}

#[derive(Debug)]
struct Parameter {
    spec: ParameterSpec,
    schema: Schema,
    shape: Shape,
    separator: Option<String>,
}

/// The compiled parameters of a route.
#[derive(Debug)]
pub struct ParameterSet {
    parameters: Vec<Parameter>,
}

impl ParameterSet {
    /// Compiles the schemas; a fault's pointer begins with `/properties/NAME`.
    pub fn compile(specs: Vec<ParameterSpec>) -> Result<Self, SchemaError> {
        Self::build(specs, None)
    }

    /// As [`ParameterSet::compile`], with an engine for patterns that need look-around or back-references.
    pub fn compile_with(
        specs: Vec<ParameterSpec>,
        fallback: &dyn PatternFallback,
    ) -> Result<Self, SchemaError> {
        Self::build(specs, Some(fallback))
    }

    fn build(
        specs: Vec<ParameterSpec>,
        fallback: Option<&dyn PatternFallback>,
    ) -> Result<Self, SchemaError> {
        let mut parameters = Vec::with_capacity(specs.len());
        for mut spec in specs {
            if spec.source == Source::Header {
                spec.wire_name.make_ascii_lowercase();
                spec.secret |= matches!(
                    spec.wire_name.as_str(),
                    "authorization" | "proxy-authorization" | "cookie"
                );
            }
            let schema =
                crate::compile::compile(&spec.schema, fallback).map_err(|error| SchemaError {
                    pointer: format!(
                        "/properties/{}{}",
                        escape_pointer(&spec.name),
                        error.pointer
                    ),
                    message: error.message,
                })?;
            let declared = spec
                .schema
                .get("separator")
                .and_then(Value::as_str)
                .map(str::to_owned);
            let separator = spec
                .separator
                .clone()
                .or(declared)
                .filter(|separator| !separator.is_empty());
            let shape = Shape::of(&schema, schema.root);
            parameters.push(Parameter {
                spec,
                schema,
                shape,
                separator,
            });
        }
        Ok(Self { parameters })
    }

    /// How many slots a request gives.
    pub fn len(&self) -> usize {
        self.parameters.len()
    }

    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }

    /// The specifications, in order.
    pub fn specs(&self) -> impl Iterator<Item = &ParameterSpec> {
        self.parameters.iter().map(|parameter| &parameter.spec)
    }

    /// Patterns that went to the fallback engine.
    pub fn foreign_patterns(&self) -> impl Iterator<Item = &str> {
        self.parameters
            .iter()
            .flat_map(|parameter| parameter.schema.foreign_patterns())
            .map(String::as_str)
    }

    /// One slot per specification, in order. A faulty parameter leaves its faults and an absent slot.
    pub fn resolve<'a, I: RawInput + ?Sized>(
        &self,
        input: &'a I,
        faults: &mut Faults,
    ) -> Vec<Slot<'a>> {
        self.parameters
            .iter()
            .map(|parameter| parameter.resolve(input, faults))
            .collect()
    }

    /// The query names no parameter asks for, each once: for models that forbid extras.
    pub fn extra_query<'a, I: RawInput + ?Sized>(&self, input: &'a I) -> Vec<&'a str> {
        let mut extra: Vec<&str> = Vec::new();
        let mut seen = HashSet::new();
        for (name, _) in input.query() {
            let known = self
                .parameters
                .iter()
                .any(|parameter| parameter.asks_for(name));
            if !known && seen.insert(&**name) {
                extra.push(name);
            }
        }
        extra
    }
}

impl Parameter {
    fn asks_for(&self, name: &str) -> bool {
        let wanted = &*self.spec.wire_name;
        self.spec.source == Source::Query
            && name
                .strip_prefix(wanted)
                .is_some_and(|rest| match self.shape {
                    Shape::Scalar => rest.is_empty(),
                    Shape::List | Shape::Either => rest.is_empty() || rest == "[]",
                    Shape::Object => rest.is_empty() || rest.starts_with('['),
                })
    }

    fn resolve<'a, I: RawInput + ?Sized>(&self, input: &'a I, faults: &mut Faults) -> Slot<'a> {
        if let Shape::Scalar = self.shape {
            return match self.one(input) {
                Some(text) => self.scalar(text, faults),
                None => self.absent(faults),
            };
        }
        if self.shape == Shape::Object && self.spec.source == Source::Query {
            let members = self.members(input);
            if !members.is_empty() {
                let root = [Source::Query.loc(), &*self.spec.wire_name];
                let made =
                    self.coerce(faults)
                        .object(self.schema.root, members, &Place::Root(&root));
                return made.map_or(Slot::Absent, Slot::Value);
            }
        }
        if self.shape == Shape::Object {
            return match self.one(input) {
                Some(text) => self.scalar(text, faults),
                None => self.absent(faults),
            };
        }
        let mut texts = self.all(input);
        match (texts.len(), self.shape) {
            (0, _) if !self.given(input) => self.absent(faults),
            (1, Shape::Either) => texts
                .pop()
                .map_or(Slot::Absent, |text| self.scalar(text, faults)),
            _ => {
                let root = [self.spec.source.loc(), &*self.spec.wire_name];
                let made = self
                    .coerce(faults)
                    .list(self.schema.root, texts, &Place::Root(&root));
                made.map_or(Slot::Absent, Slot::Value)
            }
        }
    }

    fn coerce<'f>(&self, faults: &'f mut Faults) -> Coerce<'_, 'f> {
        Coerce {
            schema: &self.schema,
            sink: Sink::Gather(faults),
            secret: self.spec.secret,
            form: false,
        }
    }

    fn scalar<'a>(&self, text: Cow<'a, str>, faults: &mut Faults) -> Slot<'a> {
        let root = [self.spec.source.loc(), &*self.spec.wire_name];
        self.coerce(faults)
            .scalar(self.schema.root, text, &Place::Root(&root))
            .map_or(Slot::Absent, Slot::Value)
    }

    #[cold]
    fn absent<'a>(&self, faults: &mut Faults) -> Slot<'a> {
        if self.spec.required {
            let loc = vec![
                Loc::from(self.spec.source.loc()),
                Loc::from(&*self.spec.wire_name),
            ];
            faults.push(Fault::missing(loc, Some(Value::Null)));
        }
        Slot::Absent
    }

    /// The one text of a scalar: the last of a query key or cookie, the repeats of a header joined.
    fn one<'a, I: RawInput + ?Sized>(&self, input: &'a I) -> Option<Cow<'a, str>> {
        let name = &*self.spec.wire_name;
        match self.spec.source {
            Source::Path => input.path(self.spec.path_index).map(Cow::Borrowed),
            Source::Query => {
                let mut pairs = input.query().iter().rev();
                pairs
                    .find(|(key, _)| *key == *name)
                    .map(|(_, value)| Cow::Borrowed(&**value))
            }
            Source::Header => {
                let mut found: Option<Cow<'a, str>> = None;
                input.header(name, &mut |value| match &mut found {
                    Some(joined) => {
                        let joined = joined.to_mut();
                        joined.push_str(", ");
                        joined.push_str(&value);
                    }
                    None => found = Some(value),
                });
                found
            }
            Source::Cookie => {
                let mut found = None;
                input.cookie(name, &mut |value| found = Some(value));
                found
            }
        }
    }

    /// Every text of a list.
    fn all<'a, I: RawInput + ?Sized>(&self, input: &'a I) -> Vec<Cow<'a, str>> {
        let name = &*self.spec.wire_name;
        let separator = self.separator.as_deref();
        let mut texts = Vec::new();
        match self.spec.source {
            Source::Path => {
                if let Some(text) = input.path(self.spec.path_index) {
                    split(Cow::Borrowed(text), separator.or(Some(",")), &mut texts);
                }
            }
            Source::Query => {
                for (key, value) in input.query() {
                    if key
                        .strip_prefix(name)
                        .is_some_and(|rest| rest.is_empty() || rest == "[]")
                    {
                        split(Cow::Borrowed(&**value), separator, &mut texts);
                    }
                }
            }
            Source::Header => input.header(name, &mut |value| match separator {
                Some(separator) if separator != "," => split(value, Some(separator), &mut texts),
                _ => split_header(value, &mut texts),
            }),
            Source::Cookie => input.cookie(name, &mut |value| split(value, separator, &mut texts)),
        }
        texts
    }

    /// Whether the parameter came at all; an empty text may hold no item.
    fn given<I: RawInput + ?Sized>(&self, input: &I) -> bool {
        match self.spec.source {
            Source::Query => input.query().iter().any(|(key, _)| self.asks_for(key)),
            _ => self.one(input).is_some(),
        }
    }

    /// The texts of `name[key]=...`; names that cannot be read are not ours.
    fn members<'a, I: RawInput + ?Sized>(&self, input: &'a I) -> Names<'a> {
        let mut names = Names::default();
        for (name, value) in input.query() {
            if name.len() > self.spec.wire_name.len()
                && self.asks_for(name)
                && let Some(steps) = steps(name)
                && steps.len() <= DEEPEST_NAME + 1
            {
                let _conflict = names.insert(&steps[1..], Cow::Borrowed(&**value).into());
            }
        }
        names
    }
}

/// Splits a text at a separator; an empty one has no items then. Without a separator it is one item.
fn split<'a>(text: Cow<'a, str>, separator: Option<&str>, texts: &mut Vec<Cow<'a, str>>) {
    let Some(separator) = separator else {
        return texts.push(text);
    };
    if text.is_empty() {
        return;
    }
    match text {
        Cow::Borrowed(text) => texts.extend(text.split(separator).map(Cow::Borrowed)),
        Cow::Owned(text) => texts.extend(
            text.split(separator)
                .map(|item| Cow::Owned(item.to_owned())),
        ),
    }
}

/// The items of a header list: commas inside double quotes do not divide, empty items do not count.
fn split_header<'a>(value: Cow<'a, str>, texts: &mut Vec<Cow<'a, str>>) {
    let mut quoted = false;
    let mut escaped = false;
    let mut divides = |character: char| {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' => return !quoted,
            _ => {}
        }
        false
    };
    match value {
        Cow::Borrowed(text) => {
            let items = text
                .split(&mut divides)
                .map(str::trim)
                .filter(|item| !item.is_empty());
            texts.extend(items.map(Cow::Borrowed));
        }
        Cow::Owned(text) => {
            let items = text
                .split(&mut divides)
                .map(str::trim)
                .filter(|item| !item.is_empty());
            texts.extend(items.map(|item| Cow::Owned(item.to_owned())));
        }
    }
}

impl<'a> Slot<'a> {
    /// The value, if it came.
    pub fn value(&self) -> Option<&Coerced<'a>> {
        match self {
            Self::Absent => None,
            Self::Value(value) => Some(value),
        }
    }
}
