//! Configurations of state machines: read from texts, checked, looked through and drawn.

use core_fsm::compare::compare;
use core_fsm::config::{Definition, Found, Path, PathStep, SubmachineError, check, expand};
use core_fsm::draw::{self, DrawOptions};
use core_fsm::lint::{Registered, lint};
use core_fsm::source::{Lookup, Source, SourceError, SourceFault, read_json, read_yaml};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::config_value::{from_python, map_to_python};
use crate::fsm_value::to_python;

/// A step of a path as Python has it: the key of a mapping or the index of a list.
#[derive(FromPyObject, IntoPyObject)]
pub(crate) enum Step {
    Index(usize),
    Key(String),
}

fn steps<'py>(py: Python<'py>, path: &Path) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(
        py,
        path.steps().iter().map(|step| match step {
            PathStep::Key(key) => Step::Key(key.to_string()),
            PathStep::Index(index) => Step::Index(*index),
        }),
    )
}

/// What was read from a text, and where its parts stand.
#[pyclass(module = "spikard._spikard", frozen)]
pub(crate) struct ConfigSource {
    source: Source,
}

#[pymethods]
impl ConfigSource {
    /// The configuration.
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.source.value)
    }

    /// The line and the column of what a path leads to.
    #[pyo3(signature = (path, /))]
    fn position(&self, path: Vec<Step>) -> (usize, usize) {
        let path: Path = path
            .into_iter()
            .map(|step| match step {
                Step::Key(key) => PathStep::Key(key.into()),
                Step::Index(index) => PathStep::Index(index),
            })
            .collect();
        let position = self.source.mark.find(&self.source.value, &path);
        (position.line, position.column)
    }
}

/// Reads a configuration from YAML or JSON. `variables` gives the value of a name, or None.
#[pyfunction]
#[pyo3(signature = (text, form, variables=None))]
pub(crate) fn read_config(
    text: &str,
    form: &str,
    variables: Option<&Bound<'_, PyAny>>,
) -> PyResult<ConfigSource> {
    let lookup = variables.map(|variables| {
        move |name: &str| -> Option<String> {
            variables
                .call1((name,))
                .ok()?
                .extract::<Option<String>>()
                .ok()?
        }
    });
    let lookup: Option<&Lookup<'_>> = lookup.as_ref().map(|lookup| lookup as &Lookup<'_>);
    let source = if form == "json" {
        read_json(text, lookup)
    } else {
        read_yaml(text, lookup)
    };
    source
        .map(|source| ConfigSource { source })
        .map_err(source_error)
}

/// The error's message, its kind, its line and column, and the variable that is missing.
fn source_error(error: SourceError) -> PyErr {
    let (kind, variable) = match error.fault {
        SourceFault::Syntax => ("syntax", None),
        SourceFault::Limit => ("limit", None),
        SourceFault::Variable(name) => ("variable", Some(name)),
    };
    PyValueError::new_err((
        error.message,
        kind,
        error.position.line,
        error.position.column,
        variable,
    ))
}

type IssueTuple<'py> = (
    &'static str,
    &'static str,
    Bound<'py, PyTuple>,
    String,
    String,
    Option<String>,
);

/// What is wrong with a configuration: code, severity, path, message, text, hint of each issue.
#[pyfunction]
#[pyo3(signature = (config, /))]
pub(crate) fn check_machine<'py>(config: &Bound<'py, PyAny>) -> PyResult<Vec<IssueTuple<'py>>> {
    let py = config.py();
    check(&from_python(config)?)
        .into_iter()
        .map(|issue| {
            let path = steps(py, &issue.path)?;
            let text = issue.text();
            let (code, severity) = (issue.code.as_str(), issue.severity().as_str());
            Ok((code, severity, path, issue.message, text, issue.hint))
        })
        .collect()
}

/// Puts submachines into a configuration. `load` gets a reference and where it starts from, and gives the configuration
/// and where references in it start from.
#[pyfunction]
#[pyo3(signature = (config, base, load, /))]
pub(crate) fn expand_submachines<'py>(
    config: &Bound<'py, PyAny>,
    base: &str,
    load: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut find = |reference: &str, base: &str| -> PyResult<Found> {
        let (config, base): (Bound<'_, PyAny>, String) =
            load.call1((reference, base))?.extract()?;
        Ok(Found {
            config: from_python(&config)?,
            base,
        })
    };
    match expand(&from_python(config)?, base, &mut find) {
        Ok(expanded) => to_python(config.py(), &expanded),
        Err(SubmachineError::Load(error)) => Err(error),
        Err(error) => Err(PyValueError::new_err(error.to_string())),
    }
}

type FindingTuple<'py> = (
    &'static str,
    &'static str,
    String,
    Bound<'py, PyDict>,
    Bound<'py, PyTuple>,
);

