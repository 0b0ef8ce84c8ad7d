//! Executable content, carried out: variables change at once, what the world has to do goes into the plan.

use super::code::literal;
use super::content::{Content, DataItem, Step, Text};
use super::event::{Event, EventKind};
use super::fault::RunFault;
use super::location::Location;
use super::plan::Order;
use super::run::{MAX_ACTIONS, Run};
use super::script::Statement;
use super::undefined::undefined;
use crate::{Change, Env, Key, Map, Value};

/// Why a block of content ends early.
pub(super) enum Trouble {
    /// An error that the chart sees; the rest of the block is not carried out.
    Error(String),
    /// The error has been told already.
    Told,
    Limit(RunFault),
}

impl From<String> for Trouble {
    fn from(message: String) -> Self {
        Self::Error(message)
    }
}

impl<'a> Run<'a> {
    /// One block: an error ends it, and nothing else.
    pub(super) fn block(&mut self, steps: &'a [Step]) -> Result<(), RunFault> {
        match self.steps(steps) {
            Ok(()) | Err(Trouble::Told) => Ok(()),
            Err(Trouble::Error(message)) => {
                self.raise_error("error.execution", message, None);
                Ok(())
            }
            Err(Trouble::Limit(fault)) => Err(fault),
        }
    }

    fn steps(&mut self, steps: &'a [Step]) -> Result<(), Trouble> {
        steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&mut self, step: &'a Step) -> Result<(), Trouble> {
        self.actions += 1;
        if self.actions > MAX_ACTIONS {
            return Err(Trouble::Limit(RunFault::TooManyActions {
                chart: self.chart.name.to_string(),
                limit: MAX_ACTIONS,
            }));
        }
        match step {
            Step::Raise(name) => {
                self.state
                    .internal
                    .push_back(Event::new(name, EventKind::Internal));
            }
            Step::If(branches) => {
                for (condition, body) in branches {
                    let chosen = match condition {
                        None => true,
                        Some(condition) => self.holds(condition).unwrap_or_else(|message| {
                            self.raise_error("error.execution", message, None);
                            false
                        }),
                    };
                    if chosen {
                        return self.steps(body);
                    }
                }
            }
            Step::ForEach {
                array,
                item,
                index,
                body,
            } => self.each(array, item, index.as_deref(), body)?,
            Step::Log { label, value } => {
                let value = value.as_ref().map(|code| self.eval(code)).transpose()?;
                self.orders.push(Order::Log {
                    label: label.clone(),
                    value: value.map(|value| super::undefined::defined(&value)),
                });
            }
            Step::Assign { location, value } => {
                let value = self.content(value)?;
                self.assign(location, value, false)?;
            }
            Step::Script(script) => {
                for statement in &script.statements {
                    self.statement(statement)?;
                }
            }
            Step::Send(send) => self.send(send)?,
            Step::Cancel(id) => {
                let id = self.text(id)?;
                self.orders.push(Order::Cancel(id.into()));
            }
            Step::Effect(effect) => {
                let changes = self
                    .look(|view| effect.changes(view, &view.env()))
                    .map_err(|error| error.to_string())?;
                self.change(changes);
            }
            Step::Act(action) => self.orders.push(Order::Act(action.clone())),
            Step::Broken(message) => return Err(Trouble::Error(message.to_string())),
        }
        Ok(())
    }

    fn each(
        &mut self,
        array: &super::code::Code,
        item: &str,
        index: Option<&str>,
        body: &'a [Step],
    ) -> Result<(), Trouble> {
        let items = match self.eval(array)? {
            Value::List(items) | Value::Tuple(items) => items,
            other => {
                return Err(Trouble::Error(format!(
                    "'{}' is no list but a {}",
                    array.source(),
                    other.type_name()
                )));
            }
        };
        for name in std::iter::once(item).chain(index) {
            if !super::location::is_name(name) || super::data::is_system(name) {
                return Err(Trouble::Error(format!(
                    "'{name}' is no name for a variable"
                )));
            }
        }
        if items.is_empty() {
            let nothing = || literal(self.chart.language, "");
            for name in std::iter::once(item).chain(index) {
                if self.state.data.values.get(name).is_none() {
                    let value = nothing();
                    self.state.data.values.insert(name, value);
                }
            }
        }
        // The list is the one from before the loop, whatever the loop does to it.
        for (at, value) in items.iter().enumerate() {
            self.state.data.values.insert(item, value.clone());
            if let Some(index) = index {
                self.state.data.values.insert(index, Value::Int(at as i64));
            }
            self.steps(body)?;
        }
        Ok(())
    }

    fn statement(&mut self, statement: &Statement) -> Result<(), Trouble> {
        match statement {
            Statement::Assign { location, value } => {
                let value = self.eval(value)?;
                self.assign(location, value, true)?;
            }
            Statement::Evaluate(code) => {
                self.eval(code)?;
            }
            Statement::Name(name) => {
                let is_variable = self.state.data.look_up(name, self.chart.language).is_some();
                if !is_variable {
                    self.orders.push(Order::Act(Value::Text(name.clone())));
                }
            }
        }
        Ok(())
    }

    pub(super) fn assign(
        &mut self,
        location: &Location,
        value: Value,
        declares: bool,
    ) -> Result<(), String> {
        let (name, value) = self.look(|view| location.written(view, value, declares))?;
        self.state.data.values.insert(Key::Text(name), value);
        Ok(())
    }

    fn change(&mut self, changes: Vec<Change>) {
        let values: &mut Map = &mut self.state.data.values;
        for change in changes {
            match change {
                Change::Set(key, value) => {
                    values.insert(key, value);
                }
                Change::Append(field, value) => {
                    let mut items = match values.get(&field).and_then(Value::as_items) {
                        Some(items) => items.to_vec(),
                        None => Vec::new(),
                    };
                    items.push(value);
                    values.insert(Key::Text(field), Value::list(items));
                }
                Change::Remove(field) => {
                    values.remove(&field);
                }
            }
        }
    }

    pub(super) fn content(&self, content: &Content) -> Result<Value, String> {
        match content {
            Content::Computed(code) => self.eval(code),
            Content::Text(text) => Ok(literal(self.chart.language, text)),
            Content::Markup(text) => Ok(Value::Text(text.clone())),
        }
    }

    /// A text that is written or computed.
    pub(super) fn text(&self, text: &Text) -> Result<String, String> {
        match text {
            Text::Fixed(text) => Ok(text.to_string()),
            Text::Computed(code) => {
                let value = self.eval(code)?;
                crate::expr::text_of(&value, &Env::default()).map_err(|error| error.to_string())
            }
        }
    }

    /// The first value of a variable; what can't be computed is an error of the chart, and the variable is empty.
    pub(super) fn initialize(&mut self, item: &DataItem) {
        let value = match (&item.value, &item.missing) {
            (Some(content), _) => self.content(content),
            (None, Some(missing)) => Err(format!(
                "the data of '{}' are not there: {missing}",
                item.name
            )),
            (None, None) => return,
        };
        let value = value.unwrap_or_else(|message| {
            self.raise_error("error.execution", message, None);
            match self.chart.language {
                super::chart::Language::Ecma => undefined(),
                _ => Value::Null,
            }
        });
        self.state.data.values.insert(&*item.name, value);
    }
}
