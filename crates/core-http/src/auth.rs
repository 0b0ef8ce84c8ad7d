//! Who may come in: bearer tokens and API keys, as a gate.
//!
//! - [`bearer`], [`token`], [`claims`]: JSON Web Tokens and what is demanded of them
//! - [`algorithm`], [`verifying_key`]: signatures
//! - [`key_source`], [`key_set`], [`fetch`]: keys from the configuration, or from elsewhere
//! - [`api_key`]: API keys
//! - [`identity`]: whoever was let in
//! - [`requirement`]: scopes and roles that a route demands
//! - [`fault`]: why somebody is not let in

pub mod algorithm;
pub mod api_key;
pub mod bearer;
pub mod claims;
pub mod fault;
pub mod fetch;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod identity;
mod key_set;
pub mod key_source;
pub mod requirement;
mod token;
pub mod verifying_key;

use std::rc::Rc;
use std::sync::Arc;

use http::header::{HeaderName, HeaderValue};

use self::api_key::{ApiKeyRules, Keys};
use self::bearer::{BearerRules, Checked, Sent};
use self::fault::AuthFault;
use self::identity::{Identity, Principal};
use self::requirement::Requirement;
use crate::clock::Clock;
use crate::exemption::is_preflight;
use crate::gate::{Gate, Passing, Refused};
use crate::request::Head;
use crate::trail::Trail;

const DEPRECATED: HeaderName = HeaderName::from_static("x-api-key-deprecated");

/// Who may use an endpoint.
#[derive(Clone, Debug)]
pub struct Admission {
    pub bearer: Option<Rc<BearerRules>>,
    pub api_key: Option<Rc<ApiKeyRules>>,
    /// What is demanded beyond a known identity. A route that demands something is never exempt.
    pub requirement: Option<Rc<Requirement>>,
    pub clock: Arc<Clock>,
    /// Before the type of problems.
    pub problem_base_url: Rc<str>,
}

/// The gate of an endpoint that not everybody may use.
#[derive(Clone, Debug)]
pub struct Authentication {
    admission: Rc<Admission>,
}

impl Authentication {
    pub fn new(admission: Admission) -> Self {
        Self {
            admission: Rc::new(admission),
        }
    }
}

type Outcome = Result<Head, Box<Refused>>;

impl Gate for Authentication {
    fn pass(&self, head: Head, trail: &Rc<Trail>) -> Passing {
        let admission = &self.admission;
        let (bearer, api_key) = admission.rules_for(&head);
        let is_demanded = admission.requirement.is_some();
        let is_open = bearer.is_none() && api_key.is_none() && !is_demanded;
        if is_open || is_preflight(&head) {
            return Passing::On(head);
        }
        if let Some(rules) = bearer
            && let Sent::Token(token) = bearer::sent(&head)
        {
            let token = token.to_owned();
            return admission.pass_token(rules, token, head);
        }
        if let Some(rules) = api_key
            && let Some(key) = rules.key(&head)
        {
            let key = key.into_owned();
            return admission.pass_key(rules, key, head, trail);
        }
        let fault = match (bearer, api_key) {
            (Some(rules), _) if rules.optional && !is_demanded => return Passing::On(head),
            (Some(_), _) if bearer::sent(&head) == Sent::Other => AuthFault::NotBearer,
            (None, Some(rules)) => rules.absent(),
            (Some(_) | None, _) => AuthFault::NoToken,
        };
        admission.refuse(head, &fault).into()
    }
}

impl Admission {
    /// The schemes that this request has to care about.
    fn rules_for(&self, head: &Head) -> (Option<&Rc<BearerRules>>, Option<&Rc<ApiKeyRules>>) {
        let path = head.path();
        let is_demanded = self.requirement.is_some();
        (
            self.bearer
                .as_ref()
                .filter(|rules| is_demanded || !rules.exempt.hold(path)),
            self.api_key
                .as_ref()
                .filter(|rules| is_demanded || !rules.exempt.hold(path)),
        )
    }

    fn pass_token(self: &Rc<Self>, rules: &Rc<BearerRules>, token: String, head: Head) -> Passing {
        match rules.check(&token, self.clock.now()) {
            Checked::Now(Ok(identity)) => self.admit(head, identity).into(),
            Checked::Now(Err(fault)) => self.refuse(head, &fault).into(),
            Checked::Ask(source) => {
                let (admission, rules) = (Rc::clone(self), Rc::clone(rules));
                Passing::Later(Box::pin(async move {
                    let now = admission.clock.now();
                    match rules.check_later(&source, &token, now).await {
                        Ok(identity) => admission.admit(head, identity),
                        Err(fault) => admission.refuse(head, &fault),
                    }
                }))
            }
        }
    }

    fn pass_key(
        self: &Rc<Self>,
        rules: &Rc<ApiKeyRules>,
        key: String,
        head: Head,
        trail: &Rc<Trail>,
    ) -> Passing {
        let is_deprecated = rules.deprecated.holds(&key);
        if is_deprecated {
            trail.after(|mut response| {
                response
                    .headers_mut()
                    .insert(DEPRECATED, HeaderValue::from_static("true"));
                response
            });
        }
        let directory = match &rules.keys {
            Keys::Listed(list) if list.holds(&key) | is_deprecated => {
                return self.admit_listed(head, &key).into();
            }
            Keys::Listed(_) => return self.refuse(head, &AuthFault::WrongKey).into(),
            Keys::Directory(directory) => directory,
        };
        let (admission, known) = (Rc::clone(self), directory.find(head, key.clone()));
        Passing::Later(Box::pin(async move {
            match known.await? {
                (head, Some(principal)) => admission.admit(head, Identity::Key(principal)),
                (head, None) if is_deprecated => admission.admit_listed(head, &key),
                (head, None) => admission.refuse(head, &AuthFault::WrongKey),
            }
        }))
    }

    fn admit_listed(&self, head: Head, key: &str) -> Outcome {
        self.admit(head, Identity::Key(Principal::Listed(key.into())))
    }

    /// Somebody is known; may they do this?
    fn admit(&self, mut head: Head, identity: Identity) -> Outcome {
        if let Some(requirement) = &self.requirement
            && let Err(lack) = requirement.check(identity.claims())
        {
            return self.refuse(head, &AuthFault::Lacking(lack));
        }
        head.parts.extensions.insert(identity);
        Ok(head)
    }

    fn refuse(&self, head: Head, fault: &AuthFault) -> Outcome {
        Err(fault.refuse(head, &self.problem_base_url))
    }
}

#[cfg(test)]
mod tests;
