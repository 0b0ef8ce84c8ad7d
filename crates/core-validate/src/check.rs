//! The check of a value: quietly, for yes or no, or gathering every fault with its place.

use serde_json::{Number, Value};

use crate::analysis::kind_of;
use crate::check_object::Members;
use crate::compile::quoted;
use crate::fault::FaultKind;
use crate::faults::Faults;
use crate::number::{Num, json_equal};
use crate::place::{Place, Sink, shown};
use crate::scalar::{context, counted};
use crate::schema::{ArrayRules, Choices, Node, NodeId, Rules, Schema, kind};
use crate::unevaluated::{evaluated_items, evaluated_members};

pub(crate) fn accepts(schema: &Schema, node: NodeId, value: &Value) -> bool {
    Check {
        schema,
        sink: Sink::Quiet,
    }
    .node(node, value, &Place::Root(&[]), false)
}

pub(crate) fn gather(
    schema: &Schema,
    node: NodeId,
    value: &Value,
    root: &[&str],
    faults: &mut Faults,
) {
    Check {
        schema,
        sink: Sink::Gather(faults),
    }
    .node(node, value, &Place::Root(root), false);
}

/// Runs checks one after the other until a fault settles the matter; true when all passed.
macro_rules! every {
    ($run:expr; $($check:expr),+ $(,)?) => {{
        let mut fits = true;
        $(if fits || !$run.sink.is_done() { fits &= $check; })+
        fits
    }};
}
pub(crate) use every;

/// One run over a value.
pub(crate) struct Check<'s, 'f> {
    pub(crate) schema: &'s Schema,
    pub(crate) sink: Sink<'f>,
}

/// A value with all that belongs to its judgement.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'v> {
    pub(crate) value: &'v Value,
    pub(crate) place: &'v Place<'v>,
    /// Something around the value is secret, or the value itself.
    pub(crate) secret: bool,
    /// The value may not be shown: it is secret, or something in it is.
    pub(crate) hidden: bool,
}

impl Subject<'_> {
    pub(crate) fn shown(&self) -> Option<Value> {
        shown(self.value, self.hidden)
    }
}

