//! What an uploaded file must be: its declared type, its beginning, that there is something in it.

use serde_json::{Map, Value};

use crate::fault::{Fault, FaultKind, Loc};
use crate::faults::Faults;
use crate::signature::{agrees, detect};

/// Bytes of a file's beginning that a fault shows.
const SHOWN_BYTES: usize = 8;

/// What a declaration demands of the files of one field. Their size is bounded while they come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileRule {
    pub field: String,
    /// A fault is told when no file came.
    pub required: bool,
    /// Types that are allowed, `image/*` among them; none allows all.
    pub content_types: Vec<String>,
    /// Whether the first bytes must be those of the declared type.
    pub checks_signature: bool,
    pub allows_empty: bool,
}

/// What is known of a file.
#[derive(Debug, Clone, Copy)]
pub struct UploadedFile<'a> {
    /// Its declared type, without parameters.
    pub content_type: &'a str,
    pub size: u64,
    pub start: &'a [u8],
}

impl FileRule {
    /// Checks all files of the field.
    pub fn check<'a>(
        &self,
        files: impl ExactSizeIterator<Item = UploadedFile<'a>>,
        faults: &mut Faults,
    ) {
        let place = || vec![Loc::from("files"), Loc::from(self.field.as_str())];
        if files.len() == 0 {
            if self.required {
                faults.push(Fault::missing(place(), Some(Value::Null)));
            }
            return;
        }
        for file in files {
            self.check_one(file, &place(), faults);
        }
    }

    fn check_one(&self, file: UploadedFile<'_>, loc: &[Loc], faults: &mut Faults) {
        let tell = |kind, msg: String, ctx: Map<String, Value>| {
            let mut fault = Fault::new(kind, loc.to_vec(), msg);
            fault.ctx = ctx;
            fault
        };
        if !self.content_types.is_empty() && !self.allows(file.content_type) {
            let mut ctx = Map::new();
            ctx.insert("content_type".into(), file.content_type.into());
            ctx.insert("allowed".into(), self.content_types.clone().into());
            let msg = format!(
                "Invalid content type '{}'. Allowed types: {}",
                file.content_type,
                self.content_types.join(", ")
            );
            faults.push(tell(FaultKind::FileContentType, msg, ctx));
        }
        if file.size == 0 {
            if self.checks_signature || !self.allows_empty {
                let mut ctx = Map::new();
                ctx.insert("buffer_size".into(), 0.into());
                let msg = "File buffer is empty".to_owned();
                faults.push(tell(FaultKind::FileEmpty, msg, ctx));
            }
            return;
        }
        if self.checks_signature
            && let Some(detected) = detect(file.start)
            && !agrees(file.content_type, detected)
        {
            let mut ctx = Map::new();
            ctx.insert("declared_mime".into(), file.content_type.into());
            ctx.insert("detected_type".into(), detected.into());
            ctx.insert("magic_bytes".into(), hex(file.start).into());
            let msg = format!(
                "File type mismatch: MIME type is {} but magic numbers indicate {detected}",
                file.content_type
            );
            faults.push(tell(FaultKind::FileTypeMismatch, msg, ctx));
        }
    }

    fn allows(&self, content_type: &str) -> bool {
        self.content_types.iter().any(|allowed| {
            if allowed == "*/*" || allowed.eq_ignore_ascii_case(content_type) {
                return true;
            }
            let family = allowed.strip_suffix('*').filter(|rest| rest.ends_with('/'));
            family.is_some_and(|family| {
                content_type
                    .get(..family.len())
                    .is_some_and(|own| own.eq_ignore_ascii_case(family))
            })
        })
    }
}

fn hex(start: &[u8]) -> String {
    use std::fmt::Write;

    let mut text = String::with_capacity(2 * SHOWN_BYTES);
    for byte in start.iter().take(SHOWN_BYTES) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(rule: &FileRule, files: &[(&str, &[u8])]) -> Value {
        let mut faults = Faults::new();
        let files = files.iter().map(|(content_type, start)| UploadedFile {
            content_type,
            size: start.len() as u64,
            start,
        });
        rule.check(files, &mut faults);
        serde_json::from_slice(&faults.to_json()).expect("JSON")
    }

    #[test]
    fn types_beginnings_and_emptiness_are_checked() {
        let rule = FileRule {
            field: "f".into(),
            required: true,
            content_types: vec!["image/*".into(), "application/pdf".into()],
            checks_signature: true,
            allows_empty: true,
        };
        assert_eq!(
            told(&rule, &[]),
            json!([{"type": "missing", "loc": ["files", "f"], "msg": "Field required", "input": null}])
        );
        assert_eq!(
            told(&rule, &[("image/png", b"\x89PNG\r\n\x1a\nx")]),
            json!([])
        );
        assert_eq!(told(&rule, &[("Application/PDF", b"whatever")]), json!([]));
        assert_eq!(
            told(&rule, &[("text/plain", b"x")]),
            json!([{
                "type": "file_content_type", "loc": ["files", "f"],
                "msg": "Invalid content type 'text/plain'. Allowed types: image/*, application/pdf",
                "ctx": {"content_type": "text/plain", "allowed": ["image/*", "application/pdf"]},
            }])
        );
        assert_eq!(
            told(&rule, &[("image/png", b"\xff\xd8\xff\xe0\0\0\0\0\0")]),
            json!([{
                "type": "file_type_mismatch", "loc": ["files", "f"],
                "msg": "File type mismatch: MIME type is image/png but magic numbers indicate image/jpeg",
                "ctx": {"declared_mime": "image/png", "detected_type": "image/jpeg", "magic_bytes": "ffd8ffe000000000"},
            }])
        );
        assert_eq!(
            told(&rule, &[("image/gif", b"GIF8"), ("image/gif", b"")]),
            json!([{
                "type": "file_empty", "loc": ["files", "f"], "msg": "File buffer is empty", "ctx": {"buffer_size": 0},
            }])
        );
    }

    #[test]
    fn emptiness_is_fine_unless_somebody_minds() {
        let mut rule = FileRule {
            field: "f".into(),
            allows_empty: true,
            ..FileRule::default()
        };
        assert_eq!(told(&rule, &[("text/plain", b"")]), json!([]));
        assert_eq!(told(&rule, &[]), json!([]));
        rule.allows_empty = false;
        assert_eq!(told(&rule, &[("text/plain", b"")])[0]["type"], "file_empty");
    }
}
