//! What an event does: which transition fires, where it leads, what is left and entered on the way.

use crate::guard::{GuardHost, Record, View};
use crate::hierarchy::Memory;
use crate::machine::{Destination, Rule};
use crate::{Machine, RuleId, StateId, StateKind, TriggerId};

/// How many choices one transition may lead through.
const MAX_CHOICES: usize = 16;

/// A transition that fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    pub rule: RuleId,
    pub source: StateId,
    pub target: StateId,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Fired(Step),
    /// Nothing leads out of the state.
    Terminal,
    /// No transition of the state is for this trigger.
    Unhandled,
    /// There are transitions, and the guards of all of them refuse.
    Rejected {
        candidates: usize,
    },
}

/// States left and entered by a step, in the order in which that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub exit: Vec<StateId>,
    pub enter: Vec<StateId>,
}

/// One question to a machine: what is known of the entity, and who answers for guards.
pub struct Inquiry<'a, H> {
    pub view: View<'a>,
    pub memory: &'a dyn Memory,
    pub host: &'a mut H,
    /// Guards that were looked at: those of the transition that fires, or else all.
    pub records: Vec<Record>,
}

impl<H> std::fmt::Debug for Inquiry<'_, H> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Inquiry")
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}

impl<'a, H: GuardHost> Inquiry<'a, H> {
    pub fn new(view: View<'a>, memory: &'a dyn Memory, host: &'a mut H) -> Self {
        Self {
            view,
            memory,
            host,
            records: Vec::new(),
        }
    }
}

impl Machine {
    /// What a trigger does to an entity that rests in a state.
    pub fn process<H: GuardHost>(
        &self,
        source: StateId,
        trigger: Option<TriggerId>,
        inquiry: &mut Inquiry<'_, H>,
    ) -> Result<Outcome, H::Error> {
        if self.kind(source) == StateKind::Terminal {
            return Ok(Outcome::Terminal);
        }
        let Some(trigger) = trigger else {
            return Ok(Outcome::Unhandled);
        };
        let mut candidates = 0;
        let mut tried = Vec::new();
        for node in self.hierarchy.ancestors(source) {
            let Some(rules) = self.candidates.get(&(trigger, node)) else {
                continue;
            };
            for &rule in rules {
                if !self.first_time(rule, &mut tried) {
                    continue;
                }
                candidates += 1;
                if let Some(step) = self.attempt(rule, source, inquiry)? {
                    return Ok(Outcome::Fired(step));
                }
            }
        }
        Ok(if candidates == 0 {
            Outcome::Unhandled
        } else {
            Outcome::Rejected { candidates }
        })
    }

    /// The step that a state takes without an event, if there is one now: a transition that waits for none, or else one
    /// to a state that the data describe.
    pub fn automatic<H: GuardHost>(
        &self,
        source: StateId,
        inquiry: &mut Inquiry<'_, H>,
    ) -> Result<Option<Step>, H::Error> {
        // A terminal state takes no event, but what it is in may go on once it is reached.
        let mut tried = Vec::new();
        for node in self.hierarchy.ancestors(source) {
            for &rule in self.automatic.get(&node).map_or(&[][..], |rules| rules) {
                if self.first_time(rule, &mut tried)
                    && let Some(step) = self.attempt(rule, source, inquiry)?
                {
                    return Ok(Some(step));
                }
            }
        }
        for node in self.hierarchy.ancestors(source) {
            for &rule in self.routed.get(&node).map_or(&[][..], |rules| rules) {
                if self.first_time(rule, &mut tried)
                    && self.is_described(rule, inquiry)?
                    && let Some(step) = self.attempt(rule, source, inquiry)?
                {
                    return Ok(Some(step));
                }
            }
        }
        Ok(None)
    }

    /// The step of one region of a parallel state, if the trigger means one.
    pub fn process_region<H: GuardHost>(
        &self,
        region: &str,
        source: StateId,
        trigger: TriggerId,
        inquiry: &mut Inquiry<'_, H>,
    ) -> Result<Option<Step>, H::Error> {
        for &rule in self
            .regional
            .get(&(trigger, source))
            .map_or(&[][..], |rules| rules)
        {
            if self.rules[rule as usize].region.as_deref() == Some(region)
                && let Some(step) = self.attempt(rule, source, inquiry)?
            {
                return Ok(Some(step));
            }
        }
        Ok(None)
    }

    /// Whether every region that has an end rests in it; `active` gives the state of the region at a place.
    pub fn is_joined(&self, parallel: StateId, active: impl Fn(usize) -> Option<StateId>) -> bool {
        let mut ends = self
            .regions(parallel)
            .iter()
            .enumerate()
            .filter_map(|(place, region)| region.last.map(|last| active(place) == Some(last)))
            .peekable();
        ends.peek().is_some() && ends.all(|there| there)
    }

    /// What a step leaves and enters.
    pub fn route(&self, step: Step) -> Route {
        let rule = &self.rules[step.rule as usize];
        if rule.internal {
            return Route {
                exit: Vec::new(),
                enter: Vec::new(),
            };
        }
        if rule.region.is_some() {
            return Route {
                exit: vec![step.source],
                enter: vec![step.target],
            };
        }
        let top = if step.source == step.target && self.settings.reenter {
            self.hierarchy.parent(self.written(rule, step.target))
        } else {
            self.hierarchy.common(step.source, step.target)
        };
        let mut enter = self.hierarchy.below(step.target, top);
        enter.reverse();
        Route {
            exit: self.hierarchy.below(step.source, top),
            enter,
        }
    }

