use super::actions::Writer;
use super::chart::{Chart, Language};
use super::content::Step;
use super::fault::ChartError;
use super::structure::Builder;
use super::xml::{self, Element, attribute, elements, name, wrong, wrong_at};

/// What a document refers to, by address: the text of a file, or why there is none.
pub type Resources<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

/// Reads a chart from SCXML. Expressions that are none become errors of the run; the chart lists them.
pub fn read_scxml(text: &str, resources: &Resources<'_>) -> Result<Chart, ChartError> {
    let document = xml::parse(text)?;
    let root = document.root_element();
    if name(root) != "scxml" {
        return Err(wrong(
            root,
            format!("the document is a <{}>, not an <scxml>", name(root)),
        ));
    }
    read_chart(root, resources, false)
}

/// Reads the chart that an element is; `lenient` where it stands inside of another, which does not care what is never reached.
pub(super) fn read_chart(
    root: Element<'_>,
    resources: &Resources<'_>,
    lenient: bool,
) -> Result<Chart, ChartError> {
    if let Some(version) = attribute(root, "version")
        && version != "1.0"
    {
        return Err(wrong_at(
            root,
            "version",
            format!("version {version} of SCXML is not known, 1.0 is"),
        ));
    }
    let written = attribute(root, "datamodel").unwrap_or("python");
    let language = match written {
        "null" => Language::Null,
        "python" => Language::Python,
        "ecmascript" => Language::Ecma,
        other => {
            return Err(wrong_at(
                root,
                "datamodel",
                format!(
                    "the data model '{other}' is not available; python, ecmascript and null are"
                ),
            ));
        }
    };
    let late = match attribute(root, "binding") {
        None | Some("early") => false,
        Some("late") => true,
        Some(other) => {
            return Err(wrong_at(
                root,
                "binding",
                format!("binding is early or late, not '{other}'"),
            ));
        }
    };
    let writer = Writer::new(language, resources);
    let mut builder = Builder::new(root, &writer);
    builder.read_states(root)?;
    builder.read_transitions(lenient)?;
    let (nodes, transitions, ids) = builder.finish();
    if nodes.len() == 1 {
        return Err(wrong(root, "the document has no states"));
    }
    let scripts = elements(root)
        .filter(|child| name(*child) == "script")
        .map(|child| writer.script(child))
        .collect::<Result<Vec<Step>, _>>()?;
    Ok(Chart {
        name: attribute(root, "name").unwrap_or("unnamed").into(),
        language,
        late,
        nodes,
        transitions,
        ids,
        scripts,
        broken: writer.into_broken(),
    })
}
