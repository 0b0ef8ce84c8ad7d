//! From `spikard.config.StaticFilesConfig` to a directory that the server answers from.

use std::path::PathBuf;
use std::rc::Rc;

use core_http::handler::Observer;
use core_http::service::{Endpoint, Mount};
use core_http::static_files::{Directory, Rules, StaticFiles};
use http::HeaderValue;
use pyo3::prelude::*;

use crate::application::raise;

/// A directory with the path it is served below; found to be there.
#[derive(Clone, Debug)]
pub(crate) struct StaticDirectory {
    prefix: String,
    directory: Directory,
}

impl StaticDirectory {
    pub(crate) fn read(config: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = config.py();
        let path: PathBuf = config.getattr("directory")?.extract()?;
        let prefix: String = config.getattr("route_prefix")?.extract()?;
        let flag = |name: &str| config.getattr(name)?.is_truthy();
        let cache_control: Option<String> = config.getattr("cache_control")?.extract()?;
        let max_age: Option<u64> = config.getattr("max_age")?.extract()?;
        let cache_control =
            cache_control.or_else(|| max_age.map(|seconds| format!("public, max-age={seconds}")));
        let cache_control = cache_control
            .map(|value| {
                HeaderValue::from_str(&value).map_err(|_| {
                    let message = format!("cache_control is not a header value: {value:?}");
                    raise(py, "ConfigError", message)
                })
            })
            .transpose()?;
        let rules = Rules {
            index_file: flag("index_file")?,
            html: flag("html")?,
            follow_symlinks: flag("follow_symlinks")?,
            precompressed: flag("precompressed")?,
            dotfiles: flag("dotfiles")?,
            cache_control,
        };
        let directory = Directory::open(&path, rules).map_err(|error| {
            let message = format!(
                "the directory of static files for {prefix} cannot be served: {}: {error}",
                path.display()
            );
            raise(py, "ConfigError", message)
        })?;
        Ok(Self {
            prefix: prefix.trim_end_matches('/').to_owned(),
            directory,
        })
    }

    pub(crate) fn mount(self, problem_base_url: &str, observer: Rc<dyn Observer>) -> Mount {
        let handler = StaticFiles::new(&self.prefix, self.directory, problem_base_url, observer);
        Mount {
            socket: None,
            prefix: self.prefix,
            endpoint: Rc::new(Endpoint::new(Box::new(handler))),
        }
    }
}
