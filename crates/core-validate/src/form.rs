//! The fields of a form: bracketed names made into objects and lists, texts coerced by the body's schema.

use std::borrow::Cow;

use crate::coerce::Coerce;
use crate::coerced::Coerced;
use crate::faults::Faults;
use crate::form_value::FormValue;
use crate::place::{Place, Sink};
use crate::schema::Schema;
use crate::tree::{DEEPEST_NAME, Names, is_index, steps};

/// The highest index of a list.
const HIGHEST_INDEX: usize = 10_000;

/// A field name that cannot be read: the whole form is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// More than sixteen brackets.
    #[error("field name '{0}' is nested too deeply")]
    Depth(String),
    /// An index above ten thousand.
    #[error("index in field name '{0}' is too high")]
    Index(String),
    /// A name that is both a text and an object or list.
    #[error("field name '{0}' is used both as a value and as a container")]
    Conflict(String),
}

impl Schema {
    /// The object a form's fields make, each text coerced as the schema says; None after a fault. `root` is where
    /// the form stands, such as `["body"]`. The pairs are decoded and in their order.
    pub fn coerce_form<'a>(
        &self,
        pairs: &'a [(Cow<'_, str>, Cow<'_, str>)],
        root: &[&str],
        faults: &mut Faults,
    ) -> Result<Option<Coerced<'a>>, NameFault> {
        let fields = pairs
            .iter()
            .map(|(name, text)| (&**name, FormValue::Text(Cow::Borrowed(&**text))));
        self.coerce_fields(fields, root, faults)
    }

    /// As [`Schema::coerce_form`], of fields that may also be files or JSON.
    pub fn coerce_fields<'a>(
        &self,
        fields: impl Iterator<Item = (&'a str, FormValue<'a>)>,
        root: &[&str],
        faults: &mut Faults,
    ) -> Result<Option<Coerced<'a>>, NameFault> {
        let mut names = Names::default();
        for (name, value) in fields {
            // Brackets out of order are part of the name.
            let steps = steps(name)
                .filter(|steps| !steps[0].is_empty())
                .unwrap_or_else(|| vec![name]);
            let (first, rest) = (steps[0], &steps[1..]);
            if rest.len() > DEEPEST_NAME {
                return Err(NameFault::Depth(name.to_owned()));
            }
            if rest.iter().any(|step| {
                is_index(step)
                    && step
                        .parse()
                        .map_or(true, |index: usize| index > HIGHEST_INDEX)
            }) {
                return Err(NameFault::Index(name.to_owned()));
            }
            let put = names.put(first.to_owned(), rest, value);
            put.map_err(|_| NameFault::Conflict(name.to_owned()))?;
        }
        let mut coerce = Coerce {
            schema: self,
            sink: Sink::Gather(faults),
            secret: false,
            form: true,
        };
        Ok(coerce.object(self.root, names, &Place::Root(root)))
    }
}
