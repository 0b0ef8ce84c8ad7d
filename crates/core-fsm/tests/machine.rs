//! Machines as a whole: what is tried for an event, in which order, and what hostile ones come to.

#![expect(clippy::unwrap_used, reason = "a test that meets one has failed")]

use core_fsm::{
    Env, Fault, Forgetful, GuardHost, GuardKind, GuardSpec, Inquiry, Machine, MachineSpec, Map,
    Memory, Outcome, Settings, StateId, StateKind, StateSpec, TransitionSpec, View,
};

struct Answers(Vec<bool>);

impl GuardHost for Answers {
    type Error = ();

    fn ask(&mut self, number: usize) -> Result<bool, ()> {
        self.0.get(number).copied().ok_or(())
    }
}

fn guard(number: usize) -> GuardSpec {
    GuardSpec::Asked {
        label: format!("g{number}").into(),
        kind: GuardKind::Name,
        number,
    }
}

fn child(name: &str, parent: &str) -> StateSpec {
    StateSpec {
        parent: Some(parent.into()),
        ..StateSpec::new(name, StateKind::Stable)
    }
}

fn process(machine: &Machine, state: &str, trigger: &str, answers: &[bool]) -> Outcome {
    let context = Map::new();
    let mut host = Answers(answers.to_vec());
    let view = View {
        scope: &context,
        env: Env::default(),
    };
    let mut inquiry = Inquiry::new(view, &Forgetful, &mut host);
    let state = machine.state(state).unwrap();
    machine
        .process(state, machine.trigger(trigger), &mut inquiry)
        .unwrap()
}

fn target(machine: &Machine, outcome: Outcome) -> Option<&str> {
    match outcome {
        Outcome::Fired(step) => Some(machine.name(step.target)),
        _ => None,
    }
}

#[test]
fn the_first_candidate_whose_guards_pass_wins() {
    let mut first = TransitionSpec::new("go", "a", "b");
    first.guards = vec![guard(0)];
    let mut second = TransitionSpec::new("go", "a", "c");
    second.guards = vec![GuardSpec::Any(vec![
        guard(1),
        GuardSpec::Not(Box::new(guard(0))),
    ])];
    let machine = Machine::compile(MachineSpec {
        states: vec![
            StateSpec::new("a", StateKind::Initial),
            StateSpec::new("b", StateKind::Stable),
            StateSpec::new("c", StateKind::Terminal),
        ],
        transitions: vec![first, second],
        settings: Settings::default(),
    })
    .unwrap();
    assert_eq!(
        target(&machine, process(&machine, "a", "go", &[true, false])),
        Some("b")
    );
    assert_eq!(
        target(&machine, process(&machine, "a", "go", &[false, false])),
        Some("c")
    );
    assert_eq!(process(&machine, "c", "go", &[]), Outcome::Terminal);
    assert_eq!(process(&machine, "b", "go", &[]), Outcome::Unhandled);
    assert_eq!(process(&machine, "a", "unheard", &[]), Outcome::Unhandled);
}

#[test]
fn what_is_entered_mirrors_what_is_left() {
    struct Remembered(StateId, StateId);
    impl Memory for Remembered {
        fn child(&self, compound: StateId) -> Option<StateId> {
            (compound == self.0).then_some(self.1)
        }
    }
    let mut top = StateSpec::new("top", StateKind::Stable);
    top.initial_child = Some("one".into());
    let machine = Machine::compile(MachineSpec {
        states: vec![
            StateSpec::new("out", StateKind::Initial),
            top,
            child("one", "top"),
            child("two", "top"),
        ],
        transitions: vec![
            TransitionSpec::new("in", "out", "H(top)"),
            TransitionSpec::new("out", "top", "out"),
        ],
        settings: Settings::default(),
    })
    .unwrap();
    let (top, two) = (machine.state("top").unwrap(), machine.state("two").unwrap());
    let context = Map::new();
    let memory = Remembered(top, two);
    let mut host = Answers(Vec::new());
    let view = View {
        scope: &context,
        env: Env::default(),
    };
    let mut inquiry = Inquiry::new(view, &memory, &mut host);
    let out = machine.state("out").unwrap();
    let Outcome::Fired(entering) = machine
        .process(out, machine.trigger("in"), &mut inquiry)
        .unwrap()
    else {
        panic!("nothing fired");
    };
    let Outcome::Fired(leaving) = machine
        .process(two, machine.trigger("out"), &mut inquiry)
        .unwrap()
    else {
        panic!("nothing fired");
    };
    let mut left = machine.route(leaving).exit;
    left.reverse();
    assert_eq!(machine.route(entering).enter, left);
    assert_eq!(left, [top, two]);
}

#[test]
fn faults_say_what_they_are_about() {
    let compile = |states: Vec<StateSpec>| {
        Machine::compile(MachineSpec {
            states,
            ..MachineSpec::default()
        })
        .unwrap_err()
    };
    assert_eq!(
        compile(vec![child("a", "b")]),
        Fault::UnknownParent {
            state: "a".into(),
            parent: "b".into()
        }
    );
    assert_eq!(
        compile(vec![child("a", "b"), child("b", "a")]).to_string(),
        "Cycle in parent chain involving state 'a'"
    );
    assert_eq!(
        compile(vec![StateSpec::new("a", StateKind::Stable)]),
        Fault::NoInitial {
            roots: vec!["a".into()]
        }
    );
    let mut looping = StateSpec::new("a", StateKind::Initial);
    looping.initial_child = Some("a".into());
    assert_eq!(
        compile(vec![looping]),
        Fault::InitialChildCycle { state: "a".into() }
    );
}

#[test]
fn guards_put_into_each_other_without_end_are_refused() {
    let mut deep = guard(0);
    for _ in 0..200 {
        deep = GuardSpec::Not(Box::new(deep));
    }
    let mut transition = TransitionSpec::new("go", "a", "a");
    transition.guards = vec![deep];
    let fault = Machine::compile(MachineSpec {
        states: vec![StateSpec::new("a", StateKind::Initial)],
        transitions: vec![transition],
        settings: Settings::default(),
    })
    .unwrap_err();
    assert_eq!(
        fault,
        Fault::GuardsTooDeep {
            trigger: "go".into()
        }
    );
}

#[test]
fn ten_thousand_states_inside_of_each_other_are_walked() {
    const COUNT: usize = 10_000;
    let mut states = vec![StateSpec::new("s0", StateKind::Initial)];
    for number in 1..COUNT {
        states.push(child(&format!("s{number}"), &format!("s{}", number - 1)));
        states[number - 1].initial_child = Some(format!("s{number}").into());
    }
    let machine = Machine::compile(MachineSpec {
        states,
        transitions: vec![TransitionSpec::new("go", "s0", "s0")],
        settings: Settings::default(),
    })
    .unwrap();
    let leaf = format!("s{}", COUNT - 1);
    assert_eq!(machine.name(machine.initial_leaf()).as_ref(), leaf);
    assert_eq!(
        target(&machine, process(&machine, &leaf, "go", &[])),
        Some(leaf.as_str())
    );
}
