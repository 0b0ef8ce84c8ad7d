//! Where a Redis server is and who we are there.

use std::path::PathBuf;

use http::Uri;
use percent_encoding::percent_decode_str;

use crate::query;

const PORT: u16 = 6379;

/// How the server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tcp {
        host: String,
        port: u16,
        is_secure: bool,
    },
    Unix(PathBuf),
}

/// A Redis URL, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RedisUrl {
    pub(super) place: Place,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: u32,
}

impl RedisUrl {
    /// `redis://`, `rediss://` or `unix://`; the error says what is wrong, without repeating the URL.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let (base, arguments) = url.split_once('?').unwrap_or((url, ""));
        let mut parsed = if let Some(rest) = base.strip_prefix("unix://") {
            let (login, path) = rest.split_once('/').ok_or("it names no path")?;
            let (user, password) = credentials(login.strip_suffix('@'));
            Self {
                place: Place::Unix(format!("/{}", decoded(path)).into()),
                user,
                password,
                database: 0,
            }
        } else {
            Self::parse_tcp(base)?
        };
        for pair in query::parse(arguments) {
            let (name, value) = pair.map_err(|error| error.to_string())?;
            match name.as_ref() {
                "db" => parsed.database = number(&value)?,
                "username" => parsed.user = Some(value.into_owned()),
                "password" => parsed.password = Some(value.into_owned()),
                other => return Err(format!("it has an option that is not known: {other}")),
            }
        }
        Ok(parsed)
    }

    fn parse_tcp(base: &str) -> Result<Self, String> {
        let uri: Uri = base.parse().map_err(|error| format!("{error}"))?;
        let is_secure = match uri.scheme_str() {
            Some("redis") => false,
            Some("rediss") => true,
            _ => return Err("it begins with none of redis://, rediss:// and unix://".to_owned()),
        };
        let authority = uri.authority().ok_or("it names no host")?;
        let login = authority.as_str().rsplit_once('@').map(|(login, _)| login);
        let (user, password) = credentials(login);
        Ok(Self {
            place: Place::Tcp {
                host: authority.host().trim_matches(['[', ']']).to_owned(),
                port: authority.port_u16().unwrap_or(PORT),
                is_secure,
            },
            user,
            password,
            database: match uri.path().trim_matches('/') {
                "" => 0,
                database => number(database)?,
            },
        })
    }
}

fn credentials(login: Option<&str>) -> (Option<String>, Option<String>) {
    let Some((user, password)) = login.map(|login| login.split_once(':').unwrap_or((login, "")))
    else {
        return (None, None);
    };
    let some = |text: &str| (!text.is_empty()).then(|| decoded(text));
    (some(user), some(password))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn number(text: &str) -> Result<u32, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is no number of a database"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16, is_secure: bool) -> Place {
        Place::Tcp {
            host: host.to_owned(),
            port,
            is_secure,
        }
    }

    #[test]
    fn urls() {
        for (url, place, user, password, database) in [
            (
                "redis://localhost",
                tcp("localhost", 6379, false),
                None,
                None,
                0,
            ),
            ("redis://h:1/", tcp("h", 1, false), None, None, 0),
            ("rediss://h:1/3", tcp("h", 1, true), None, None, 3),
            (
                "redis://:p%40ss@h/0",
                tcp("h", 6379, false),
                None,
                Some("p@ss"),
                0,
            ),
            (
                "redis://u:p@h",
                tcp("h", 6379, false),
                Some("u"),
                Some("p"),
                0,
            ),
            ("redis://[::1]:7?db=2", tcp("::1", 7, false), None, None, 2),
            (
                "unix:///run/r.sock",
                Place::Unix("/run/r.sock".into()),
                None,
                None,
                0,
            ),
            (
                "unix://u@/r.sock?db=1&password=p",
                Place::Unix("/r.sock".into()),
                Some("u"),
                Some("p"),
                1,
            ),
        ] {
            let parsed = RedisUrl::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!(parsed.place, place, "{url}");
            assert_eq!(
                (
                    parsed.user.as_deref(),
                    parsed.password.as_deref(),
                    parsed.database
                ),
                (user, password, database),
                "{url}"
            );
        }
    }

    #[test]
    fn what_is_no_url() {
        for url in [
            "",
            "redis",
            "http://h",
            "redis://h/x",
            "redis://h/-1",
            "unix://r",
            "redis://h?a=b",
        ] {
            assert!(RedisUrl::parse(url).is_err(), "{url}");
        }
    }
}
