//! Which Python runs the workers, and why that one.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use super::fault::Fault;
use super::shebang;

/// Longer chains of links are a loop.
const MOST_HOPS: usize = 40;

/// The interpreter and the rule that chose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interpreter {
    pub(crate) path: PathBuf,
    pub(crate) rule: Rule,
}

/// Why an interpreter was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    Option,
    Variable,
    /// The virtual environment this command lies in.
    Environment(PathBuf),
    /// The console script beside this command.
    Script(PathBuf),
    ActiveEnvironment(PathBuf),
    Path,
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => write!(formatter, "given by --python"),
            Self::Variable => write!(formatter, "given by SPIKARD_PYTHON"),
            Self::Environment(home) => write!(
                formatter,
                "of the environment {} that holds spikard-server",
                home.display()
            ),
            Self::Script(script) => write!(formatter, "named in {}", script.display()),
            Self::ActiveEnvironment(home) => write!(formatter, "of VIRTUAL_ENV={}", home.display()),
            Self::Path => write!(formatter, "the first on PATH"),
        }
    }
}

impl fmt::Display for Interpreter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.path.display(), self.rule)
    }
}

/// What the choice depends on besides the file system.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// argv[0], as we were called.
    pub(crate) program: OsString,
    pub(crate) current_exe: Option<PathBuf>,
    pub(crate) path: Option<OsString>,
    pub(crate) spikard_python: Option<OsString>,
    pub(crate) virtual_env: Option<OsString>,
}

impl Surroundings {
    pub(crate) fn of_process(program: OsString) -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            program,
            current_exe: std::env::current_exe().ok(),
            path: variable("PATH"),
            spikard_python: variable("SPIKARD_PYTHON"),
            virtual_env: variable("VIRTUAL_ENV"),
        }
    }

    /// A program by name on PATH, or by its path.
    fn which(&self, program: &OsStr) -> Option<PathBuf> {
        if program.is_empty() {
            return None;
        }
        if Path::new(program).components().count() > 1 || Path::new(program).is_absolute() {
            return absolute(PathBuf::from(program)).filter(|path| is_executable(path));
        }
        let folders = std::env::split_paths(self.path.as_deref()?);
        folders
            .filter_map(|folder| absolute(folder.join(program)))
            .find(|path| is_executable(path))
    }
}

/// The first interpreter by the order that the packaging guide gives.
pub(crate) fn find(
    option: Option<&Path>,
    surroundings: &Surroundings,
) -> Result<Interpreter, Fault> {
    let variable = surroundings.spikard_python.as_deref().map(Path::new);
    for (given, rule, source) in [
        (option, Rule::Option, "--python"),
        (variable, Rule::Variable, "SPIKARD_PYTHON"),
    ] {
        if let Some(given) = given {
            let found = surroundings.which(given.as_os_str());
            return found
                .map(|path| Interpreter { path, rule })
                .ok_or_else(|| not_executable(given, source));
        }
    }
    let ours = surroundings
        .which(&surroundings.program)
        .into_iter()
        .chain(surroundings.current_exe.clone());
    if let Some(found) = ours.flat_map(hops).find_map(|hop| beside(&hop)) {
        return Ok(found);
    }
    if let Some(home) = surroundings.virtual_env.as_deref().map(PathBuf::from)
        && let Some(path) = python_in(&home.join("bin"))
    {
        return Ok(Interpreter {
            path,
            rule: Rule::ActiveEnvironment(home),
        });
    }
    ["python3", "python"]
        .iter()
        .find_map(|name| surroundings.which(OsStr::new(name)))
        .map(|path| Interpreter {
            path,
            rule: Rule::Path,
        })
        .ok_or_else(|| {
            Fault::NoInterpreter(
                "no environment around this command and no python3 on PATH".to_owned(),
            )
        })
}

fn not_executable(given: &Path, source: &str) -> Fault {
    let problem = if given.exists() {
        "is not an executable file"
    } else {
        "does not exist"
    };
    Fault::Interpreter(format!(
        "the interpreter {} of {source} {problem}; give the path of a Python executable",
        given.display()
    ))
}

/// A bare name would be looked up on PATH once more when it is started.
fn absolute(path: PathBuf) -> Option<PathBuf> {
    std::path::absolute(path).ok()
}

