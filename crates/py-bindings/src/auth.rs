//! From `JwtConfig`, `ApiKeyConfig` and the `security` of routes to gates.

use std::rc::Rc;
use std::sync::Arc;

use core_http::auth::algorithm::Algorithm;
use core_http::auth::api_key::{ApiKeyRules, Finding, KeyDirectory, KeyList, Keys};
use core_http::auth::bearer::BearerRules;
use core_http::auth::claims::ClaimRules;
use core_http::auth::fetch::Location;
use core_http::auth::key_source::{KeySource, RemoteKeys};
use core_http::auth::requirement::{Demand, Requirement};
use core_http::auth::verifying_key::VerifyingKey;
use core_http::auth::{Admission, Authentication};
use core_http::exemption::Exemptions;
use core_http::gate::Gate;
use core_http::request::Head;
use http::HeaderName;
use pyo3::intern;
use pyo3::prelude::*;

use crate::clock::clock;
use crate::gateway::Gateway;
use crate::identity::read_principal;
use crate::inquiry::{Inquirer, Subject};
use crate::pages::ServedPage;
use crate::route::Route;
use crate::route_config::{Choice, config_error, route_choice};

/// A `JwtConfig`.
struct TokenPlan {
    config: Py<PyAny>,
    algorithm: Algorithm,
    keys: KeyPlan,
    claims: ClaimRules,
    exempt: Exemptions,
    optional: bool,
}

enum KeyPlan {
    Fixed(VerifyingKey),
    Remote(Location),
}

/// An `ApiKeyConfig`.
struct KeysPlan {
    config: Py<PyAny>,
    keys: Listing,
    header_title: String,
    header: HeaderName,
    query: Option<String>,
    cookie: Option<String>,
    deprecated: Vec<String>,
    exempt: Exemptions,
}

enum Listing {
    Keys(Vec<String>),
    Function(Arc<Py<PyAny>>),
}

/// Who may use a route: which token plan, which key plan, what is demanded.
#[derive(Clone, Default)]
struct Door {
    tokens: Option<usize>,
    keys: Option<usize>,
    requirement: Option<Requirement>,
}

/// Who may use what, read.
#[derive(Default)]
pub(crate) struct Doors {
    tokens: Vec<TokenPlan>,
    keys: Vec<KeysPlan>,
    /// By the number of the route.
    routes: Vec<Door>,
    /// By the number of the page.
    pages: Vec<Door>,
    /// That of everything that is mounted.
    general: Door,
}

/// What a door stands before.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entrance {
    Route(usize),
    Page(usize),
    Mount,
}

/// The schemes, on the server's thread.
pub(crate) struct BuiltDoors {
    tokens: Vec<Rc<BearerRules>>,
    keys: Vec<Rc<ApiKeyRules>>,
    problem_base_url: Rc<str>,
}

impl TokenPlan {
    fn read(config: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = config.py();
        let text = |name: &str| config.getattr(name)?.extract::<Option<String>>();
        let name: String = config.getattr("algorithm")?.extract()?;
        let algorithm: Algorithm = name
            .parse()
            .map_err(|()| config_error(py, &format!("JwtConfig.algorithm: {name} is not known")))?;
        let keys = match (text("secret")?, text("public_key")?, text("jwks_url")?) {
            (Some(secret), _, _) if name.starts_with("HS") => {
                KeyPlan::Fixed(VerifyingKey::from_secret(secret.as_bytes()))
            }
            (_, Some(pem), _) => KeyPlan::Fixed(
                VerifyingKey::from_pem(&pem, algorithm)
                    .map_err(|error| config_error(py, &format!("JwtConfig.public_key: {error}")))?,
            ),
            (_, None, Some(url)) => KeyPlan::Remote(
                Location::parse(&url)
                    .map_err(|error| config_error(py, &format!("JwtConfig.jwks_url: {error}")))?,
            ),
            (_, None, None) => {
                let message = format!("JwtConfig: {name} takes a public_key or a jwks_url");
                return Err(config_error(py, &message));
            }
        };
        Ok(Self {
            config: config.clone().unbind(),
            algorithm,
            keys,
            claims: ClaimRules {
                audience: config.getattr("audience")?.extract()?,
                issuer: text("issuer")?,
                leeway: config.getattr("leeway")?.extract()?,
                required: config.getattr("required_claims")?.extract()?,
            },
            exempt: Exemptions::new(config.getattr("exempt")?.extract::<Vec<String>>()?),
            optional: config.getattr("optional")?.is_truthy()?,
        })
    }

