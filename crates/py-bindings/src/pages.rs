//! The documents of an application and the pages that show them.

use bytes::Bytes;
use core_http::page::Page;
use http::HeaderValue;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::headers::Headers;

/// What an application wants served beside its routes.
pub(crate) type Pages = Vec<ServedPage>;

pub(crate) struct ServedPage {
    pub(crate) path: String,
    pub(crate) page: Page,
    /// True for the schemes of the server, False for none, else a scheme of its own.
    pub(crate) protection: Py<PyAny>,
}

/// Asks the application for them.
pub(crate) fn read(owner: &Bound<'_, PyAny>, config: &Bound<'_, PyAny>) -> PyResult<Pages> {
    owner
        .call_method1(intern!(owner.py(), "_pages"), (config,))?
        .try_iter()?
        .map(|page| read_page(&page?))
        .collect()
}

fn read_page(page: &Bound<'_, PyAny>) -> PyResult<ServedPage> {
    let text = |name: &str| -> PyResult<HeaderValue> {
        let value: String = page.getattr(name)?.extract()?;
        crate::headers::parse_value(name, &value)
    };
    let headers = Headers::from_items(Some(&page.getattr("headers")?))?;
    let content = page.getattr("content")?;
    let read = Page {
        content: Bytes::copy_from_slice(content.cast::<PyBytes>()?.as_bytes()),
        is_gzip: page.getattr("is_gzip")?.extract()?,
        media_type: text("media_type")?,
        cache_control: text("cache_control")?,
        etag: text("etag")?,
        headers: headers
            .map
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    };
    Ok(ServedPage {
        path: page.getattr("path")?.extract()?,
        page: read,
        protection: page.getattr("protection")?.unbind(),
    })
}
