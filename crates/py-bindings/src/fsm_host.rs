use core_fsm::{ExprError, ExprErrorKind, Host};
use pyo3::exceptions::{
    PyIndexError, PyKeyError, PyOverflowError, PyTypeError, PyValueError, PyZeroDivisionError,
};
use pyo3::intern;
use pyo3::prelude::*;

/// What evaluations ask of Python: chance where it is allowed, patterns that need backtracking, the time.
#[derive(Debug, Default)]
pub(crate) struct PyHost {
    pub(crate) allow_random: bool,
    /// Microseconds since 1970, or the machine's clock.
    pub(crate) now: Option<i64>,
}

impl Host for PyHost {
    fn now(&self) -> Option<i64> {
        self.now.or_else(|| {
            let since = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .ok()?;
            i64::try_from(since.as_micros()).ok()
        })
    }

    fn random(&self) -> Option<f64> {
        if !self.allow_random {
            return None;
        }
        Python::attach(|py| {
            py.import(intern!(py, "random"))?
                .call_method0(intern!(py, "random"))?
                .extract()
        })
        .ok()
    }

    fn search(&self, pattern: &str, text: &str) -> Result<bool, String> {
        Python::attach(|py| {
            py.import(intern!(py, "re"))
                .and_then(|re| re.call_method1(intern!(py, "search"), (pattern, text)))
                .map(|found| !found.is_none())
                .map_err(|error| error.value(py).to_string())
        })
    }
}

/// The exception that an error is, with the expression where the message says no more than a name.
pub(crate) fn raise(py: Python<'_>, error: &ExprError, source: &str) -> PyErr {
    let source = error.source_text().unwrap_or(source);
    let message = error.to_string();
    let class = match error.kind() {
        ExprErrorKind::Type => return PyTypeError::new_err(message),
        ExprErrorKind::Value => return PyValueError::new_err(message),
        ExprErrorKind::Index => return PyIndexError::new_err(message),
        ExprErrorKind::Key => return PyKeyError::new_err(message.trim_matches('\'').to_owned()),
        ExprErrorKind::ZeroDivision => return PyZeroDivisionError::new_err(message),
        ExprErrorKind::Overflow => return PyOverflowError::new_err(message),
        ExprErrorKind::Syntax => "ExprSyntaxError",
        ExprErrorKind::Refused => "ExprRefusedError",
        ExprErrorKind::Limit => "ExprLimitError",
        ExprErrorKind::Name => "ExprNameError",
        ExprErrorKind::Attribute => "ExprAttributeError",
    };
    let message = match error.kind() {
        ExprErrorKind::Name => format!("{message} for expression '{source}'"),
        ExprErrorKind::Attribute => format!("{message} in expression '{source}'"),
        _ => message,
    };
    let built = py
        .import(intern!(py, "spikard.fsm.expression_errors"))
        .and_then(|module| module.getattr(class))
        .and_then(|class| class.call1((message,)));
    match built {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}