/// What is probably wrong with a machine: code, severity, message, context, path of each finding.
#[pyfunction]
#[pyo3(signature = (config, guards=None, actions=None))]
pub(crate) fn lint_machine<'py>(
    config: &Bound<'py, PyAny>,
    guards: Option<Vec<String>>,
    actions: Option<Vec<String>>,
) -> PyResult<Vec<FindingTuple<'py>>> {
    let py = config.py();
    let value = from_python(config)?;
    let registered = guards.zip(actions).map(|(guards, actions)| Registered {
        guards: guards.into_iter().collect(),
        actions: actions.into_iter().collect(),
    });
    lint(&Definition::read(&value), registered.as_ref())
        .into_iter()
        .map(|finding| {
            let context = map_to_python(py, &finding.context)?;
            let path = steps(py, &finding.path)?;
            Ok((
                finding.code,
                finding.severity.as_str(),
                finding.message,
                context,
                path,
            ))
        })
        .collect()
}

/// Draws a machine: `mermaid`, `flowchart`, `dot`, `plantuml`, `scxml`, `xstate`, `asl` or `svg`.
#[pyfunction]
#[pyo3(signature = (config, form, *, title=None, guards=true, actions=false, timeouts=true, direction="TB", highlight=Vec::new(), trace=Vec::new()))]
#[allow(clippy::too_many_arguments)] // They are keywords in Python.
#[allow(clippy::fn_params_excessive_bools)]
pub(crate) fn draw_machine(
    config: &Bound<'_, PyAny>,
    form: &str,
    title: Option<String>,
    guards: bool,
    actions: bool,
    timeouts: bool,
    direction: &str,
    highlight: Vec<String>,
    trace: Vec<(String, String)>,
) -> PyResult<String> {
    let value = from_python(config)?;
    let definition = Definition::read(&value);
    if form != "asl" && draw::is_too_deep(&definition) {
        return Err(PyValueError::new_err(format!(
            "more than {} states stand in one another: that is too deep to be drawn",
            draw::MOST_NESTED
        )));
    }
    let options = DrawOptions {
        title,
        guards,
        actions,
        timeouts,
        direction: direction.to_owned(),
        highlight,
        trace,
    };
    Ok(match form {
        "mermaid" => draw::to_mermaid(&definition, &options),
        "flowchart" => draw::to_mermaid_flowchart(&definition, &options),
        "dot" => draw::to_dot(&definition, &options),
        "plantuml" => draw::to_plantuml(&definition, &options),
        "scxml" => draw::to_scxml(&definition, options.title.as_deref()),
        "xstate" => format!("{:#}", draw::to_xstate(&definition)),
        "asl" => format!("{:#}", draw::to_asl(&definition)),
        "svg" => draw::to_svg(&definition, &options),
        other => {
            return Err(PyValueError::new_err(format!(
                "'{other}' is no format of drawings; there are mermaid, flowchart, dot, plantuml, scxml, xstate, asl, svg"
            )));
        }
    })
}

/// Numbers about a machine.
#[pyfunction]
#[pyo3(signature = (config, /))]
pub(crate) fn machine_statistics<'py>(config: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let py = config.py();
    let value = from_python(config)?;
    let found = draw::statistics(&Definition::read(&value));
    let numbers = PyDict::new(py);
    for (key, number) in [
        ("total_states", found.total_states),
        ("initial_states", found.initial_states),
        ("terminal_states", found.terminal_states),
        ("stable_states", found.stable_states),
        ("total_transitions", found.total_transitions),
        ("guarded_transitions", found.guarded_transitions),
        ("actioned_transitions", found.actioned_transitions),
        ("unique_triggers", found.unique_triggers),
    ] {
        numbers.set_item(key, number)?;
    }
    numbers.set_item("triggers", found.triggers)?;
    numbers.set_item("states_with_timeouts", found.states_with_timeouts)?;
    numbers.set_item("max_fan_out", found.max_fan_out)?;
    let fan_out = PyDict::new(py);
    for (state, count) in found.fan_out_by_state {
        fan_out.set_item(state, count)?;
    }
    numbers.set_item("fan_out_by_state", fan_out)?;
    Ok(numbers)
}

type ChangeTuple = (&'static str, &'static str, String, String);

/// What differs between two versions of a machine: kind, level, message, state of each change.
#[pyfunction]
#[pyo3(signature = (old, new, /))]
pub(crate) fn compare_configs(
    old: &Bound<'_, PyAny>,
    new: &Bound<'_, PyAny>,
) -> PyResult<Vec<ChangeTuple>> {
    let (old, new) = (from_python(old)?, from_python(new)?);
    let changes = compare(&Definition::read(&old), &Definition::read(&new));
    Ok(changes
        .into_iter()
        .map(|change| {
            (
                change.kind,
                change.level.as_str(),
                change.message,
                change.state,
            )
        })
        .collect())
}

/// The canonical JSON of a configuration, as RFC 8785 has it.
#[pyfunction]
#[pyo3(signature = (config, /))]
pub(crate) fn canonical_json(config: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(core_fsm::canonical_json(&from_python(config)?))
}

/// The JSON Schema of configurations, as JSON.
#[pyfunction]
pub(crate) fn machine_schema() -> String {
    format!("{:#}", core_fsm::config::schema())
}
