use std::fmt::{Display, Formatter};
use std::sync::Arc;

/// Where something stands in a configuration: `transitions.0.guards`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<PathStep>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    Key(Arc<str>),
    Index(usize),
}

impl Path {
    pub fn steps(&self) -> &[PathStep] {
        &self.0
    }
}

impl FromIterator<PathStep> for Path {
    fn from_iter<I: IntoIterator<Item = PathStep>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl Display for Path {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            if position > 0 {
                formatter.write_str(".")?;
            }
            match step {
                PathStep::Key(key) => formatter.write_str(key)?,
                PathStep::Index(index) => write!(formatter, "{index}")?,
            }
        }
        Ok(())
    }
}

/// A place while a configuration is walked: a chain up to the root, written out as a [`Path`] only where there is
/// something to say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl Place<'_> {
    pub(super) const ROOT: Place<'static> = Place {
        parent: None,
        step: Step::Root,
    };

    pub(super) fn key<'b>(&'b self, key: &'b str) -> Place<'b> {
        Place {
            parent: Some(self),
            step: Step::Key(key),
        }
    }

    pub(super) fn index(&self, index: usize) -> Place<'_> {
        Place {
            parent: Some(self),
            step: Step::Index(index),
        }
    }

    pub(super) fn path(&self) -> Path {
        let mut steps = Vec::new();
        let mut place = Some(self);
        while let Some(here) = place {
            match here.step {
                Step::Root => {}
                Step::Key(key) => steps.push(PathStep::Key(key.into())),
                Step::Index(index) => steps.push(PathStep::Index(index)),
            }
            place = here.parent;
        }
        steps.reverse();
        Path(steps)
    }
}
