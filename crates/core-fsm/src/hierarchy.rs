//! Which state is inside which.

use std::sync::Arc;

use crate::Fault;

/// The number of a state: its place among the states of its machine.
pub type StateId = u32;

/// What an entity remembers of the states it has left.
pub trait Memory {
    /// The child that was active when a compound state was last left.
    fn child(&self, compound: StateId) -> Option<StateId>;
}

/// An entity that remembers nothing.
#[derive(Clone, Copy, Debug)]
pub struct Forgetful;

impl Memory for Forgetful {
    fn child(&self, _: StateId) -> Option<StateId> {
        None
    }
}

/// The tree of states, with what never changes computed once.
#[derive(Debug)]
pub struct Hierarchy {
    parent: Box<[Option<StateId>]>,
    depth: Box<[u32]>,
    leaf: Box<[StateId]>,
}

impl Hierarchy {
    pub(crate) fn new(
        names: &[Arc<str>],
        parent: Box<[Option<StateId>]>,
        initial_child: &[Option<StateId>],
    ) -> Result<Self, Fault> {
        let depth = depths(names, &parent)?;
        let leaf = leaves(names, initial_child)?;
        Ok(Self {
            parent,
            depth,
            leaf,
        })
    }

    pub fn parent(&self, state: StateId) -> Option<StateId> {
        self.parent[state as usize]
    }

    /// The state itself, its parent, and so on to the root.
    pub fn ancestors(&self, state: StateId) -> impl Iterator<Item = StateId> {
        std::iter::successors(Some(state), |state| self.parent(*state))
    }

    /// Where one comes to by way of initial children.
    pub fn initial_leaf(&self, state: StateId) -> StateId {
        self.leaf[state as usize]
    }

    /// The nearest state that both are in; a state is in itself.
    pub fn common(&self, left: StateId, right: StateId) -> Option<StateId> {
        let (mut left, mut right) = (left, right);
        while left != right {
            let (left_depth, right_depth) = (self.depth[left as usize], self.depth[right as usize]);
            if left_depth >= right_depth {
                left = self.parent(left)?;
            } else {
                right = self.parent(right)?;
            }
        }
        Some(left)
    }

    /// The states from a leaf up to `top`, which is not among them; innermost first.
    pub fn below(&self, leaf: StateId, top: Option<StateId>) -> Vec<StateId> {
        self.ancestors(leaf)
            .take_while(|state| Some(*state) != top)
            .collect()
    }

    /// Where a history of one level leads.
    pub fn shallow(&self, compound: StateId, memory: &dyn Memory) -> StateId {
        self.initial_leaf(self.remembered(compound, memory).unwrap_or(compound))
    }

    /// Where a history of all levels leads.
    pub fn deep(&self, compound: StateId, memory: &dyn Memory) -> StateId {
        // Each remembered child is a level deeper, so this ends.
        let mut state = compound;
        while let Some(child) = self.remembered(state, memory) {
            state = child;
        }
        self.initial_leaf(state)
    }

    fn remembered(&self, compound: StateId, memory: &dyn Memory) -> Option<StateId> {
        memory
            .child(compound)
            .filter(|child| self.parent(*child) == Some(compound))
    }
}

fn depths(names: &[Arc<str>], parent: &[Option<StateId>]) -> Result<Box<[u32]>, Fault> {
    const UNKNOWN: u32 = u32::MAX;
    const ON_THE_WAY: u32 = u32::MAX - 1;
    let mut depth = vec![UNKNOWN; parent.len()];
    let mut way = Vec::new();
    for (start, name) in names.iter().enumerate() {
        let mut state = Some(start as StateId);
        let mut known = None;
        while let Some(here) = state {
            match depth[here as usize] {
                UNKNOWN => {
                    depth[here as usize] = ON_THE_WAY;
                    way.push(here);
                    state = parent[here as usize];
                }
                ON_THE_WAY => {
                    return Err(Fault::ParentCycle {
                        state: name.clone(),
                    });
                }
                found => {
                    known = Some(found);
                    break;
                }
            }
        }
        let mut next = known.map_or(0, |depth| depth + 1);
        while let Some(here) = way.pop() {
            depth[here as usize] = next;
            next += 1;
        }
    }
    Ok(depth.into())
}

fn leaves(names: &[Arc<str>], child: &[Option<StateId>]) -> Result<Box<[StateId]>, Fault> {
    const UNKNOWN: StateId = StateId::MAX;
    const ON_THE_WAY: StateId = StateId::MAX - 1;
    let mut leaf = vec![UNKNOWN; child.len()];
    let mut way = Vec::new();
    for (start, name) in names.iter().enumerate() {
        let mut here = start as StateId;
        let end = loop {
            match leaf[here as usize] {
                UNKNOWN => {
                    leaf[here as usize] = ON_THE_WAY;
                    way.push(here);
                    match child[here as usize] {
                        Some(next) => here = next,
                        None => break here,
                    }
                }
                ON_THE_WAY => {
                    return Err(Fault::InitialChildCycle {
                        state: name.clone(),
                    });
                }
                found => break found,
            }
        };
        for state in way.drain(..) {
            leaf[state as usize] = end;
        }
    }
    Ok(leaf.into())
}
