//! JSON straight from Python objects: plain values in Rust, all else by way of `msgspec.to_builtins`.

use pyo3::exceptions::{PyRecursionError, PyValueError};
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

/// Nesting above this is an error: a list that holds itself must not overflow the stack.
const MAX_DEPTH: usize = 200;

/// For each byte: 0 as is, 1 needs `\u00XX`, else the letter after the backslash.
static ESCAPES: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = 1;
        byte += 1;
    }
    table[0x08] = b'b';
    table[0x09] = b't';
    table[0x0a] = b'n';
    table[0x0c] = b'f';
    table[0x0d] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

/// Encodes a handler's result: UTF-8, no spaces, keys as given.
pub(crate) fn to_json(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let mut out = Vec::with_capacity(128);
    write_value(value, &mut out, 0)?;
    Ok(out)
}

fn write_value(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
    if let Ok(text) = value.cast_exact::<PyString>() {
        write_text(text.to_str()?, out);
    } else if let Ok(dict) = value.cast_exact::<PyDict>() {
        write_dict(dict, out, depth)?;
    } else if let Ok(list) = value.cast_exact::<PyList>() {
        write_sequence(list.iter(), out, depth)?;
    } else if value.is_none() {
        out.extend_from_slice(b"null");
    } else if let Ok(flag) = value.cast_exact::<PyBool>() {
        out.extend_from_slice(if flag.is_true() { b"true" } else { b"false" });
    } else if let Ok(number) = value.cast_exact::<PyInt>() {
        write_int(number, out)?;
    } else if let Ok(number) = value.cast_exact::<PyFloat>() {
        write_float(number.value(), out)?;
    } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        write_sequence(tuple.iter(), out, depth)?;
    } else {
        let plain = to_builtins(value)?;
        if plain.is(value) {
            return Err(PyValueError::new_err(format!(
                "objects of type {} cannot be encoded as JSON; register one with spikard.register_encoder",
                value.get_type().fully_qualified_name()?
            )));
        }
        write_value(&plain, out, deeper(depth)?)?;
    }
    Ok(())
}

fn deeper(depth: usize) -> PyResult<usize> {
    if depth >= MAX_DEPTH {
        return Err(PyRecursionError::new_err(format!(
            "the value is nested more than {MAX_DEPTH} levels deep; does a list or dict hold itself?"
        )));
    }
    Ok(depth + 1)
}

fn write_dict(dict: &Bound<'_, PyDict>, out: &mut Vec<u8>, depth: usize) -> PyResult<()> {
    let depth = deeper(depth)?;
    let py = dict.py();
    let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
    let mut first = true;
    out.push(b'{');
    // SAFETY: `dict` is a dict and stays alive; PyDict_Next lends references, which are made our own before any
    // Python code can run (an encoder of the user's may change the dict: then entries are missed or seen twice,
    // but memory stays sound, since the position is checked against the table on each call).
    while unsafe {
        ffi::PyDict_Next(
            dict.as_ptr(),
            &raw mut position,
            &raw mut key,
            &raw mut value,
        )
    } != 0
    {
        // SAFETY: both pointers were just set by PyDict_Next to live objects.
        let (key, value) = unsafe {
            (
                Bound::from_borrowed_ptr(py, key),
                Bound::from_borrowed_ptr(py, value),
            )
        };
        if !first {
            out.push(b',');
        }
        first = false;
        write_key(&key, out)?;
        out.push(b':');
        write_value(&value, out, depth)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_key(key: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    if let Ok(text) = key.cast_exact::<PyString>() {
        write_text(text.to_str()?, out);
        return Ok(());
    }
    // What msgspec does with keys (numbers, dates, enums as text) is what users of it know.
    let single = PyDict::new(key.py());
    single.set_item(key, key.py().None())?;
    let plain = to_builtins(&single)?;
    match plain
        .cast::<PyDict>()?
        .keys()
        .get_item(0)?
        .cast_exact::<PyString>()
    {
        Ok(text) => write_text(text.to_str()?, out),
        Err(_) => {
            return Err(PyValueError::new_err(
                "a dict key cannot be encoded as JSON text",
            ));
        }
    }
    Ok(())
}

fn write_sequence<'py>(
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    out: &mut Vec<u8>,
    depth: usize,
) -> PyResult<()> {
    let depth = deeper(depth)?;
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_value(&item, out, depth)?;
    }
    out.push(b']');
    Ok(())
}

fn write_int(number: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> PyResult<()> {
    if let Ok(small) = number.extract::<i64>() {
        out.extend_from_slice(itoa::Buffer::new().format(small).as_bytes());
    } else {
        out.extend_from_slice(number.str()?.to_str()?.as_bytes());
    }
    Ok(())
}

fn write_float(number: f64, out: &mut Vec<u8>) -> PyResult<()> {
    if !number.is_finite() {
        return Err(PyValueError::new_err(format!(
            "{number} has no JSON form; answer null or text instead"
        )));
    }
    out.extend_from_slice(ryu::Buffer::new().format_finite(number).as_bytes());
    Ok(())
}

pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut start = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        let escape = ESCAPES[byte as usize];
        if escape == 0 {
            continue;
        }
        out.extend_from_slice(&bytes[start..index]);
        start = index + 1;
        if escape == 1 {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        } else {
            out.extend_from_slice(&[b'\\', escape]);
        }
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(b'"');
}

/// `spikard.responses.encoding.to_builtins`: msgspec's, with the encoders users registered.
fn to_builtins<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static FUNCTION: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = value.py();
    let function = FUNCTION.get_or_try_init(py, || {
        py.import(intern!(py, "spikard.responses.encoding"))?
            .getattr(intern!(py, "to_builtins"))
            .map(Bound::unbind)
    })?;
    function.bind(py).call1((value,))
}
