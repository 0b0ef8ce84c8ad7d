use crate::config::{Definition, StateKind};

/// Which states stand in which: children in their parent, members of regions in the parallel state.
#[derive(Debug)]
pub(super) struct Nesting {
    pub(super) roots: Vec<usize>,
    /// For each state what stands in it, in groups: one for its children, one for each region.
    pub(super) groups: Vec<Vec<Group>>,
}

/// How far a line of a state that deep is moved in, in steps: what is nested deeper than anybody reads stays where it is,
/// or a text would take as much room as the square of its depth.
pub(super) fn steps(depth: usize) -> usize {
    depth.min(64)
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) region: Option<usize>,
    pub(super) members: Vec<usize>,
}

impl Nesting {
    pub(super) fn of(definition: &Definition<'_>) -> Self {
        let count = definition.states.len();
        let mut host: Vec<Option<(usize, Option<usize>)>> = vec![None; count];
        for (position, state) in definition.states.iter().enumerate() {
            for (number, region) in state.regions.iter().enumerate() {
                if state.kind != StateKind::Parallel {
                    continue;
                }
                for member in region.members() {
                    if let Some(inner) = definition.position(member) {
                        let parent = definition.states[inner].parent;
                        if inner != position && parent.is_none_or(|parent| parent == state.name) {
                            host[inner].get_or_insert((position, Some(number)));
                        }
                    }
                }
            }
        }
        for (position, state) in definition.states.iter().enumerate() {
            if let Some(parent) = state.parent.and_then(|parent| definition.position(parent)) {
                host[position].get_or_insert((parent, None));
            }
        }
        let mut nesting = Self {
            roots: Vec::new(),
            groups: (0..count).map(|_| Vec::new()).collect(),
        };
        let is_rooted = rooted(&host);
        for position in 0..count {
            // A ring of parents has no outside: its members stand alone.
            match host[position].filter(|_| is_rooted[position]) {
                None => nesting.roots.push(position),
                Some((outer, region)) => {
                    let groups = &mut nesting.groups[outer];
                    match groups.iter_mut().find(|group| group.region == region) {
                        Some(group) => group.members.push(position),
                        None => groups.push(Group {
                            region,
                            members: vec![position],
                        }),
                    }
                }
            }
        }
        for groups in &mut nesting.groups {
            groups.sort_by_key(|group| group.region);
        }
        nesting
    }

    /// Adds something that is no state and stands beside all of them.
    pub(super) fn add_root(&mut self) {
        self.roots.push(self.groups.len());
        self.groups.push(Vec::new());
    }

    /// How many states stand in one another at most.
    pub(super) fn depth(&self) -> usize {
        let mut deepest = 0;
        let mut open: Vec<_> = self.roots.iter().map(|root| (*root, 1)).collect();
        while let Some((position, depth)) = open.pop() {
            deepest = deepest.max(depth);
            let members = self.groups[position]
                .iter()
                .flat_map(|group| &group.members);
            open.extend(members.map(|member| (*member, depth + 1)));
        }
        deepest
    }

    pub(super) fn is_leaf(&self, position: usize) -> bool {
        self.groups[position].is_empty()
    }
}

/// Which states come to an outside when one goes outwards, and not round in a ring.
fn rooted(host: &[Option<(usize, Option<usize>)>]) -> Vec<bool> {
    let mut known: Vec<Option<bool>> = vec![None; host.len()];
    let mut met = vec![0; host.len()];
    for start in 0..host.len() {
        let (mut path, mut here) = (Vec::new(), start);
        let ends = loop {
            if let Some(ends) = known[here] {
                break ends;
            }
            if std::mem::replace(&mut met[here], start + 1) == start + 1 {
                break false;
            }
            path.push(here);
            match host[here] {
                Some((outer, _)) => here = outer,
                None => break true,
            }
        };
        for position in path {
            known[position] = Some(ends);
        }
    }
    known.into_iter().map(|ends| ends == Some(true)).collect()
}
