//! What states and transitions of a document do.

use std::cell::RefCell;
use std::sync::Arc;

use super::chart::Language;
use super::code::Code;
use super::condition::{Condition, effect_params};
use super::content::{Content, DataItem, Invoke, Param, Payload, Send, Step, Text};
use super::document::{Resources, read_chart};
use super::fault::ChartError;
use super::location::Location;
use super::script::Script;
use super::xml::{
    EXTENSION, Element, attribute, elements, exclusive, executable, has_markup, is_extension,
    markup, name, place_of, required, text, wrong, wrong_at,
};
use crate::source::read_json;
use crate::{EFFECTS, Effect};

pub(super) struct Writer<'w> {
    language: Language,
    resources: &'w Resources<'w>,
    broken: RefCell<Vec<(String, usize, usize)>>,
}

impl<'w> Writer<'w> {
    pub(super) fn new(language: Language, resources: &'w Resources<'w>) -> Self {
        Self {
            language,
            resources,
            broken: RefCell::new(Vec::new()),
        }
    }

    pub(super) fn into_broken(self) -> Vec<(String, usize, usize)> {
        self.broken.into_inner()
    }

    fn note(&self, element: Element<'_>, attribute: &str, fault: Option<&str>) {
        if let Some(fault) = fault {
            let place = place_of(element, attribute);
            let message = format!("'{attribute}' of <{}>: {fault}", name(element));
            self.broken
                .borrow_mut()
                .push((message, place.line, place.column));
        }
    }

    fn code(&self, element: Element<'_>, attribute: &str, source: &str) -> Code {
        let code = Code::compile(self.language, source);
        self.note(element, attribute, code.fault());
        code
    }

    pub(super) fn code_of(&self, element: Element<'_>, name: &str) -> Option<Code> {
        attribute(element, name).map(|source| self.code(element, name, source))
    }

    fn location(&self, element: Element<'_>, attribute: &str, source: &str) -> Location {
        let location = Location::compile(self.language, source);
        self.note(element, attribute, location.fault());
        location
    }

    fn location_of(&self, element: Element<'_>, name: &str) -> Option<Location> {
        attribute(element, name).map(|source| self.location(element, name, source))
    }

    /// A text that is written in one attribute or computed by another.
    fn text_of(
        &self,
        element: Element<'_>,
        fixed: &str,
        computed: &str,
    ) -> Result<Option<Text>, ChartError> {
        exclusive(element, &[fixed, computed])?;
        Ok(match attribute(element, fixed) {
            Some(text) => Some(Text::Fixed(text.into())),
            None => self.code_of(element, computed).map(Text::Computed),
        })
    }

    pub(super) fn steps(&self, element: Element<'_>) -> Result<Vec<Step>, ChartError> {
        executable(element).map(|child| self.step(child)).collect()
    }

    fn step(&self, element: Element<'_>) -> Result<Step, ChartError> {
        if is_extension(element) {
            return Self::action(element);
        }
        Ok(match name(element) {
            "raise" => Step::Raise(required(element, "event")?.into()),
            "if" => self.branches(element)?,
            "foreach" => {
                let array = required(element, "array")?;
                Step::ForEach {
                    array: self.code(element, "array", array),
                    item: required(element, "item")?.into(),
                    index: attribute(element, "index").map(Into::into),
                    body: self.steps(element)?,
                }
            }
            "log" => Step::Log {
                label: attribute(element, "label").map(Into::into),
                value: self.code_of(element, "expr"),
            },
            "assign" => {
                let location = required(element, "location")?;
                Step::Assign {
                    location: self.location(element, "location", location),
                    value: match self.content(element)? {
                        Some(value) => value,
                        None => Content::Text("".into()),
                    },
                }
            }
            "script" => self.script(element)?,
            "send" => Step::Send(Box::new(self.send(element)?)),
            "cancel" => match self.text_of(element, "sendid", "sendidexpr")? {
                Some(id) => Step::Cancel(id),
                None => return Err(wrong(element, "<cancel> needs 'sendid' or 'sendidexpr'")),
            },
            "else" | "elseif" => {
                return Err(wrong(
                    element,
                    format!("<{}> has no place outside of <if>", name(element)),
                ));
            }
            other => {
                return Err(wrong(
                    element,
                    format!("<{other}> is nothing that a chart can do"),
                ));
            }
        })
    }