    fn build(&self, gateway: &Gateway) -> BearerRules {
        let keys = match &self.keys {
            KeyPlan::Fixed(key) => KeySource::Fixed(Rc::new(key.clone())),
            KeyPlan::Remote(location) => {
                let gateway = gateway.clone();
                let warn = move |message: &str| {
                    Python::attach(|py| gateway.trouble().warn(py, message, None));
                };
                KeySource::Remote(RemoteKeys::new(
                    location.clone(),
                    self.algorithm,
                    Arc::clone(clock()),
                    Rc::new(warn),
                ))
            }
        };
        BearerRules {
            algorithm: self.algorithm,
            keys,
            claims: self.claims.clone(),
            exempt: self.exempt.clone(),
            optional: self.optional,
        }
    }
}

impl KeysPlan {
    fn read(config: &Bound<'_, PyAny>) -> PyResult<Self> {
        let keys = config.getattr("keys")?;
        let header_title: String = config.getattr("header_name")?.extract()?;
        let header = HeaderName::from_bytes(header_title.as_bytes()).map_err(|_| {
            let message = format!("ApiKeyConfig.header_name: {header_title:?} is no header name");
            config_error(config.py(), &message)
        })?;
        Ok(Self {
            config: config.clone().unbind(),
            keys: if keys.is_callable() {
                Listing::Function(Arc::new(keys.unbind()))
            } else {
                Listing::Keys(keys.extract()?)
            },
            header_title,
            header,
            query: config.getattr("query_name")?.extract()?,
            cookie: config.getattr("cookie_name")?.extract()?,
            deprecated: config.getattr("deprecated_keys")?.extract()?,
            exempt: Exemptions::new(config.getattr("exempt")?.extract::<Vec<String>>()?),
        })
    }

    fn build(&self, gateway: &Gateway) -> ApiKeyRules {
        ApiKeyRules {
            keys: match &self.keys {
                Listing::Keys(keys) => Keys::Listed(KeyList::new(keys)),
                Listing::Function(function) => {
                    Keys::Directory(Rc::new(PythonDirectory(Inquirer {
                        gateway: gateway.clone(),
                        function: Arc::clone(function),
                        route: None,
                    })))
                }
            },
            header_title: self.header_title.clone(),
            header: self.header.clone(),
            query: self.query.clone(),
            cookie: self.cookie.clone(),
            deprecated: KeyList::new(&self.deprecated),
            exempt: self.exempt.clone(),
        }
    }
}