/// A path, then what it links to, and so on: the directory of each may be the one an installer wrote to.
fn hops(path: PathBuf) -> impl Iterator<Item = PathBuf> {
    std::iter::successors(Some(path), |hop| {
        let target = std::fs::read_link(hop).ok()?;
        Some(hop.parent()?.join(target))
    })
    .take(MOST_HOPS)
}

/// The interpreter of the environment or console script next to `program`.
fn beside(program: &Path) -> Option<Interpreter> {
    let folder = program.parent()?;
    // By name and by where it really is: the two differ when the folder, or a part of its path, is a link.
    for home in [folder.parent()?.to_owned(), folder.join("..")] {
        if home.join("pyvenv.cfg").is_file()
            && let Some(path) = python_in(folder)
        {
            let home = std::fs::canonicalize(&home).unwrap_or(home);
            return Some(Interpreter {
                path,
                rule: Rule::Environment(home),
            });
        }
    }
    let script = folder.join("spikard");
    let path = shebang::interpreter(&script).filter(|path| is_executable(path))?;
    Some(Interpreter {
        path,
        rule: Rule::Script(script),
    })
}

fn python_in(folder: &Path) -> Option<PathBuf> {
    ["python3", "python"]
        .iter()
        .map(|name| folder.join(name))
        .find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path)
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    /// A directory of its own for each test, removed afterwards.
    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str) -> Self {
            let root = std::env::temp_dir()
                .join(format!("spikard interpreter {name} {}", std::process::id()));
            let _ = fs::remove_dir_all(&root);
            fs::create_dir_all(&root).unwrap();
            Self(fs::canonicalize(root).unwrap())
        }

        fn file(&self, path: &str, content: &str) -> PathBuf {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path
        }

        fn link(&self, path: &str, target: impl AsRef<Path>) -> PathBuf {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            symlink(target, &path).unwrap();
            path
        }

        fn environment(&self, name: &str) -> PathBuf {
            self.file(&format!("{name}/pyvenv.cfg"), "home = /usr/bin\n");
            self.file(&format!("{name}/bin/python3"), "");
            self.file(&format!("{name}/bin/spikard-server"), "")
        }

        fn called(program: &Path) -> Surroundings {
            Surroundings {
                program: program.into(),
                ..Surroundings::default()
            }
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn environment_rule(tree: &Tree, name: &str) -> Interpreter {
        Interpreter {
            path: tree.0.join(name).join("bin/python3"),
            rule: Rule::Environment(tree.0.join(name)),
        }
    }

    #[test]
    fn the_option_beats_the_variable_beats_the_rest() {
        let tree = Tree::new("order");
        let (first, second) = (tree.file("one/python", ""), tree.file("two/python", ""));
        let mut surroundings = Tree::called(&tree.environment("venv"));
        surroundings.spikard_python = Some(second.clone().into());
        let found = find(Some(&first), &surroundings).unwrap();
        assert_eq!(
            found,
            Interpreter {
                path: first,
                rule: Rule::Option
            }
        );
        assert_eq!(
            find(None, &surroundings).unwrap(),
            Interpreter {
                path: second,
                rule: Rule::Variable
            }
        );
        surroundings.spikard_python = None;
        assert_eq!(
            find(None, &surroundings).unwrap(),
            environment_rule(&tree, "venv")
        );
    }

    #[test]
    fn an_option_that_is_no_program_is_a_fault_not_a_fallback() {
        let tree = Tree::new("missing");
        let surroundings = Tree::called(&tree.environment("venv"));
        let fault = find(Some(&tree.0.join("nothing")), &surroundings).unwrap_err();
        assert!(
            fault.to_string().contains("does not exist") && fault.exit_code() == 2,
            "{fault}"
        );
        let fault = find(Some(&tree.0.join("venv/pyvenv.cfg/")), &surroundings).unwrap_err();
        assert!(fault.to_string().contains("--python"), "{fault}");
    }

    #[test]
    fn an_option_may_be_a_name_on_path() {
        let tree = Tree::new("named");
        let python = tree.file("tools/python3.12", "");
        let surroundings = Surroundings {
            path: Some(tree.0.join("tools").into()),
            ..Surroundings::default()
        };
        assert_eq!(
            find(Some(Path::new("python3.12")), &surroundings)
                .unwrap()
                .path,
            python
        );
    }

    #[test]
    fn called_by_name_we_look_for_ourselves_on_path() {
        let tree = Tree::new("path");
        tree.environment("my venv");
        let surroundings = Surroundings {
            program: "spikard-server".into(),
            path: Some(
                std::env::join_paths([tree.0.join("empty"), tree.0.join("my venv/bin")]).unwrap(),
            ),
            ..Surroundings::default()
        };
        assert_eq!(
            find(None, &surroundings).unwrap().rule,
            Rule::Environment(tree.0.join("my venv"))
        );
    }

    #[test]
    fn each_hop_of_a_chain_of_links_is_looked_at() {
        let tree = Tree::new("hops");
        // An installer that links into a cache: the environment is the middle hop.
        let cached = tree.file("cache/archive/spikard-server", "");
        tree.environment("venv");
        fs::remove_file(tree.0.join("venv/bin/spikard-server")).unwrap();
        tree.link("venv/bin/spikard-server", &cached);
        let outside = tree.link("home/bin/spikard-server", "../../venv/bin/spikard-server");
        assert_eq!(
            find(None, &Tree::called(&outside)).unwrap().rule,
            Rule::Environment(tree.0.join("venv"))
        );
    }

    #[test]
    fn a_folder_of_commands_may_be_a_link_itself() {
        let tree = Tree::new("folder");
        tree.environment("venv");
        let outside = tree.link("tools", tree.0.join("venv/bin"));
        let found = find(None, &Tree::called(&outside.join("spikard-server"))).unwrap();
        assert_eq!(found.rule, Rule::Environment(tree.0.join("venv")));

        fs::rename(tree.0.join("venv/bin"), tree.0.join("elsewhere")).unwrap();
        let inside = tree.link("venv/bin", tree.0.join("elsewhere"));
        let found = find(None, &Tree::called(&inside.join("spikard-server"))).unwrap();
        assert_eq!(found, environment_rule(&tree, "venv"));
    }

    #[test]
    fn links_in_a_circle_end() {
        let tree = Tree::new("circle");
        tree.link("a/spikard-server", "../b/spikard-server");
        let program = tree.link("b/spikard-server", "../a/spikard-server");
        assert!(find(None, &Tree::called(&program)).is_err());
    }

    #[test]
    fn outside_an_environment_the_console_script_names_it() {
        let tree = Tree::new("script");
        let python = tree.file("opt/py thon/bin/python3.11", "");
        let program = tree.file("target/bin/spikard-server", "");
        let script = tree.file(
            "target/bin/spikard",
            &format!(
                "#!/bin/sh\n'''exec' \"{}\" \"$0\" \"$@\"\n' '''\n",
                python.display()
            ),
        );
        let found = find(None, &Tree::called(&program)).unwrap();
        assert_eq!(found.path, python);
        assert_eq!(
            found.rule.to_string(),
            format!("named in {}", script.display())
        );
    }

    #[test]
    fn a_script_of_a_vanished_interpreter_does_not_count() {
        let tree = Tree::new("vanished");
        let program = tree.file("bin/spikard-server", "");
        tree.file("bin/spikard", "#!/vanished/python3\n");
        let mut surroundings = Tree::called(&program);
        let active = tree.environment("active");
        surroundings.virtual_env = active.parent().and_then(Path::parent).map(OsString::from);
        assert_eq!(
            find(None, &surroundings).unwrap().rule,
            Rule::ActiveEnvironment(tree.0.join("active"))
        );
    }

    #[test]
    fn the_current_executable_counts_when_the_name_leads_nowhere() {
        let tree = Tree::new("exe");
        let surroundings = Surroundings {
            program: "something else".into(),
            current_exe: Some(tree.environment("venv")),
            ..Surroundings::default()
        };
        assert_eq!(
            find(None, &surroundings).unwrap(),
            environment_rule(&tree, "venv")
        );
    }

    #[test]
    fn python3_on_path_is_the_last_resort() {
        let tree = Tree::new("last");
        let python = tree.file("bin/python3", "");
        let mut surroundings = Surroundings {
            path: Some(tree.0.join("bin").into()),
            ..Surroundings::default()
        };
        assert_eq!(
            find(None, &surroundings).unwrap(),
            Interpreter {
                path: python,
                rule: Rule::Path
            }
        );
        surroundings.path = None;
        assert_eq!(find(None, &surroundings).unwrap_err().exit_code(), 2);
    }
}
