//! A whole form, gathered under limits.

use bytes::Bytes;

use super::spool::Spool;
use super::{Event, MultipartError, Parser, PartHead, Upload, decode};
use crate::inflow::Inflow;

/// The least that all text of a form together may take.
const TEXT_LIMIT: usize = 10 * 1024 * 1024;

/// The field that names the character set of all others (RFC 7578, 4.6).
const CHARSET_FIELD: &str = "_charset_";

/// What a form may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartRules {
    pub max_fields: usize,
    pub max_files: usize,
    pub max_file_size: Option<u64>,
    /// Bounds of single fields' files, tighter than the general one.
    pub file_sizes: Vec<(String, u64)>,
    pub max_part_header_size: usize,
    /// Bytes of a file that stay in memory.
    pub spool_threshold: usize,
}

impl Default for PartRules {
    fn default() -> Self {
        Self {
            max_fields: 1000,
            max_files: 100,
            max_file_size: None,
            file_sizes: Vec::new(),
            max_part_header_size: 8192,
            spool_threshold: 1024 * 1024,
        }
    }
}

/// The parts of a form in their order.
pub type Parts = Vec<Part>;

/// One part of a form.
#[derive(Debug)]
pub struct Part {
    pub name: String,
    pub value: PartValue,
}

/// The content of a part.
#[derive(Debug)]
pub enum PartValue {
    Text(String),
    /// Text that says it is JSON.
    Json(String),
    File(Upload),
}

/// Reads a form as it comes.
pub async fn of_inflow(
    inflow: &mut Inflow,
    boundary: &str,
    rules: &PartRules,
) -> Result<Parts, MultipartError> {
    let mut parser = Parser::new(boundary, rules.max_part_header_size);
    let mut gather = Gather::new(rules);
    while let Some(chunk) = inflow.next().await {
        parser.feed(&chunk?);
        while let Some(event) = parser.next()? {
            match gather.take(event)? {
                Some(Open::File(spool)) => gather.keep(spool.finish().await?),
                Some(Open::Text(..)) | None => {}
            }
            if let Some(Open::File(spool)) = &mut gather.open {
                spool.relieve().await?;
            }
        }
    }
    parser.finish()?;
    gather.finish()
}

/// Reads a form that is in memory already; its files stay there.
pub fn of_bytes(body: &Bytes, boundary: &str, rules: &PartRules) -> Result<Parts, MultipartError> {
    let mut parser = Parser::new(boundary, rules.max_part_header_size);
    let mut gather = Gather::new(rules);
    parser.feed(body);
    while let Some(event) = parser.next()? {
        if let Some(Open::File(spool)) = gather.take(event)? {
            gather.keep(spool.finish_in_memory());
        }
    }
    parser.finish()?;
    gather.finish()
}

/// The part that is being read.
#[derive(Debug)]
enum Open {
    Text(PartHead, Vec<u8>),
    File(Spool),
}

/// A part that is whole; texts are decoded when the character set of the form is known.
#[derive(Debug)]
enum Whole {
    Text(PartHead, Vec<u8>),
    File(Upload),
}

#[derive(Debug)]
struct Gather<'r> {
    rules: &'r PartRules,
    whole: Vec<Whole>,
    open: Option<Open>,
    fields: usize,
    files: usize,
    text: usize,
}

impl<'r> Gather<'r> {
    fn new(rules: &'r PartRules) -> Self {
        Self {
            rules,
            whole: Vec::new(),
            open: None,
            fields: 0,
            files: 0,
            text: 0,
        }
    }

    /// Takes an event; gives back a file that is whole now, for its last bytes may have to go to disk.
    fn take(&mut self, event: Event) -> Result<Option<Open>, MultipartError> {
        match event {
            Event::Begin(head) => self.begin(head)?,
            Event::Data(data) => self.extend(&data)?,
            Event::End => match self.open.take() {
                Some(Open::Text(head, bytes)) => self.whole.push(Whole::Text(head, bytes)),
                file => return Ok(file),
            },
        }
        Ok(None)
    }

    fn begin(&mut self, head: PartHead) -> Result<(), MultipartError> {
        self.open = Some(if head.filename.is_some() {
            self.files += 1;
            if self.files > self.rules.max_files {
                return Err(MultipartError::TooManyFiles {
                    limit: self.rules.max_files,
                });
            }
            Open::File(Spool::new(head, self.rules.spool_threshold))
        } else {
            self.fields += 1;
            if self.fields > self.rules.max_fields {
                return Err(MultipartError::TooManyFields {
                    limit: self.rules.max_fields,
                });
            }
            Open::Text(head, Vec::new())
        });
        Ok(())
    }

    fn extend(&mut self, data: &[u8]) -> Result<(), MultipartError> {
        match &mut self.open {
            Some(Open::Text(_, bytes)) => {
                let limit = TEXT_LIMIT.max(self.rules.spool_threshold);
                self.text += data.len();
                if self.text > limit {
                    return Err(MultipartError::TextTooLarge { limit });
                }
                bytes.extend_from_slice(data);
            }
            Some(Open::File(spool)) => {
                let own = self.rules.file_sizes.iter();
                let limit = own
                    .filter(|(name, _)| name == spool.name())
                    .map(|(_, limit)| *limit)
                    .chain(self.rules.max_file_size)
                    .min();
                if let Some(limit) = limit
                    && spool.grown(data.len()) > limit
                {
                    return Err(MultipartError::FileTooLarge { limit });
                }
                spool.push(data);
            }
            // The parser gives data only within a part.
            None => {}
        }
        Ok(())
    }

    fn keep(&mut self, upload: Upload) {
        // What browsers send for a file input that was left empty.
        let is_nothing = upload.size == 0 && upload.head.filename.as_deref() == Some("");
        if !is_nothing {
            self.whole.push(Whole::File(upload));
        }
    }

    fn finish(self) -> Result<Parts, MultipartError> {
        let default = self.whole.iter().find_map(|part| match part {
            Whole::Text(head, bytes) if head.name == CHARSET_FIELD => {
                Some(String::from_utf8_lossy(bytes).trim().to_owned())
            }
            _ => None,
        });
        let default = default.filter(|charset| !charset.is_empty());
        self.whole
            .into_iter()
            .map(|part| match part {
                Whole::File(upload) => Ok(Part {
                    name: upload.head.name.clone(),
                    value: PartValue::File(upload),
                }),
                Whole::Text(head, bytes) => {
                    let own = head.charset();
                    let text = decode(bytes.into(), own.as_deref().or(default.as_deref()))?;
                    let value = if head.is_json() {
                        PartValue::Json(text)
                    } else {
                        PartValue::Text(text)
                    };
                    Ok(Part {
                        name: head.name,
                        value,
                    })
                }
            })
            .collect()
    }
}
