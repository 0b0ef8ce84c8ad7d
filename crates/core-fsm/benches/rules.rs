//! What machines decide, without Python: steps of all kinds, and expressions over a context of ten entries.

use std::convert::Infallible;
use std::hint::black_box;

use core_fsm::{
    Check, Condition, Env, Expr, Forgetful, GuardHost, GuardKind, GuardSpec, Inquiry, Machine,
    MachineSpec, Map, RegionSpec, StateKind, StateSpec, TransitionSpec, Value, View,
};
use criterion::{Criterion, criterion_group, criterion_main};

fn context() -> Map {
    let mut order = Map::new();
    order.insert("total", Value::Float(99.5));
    order.insert("currency", Value::text("EUR"));
    let mut map = Map::new();
    for (name, value) in [
        ("amount", Value::Int(250)),
        ("status", Value::text("open")),
        ("retries", Value::Int(2)),
        ("vip", Value::Bool(true)),
        ("note", Value::Null),
        ("order", Value::map(order)),
        ("tags", Value::list(vec!["a".into(), "b".into()])),
        ("rate", Value::Float(0.25)),
        ("name", Value::text("Ada")),
        ("country", Value::text("FR")),
    ] {
        map.insert(name, value);
    }
    map
}

/// Whoever has no guards of its own.
struct Nobody;

impl GuardHost for Nobody {
    type Error = Infallible;

    fn ask(&mut self, _: usize) -> Result<bool, Infallible> {
        Ok(false)
    }
}

fn state(name: &str, kind: StateKind, parent: Option<&str>, child: Option<&str>) -> StateSpec {
    StateSpec {
        parent: parent.map(Into::into),
        initial_child: child.map(Into::into),
        ..StateSpec::new(name, kind)
    }
}

fn guarded(label: &str, condition: Condition) -> Vec<GuardSpec> {
    vec![GuardSpec::Condition {
        label: label.into(),
        kind: GuardKind::Check,
        condition: Box::new(condition),
    }]
}

fn machine() -> Machine {
    let check = Check::new("amount", "gt", &Value::Int(10), &[], false).expect("a check");
    let expression = Expr::compile("amount > 10 and rate * amount < 1000").expect("an expression");
    let mut work = StateSpec::new("work", StateKind::Parallel);
    work.regions = (0..3)
        .map(|number| RegionSpec {
            name: format!("r{number}").into(),
            initial: format!("a{number}").into(),
            states: vec![format!("a{number}").into(), format!("b{number}").into()],
            last: None,
        })
        .collect();
    let mut states = vec![
        state("idle", StateKind::Initial, None, None),
        state("active", StateKind::Stable, None, None),
        state("top", StateKind::Stable, None, Some("middle")),
        state("middle", StateKind::Stable, Some("top"), Some("leaf")),
        state("leaf", StateKind::Stable, Some("middle"), None),
        work,
    ];
    let mut transitions = vec![
        TransitionSpec::new("start", "idle", "active"),
        TransitionSpec {
            guards: guarded("check", Condition::Check(check)),
            ..TransitionSpec::new("checked", "idle", "active")
        },
        TransitionSpec {
            guards: guarded("expression", Condition::Expression(expression)),
            ..TransitionSpec::new("weighed", "idle", "active")
        },
        TransitionSpec::new("leave", "top", "idle"),
    ];
    for number in 0..3 {
        let (from, to) = (format!("a{number}"), format!("b{number}"));
        states.push(state(&from, StateKind::Stable, Some("work"), None));
        states.push(state(&to, StateKind::Stable, Some("work"), None));
        transitions.push(TransitionSpec {
            region: Some(format!("r{number}").into()),
            ..TransitionSpec::new("next", &from, &to)
        });
    }
    Machine::compile(MachineSpec {
        states,
        transitions,
        ..MachineSpec::default()
    })
    .expect("a machine")
}

fn steps(bench: &mut Criterion) {
    let (machine, context) = (machine(), context());
    let view = View {
        scope: &context,
        env: Env::default(),
    };
    for (name, source, trigger) in [
        ("flat, one event", "idle", "start"),
        ("a check", "idle", "checked"),
        ("an expression", "idle", "weighed"),
        ("three levels, leave to the root", "leaf", "leave"),
    ] {
        let number = machine.trigger(trigger);
        let source = machine.state(source).expect("a state");
        bench.bench_function(&format!("step: {name}"), |bencher| {
            bencher.iter(|| {
                let mut nobody = Nobody;
                let mut inquiry = Inquiry::new(view, &Forgetful, &mut nobody);
                black_box(machine.process(black_box(source), black_box(number), &mut inquiry))
            });
        });
        bench.bench_function(&format!("step by names: {name}"), |bencher| {
            let source = machine.name(source).clone();
            bencher.iter(|| {
                let mut nobody = Nobody;
                let mut inquiry = Inquiry::new(view, &Forgetful, &mut nobody);
                let source = machine.state(black_box(&source)).expect("a state");
                let number = machine.trigger(black_box(trigger));
                black_box(machine.process(source, number, &mut inquiry))
            });
        });
    }
    let next = machine.trigger("next").expect("a trigger");
    let sources = ["a0", "a1", "a2"].map(|name| machine.state(name).expect("a state"));
    bench.bench_function("step: three regions, all move", |bencher| {
        bencher.iter(|| {
            let mut nobody = Nobody;
            for (place, region) in ["r0", "r1", "r2"].into_iter().enumerate() {
                let mut inquiry = Inquiry::new(view, &Forgetful, &mut nobody);
                let _ = black_box(machine.process_region(
                    region,
                    black_box(sources[place]),
                    next,
                    &mut inquiry,
                ));
            }
        });
    });
}

fn expressions(bench: &mut Criterion) {
    let context = context();
    let env = Env::default();
    for (name, source) in [
        ("a name and a constant", "amount > 100"),
        ("a text", "status == 'open'"),
        ("a path", "order.total >= 50"),
        ("two conditions", "amount > 100 and status == 'open'"),
        ("arithmetic", "amount * rate + retries ** 2 < 100"),
        ("in a list", "country in ['DE', 'FR', 'IT']"),
        ("a text with places", "f'{name}: {amount:>8.2f}'"),
    ] {
        let expr = Expr::compile(source).expect("an expression");
        bench.bench_function(name, |bencher| {
            bencher.iter(|| black_box(&expr).eval(black_box(&context), &env));
        });
    }
    bench.bench_function("compile", |bencher| {
        bencher.iter(|| Expr::compile(black_box("amount > 100 and status == 'open'")));
    });
}

criterion_group!(rules, steps, expressions);
criterion_main!(rules);
