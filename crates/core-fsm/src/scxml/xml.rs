//! Elements of a document as the reader takes them: by local name, with places for messages.

use roxmltree::{Document, Error, Node, ParsingOptions};

use super::fault::{ChartError, ChartFault};
use crate::source::{MAX_DEPTH, MAX_SIZE, Position};

pub(super) type Element<'a> = Node<'a, 'a>;

pub(super) const NAMESPACE: &str = "http://www.w3.org/2005/07/scxml";
/// What SCXML has no words for.
pub(crate) const EXTENSION: &str = "urn:spikard:fsm";
/// Elements, texts and comments of a document.
const MAX_NODES: u32 = 500_000;

pub(super) fn parse(text: &str) -> Result<Document<'_>, ChartError> {
    let start = Position { line: 1, column: 1 };
    if text.len() > MAX_SIZE {
        let message = format!(
            "the document has {} bytes, at most {MAX_SIZE} are read",
            text.len()
        );
        return Err(ChartError::new(ChartFault::Limit, message, start));
    }
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        let fault = match error {
            Error::NodesLimitReached => ChartFault::Limit,
            _ => ChartFault::Xml,
        };
        let at = error.pos();
        let position = Position {
            line: at.row as usize,
            column: at.col as usize,
        };
        let message = error.to_string();
        // The place is told once, by the error itself.
        let message = message
            .rsplit_once(" at ")
            .filter(|(_, place)| place.contains(':'))
            .map_or(message.as_str(), |(message, _)| message);
        ChartError::new(fault, format!("the text is no XML: {message}"), position)
    })?;
    check_depth(&document)?;
    Ok(document)
}

fn check_depth(document: &Document<'_>) -> Result<(), ChartError> {
    // Nodes come in document order: a step down goes to a first child, anything else up to where the next belongs.
    let mut open: Vec<roxmltree::NodeId> = Vec::new();
    for node in document.descendants().filter(Node::is_element) {
        let parent = node.parent().map(|parent| parent.id());
        while !open.is_empty() && open.last().copied() != parent {
            open.pop();
        }
        open.push(node.id());
        if open.len() > MAX_DEPTH {
            return Err(ChartError::new(
                ChartFault::Limit,
                format!("elements are nested more than {MAX_DEPTH} levels deep"),
                place(node),
            ));
        }
    }
    Ok(())
}

pub(super) fn place(element: Element<'_>) -> Position {
    let at = element.document().text_pos_at(element.range().start);
    Position {
        line: at.row as usize,
        column: at.col as usize,
    }
}

/// Where an attribute stands, or else its element.
pub(super) fn place_of(element: Element<'_>, attribute: &str) -> Position {
    match element.attribute_node(attribute) {
        Some(found) => {
            let at = element.document().text_pos_at(found.range().start);
            Position {
                line: at.row as usize,
                column: at.col as usize,
            }
        }
        None => place(element),
    }
}

pub(super) fn wrong(element: Element<'_>, message: impl Into<String>) -> ChartError {
    ChartError::new(ChartFault::Chart, message, place(element))
}

pub(super) fn wrong_at(
    element: Element<'_>,
    attribute: &str,
    message: impl Into<String>,
) -> ChartError {
    ChartError::new(ChartFault::Chart, message, place_of(element, attribute))
}

/// The elements inside of another that belong to SCXML: those of its namespace, or of none.
pub(super) fn elements(element: Element<'_>) -> impl Iterator<Item = Element<'_>> {
    element.children().filter(|child| {
        child.is_element()
            && child
                .tag_name()
                .namespace()
                .is_none_or(|namespace| namespace == NAMESPACE)
    })
}

/// The elements inside of another that are carried out: those of SCXML, and ours.
pub(super) fn executable(element: Element<'_>) -> impl Iterator<Item = Element<'_>> {
    element.children().filter(|child| {
        child.is_element()
            && child
                .tag_name()
                .namespace()
                .is_none_or(|namespace| namespace == NAMESPACE || namespace == EXTENSION)
    })
}

pub(super) fn is_extension(element: Element<'_>) -> bool {
    element.tag_name().namespace() == Some(EXTENSION)
}

pub(super) fn name<'a>(element: Element<'a>) -> &'a str {
    element.tag_name().name()
}

/// An attribute with something in it.
pub(super) fn attribute<'a>(element: Element<'a>, name: &str) -> Option<&'a str> {
    element
        .attribute(name)
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

pub(super) fn required<'a>(element: Element<'a>, wanted: &str) -> Result<&'a str, ChartError> {
    attribute(element, wanted)
        .ok_or_else(|| wrong(element, format!("<{}> needs '{wanted}'", name(element))))
}

/// Refuses two ways to say the same.
pub(super) fn exclusive(element: Element<'_>, names: &[&str]) -> Result<(), ChartError> {
    let mut given = names.iter().filter(|name| element.has_attribute(**name));
    if let (Some(one), Some(other)) = (given.next(), given.next()) {
        return Err(wrong_at(
            element,
            other,
            format!(
                "<{}> has both '{one}' and '{other}', which exclude each other",
                name(element)
            ),
        ));
    }
    Ok(())
}

/// The text inside of an element, all of it.
pub(super) fn text(element: Element<'_>) -> String {
    element
        .children()
        .filter(Node::is_text)
        .filter_map(|child| child.text())
        .collect()
}

/// Whether elements stand inside of an element.
pub(super) fn has_markup(element: Element<'_>) -> bool {
    element.children().any(|child| child.is_element())
}

/// What stands inside of an element, as it is written.
pub(super) fn markup<'a>(element: Element<'a>) -> &'a str {
    let mut inside = element.children();
    let (Some(first), last) = (inside.next(), element.last_child()) else {
        return "";
    };
    let end = last.unwrap_or(first).range().end;
    element
        .document()
        .input_text()
        .get(first.range().start..end)
        .unwrap_or_default()
        .trim()
}
