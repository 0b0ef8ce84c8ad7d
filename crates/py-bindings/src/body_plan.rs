//! What a route's plan says of the body: how it is read, checked and built.

use core_validate::{FileRule, Schema};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::json_value;
use crate::route::{Default, default_of};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    Json,
    MsgPack,
    Bytes,
    Text,
    Form,
    Multipart,
}

#[derive(Debug)]
pub(crate) struct BodyPlan {
    pub(crate) kind: BodyKind,
    pub(crate) media_types: Vec<String>,
    pub(crate) schema: Option<Schema>,
    pub(crate) decode: Py<PyAny>,
    pub(crate) errors: Py<PyAny>,
    pub(crate) required: bool,
    pub(crate) default: Default,
    /// What a form is coerced by: the schema, or one that says nothing.
    pub(crate) form_schema: Option<Schema>,
    pub(crate) convert: Py<PyAny>,
    pub(crate) files: Vec<FileRule>,
    /// Bounds of single fields' files.
    pub(crate) file_sizes: Vec<(String, u64)>,
    /// Names of files that the schema of the form is not to see.
    pub(crate) apart: Vec<String>,
}

impl BodyPlan {
    /// The schema of a form's fields.
    pub(crate) fn schema_of_fields(&self) -> Option<&Schema> {
        self.schema.as_ref().or(self.form_schema.as_ref())
    }
}

/// Reads a plan's `body`.
pub(crate) fn read(plan: &Bound<'_, PyAny>) -> PyResult<Option<BodyPlan>> {
    if plan.is_none() {
        return Ok(None);
    }
    let py = plan.py();
    let kind: String = plan.getattr(intern!(py, "kind"))?.extract()?;
    let schema = plan.getattr(intern!(py, "schema"))?;
    let form_schema = schema
        .is_none()
        .then(|| crate::schema::compile(py, &serde_json::json!({})))
        .transpose()?;
    let (files, file_sizes) = read_files(&plan.getattr(intern!(py, "files"))?)?;
    let schema = if schema.is_none() {
        None
    } else {
        let document = json_value::from_python(&schema)?;
        Some(crate::schema::compile(py, &document)?)
    };
    Ok(Some(BodyPlan {
        kind: match kind.as_str() {
            "json" => BodyKind::Json,
            "bytes" => BodyKind::Bytes,
            "text" => BodyKind::Text,
            "form" => BodyKind::Form,
            "multipart" => BodyKind::Multipart,
            other => {
                return Err(PyValueError::new_err(format!(
                    "no such kind of body: {other:?}"
                )));
            }
        },
        media_types: plan.getattr(intern!(py, "media_types"))?.extract()?,
        schema,
        decode: plan.getattr(intern!(py, "decode"))?.unbind(),
        errors: plan.getattr(intern!(py, "errors"))?.unbind(),
        required: plan.getattr(intern!(py, "required"))?.extract()?,
        default: default_of(plan)?,
        form_schema,
        convert: plan.getattr(intern!(py, "convert"))?.unbind(),
        files,
        file_sizes,
        apart: plan.getattr(intern!(py, "apart"))?.extract()?,
    }))
}

/// The largest size of a field's files.
type FileSize = (String, u64);

/// The rules of `file_params`, by field.
fn read_files(files: &Bound<'_, PyAny>) -> PyResult<(Vec<FileRule>, Vec<FileSize>)> {
    let (mut rules, mut sizes) = (Vec::new(), Vec::new());
    for item in files.call_method0("items")?.try_iter()? {
        let (field, entry): (String, Bound<'_, PyAny>) = item?.extract()?;
        let get = |name: &str| entry.call_method1("get", (name,));
        let flag = |name: &str| get(name)?.is_truthy();
        let types = get("content_type")?;
        let content_types = if types.is_none() {
            Vec::new()
        } else if let Ok(one) = types.extract::<String>() {
            vec![one]
        } else {
            types.extract()?
        };
        if let Some(size) = get("max_size")?.extract::<Option<u64>>()? {
            sizes.push((field.clone(), size));
        }
        let allows_empty = get("allow_empty")?;
        rules.push(FileRule {
            field,
            required: flag("required")?,
            content_types,
            checks_signature: flag("validate_magic_numbers")?,
            allows_empty: allows_empty.is_none() || allows_empty.is_truthy()?,
        });
    }
    Ok((rules, sizes))
}