    /// The condition of an element: guards as configurations write them, or the expression `cond`.
    pub(super) fn condition(&self, element: Element<'_>) -> Result<Option<Condition>, ChartError> {
        let Some(written) = element.attribute((EXTENSION, "guards")) else {
            return Ok(self.code_of(element, "cond").map(Condition::code));
        };
        let label = attribute(element, "cond").unwrap_or(written);
        read_json(written, None)
            .map_err(|error| error.to_string())
            .and_then(|source| match source.value.as_items() {
                Some(guards) => Condition::guards(label, guards),
                None => Err("'guards' takes a list".to_owned()),
            })
            .map(Some)
            .map_err(|error| wrong(element, error))
    }

    /// An action or an effect as configurations write it.
    fn action(element: Element<'_>) -> Result<Step, ChartError> {
        if name(element) != "action" {
            return Err(wrong(
                element,
                format!("<{}> is nothing that a chart can do", name(element)),
            ));
        }
        let action = read_json(text(element).trim(), None)
            .map_err(|error| wrong(element, error.to_string()))?
            .value;
        if let Some(map) = action.as_map()
            && map.get("name").is_none()
        {
            for effect in EFFECTS {
                if let Some(value) = map.get(effect) {
                    return Effect::parse(effect, &effect_params(effect, value))
                        .map(Step::Effect)
                        .map_err(|error| wrong(element, error.to_string()));
                }
            }
        }
        Ok(Step::Act(action))
    }

    fn branches(&self, element: Element<'_>) -> Result<Step, ChartError> {
        required(element, "cond")?;
        let mut branches = vec![(self.condition(element)?, Vec::new())];
        for child in executable(element) {
            let is_last = branches
                .last()
                .is_some_and(|(condition, _)| condition.is_none());
            match name(child) {
                "elseif" | "else" if is_last => {
                    return Err(wrong(child, format!("<{}> behind <else>", name(child))));
                }
                "elseif" => {
                    required(child, "cond")?;
                    branches.push((self.condition(child)?, Vec::new()));
                }
                "else" => branches.push((None, Vec::new())),
                _ => {
                    let step = self.step(child)?;
                    if let Some((_, body)) = branches.last_mut() {
                        body.push(step);
                    }
                }
            }
        }
        Ok(Step::If(branches))
    }

    pub(super) fn script(&self, element: Element<'_>) -> Result<Step, ChartError> {
        let source = match attribute(element, "src") {
            Some(address) => (self.resources)(address).map_err(|error| {
                wrong_at(
                    element,
                    "src",
                    format!("the script '{address}' is not there: {error}"),
                )
            })?,
            None => text(element),
        };
        if self.language == Language::Null && !source.trim().is_empty() {
            return Ok(Step::Broken("the null data model has no scripts".into()));
        }
        let script = Script::compile(self.language, &source);
        for fault in script.faults() {
            self.note(element, "script", Some(&fault));
        }
        Ok(Step::Script(script))
    }

    /// The value of an element: its `expr`, or what stands inside.
    fn content(&self, element: Element<'_>) -> Result<Option<Content>, ChartError> {
        let inside = markup(element);
        if let Some(code) = self.code_of(element, "expr") {
            if !inside.is_empty() {
                return Err(wrong(
                    element,
                    format!(
                        "<{}> has 'expr' and something inside, which exclude each other",
                        name(element)
                    ),
                ));
            }
            return Ok(Some(Content::Computed(code)));
        }
        Ok(if has_markup(element) {
            Some(Content::Markup(inside.into()))
        } else {
            let text = text(element);
            (!text.trim().is_empty()).then(|| Content::Text(text.trim().into()))
        })
    }

    fn send(&self, element: Element<'_>) -> Result<Send, ChartError> {
        exclusive(element, &["id", "idlocation"])?;
        let send = Send {
            event: self.text_of(element, "event", "eventexpr")?,
            target: self.text_of(element, "target", "targetexpr")?,
            kind: self.text_of(element, "type", "typeexpr")?,
            id: attribute(element, "id").map(Into::into),
            id_location: self.location_of(element, "idlocation"),
            delay: self.text_of(element, "delay", "delayexpr")?,
            payload: self.payload(element)?,
        };
        if send.event.is_none() && send.payload.content.is_none() {
            return Err(wrong(
                element,
                "<send> needs 'event', 'eventexpr' or <content>",
            ));
        }
        Ok(send)
    }

