//! What a route demands of whoever is let in: scopes, roles, permissions.

use serde_json::{Map, Value};

use super::fault::quoted;

/// One list of names, and where whoever asks has theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What they are called, in the plural.
    pub what: String,
    /// The claim; dots lead into objects.
    pub claim: String,
    pub names: Vec<String>,
}

/// What a route demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    pub demands: Vec<Demand>,
    /// Every name of every list, else any one.
    pub all: bool,
}

/// What was demanded and is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    demands: Vec<Demand>,
    all: bool,
}

impl Requirement {
    /// Whether these claims have what is demanded.
    pub fn check(&self, claims: Option<&Map<String, Value>>) -> Result<(), Lack> {
        let mut found = false;
        let mut lacking = Vec::new();
        for demand in &self.demands {
            let held = claims.map_or_else(Vec::new, |claims| names_in(claims, &demand.claim));
            let names: Vec<String> = demand
                .names
                .iter()
                .filter(|name| !held.contains(&name.as_str()))
                .cloned()
                .collect();
            found |= names.len() < demand.names.len();
            if !names.is_empty() {
                lacking.push(Demand {
                    names,
                    ..demand.clone()
                });
            }
        }
        if lacking.is_empty() || (!self.all && found) {
            return Ok(());
        }
        Err(Lack {
            demands: lacking,
            all: self.all,
        })
    }
}

impl Lack {
    pub(super) fn detail(&self) -> String {
        let lists: Vec<String> = self
            .demands
            .iter()
            .map(|demand| format!("{} {}", demand.what, quoted(&demand.names)))
            .collect();
        if self.all {
            format!("Required {} missing", lists.join(" and "))
        } else {
            format!("At least one of {} is required", lists.join(" or "))
        }
    }
}

/// The names of a claim: a list of texts, or one text with blanks between them.
fn names_in<'a>(claims: &'a Map<String, Value>, path: &str) -> Vec<&'a str> {
    // A claim may have dots in its own name: a URL, as some issuers demand.
    let value = claims.get(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        rest.split('.')
            .try_fold(claims.get(first)?, |value, part| value.get(part))
    });
    match value {
        Some(Value::String(text)) => text.split_ascii_whitespace().collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn demand(what: &str, claim: &str, names: &[&str]) -> Demand {
        Demand {
            what: what.to_owned(),
            claim: claim.to_owned(),
            names: names.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    fn check(demands: &[Demand], all: bool, claims: Value) -> Result<(), String> {
        let requirement = Requirement {
            demands: demands.to_vec(),
            all,
        };
        requirement
            .check(claims.as_object())
            .map_err(|lack| lack.detail())
    }

    #[test]
    fn all_or_any() {
        let demands = [
            demand("scopes", "scope", &["read", "write"]),
            demand("roles", "roles", &["admin"]),
        ];
        let whole = json!({"scope": "write read", "roles": ["user", "admin"]});
        assert_eq!(check(&demands, true, whole.clone()), Ok(()));
        assert_eq!(check(&demands, false, whole), Ok(()));
        let part = json!({"scope": "read"});
        assert_eq!(
            check(&demands, true, part.clone()),
            Err("Required scopes 'write' and roles 'admin' missing".to_owned())
        );
        assert_eq!(check(&demands, false, part), Ok(()));
        assert_eq!(
            check(&demands, false, json!({"roles": "users"})),
            Err(
                "At least one of scopes 'read' and 'write' or roles 'admin' is required".to_owned()
            )
        );
        assert!(check(&demands, true, Value::Null).is_err());
    }

    #[test]
    fn nothing_demanded() {
        assert_eq!(check(&[], true, json!({})), Ok(()));
        assert_eq!(check(&[], false, json!({})), Ok(()));
    }

    #[test]
    fn where_names_are() {
        for (claim, claims, expected) in [
            ("roles", json!({"roles": ["a"]}), true),
            ("roles", json!({"roles": "b a"}), true),
            ("roles", json!({"roles": "ab"}), false),
            ("roles", json!({"roles": {"a": 1}}), false),
            ("roles", json!({"roles": [["a"]]}), false),
            ("realm.roles", json!({"realm": {"roles": ["a"]}}), true),
            ("realm.roles", json!({"realm.roles": ["a"]}), true),
            ("realm.roles", json!({"realm": ["a"]}), false),
            (
                "https://x.org/roles",
                json!({"https://x.org/roles": ["a"]}),
                true,
            ),
        ] {
            let demands = [demand("roles", claim, &["a"])];
            assert_eq!(
                check(&demands, true, claims.clone()).is_ok(),
                expected,
                "{claim} {claims}"
            );
        }
    }
}
