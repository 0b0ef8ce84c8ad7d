//! JSON Schema as Python sees it, with Python's `re` for patterns that the linear engine refuses.

use core_validate::{
    Fault, FaultKind, Faults, JsonLimits, Loc, ParameterSet, ParameterSpec, PatternFallback,
    PatternMatcher, Schema, SchemaError,
};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::json_value;
use crate::route::DEFAULT_JSON_DEPTH;

/// Python's `re`: look-around and back-references, at the price of the interpreter for each check.
struct PythonPatterns;

#[derive(Debug)]
struct PythonPattern {
    search: Py<PyAny>,
}

impl PatternFallback for PythonPatterns {
    fn compile(&self, pattern: &str) -> Result<Box<dyn PatternMatcher>, String> {
        Python::attach(|py| {
            let search = py
                .import("re")?
                .getattr("compile")?
                .call1((pattern,))?
                .getattr("search")?;
            Ok(Box::new(PythonPattern {
                search: search.unbind(),
            }) as Box<dyn PatternMatcher>)
        })
        .map_err(|error: PyErr| error.to_string())
    }
}

impl PatternMatcher for PythonPattern {
    fn is_match(&self, text: &str) -> bool {
        // An error here (memory, mostly) refuses the value rather than letting it through.
        Python::attach(|py| {
            self.search
                .bind(py)
                .call1((text,))
                .is_ok_and(|found| !found.is_none())
        })
    }
}

/// Such patterns can take exponential time on hostile input, so whoever writes one should know.
fn warn<'a>(py: Python<'_>, patterns: impl Iterator<Item = &'a str>) -> PyResult<()> {
    for pattern in patterns {
        let message = format!(
            "the pattern {pattern:?} uses look-around or back-references and is matched by Python's re: \
             slower, and without a bound on its time"
        );
        py.import(intern!(py, "warnings"))?
            .getattr(intern!(py, "warn"))?
            .call1((message,))?;
    }
    Ok(())
}

pub(crate) fn compile(py: Python<'_>, document: &serde_json::Value) -> PyResult<Schema> {
    let schema = Schema::compile_with(document, &PythonPatterns).map_err(|error| raise(&error))?;
    warn(py, schema.foreign_patterns().iter().map(String::as_str))?;
    Ok(schema)
}

pub(crate) fn compile_parameters(
    py: Python<'_>,
    specs: Vec<ParameterSpec>,
) -> PyResult<ParameterSet> {
    let set = ParameterSet::compile_with(specs, &PythonPatterns).map_err(|error| raise(&error))?;
    warn(py, set.foreign_patterns())?;
    Ok(set)
}

fn raise(error: &SchemaError) -> PyErr {
    PyValueError::new_err(format!("invalid schema: {error}"))
}

/// Compiles a JSON Schema and throws it away.
#[pyfunction]
pub(crate) fn check_schema(schema: &Bound<'_, PyAny>) -> PyResult<()> {
    compile(schema.py(), &json_value::from_python(schema)?).map(drop)
}

/// The faults of a JSON document against a schema, in the shape of a 422's `errors`.
#[pyfunction]
pub(crate) fn validate_json<'py>(
    schema: &Bound<'py, PyAny>,
    data: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    let py = schema.py();
    let schema = compile(py, &json_value::from_python(schema)?)?;
    let limits = JsonLimits {
        max_depth: DEFAULT_JSON_DEPTH,
        strict_keys: false,
    };
    let value = core_validate::parse(data, limits)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    let mut faults = Faults::default();
    schema.check(&value, &["body"], &mut faults);
    json_value::parse(py, &faults.to_json())
}

/// A compiled JSON Schema, for what is sent.
#[pyclass(name = "JsonSchema", module = "spikard._spikard", frozen)]
#[derive(Debug)]
pub(crate) struct JsonSchema(Schema);

impl JsonSchema {
    /// The `errors` array for a document that doesn't fit; `root` is where it stands.
    pub(crate) fn faults(&self, document: &[u8], root: &str) -> Option<Vec<u8>> {
        let limits = JsonLimits {
            max_depth: usize::MAX,
            strict_keys: false,
        };
        let mut faults = Faults::default();
        if let Err(error) = self.0.examine(document, limits, &[root], &mut faults) {
            faults.push(Fault::new(
                FaultKind::ValueError,
                vec![Loc::from(root)],
                error.to_string(),
            ));
        }
        (!faults.is_empty()).then(|| faults.to_json())
    }
}

#[pymethods]
impl JsonSchema {
    #[new]
    fn new(schema: &Bound<'_, PyAny>) -> PyResult<Self> {
        compile(schema.py(), &json_value::from_python(schema)?).map(Self)
    }
}
