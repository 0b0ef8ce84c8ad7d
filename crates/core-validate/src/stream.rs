//! The check of JSON bytes while they are read: true or false, no value built where the schema allows it.

use serde_json::Value;

use crate::check;
use crate::error::JsonFault;
use crate::json::{JsonLimits, RawNumber, Reader};
use crate::number::Num;
use crate::object::{Additional, ObjectRules, Seen};
use crate::schema::{ArrayRules, Flow, Node, NodeId, Rules, Schema, kind};

/// False as soon as something is refused: the rest of the text is not read then.
pub(crate) fn accepts(schema: &Schema, json: &[u8], limits: JsonLimits) -> Result<bool, JsonFault> {
    let mut stream = Stream {
        schema,
        reader: Reader::open(json, limits)?,
    };
    if !stream.node(schema.root)? {
        return Ok(false);
    }
    stream.reader.finish()?;
    Ok(true)
}

struct Stream<'s, 'j> {
    schema: &'s Schema,
    reader: Reader<'j>,
}

impl<'s> Stream<'s, '_> {
    fn node(&mut self, id: NodeId) -> Result<bool, JsonFault> {
        match &self.schema.nodes[id] {
            Node::Any => self.reader.skip().map(|()| true),
            Node::Never => Ok(false),
            Node::Rules(rules) => self.rules(id, rules),
        }
    }

    #[inline]
    fn rules(&mut self, id: NodeId, rules: &'s Rules) -> Result<bool, JsonFault> {
        let first = self.reader.peek()?;
        if first == b'n' && rules.nullable {
            return self.reader.word("null").map(|()| true);
        }
        match rules.flow {
            Flow::Direct => self.direct(rules, first),
            Flow::Optional(_) if first == b'n' => self.reader.word("null").map(|()| true),
            Flow::Jump(next) | Flow::Optional(next) => self.node(next),
            Flow::Dispatch(table) => {
                let entry = match first {
                    b'n' => table[0],
                    b't' | b'f' => table[1],
                    b'"' => table[3],
                    b'[' => table[4],
                    b'{' => table[5],
                    _ => table[2],
                };
                entry.map_or(Ok(false), |next| self.node(next))
            }
            Flow::Buffer => {
                let value = self.reader.value()?;
                Ok(check::accepts(self.schema, id, &value))
            }
        }
    }

    #[inline]
    fn direct(&mut self, rules: &'s Rules, first: u8) -> Result<bool, JsonFault> {
        match first {
            b'"' => self.text(rules),
            b'{' => match &rules.object {
                _ if rules.types & kind::OBJECT == 0 => Ok(false),
                _ if rules.choices.is_some() || rules.constant.is_some() => Ok(false),
                Some(object) => self.object(object),
                None => self.reader.skip().map(|()| true),
            },
            b'[' => match &rules.array {
                _ if rules.types & kind::ARRAY == 0 => Ok(false),
                _ if rules.choices.is_some() || rules.constant.is_some() => Ok(false),
                Some(array) => self.array(array),
                None => self.reader.skip().map(|()| true),
            },
            b't' => self.word("true", rules, kind::BOOL, &Value::Bool(true)),
            b'f' => self.word("false", rules, kind::BOOL, &Value::Bool(false)),
            b'n' => self.word("null", rules, kind::NULL, &Value::Null),
            _ => {
                let raw = self.reader.number()?;
                Ok(number(rules, raw))
            }
        }
    }

    fn word(
        &mut self,
        word: &'static str,
        rules: &Rules,
        bit: u8,
        value: &Value,
    ) -> Result<bool, JsonFault> {
        self.reader.word(word)?;
        Ok(rules.types & bit != 0
            && rules
                .choices
                .as_ref()
                .is_none_or(|choices| choices.values.contains(value))
            && rules
                .constant
                .as_ref()
                .is_none_or(|constant| constant == value))
    }

    #[inline]
    fn text(&mut self, rules: &Rules) -> Result<bool, JsonFault> {
        if rules.types & kind::STRING == 0 {
            return Ok(false);
        }
        if rules.text.is_none() && rules.choices.is_none() && rules.constant.is_none() {
            return self.reader.skip_string().map(|()| true);
        }
        let text = self.reader.string()?;
        Ok(rules
            .text
            .as_ref()
            .is_none_or(|wanted| wanted.accepts(&text))
            && rules.choices.as_ref().is_none_or(|choices| {
                choices
                    .values
                    .iter()
                    .any(|value| value.as_str() == Some(&text))
            })
            && rules
                .constant
                .as_ref()
                .is_none_or(|constant| constant.as_str() == Some(&text)))
    }

    fn array(&mut self, rules: &'s ArrayRules) -> Result<bool, JsonFault> {
        self.reader.enter()?;
        let mut count = 0;
        if !self.reader.ends(b']')? {
            loop {
                let fits = match rules.item(count) {
                    Some(node) => self.node(node)?,
                    None => self.reader.skip().map(|()| true)?,
                };
                if !fits {
                    return Ok(false);
                }
                count += 1;
                if !self.reader.more(b']')? {
                    break;
                }
            }
        }
        Ok(rules.min_items.is_none_or(|min| count >= min)
            && rules.max_items.is_none_or(|max| count <= max))
    }

    fn object(&mut self, rules: &'s ObjectRules) -> Result<bool, JsonFault> {
        self.reader.enter()?;
        let mut seen = Seen::default();
        let mut count = 0;
        let mut guess = 0;
        if !self.reader.ends(b'}')? {
            loop {
                let key = self.reader.key()?;
                count += 1;
                let found = rules.find(&key, guess);
                let node = match found {
                    Some(slot) => {
                        guess = slot + 1;
                        seen.add(slot);
                        rules.members[slot].node
                    }
                    None => None,
                };
                let fits = match (node, rules.additional) {
                    (Some(node), _) | (None, Additional::Judged(node)) => self.node(node)?,
                    (None, Additional::Free) => self.reader.skip().map(|()| true)?,
                    (None, Additional::Forbidden) => false,
                };
                if !fits {
                    return Ok(false);
                }
                if !self.reader.more(b'}')? {
                    break;
                }
            }
        }
        Ok(seen.covers(&rules.required_seen)
            && rules.min_properties.is_none_or(|min| count >= min)
            && rules.max_properties.is_none_or(|max| count <= max)
            && rules.dependent_required.iter().all(|(trigger, needed)| {
                !seen.has(*trigger) || needed.iter().all(|slot| seen.has(*slot))
            }))
    }
}

#[inline]
fn number(rules: &Rules, raw: RawNumber<'_>) -> bool {
    let fits = match rules.types & kind::NUMBER {
        kind::NUMBER => true,
        kind::INTEGER => raw.is_integer(),
        _ => false,
    };
    if !fits {
        return false;
    }
    if rules.number.is_none() && rules.choices.is_none() && rules.constant.is_none() {
        return true;
    }
    let num = raw.num();
    rules
        .number
        .as_ref()
        .is_none_or(|wanted| wanted.accepts(num))
        && rules
            .choices
            .as_ref()
            .is_none_or(|choices| choices.values.iter().any(|value| equals(value, num)))
        && rules
            .constant
            .as_ref()
            .is_none_or(|constant| equals(constant, num))
}

pub(crate) fn equals(value: &Value, num: Num<'_>) -> bool {
    value
        .as_number()
        .is_some_and(|number| Num::of(number).compare(num).is_eq())
}
