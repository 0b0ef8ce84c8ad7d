//! From checked parameter values to Python objects.

use core_validate::{Coerced, Date, DateTime, Duration, Time};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};

use crate::json_value;

/// The classes values are made of, looked up once.
struct Classes {
    uuid: Py<PyAny>,
    date: Py<PyAny>,
    time: Py<PyAny>,
    datetime: Py<PyAny>,
    timedelta: Py<PyAny>,
    timezone: Py<PyAny>,
    utc: Py<PyAny>,
    decimal: Py<PyAny>,
}

fn classes(py: Python<'_>) -> PyResult<&'static Classes> {
    static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();
    CLASSES.get_or_try_init(py, || {
        let datetime = py.import(intern!(py, "datetime"))?;
        let class = |name: &str| datetime.getattr(name).map(Bound::unbind);
        let timezone = datetime.getattr("timezone")?;
        Ok(Classes {
            uuid: py.import("uuid")?.getattr("UUID")?.unbind(),
            date: class("date")?,
            time: class("time")?,
            datetime: class("datetime")?,
            timedelta: class("timedelta")?,
            utc: timezone.getattr("utc")?.unbind(),
            timezone: timezone.unbind(),
            decimal: py.import("decimal")?.getattr("Decimal")?.unbind(),
        })
    })
}

/// The value as Python object; `typed` turns formats into the standard library's classes, else their text is given.
pub(crate) fn to_python<'py>(
    py: Python<'py>,
    value: &Coerced<'_>,
    typed: bool,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Coerced::Null => py.None().into_bound(py),
        Coerced::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Coerced::Int(number) => PyInt::new(py, *number).into_any(),
        Coerced::BigInt(digits) => py.get_type::<PyInt>().call1((digits.as_ref(),))?,
        Coerced::Float(number) => PyFloat::new(py, *number).into_any(),
        Coerced::Text(text) => PyString::new(py, text).into_any(),
        Coerced::Uuid { text, .. }
        | Coerced::Date { text, .. }
        | Coerced::DateTime { text, .. }
        | Coerced::Time { text, .. }
        | Coerced::Duration { text, .. }
        | Coerced::Decimal(text)
            if !typed =>
        {
            PyString::new(py, text).into_any()
        }
        Coerced::Uuid { bytes, .. } => {
            let classes = classes(py)?;
            classes
                .uuid
                .bind(py)
                .call1((py.None(), PyBytes::new(py, bytes)))?
        }
        Coerced::Date { value, .. } => date_object(py, *value)?,
        Coerced::DateTime { value, .. } => datetime_object(py, *value)?,
        Coerced::Time { value, .. } => time_object(py, *value)?,
        Coerced::Duration { value, .. } => duration_object(py, *value)?,
        Coerced::Decimal(text) => classes(py)?.decimal.bind(py).call1((text.as_ref(),))?,
        Coerced::List(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item, typed)?)?;
            }
            list.into_any()
        }
        Coerced::Object(members) => {
            let dict = PyDict::new(py);
            for (name, member) in members {
                dict.set_item(name.as_str(), to_python(py, member, typed)?)?;
            }
            dict.into_any()
        }
        Coerced::Json(value) => json_value::parse(py, value.to_string().as_bytes())?,
        // Files are put in their places by `uploads`; elsewhere none can come.
        Coerced::File { filename, .. } => PyString::new(py, filename).into_any(),
    })
}

fn zone<'py>(py: Python<'py>, offset: Option<i32>) -> PyResult<Bound<'py, PyAny>> {
    let classes = classes(py)?;
    match offset {
        None => Ok(py.None().into_bound(py)),
        Some(0) => Ok(classes.utc.bind(py).clone()),
        Some(seconds) => {
            let offset = classes.timedelta.bind(py).call1((0, seconds))?;
            classes.timezone.bind(py).call1((offset,))
        }
    }
}

fn date_object<'py>(py: Python<'py>, date: Date) -> PyResult<Bound<'py, PyAny>> {
    classes(py)?
        .date
        .bind(py)
        .call1((date.year, date.month, date.day))
}

fn time_object<'py>(py: Python<'py>, time: Time) -> PyResult<Bound<'py, PyAny>> {
    let zone = zone(py, time.offset)?;
    classes(py)?
        .time
        .bind(py)
        .call1((time.hour, time.minute, time.second, time.microsecond, zone))
}

fn datetime_object<'py>(py: Python<'py>, moment: DateTime) -> PyResult<Bound<'py, PyAny>> {
    let (date, time) = (moment.date, moment.time);
    let zone = zone(py, time.offset)?;
    classes(py)?.datetime.bind(py).call1((
        date.year,
        date.month,
        date.day,
        time.hour,
        time.minute,
        time.second,
        time.microsecond,
        zone,
    ))
}

fn duration_object<'py>(py: Python<'py>, duration: Duration) -> PyResult<Bound<'py, PyAny>> {
    classes(py)?.timedelta.bind(py).call1(duration.parts())
}
