//! From a path of a URL to a place in a directory, and no way out of it.

use std::path::{Path, PathBuf};

use super::Rules;
use crate::coding::Coding;
use crate::file::FileFault;
use crate::percent::decode_segment;

const INDEX: &str = "index.html";

/// What is asked for below a directory: names that are safe to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    names: PathBuf,
    /// Whether a slash ends the path.
    is_directory: bool,
}

impl Wish {
    /// Reads what stands behind the prefix; none for names that must not be followed.
    pub(super) fn read(rest: &str, dotfiles: bool) -> Option<Self> {
        let mut names = PathBuf::new();
        let rest = match rest.strip_prefix('/') {
            Some(rest) => rest,
            None if rest.is_empty() => {
                return Some(Self {
                    names,
                    is_directory: false,
                });
            }
            None => return None,
        };
        let (listed, is_directory) = match rest.strip_suffix('/') {
            Some(listed) => (listed, true),
            None => (rest, rest.is_empty()),
        };
        // `//` leaves a slash alone here, and a name that is empty.
        if !rest.is_empty() {
            for segment in listed.split('/') {
                let name = decode_segment(segment).ok()?;
                if !is_safe(&name, dotfiles) {
                    return None;
                }
                names.push(name.as_ref());
            }
        }
        Some(Self {
            names,
            is_directory,
        })
    }
}

/// Whether a name is one of a file in its directory, on every platform.
fn is_safe(name: &str, dotfiles: bool) -> bool {
    let has_drive = matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    !(name.is_empty()
        || name == "."
        || name == ".."
        || has_drive
        || name.contains(['/', '\\', '\0'])
        || (name.starts_with('.') && !dotfiles))
}

/// Where a wish leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    File(PathBuf),
    /// A directory that was asked for like a file.
    Slash,
}

/// Looks a wish up on the disk.
pub(super) fn find(root: &Path, rules: &Rules, wish: &Wish) -> Result<Place, FileFault> {
    match find_exactly(root, rules, wish) {
        Err(FileFault::Missing) if rules.html => {
            file_at(root, rules, root.join(INDEX)).map(Place::File)
        }
        other => other,
    }
}

fn find_exactly(root: &Path, rules: &Rules, wish: &Wish) -> Result<Place, FileFault> {
    let path = root.join(&wish.names);
    let metadata = std::fs::metadata(&path)?;
    if metadata.is_dir() && rules.index_file {
        let index = file_at(root, rules, path.join(INDEX))?;
        return Ok(if wish.is_directory {
            Place::File(index)
        } else {
            Place::Slash
        });
    }
    if wish.is_directory {
        return Err(FileFault::Missing);
    }
    file_at(root, rules, path).map(Place::File)
}

/// The path again, if there is a file and no link leads out of the root.
fn file_at(root: &Path, rules: &Rules, path: PathBuf) -> Result<PathBuf, FileFault> {
    if !std::fs::metadata(&path)?.is_file() {
        return Err(FileFault::Missing);
    }
    if rules.follow_symlinks || path.canonicalize()?.starts_with(root) {
        Ok(path)
    } else {
        Err(FileFault::Missing)
    }
}

/// The compressed forms of a file that lie beside it, the dearest first.
pub(super) fn siblings(root: &Path, rules: &Rules, path: &Path) -> Vec<(Coding, PathBuf)> {
    Coding::ALL
        .into_iter()
        .filter_map(|coding| {
            let mut name = path.file_name()?.to_owned();
            name.push(coding.suffix());
            let sibling = file_at(root, rules, path.with_file_name(name)).ok()?;
            Some((coding, sibling))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(rest: &str) -> Option<(String, bool)> {
        let wish = Wish::read(rest, false)?;
        Some((
            wish.names.to_str().expect("text").to_owned(),
            wish.is_directory,
        ))
    }

    #[test]
    fn plain_names_are_followed() {
        for (rest, expected, is_directory) in [
            ("", "", false),
            ("/", "", true),
            ("/a.txt", "a.txt", false),
            ("/a/b%20c.txt", "a/b c.txt", false),
            ("/a/", "a", true),
            ("/%C3%A9t%C3%A9.txt", "été.txt", false),
            ("/a..b", "a..b", false),
            ("/100%", "100%", false),
        ] {
            assert_eq!(
                names(rest),
                Some((expected.to_owned(), is_directory)),
                "{rest}"
            );
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_not() {
        for rest in [
            "/..",
            "/../a",
            "/a/../b",
            "/%2e%2e/a",
            "/%2E./a",
            "/.",
            "/./a",
            "//a",
            "/a//b",
            "/a//",
            "//",
            "/a%2fb",
            "/..%2f..%2fetc",
            "/a%5Cb",
            "/a\\b",
            "/a%00",
            "/C:",
            "/c:/windows",
            "/c%3a/windows",
            "/.env",
            "/a/.git/config",
            "/%2eenv",
            "/%ff",
            "a",
        ] {
            assert_eq!(names(rest), None, "{rest}");
        }
    }

    #[test]
    fn dotfiles_can_be_asked_for_but_not_the_way_up() {
        assert!(Wish::read("/.well-known/a", true).is_some());
        assert!(Wish::read("/../a", true).is_none());
        assert!(Wish::read("/.", true).is_none());
    }

    proptest! {
        #[test]
        fn no_path_leads_out(rest in "(/|%2[fFeE]|%5c|\\.|\\\\|a|%00|:|\\PC){0,20}", dotfiles: bool) {
            if let Some(wish) = Wish::read(&rest, dotfiles) {
                for component in wish.names.components() {
                    prop_assert!(matches!(component, std::path::Component::Normal(_)));
                }
            }
        }
    }
}