impl Doors {
    /// Reads the schemes of the server, those of the routes and those of the pages.
    pub(crate) fn read<'a>(
        config: &Bound<'_, PyAny>,
        routes: impl Iterator<Item = &'a Route>,
        pages: &[ServedPage],
    ) -> PyResult<Self> {
        let py = config.py();
        let mut doors = Self::default();
        doors.general = Door {
            tokens: doors.token_plan(&config.getattr("jwt_auth")?)?,
            keys: doors.key_plan(&config.getattr("api_key_auth")?)?,
            requirement: None,
        };
        for route in routes {
            let door = doors.route_door(py, route)?;
            doors.routes.push(door);
        }
        for page in pages {
            let door = doors.page_door(page, page.protection.bind(py))?;
            doors.pages.push(door);
        }
        Ok(doors)
    }

    fn page_door(&mut self, page: &ServedPage, protection: &Bound<'_, PyAny>) -> PyResult<Door> {
        let mut door = match protection.extract::<bool>() {
            Ok(false) => return Ok(Door::default()),
            Ok(true) => self.general.clone(),
            Err(_) => self.own_door(protection)?,
        };
        if door.tokens.is_none() && door.keys.is_none() {
            let message = format!(
                "protect_docs closes {}, but nothing is configured that could tell who is asking; set jwt_auth or api_key_auth, or give protect_docs a scheme of its own",
                page.path
            );
            return Err(config_error(protection.py(), &message));
        }
        // A demand for nothing in particular: no exemption, and no scheme that is optional, opens the page.
        door.requirement = Some(Requirement {
            demands: Vec::new(),
            all: true,
        });
        Ok(door)
    }

    fn own_door(&mut self, scheme: &Bound<'_, PyAny>) -> PyResult<Door> {
        let mut door = Door::default();
        if scheme.hasattr(intern!(scheme.py(), "algorithm"))? {
            door.tokens = self.token_plan(scheme)?;
        } else {
            door.keys = self.key_plan(scheme)?;
        }
        Ok(door)
    }

    fn route_door(&mut self, py: Python<'_>, route: &Route) -> PyResult<Door> {
        let mut door = match route_choice(py, route, "auth")? {
            Choice::Inherit => self.general.clone(),
            Choice::Off => Door::default(),
            Choice::Own(own) => self.own_door(&own)?,
        };
        let declared = route.names.route.bind(py);
        match Choice::of(declared.getattr(intern!(py, "security"))?)? {
            Choice::Inherit => {}
            Choice::Off => door = Door::default(),
            // In the words of OpenAPI: it describes, and changes nothing.
            Choice::Own(described) if !described.hasattr(intern!(py, "require_all"))? => {}
            Choice::Own(demanded) => {
                if door.tokens.is_none() && door.keys.is_none() {
                    let message = format!(
                        "the route {} demands {}, but nothing is configured that could tell who is asking; set jwt_auth or api_key_auth",
                        declared.getattr(intern!(py, "path"))?,
                        demanded.repr()?
                    );
                    return Err(config_error(py, &message));
                }
                door.requirement = Some(read_requirement(&demanded)?);
            }
        }
        Ok(door)
    }

    fn token_plan(&mut self, config: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
        if config.is_none() {
            return Ok(None);
        }
        let known = self.tokens.iter().position(|plan| plan.config.is(config));
        if known.is_none() {
            self.tokens.push(TokenPlan::read(config)?);
        }
        Ok(known.or(Some(self.tokens.len() - 1)))
    }

    fn key_plan(&mut self, config: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
        if config.is_none() {
            return Ok(None);
        }
        let known = self.keys.iter().position(|plan| plan.config.is(config));
        if known.is_none() {
            self.keys.push(KeysPlan::read(config)?);
        }
        Ok(known.or(Some(self.keys.len() - 1)))
    }

    /// The schemes, on the server's thread.
    pub(crate) fn build(&self, gateway: &Gateway, problem_base_url: &str) -> BuiltDoors {
        let tokens = self.tokens.iter().map(|plan| Rc::new(plan.build(gateway)));
        let keys = self.keys.iter().map(|plan| Rc::new(plan.build(gateway)));
        BuiltDoors {
            tokens: tokens.collect(),
            keys: keys.collect(),
            problem_base_url: problem_base_url.into(),
        }
    }

    /// The gate before something, if it is for some only.
    pub(crate) fn gate(&self, built: &BuiltDoors, entrance: Entrance) -> Option<Rc<dyn Gate>> {
        let door = match entrance {
            Entrance::Route(number) => self.routes.get(number)?,
            Entrance::Page(number) => self.pages.get(number)?,
            Entrance::Mount => &self.general,
        };
        if door.tokens.is_none() && door.keys.is_none() {
            return None;
        }
        Some(Rc::new(Authentication::new(Admission {
            bearer: door.tokens.map(|index| Rc::clone(&built.tokens[index])),
            api_key: door.keys.map(|index| Rc::clone(&built.keys[index])),
            requirement: door.requirement.clone().map(Rc::new),
            clock: Arc::clone(clock()),
            problem_base_url: Rc::clone(&built.problem_base_url),
        })))
    }
}

/// A `spikard.security.Requirement`.
fn read_requirement(requirement: &Bound<'_, PyAny>) -> PyResult<Requirement> {
    let mut demands = Vec::new();
    for what in ["scopes", "roles", "permissions"] {
        let names: Vec<String> = requirement.getattr(what)?.extract()?;
        if !names.is_empty() {
            demands.push(Demand {
                what: what.to_owned(),
                claim: requirement.getattr(format!("{what}_claim"))?.extract()?,
                names,
            });
        }
    }
    Ok(Requirement {
        demands,
        all: requirement.getattr("require_all")?.is_truthy()?,
    })
}

/// A function of the application that knows keys.
struct PythonDirectory(Inquirer);

impl KeyDirectory for PythonDirectory {
    fn find(&self, head: Head, key: String) -> Finding {
        Box::pin(self.0.clone().ask(head, Subject::Key(key), read_principal))
    }
}