impl<'s> Check<'s, '_> {
    /// True when the value fits. `secret` says that something around it is secret.
    pub(crate) fn node(
        &mut self,
        id: NodeId,
        value: &Value,
        place: &Place<'_>,
        secret: bool,
    ) -> bool {
        match &self.schema.nodes[id] {
            Node::Any => true,
            Node::Never => self.prohibited(value, place, secret),
            Node::Rules(rules) => self.rules(rules, value, place, secret),
        }
    }

    pub(crate) fn rules(
        &mut self,
        rules: &'s Rules,
        value: &Value,
        place: &Place<'_>,
        secret: bool,
    ) -> bool {
        if rules.nullable && value.is_null() {
            return true;
        }
        let secret = secret || rules.secret;
        let subject = Subject {
            value,
            place,
            secret,
            hidden: secret || rules.holds_secret,
        };
        if rules.types & kind_of(value) == 0 {
            let (kind, msg) = type_fault(rules);
            self.sink.tell(place, kind, |fault| {
                msg.clone_into(&mut fault.msg);
                fault.input = subject.shown();
            });
            return false;
        }
        every!(self;
            self.own(rules, subject),
            self.listed(rules, subject),
            rules.is_plain() || self.combinators(rules, subject),
            self.unevaluated(rules, subject),
        )
    }

    /// What the keywords of the value's type say.
    fn own(&mut self, rules: &'s Rules, subject: Subject<'_>) -> bool {
        match subject.value {
            Value::String(text) => self.text(rules, text, subject, true),
            Value::Number(number) => self.number(rules, number, subject),
            Value::Array(items) => match &rules.array {
                Some(array) => every!(self;
                    self.items(array, items, subject),
                    self.list(array, items, subject),
                ),
                None => true,
            },
            Value::Object(members) => match &rules.object {
                Some(object) => Members {
                    object,
                    members,
                    subject,
                }
                .check(self),
                None => true,
            },
            Value::Null | Value::Bool(_) => true,
        }
    }

    pub(crate) fn text(
        &mut self,
        rules: &Rules,
        text: &str,
        subject: Subject<'_>,
        with_format: bool,
    ) -> bool {
        let Some(wanted) = &rules.text else {
            return true;
        };
        if matches!(self.sink, Sink::Quiet) {
            return wanted.accepts(text);
        }
        let mut fits = true;
        wanted.report(text, with_format, &mut |kind, msg, ctx| {
            fits = false;
            self.sink.tell(subject.place, kind, |fault| {
                fault.msg = msg;
                fault.ctx = ctx;
                fault.input = subject.shown();
            });
        });
        fits
    }

    fn number(&mut self, rules: &Rules, number: &Number, subject: Subject<'_>) -> bool {
        rules.number.is_none() || self.num(rules, Num::of(number), subject)
    }

    pub(crate) fn num(&mut self, rules: &Rules, num: Num<'_>, subject: Subject<'_>) -> bool {
        let Some(wanted) = &rules.number else {
            return true;
        };
        if wanted.accepts(num) {
            return true;
        }
        wanted.report(num, &mut |kind, msg, ctx| {
            self.sink.tell(subject.place, kind, |fault| {
                fault.msg = msg;
                fault.ctx = ctx;
                fault.input = subject.shown();
            });
        });
        false
    }

    fn items(&mut self, rules: &ArrayRules, items: &[Value], subject: Subject<'_>) -> bool {
        let mut fits = true;
        for (index, item) in items.iter().enumerate() {
            let Some(node) = rules.item(index) else { break };
            fits &= self.node(node, item, &subject.place.index(index), subject.secret);
            if !fits && self.sink.is_done() {
                return false;
            }
        }
        fits
    }

    /// What is said about the list as a whole.
    pub(crate) fn list(
        &mut self,
        rules: &ArrayRules,
        items: &[Value],
        subject: Subject<'_>,
    ) -> bool {
        let mut fits = true;
        let limits = [
            (
                rules.min_items.filter(|min| items.len() < *min),
                FaultKind::TooShort,
                "at least",
                "min_length",
            ),
            (
                rules.max_items.filter(|max| items.len() > *max),
                FaultKind::TooLong,
                "at most",
                "max_length",
            ),
        ];
        for (limit, kind, words, key) in limits {
            let Some(limit) = limit else { continue };
            fits = false;
            self.sink.tell(subject.place, kind, |fault| {
                fault.msg = format!(
                    "List should have {words} {} after validation",
                    counted(limit, "item", "items")
                );
                fault.ctx = context(key, limit);
                fault.ctx.insert("actual_length".into(), items.len().into());
                fault.ctx.insert("field_type".into(), "List".into());
                fault.input = subject.shown();
            });
        }
        if rules.unique
            && let Some(index) = first_repeat(items)
        {
            fits = false;
            self.sink
                .tell(subject.place, FaultKind::UniqueItems, |fault| {
                    fault.msg = "List items should be unique".into();
                    if let Some(value) = shown(&items[index], subject.hidden) {
                        fault.ctx.insert("duplicate_value".into(), value);
                    }
                    fault.ctx.insert("duplicate_index".into(), index.into());
                    fault.input = subject.shown();
                });
        }
        if let Some((node, least, most)) = rules.contains {
            let found = items
                .iter()
                .filter(|item| accepts(self.schema, node, item))
                .count();
            if found < least || most.is_some_and(|most| found > most) {
                fits = false;
                self.keyword(
                    FaultKind::Contains,
                    "contains",
                    subject.place,
                    subject.shown(),
                );
            }
        }
        fits
    }

    /// `enum` and `const`.
    pub(crate) fn listed(&mut self, rules: &Rules, subject: Subject<'_>) -> bool {
        let mut fits = true;
        if let Some(choices) = &rules.choices
            && !choices
                .values
                .iter()
                .any(|choice| json_equal(choice, subject.value))
        {
            fits = false;
            tell_choices(&mut self.sink, choices, subject.place, subject.shown());
        }
        if let Some(constant) = &rules.constant
            && !json_equal(constant, subject.value)
        {
            fits = false;
            tell_constant(&mut self.sink, constant, subject);
        }
        fits
    }

    fn combinators(&mut self, rules: &Rules, subject: Subject<'_>) -> bool {
        every!(self;
            rules.reference.is_none_or(|node| self.again(node, subject)),
            subject.value.is_null() || rules.optional.is_none_or(|node| self.again(node, subject)),
            self.all_of(&rules.all_of, subject),
            self.branches(&rules.any_of, subject, FaultKind::AnyOf),
            self.branches(&rules.one_of, subject, FaultKind::OneOf),
            self.not(rules.not, subject),
            self.condition(rules, subject),
        )
    }

    fn again(&mut self, node: NodeId, subject: Subject<'_>) -> bool {
        self.node(node, subject.value, subject.place, subject.secret)
    }

    fn all_of(&mut self, nodes: &[NodeId], subject: Subject<'_>) -> bool {
        let mut fits = true;
        for node in nodes {
            fits &= self.again(*node, subject);
            if !fits && self.sink.is_done() {
                return false;
            }
        }
        fits
    }

    fn branches(&mut self, nodes: &[NodeId], subject: Subject<'_>, kind: FaultKind) -> bool {
        if nodes.is_empty() {
            return true;
        }
        let mut fitting = nodes
            .iter()
            .filter(|node| accepts(self.schema, **node, subject.value));
        let found = if kind == FaultKind::AnyOf {
            fitting.by_ref().take(1).count()
        } else {
            fitting.by_ref().count()
        };
        if found == 1 {
            return true;
        }
        self.tell_branches(nodes, subject, kind, found);
        false
    }

    pub(crate) fn tell_branches(
        &mut self,
        nodes: &[NodeId],
        subject: Subject<'_>,
        kind: FaultKind,
        found: usize,
    ) {
        let branches = match &self.sink {
            Sink::Gather(faults) if faults.tells_branches() => self.branch_faults(nodes, subject),
            _ => None,
        };
        self.sink.tell(subject.place, kind, |fault| {
            fault.msg = if kind == FaultKind::AnyOf {
                format!("Must match at least one schema (anyOf), but matched {found}")
            } else {
                format!("Must match exactly one schema (oneOf), but matched {found}")
            };
            fault.ctx = context("matched_schemas", found);
            if let Some(branches) = branches {
                fault.ctx.insert("branches".into(), branches);
            }
            fault.input = subject.shown();
        });
    }

    /// The faults of each branch, for `ctx.branches`.
    fn branch_faults(&self, nodes: &[NodeId], subject: Subject<'_>) -> Option<Value> {
        let mut all = Vec::new();
        for node in nodes {
            let mut faults = Faults::new();
            Check {
                schema: self.schema,
                sink: Sink::Gather(&mut faults),
            }
            .again(*node, subject);
            all.push(serde_json::from_slice(&faults.to_json()).ok()?);
        }
        Some(Value::Array(all))
    }

    fn not(&mut self, node: Option<NodeId>, subject: Subject<'_>) -> bool {
        match node {
            Some(node) if accepts(self.schema, node, subject.value) => {
                self.prohibited(subject.value, subject.place, subject.hidden)
            }
            _ => true,
        }
    }

    fn condition(&mut self, rules: &Rules, subject: Subject<'_>) -> bool {
        let Some((when, then, otherwise)) = rules.condition else {
            return true;
        };
        if then.is_none() && otherwise.is_none() {
            return true;
        }
        let branch = if accepts(self.schema, when, subject.value) {
            then
        } else {
            otherwise
        };
        branch.is_none_or(|node| self.again(node, subject))
    }

    fn unevaluated(&mut self, rules: &'s Rules, subject: Subject<'_>) -> bool {
        let items = match subject.value {
            Value::Array(items) => items,
            Value::Object(members) => {
                let Some(object) = &rules.object else {
                    return true;
                };
                let Some(node) = object.unevaluated else {
                    return true;
                };
                let known = evaluated_members(self.schema, rules, subject.value, members);
                return Members {
                    object,
                    members,
                    subject,
                }
                .unevaluated(self, node, &known);
            }
            _ => return true,
        };
        let Some(node) = rules.array.as_ref().and_then(|array| array.unevaluated) else {
            return true;
        };
        let known = evaluated_items(self.schema, rules, subject.value, items);
        let mut fits = true;
        for (index, item) in items.iter().enumerate() {
            if !known[index] && !accepts(self.schema, node, item) {
                fits = false;
                let input = shown(item, subject.hidden);
                self.keyword(
                    FaultKind::Unevaluated,
                    "unevaluatedItems",
                    &subject.place.index(index),
                    input,
                );
            }
        }
        fits
    }

    /// A value where none may be.
    fn prohibited(&mut self, value: &Value, place: &Place<'_>, hidden: bool) -> bool {
        self.sink.tell(place, FaultKind::NotAllowed, |fault| {
            fault.msg = "Must not match the schema".into();
            if let Some(value) = shown(value, hidden) {
                fault.ctx = context("prohibited_value", value.clone());
                fault.input = Some(value);
            }
        });
        false
    }

    /// A fault that is known by its keyword only.
    pub(crate) fn keyword(
        &mut self,
        kind: FaultKind,
        word: &str,
        place: &Place<'_>,
        input: Option<Value>,
    ) {
        self.sink.tell(place, kind, |fault| {
            fault.msg = format!("Value failed keyword {word}");
            fault.ctx = context("keyword", word);
            fault.input = input;
        });
    }
}

