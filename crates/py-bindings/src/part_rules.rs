//! What multipart forms may hold: by the server's settings, and by what a route says otherwise.

use core_http::multipart::PartRules;
use pyo3::intern;
use pyo3::prelude::*;

use crate::request::Request;
use crate::route::Route;

/// From `spikard.config.ServerConfig`.
pub(crate) fn read(config: &Bound<'_, PyAny>) -> PyResult<PartRules> {
    Ok(PartRules {
        max_fields: config.getattr("max_form_fields")?.extract()?,
        max_files: config.getattr("max_files")?.extract()?,
        max_file_size: config.getattr("max_file_size")?.extract()?,
        file_sizes: Vec::new(),
        max_part_header_size: config.getattr("max_part_header_size")?.extract()?,
        spool_threshold: config.getattr("spool_threshold")?.extract()?,
    })
}

/// What a route says of its files. `None` in the outer option leaves it to the server, in the inner one it is no limit.
#[derive(Debug, Default)]
pub(crate) struct RouteFiles {
    pub(crate) max_files: Option<Option<usize>>,
    pub(crate) max_file_size: Option<Option<u64>>,
}

/// The rules of one route.
pub(crate) fn of_route(route: &Route, server: &PartRules) -> PartRules {
    let own = &route.files;
    PartRules {
        max_files: own
            .max_files
            .map_or(server.max_files, |limit| limit.unwrap_or(usize::MAX)),
        max_file_size: own.max_file_size.unwrap_or(server.max_file_size),
        file_sizes: route
            .body
            .as_ref()
            .map_or_else(Vec::new, |plan| plan.file_sizes.clone()),
        ..server.clone()
    }
}

/// The rules of the route that a request has come to, read when a handler asks for a form by itself.
pub(crate) fn of_request(request: &Bound<'_, Request>) -> PyResult<PartRules> {
    let py = request.py();
    let borrowed = request.borrow();
    let Some(names) = borrowed.names() else {
        return Ok(PartRules::default());
    };
    let mut rules = read(&names.app.bind(py).getattr(intern!(py, "config"))?)?;
    let own = names.route.bind(py).getattr(intern!(py, "config"))?;
    if own.is_none() {
        return Ok(rules);
    }
    // A field that is not set is neither a number nor None.
    if let Ok(limit) = own.getattr("max_files")?.extract::<Option<usize>>() {
        rules.max_files = limit.unwrap_or(usize::MAX);
    }
    if let Ok(limit) = own.getattr("max_file_size")?.extract() {
        rules.max_file_size = limit;
    }
    Ok(rules)
}
