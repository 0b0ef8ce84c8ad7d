//! Forms: checked without the interpreter, then made into Python objects.

use std::borrow::Cow;
use std::sync::Arc;

use core_http::multipart::{Content, Part, PartValue, Upload};
use core_http::problem::Problem;
use core_http::query;
use core_http::request::{Intake, Request};
use core_validate::{
    Coerced, Fault, Faults, FileRule, FormFile, FormValue, JsonLimits, Loc, UploadedFile, parse,
};
use serde_json::Value;

use crate::body_plan::BodyPlan;
use crate::check::{Decoded, malformed};

/// What a part without a type holds.
const OCTETS: &str = "application/octet-stream";

/// A field's name and value.
type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Checks a form's fields and files, and leaves with the request what its fields came to.
pub(crate) fn examine(
    plan: &BodyPlan,
    request: &mut Request,
    limits: JsonLimits,
    faults: &mut Faults,
) -> Result<(), Problem> {
    let text;
    let (pairs, parts): (Vec<Pair<'_>>, &[Part]) = match &request.intake {
        Intake::Parts(parts) => (Vec::new(), parts),
        _ => {
            text = std::str::from_utf8(&request.body)
                .map_err(|_| Problem::invalid_encoding("the form: it is not UTF-8"))?;
            let pairs = query::parse(text)
                .collect::<Result<_, _>>()
                .map_err(|error| Problem::invalid_encoding(&format!("the form: {error}")))?;
            (pairs, &[])
        }
    };
    let tree = if pairs.is_empty() && parts.is_empty() && !plan.required {
        None
    } else {
        coerced(plan, &pairs, parts, limits, faults)?
    };
    examine_files(&plan.files, parts, faults);
    let decoded = Decoded::Form(tree.map(Arc::new));
    request.head.parts.extensions.insert(decoded);
    Ok(())
}

fn coerced(
    plan: &BodyPlan,
    pairs: &[(Cow<'_, str>, Cow<'_, str>)],
    parts: &[Part],
    limits: JsonLimits,
    faults: &mut Faults,
) -> Result<Option<Coerced<'static>>, Problem> {
    let Some(schema) = plan.schema_of_fields() else {
        return Ok(None);
    };
    let unreadable = |error: core_validate::NameFault| Problem::bad_request(error.to_string());
    let made = if parts.is_empty() {
        schema.coerce_form(pairs, &["body"], faults)
    } else {
        let fields = fields(plan, parts, limits)?;
        schema.coerce_fields(fields.into_iter(), &["body"], faults)
    };
    Ok(made.map_err(unreadable)?.map(Coerced::into_owned))
}

/// The parts that the schema is to see. Files keep their position among all files of the form.
fn fields<'a>(
    plan: &BodyPlan,
    parts: &'a [Part],
    limits: JsonLimits,
) -> Result<Vec<(&'a str, FormValue<'a>)>, Problem> {
    let mut fields = Vec::with_capacity(parts.len());
    let mut files = 0;
    for part in parts {
        let value = match &part.value {
            PartValue::Text(text) => FormValue::Text(Cow::Borrowed(text)),
            PartValue::Json(text) => {
                let value = parse(text.as_bytes(), limits).map_err(|fault| malformed(&fault))?;
                FormValue::Json(value)
            }
            PartValue::File(upload) => {
                let index = files;
                files += 1;
                if plan.apart.contains(&part.name) {
                    continue;
                }
                FormValue::File(FormFile {
                    index,
                    filename: upload.head.filename.as_deref().unwrap_or(""),
                    content: match &upload.content {
                        Content::Memory(bytes) => Some(bytes),
                        Content::Disk(_) => None,
                    },
                })
            }
        };
        fields.push((part.name.as_str(), value));
    }
    Ok(fields)
}

fn examine_files(rules: &[FileRule], parts: &[Part], faults: &mut Faults) {
    for rule in rules {
        let files: Vec<UploadedFile<'_>> = parts
            .iter()
            .filter(|part| part.name == rule.field)
            .filter_map(|part| match &part.value {
                PartValue::File(upload) => Some(uploaded(upload)),
                PartValue::Text(_) | PartValue::Json(_) => None,
            })
            .collect();
        rule.check(files.into_iter(), faults);
    }
}

fn uploaded(upload: &Upload) -> UploadedFile<'_> {
    let declared = upload.head.content_type.as_deref();
    UploadedFile {
        content_type: declared.map_or(OCTETS, core_http::media_type::essence),
        size: upload.size,
        start: &upload.start,
    }
}

/// The fault of a file that its annotation could not be made of.
pub(crate) fn file_fault(field: &str, text: &str) -> Fault {
    let loc = vec![Loc::from("files"), Loc::from(field)];
    let mut fault = Fault::new(
        core_validate::FaultKind::ValueError,
        loc,
        format!("Value error, {text}"),
    );
    fault.ctx.insert("error".to_owned(), Value::from(text));
    fault
}
