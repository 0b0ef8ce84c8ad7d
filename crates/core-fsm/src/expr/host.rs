/// How large expressions and their results may be, and how long they may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Characters, items or entries of a result.
    pub length: usize,
    /// Bits of a whole number.
    pub bits: u64,
    /// Steps of one evaluation; work on long values counts as many.
    pub steps: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            length: 100_000,
            bits: 4_000_000,
            steps: 100_000,
        }
    }
}

/// What an evaluation asks of the world. An expression that has nothing of it is a function of its names alone.
pub trait Host {
    /// The time, in microseconds since 1970; `None` where there is no clock.
    fn now(&self) -> Option<i64> {
        None
    }

    /// A number from 0 to below 1; `None` where chance is not allowed.
    fn random(&self) -> Option<f64> {
        None
    }

    /// Whether a state is active; `None` where there are no states.
    fn in_state(&self, _name: &str) -> Option<bool> {
        None
    }

    /// Searches with an engine that may backtrack, for patterns that the own one can't.
    fn search(&self, pattern: &str, _text: &str) -> Result<bool, String> {
        Err(format!("nothing here can search for {pattern:?}"))
    }
}

/// A host with nothing in it.
#[derive(Clone, Copy, Debug)]
pub struct NoHost;

impl Host for NoHost {}

/// What an evaluation goes by.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    pub host: &'a dyn Host,
    pub limits: Limits,
}

impl std::fmt::Debug for Env<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Env")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Default for Env<'_> {
    fn default() -> Self {
        Self {
            host: &NoHost,
            limits: Limits::default(),
        }
    }
}