/// Kind and message of a value of the wrong type: the first declared type that is not null speaks.
pub(crate) fn type_fault(rules: &Rules) -> (FaultKind, &'static str) {
    let wanted = rules
        .declared
        .iter()
        .copied()
        .find(|bit| *bit != kind::NULL)
        .unwrap_or(kind::NULL);
    match wanted {
        kind::INTEGER => (
            FaultKind::IntParsing,
            "Input should be a valid integer, unable to parse string as an integer",
        ),
        kind::NUMBER => (
            FaultKind::FloatParsing,
            "Input should be a valid number, unable to parse string as a number",
        ),
        kind::BOOL => (
            FaultKind::BoolParsing,
            "Input should be a valid boolean, unable to interpret input",
        ),
        kind::STRING => (FaultKind::StringType, "Input should be a valid string"),
        kind::ARRAY => (FaultKind::ListType, "Input should be a valid list"),
        kind::OBJECT => (FaultKind::DictType, "Input should be a valid dictionary"),
        _ => (FaultKind::NullType, "Input should be a valid null"),
    }
}

pub(crate) fn tell_choices(
    sink: &mut Sink<'_>,
    choices: &Choices,
    place: &Place<'_>,
    input: Option<Value>,
) {
    sink.tell(place, FaultKind::Enum, |fault| {
        fault.msg = format!("Input should be {}", choices.expected);
        fault.ctx = context("expected", choices.expected.as_str());
        fault.input = input;
    });
}

