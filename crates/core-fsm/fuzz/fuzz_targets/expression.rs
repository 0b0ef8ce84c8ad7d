//! Any text as an expression, a template, a pattern and a delay: no panic, and an end within the limits.
#![no_main]

use core_fsm::{Check, Env, Expr, Map, Template, Value, parse_delay};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut scope = Map::new();
    scope.insert("a", Value::Int(5));
    scope.insert("f", Value::Float(-0.5));
    scope.insert("s", Value::text("Grüße, Welt"));
    scope.insert("l", Value::list(vec![Value::Int(1), Value::text("b")]));
    let mut inner = Map::new();
    inner.insert("k", Value::Null);
    scope.insert("m", Value::map(inner));
    let env = Env::default();
    if let Ok(expr) = Expr::compile(text) {
        let first = expr.eval(&scope, &env).map(|value| value.to_string());
        let second = expr.eval(&scope, &env).map(|value| value.to_string());
        assert_eq!(first, second, "the same expression has two values");
    }
    let _ = Template::compile(text).render(&scope, &env, false);
    let _ = parse_delay(text);
    if let Ok(check) = Check::new("s", "matches", &Value::text(text), &[], false) {
        let _ = check.eval(&scope, &env);
    }
});