    /// Whether the transition is met for the first time on the way to the root.
    fn first_time(&self, rule: RuleId, tried: &mut Vec<RuleId>) -> bool {
        if self.rules[rule as usize].shared {
            if tried.contains(&rule) {
                return false;
            }
            tried.push(rule);
        }
        true
    }

    /// Whether the data describe the state that the transition leads to.
    fn is_described<H: GuardHost>(
        &self,
        rule: RuleId,
        inquiry: &mut Inquiry<'_, H>,
    ) -> Result<bool, H::Error> {
        let Destination::State(dest) = self.rules[rule as usize].dest else {
            return Ok(false);
        };
        let when = &self.when[dest as usize];
        self.guards
            .pass(when, inquiry.view, inquiry.host, &mut Vec::new())
    }

    /// The step of a transition, if its guards pass and it leads somewhere.
    fn attempt<H: GuardHost>(
        &self,
        id: RuleId,
        source: StateId,
        inquiry: &mut Inquiry<'_, H>,
    ) -> Result<Option<Step>, H::Error> {
        let rule = &self.rules[id as usize];
        let before = inquiry.records.len();
        if !rule.guards.is_empty()
            && !self.guards.pass(
                &rule.guards,
                inquiry.view,
                inquiry.host,
                &mut inquiry.records,
            )?
        {
            return Ok(None);
        }
        let after = inquiry.records.len();
        let target = if rule.internal {
            source
        } else {
            let target = self.target(rule, rule.dest, inquiry.memory);
            let Some(target) = self.decide(target, rule, inquiry)? else {
                return Ok(None);
            };
            target
        };
        inquiry.records.truncate(after);
        inquiry.records.drain(..before);
        Ok(Some(Step {
            rule: id,
            source,
            target,
        }))
    }

    /// Goes on from a choice for as long as it is one; `None` where no way leads on. In a region its own ways out come
    /// before those of no region.
    fn decide<H: GuardHost>(
        &self,
        target: StateId,
        taken: &Rule,
        inquiry: &mut Inquiry<'_, H>,
    ) -> Result<Option<StateId>, H::Error> {
        let mut target = target;
        let mut passed = Vec::new();
        while self.kind(target) == StateKind::Choice {
            if passed.len() == MAX_CHOICES {
                return Ok(None);
            }
            passed.push(target);
            let Some(next) = self.choose(target, taken, &passed, inquiry)? else {
                return Ok(None);
            };
            target = next;
        }
        Ok(Some(target))
    }

    /// Where the first way out of a choice leads whose guards pass. One that leads back to what was passed leads nowhere.
    fn choose<H: GuardHost>(
        &self,
        choice: StateId,
        taken: &Rule,
        passed: &[StateId],
        inquiry: &mut Inquiry<'_, H>,
    ) -> Result<Option<StateId>, H::Error> {
        let key = (taken.trigger, choice);
        let regional = self.regional.get(&key).filter(|_| taken.region.is_some());
        for &way in regional
            .into_iter()
            .chain(self.candidates.get(&key))
            .flatten()
        {
            let way = &self.rules[way as usize];
            if way.region.is_some() && way.region != taken.region {
                continue;
            }
            let there = self.target(taken, way.dest, inquiry.memory);
            if !passed.contains(&there)
                && self.guards.pass(
                    &way.guards,
                    inquiry.view,
                    inquiry.host,
                    &mut inquiry.records,
                )?
            {
                return Ok(Some(there));
            }
        }
        Ok(None)
    }

    /// Where a destination leads when a transition is taken: to a leaf, or within a region to the member that is written.
    fn target(&self, taken: &Rule, dest: Destination, memory: &dyn Memory) -> StateId {
        match dest {
            Destination::State(state) if taken.region.is_some() && self.is_member(taken, state) => {
                state
            }
            _ => self.resolve(dest, memory),
        }
    }

    /// Whether a state is one of the states of a transition's region; of a region without a list all are.
    fn is_member(&self, taken: &Rule, state: StateId) -> bool {
        self.regions
            .values()
            .flatten()
            .find(|region| Some(&region.name) == taken.region.as_ref())
            .is_some_and(|region| region.states.is_empty() || region.states.contains(&state))
    }

    fn resolve(&self, dest: Destination, memory: &dyn Memory) -> StateId {
        match dest {
            Destination::State(state) => self.hierarchy.initial_leaf(state),
            Destination::Shallow(compound) => self.hierarchy.shallow(compound, memory),
            Destination::Deep(compound) => self.hierarchy.deep(compound, memory),
        }
    }

    /// The state that the transition names, if the target is in it.
    fn written(&self, rule: &Rule, target: StateId) -> StateId {
        match rule.dest {
            Destination::State(state) | Destination::Shallow(state) | Destination::Deep(state)
                if self.hierarchy.ancestors(target).any(|node| node == state) =>
            {
                state
            }
            _ => target,
        }
    }
}