pub(crate) fn tell_constant(sink: &mut Sink<'_>, constant: &Value, subject: Subject<'_>) {
    sink.tell(subject.place, FaultKind::Const, |fault| {
        fault.msg = format!("Value must be exactly {}", quoted(constant));
        fault.ctx = context("const", constant.clone());
        fault.input = subject.shown();
        if let Some(value) = &fault.input {
            fault.ctx.insert("value".into(), value.clone());
        }
    });
}

/// The first item that came before. Long lists are sorted first: a hostile body must not buy squares.
fn first_repeat(items: &[Value]) -> Option<usize> {
    if items.len() <= 16 {
        return (1..items.len()).find(|index| {
            items[..*index]
                .iter()
                .any(|before| json_equal(before, &items[*index]))
        });
    }
    let mut seen = std::collections::HashSet::with_capacity(items.len());
    items.iter().position(|item| !seen.insert(identity(item)))
}

/// A text that is the same for equal values.
fn identity(value: &Value) -> String {
    let mut out = String::new();
    write_identity(value, &mut out);
    out
}

fn write_identity(value: &Value, out: &mut String) {
    match value {
        Value::Number(number) => match Num::of(number) {
            // Whole floats equal integers; all others have a text of their own.
            Num::Float(float) if float.fract() == 0.0 && float.abs() < 1e38 => {
                out.push_str(itoa::Buffer::new().format(float as i128));
            }
            _ => out.push_str(&number.to_string()),
        },
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_identity(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (key, member) in sorted {
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                write_identity(member, out);
                out.push(',');
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}
