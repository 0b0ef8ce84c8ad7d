//! Parts of a multipart form that are no plain texts: files and JSON.

use std::borrow::Cow;

use serde_json::Value;

use crate::check::Check;
use crate::coerce::Coerce;
use crate::coerced::Coerced;
use crate::form_value::{FormFile, FormValue};
use crate::format::Format;
use crate::place::{Place, Sink};
use crate::schema::{Node, NodeId, kind};

impl<'s> Coerce<'s, '_> {
    /// One value of a form for a node; None after a fault.
    pub(crate) fn form_value<'a>(
        &mut self,
        id: NodeId,
        value: FormValue<'a>,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        match value {
            FormValue::Text(text) => self.scalar(id, text, place),
            FormValue::Json(value) => self.json_part(id, value, place),
            FormValue::File(file) => self.file(id, file, place),
        }
    }

    fn json_part<'a>(
        &mut self,
        id: NodeId,
        value: Value,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        let is_sound = match &mut self.sink {
            Sink::Quiet => crate::check::accepts(self.schema, id, &value),
            Sink::Gather(faults) => {
                let mut check = Check {
                    schema: self.schema,
                    sink: Sink::Gather(faults),
                };
                check.node(id, &value, place, self.secret)
            }
        };
        is_sound.then_some(Coerced::Json(value))
    }

    fn file<'a>(
        &mut self,
        id: NodeId,
        file: FormFile<'a>,
        place: &Place<'_>,
    ) -> Option<Coerced<'a>> {
        if matches!(self.schema.nodes[id], Node::Any) || self.takes_files(id) {
            return Some(file.into_coerced());
        }
        if self.schema.kinds[id] & kind::STRING != 0
            && let Some(text) = file
                .content
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
        {
            return self.scalar(id, Cow::Borrowed(text), place);
        }
        // No file can stand here: told as for a value of another type, with the file's name in its place.
        let shown = Value::String(file.filename.to_owned());
        if self.schema.kinds[id] & kind::STRING == 0 {
            self.whole(id, &shown, shown.clone(), place);
        } else {
            self.whole(id, &Value::Null, shown, place);
        }
        None
    }

    /// Whether a schema speaks of bytes.
    fn takes_files(&self, id: NodeId) -> bool {
        let speaks_of_bytes = self.search(id, &|rules| {
            let text = rules.text.as_ref();
            text.is_some_and(|text| text.format == Some(Format::Binary))
        });
        speaks_of_bytes.is_some()
    }
}
