//! Expressions over a context of ten entries, each compiled once.

use std::hint::black_box;

use core_fsm::{Env, Expr, Map, Value};
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

criterion_group!(rules, expressions);
criterion_main!(rules);