    pub(super) fn payload(&self, element: Element<'_>) -> Result<Payload, ChartError> {
        let mut payload = Payload::default();
        for place in attribute(element, "namelist")
            .into_iter()
            .flat_map(str::split_whitespace)
        {
            let location = self.location(element, "namelist", place);
            payload.names.push((place.into(), location));
        }
        for child in elements(element) {
            match name(child) {
                "param" => {
                    exclusive(child, &["expr", "location"])?;
                    let key = required(child, "name")?;
                    let param = match (
                        self.code_of(child, "expr"),
                        self.location_of(child, "location"),
                    ) {
                        (Some(code), _) => Param::Value(code),
                        (None, Some(location)) => Param::Place(location),
                        (None, None) => {
                            return Err(wrong(child, "<param> needs 'expr' or 'location'"));
                        }
                    };
                    payload.params.push((key.into(), param));
                }
                "content" if payload.content.is_some() => {
                    return Err(wrong(child, "there are two <content>"));
                }
                "content" => {
                    let content = self.content(child)?;
                    payload.content = Some(content.unwrap_or(Content::Text("".into())));
                }
                "finalize" if name(element) == "invoke" => {}
                other => {
                    return Err(wrong(
                        child,
                        format!("<{other}> has no place inside of <{}>", name(element)),
                    ));
                }
            }
        }
        let doubled = !payload.params.is_empty() || !payload.names.is_empty();
        if payload.content.is_some() && doubled && name(element) != "invoke" {
            return Err(wrong(
                element,
                format!(
                    "<{}> has <content> beside parameters or names, which exclude each other",
                    name(element)
                ),
            ));
        }
        Ok(payload)
    }

    /// The variables that stand right inside of an element.
    pub(super) fn data(&self, element: Element<'_>) -> Result<Vec<DataItem>, ChartError> {
        let mut items = Vec::new();
        for child in elements(element).filter(|child| name(*child) == "datamodel") {
            for data in elements(child) {
                if name(data) != "data" {
                    return Err(wrong(
                        data,
                        format!("<{}> has no place inside of <datamodel>", name(data)),
                    ));
                }
                exclusive(data, &["expr", "src"])?;
                let (value, missing): (_, Option<Arc<str>>) = match attribute(data, "src") {
                    Some(address) => match (self.resources)(address) {
                        Ok(text) => (Some(Content::Text(text.into())), None),
                        Err(error) => (None, Some(format!("'{address}': {error}").into())),
                    },
                    None => (self.content(data)?, None),
                };
                items.push(DataItem {
                    name: required(data, "id")?.into(),
                    value,
                    missing,
                });
            }
        }
        Ok(items)
    }

    pub(super) fn invoke(&self, element: Element<'_>) -> Result<Invoke, ChartError> {
        exclusive(element, &["id", "idlocation"])?;
        let source = self.text_of(element, "src", "srcexpr")?;
        let mut payload = self.payload(element)?;
        if source.is_some() && payload.content.is_some() {
            return Err(wrong(
                element,
                "<invoke> has 'src' and <content>, which exclude each other",
            ));
        }
        if source.is_none() && payload.content.is_none() {
            return Err(wrong(
                element,
                "<invoke> needs 'src', 'srcexpr' or <content>",
            ));
        }
        let inline = elements(element)
            .filter(|child| name(*child) == "content")
            .flat_map(|content| elements(content))
            .find(|inner| name(*inner) == "scxml");
        let child = match inline {
            Some(inline) => {
                payload.content = None;
                Some(Arc::new(read_chart(inline, self.resources, true)?))
            }
            None => None,
        };
        let forwards = match attribute(element, "autoforward") {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(other) => {
                return Err(wrong_at(
                    element,
                    "autoforward",
                    format!("autoforward is true or false, not '{other}'"),
                ));
            }
        };
        let mut finalizes = elements(element).filter(|child| name(*child) == "finalize");
        let finalize = finalizes
            .next()
            .map(|child| self.steps(child))
            .transpose()?;
        Ok(Invoke {
            id: attribute(element, "id").map(Into::into),
            id_location: self.location_of(element, "idlocation"),
            kind: self.text_of(element, "type", "typeexpr")?,
            source,
            child,
            payload,
            forwards,
            finalize,
        })
    }
}
