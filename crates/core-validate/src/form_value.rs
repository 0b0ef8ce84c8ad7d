//! What stands under a name of a form: a text, JSON, or a file.

use std::borrow::Cow;

use serde_json::Value;

use crate::coerced::Coerced;

/// One value of a form. Urlencoded forms have only texts.
#[derive(Debug, Clone, PartialEq)]
pub enum FormValue<'a> {
    Text(Cow<'a, str>),
    /// A part that said that it is JSON.
    Json(Value),
    File(FormFile<'a>),
}

/// A file, known by its position among the files of its form.
#[derive(Debug, Clone, PartialEq)]
pub struct FormFile<'a> {
    pub index: usize,
    pub filename: &'a str,
    /// Its bytes where they are in memory: a schema that wants text gets them as text.
    pub content: Option<&'a [u8]>,
}

impl<'a> From<Cow<'a, str>> for FormValue<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Text(text)
    }
}

impl<'a> FormValue<'a> {
    pub(crate) fn into_untyped(self) -> Coerced<'a> {
        match self {
            Self::Text(text) => Coerced::Text(text),
            Self::Json(value) => Coerced::Json(value),
            Self::File(file) => file.into_coerced(),
        }
    }

    /// As received, for fault inputs; of a file its name.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.clone().into_owned()),
            Self::Json(value) => value.clone(),
            Self::File(file) => Value::String(file.filename.to_owned()),
        }
    }
}

impl<'a> FormFile<'a> {
    pub(crate) fn into_coerced(self) -> Coerced<'a> {
        Coerced::File {
            index: self.index,
            filename: Cow::Borrowed(self.filename),
        }
    }
}
