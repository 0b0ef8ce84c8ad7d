//! Expressions by their public face; what they mean in detail is compared with Python in the Python tests.

use core_fsm::{Env, Expr, ExprErrorKind, Host, Map, Value};
use proptest::prelude::*;

fn eval(source: &str) -> Result<Value, ExprErrorKind> {
    let mut scope = Map::new();
    scope.insert("a", Value::Int(5));
    scope.insert("text", Value::text("héllo"));
    let mut inner = Map::new();
    inner.insert("c", Value::Int(7));
    scope.insert("b", Value::map(inner));
    Expr::compile(source)
        .and_then(|expr| expr.eval(&scope, &Env::default()))
        .map_err(|error| error.kind())
}

#[test]
fn values_are_those_of_python() {
    for (source, value) in [
        ("a + 2 * 3", Value::Int(11)),
        ("-7 // 2", Value::Int(-4)),
        ("-7 % 3", Value::Int(2)),
        ("-2 ** 2", Value::Int(-4)),
        ("2 ** -1", Value::Float(0.5)),
        ("1 < a < 10", Value::Bool(true)),
        ("-(a or 5)", Value::Int(-5)),
        ("(0 or b).c", Value::Int(7)),
        ("b.c", Value::Int(7)),
        ("a if a > 9 else 'x' if a > 8 else -1", Value::Int(-1)),
        ("text[1:3]", Value::text("él")),
        ("f'{a:>3}|{b[\"c\"]!r}|{a=}'", Value::text("  5|7|a=5")),
        ("not a or true", Value::Bool(true)),
        (
            "str([1.0, 'x', None, (1,)])",
            Value::text("[1.0, 'x', None, (1,)]"),
        ),
        (
            "days(1) * 2 > date('2026-01-02') - date('2026-01-01')",
            Value::Bool(true),
        ),
    ] {
        assert_eq!(eval(source), Ok(value), "{source}");
    }
}

#[test]
fn faults_have_their_kinds() {
    use ExprErrorKind::{
        Attribute, Index, Key, Limit, Name, Overflow, Refused, Syntax, Type, ZeroDivision,
    };
    for (source, kind) in [
        ("", Syntax),
        ("a +", Syntax),
        ("a b", Syntax),
        ("'x", Syntax),
        ("a = 1", Refused),
        ("a; b", Refused),
        ("lambda: 1", Refused),
        ("[x for x in text]", Refused),
        ("{1, 2}", Refused),
        ("(a := 1)", Refused),
        ("b.__class__", Refused),
        ("'{}'.format(1)", Refused),
        ("open('x')", Refused),
        ("rand()", Refused),
        ("now()", Refused),
        ("zz", Name),
        ("b.zz", Attribute),
        ("b['zz']", Key),
        ("text[9]", Index),
        ("1 / 0", ZeroDivision),
        ("a + text", Type),
        ("2.0 ** 5000", Overflow),
        ("9 ** 9 ** 9", Limit),
        ("1 << 9999999999", Limit),
        ("'x' * 200000", Limit),
        ("[[1] * 100000] * 100000 == [[1] * 100000] * 100000", Limit),
    ] {
        assert_eq!(eval(source), Err(kind), "{source}");
    }
    assert_eq!(
        eval(&format!("{}1{}", "(".repeat(200), ")".repeat(200))),
        Err(Limit)
    );
    assert_eq!(eval(&"not ".repeat(2000)), Err(Limit));
    assert_eq!(
        eval(&format!("a{}", "+a".repeat(4000))),
        Ok(Value::Int(20_005))
    );
}

#[test]
fn a_fault_says_where_it_is() {
    let error = Expr::compile("a + $").expect_err("a stray sign");
    assert_eq!(error.position(), Some(4));
    assert_eq!(error.to_string(), "unexpected: a stray '$' at character 5");
}

#[test]
fn the_host_gives_clock_chance_and_states() {
    struct Still;
    impl Host for Still {
        fn now(&self) -> Option<i64> {
            Some(86_400_000_000)
        }
        fn random(&self) -> Option<f64> {
            Some(0.5)
        }
        fn in_state(&self, name: &str) -> Option<bool> {
            Some(name == "open")
        }
    }
    let env = Env {
        host: &Still,
        ..Env::default()
    };
    for source in [
        "now() == date('1970-01-02')",
        "now() - days(1) == date(0)",
        "rand() == 0.5",
        "randint(10) == 5",
        "in_state('open') and not in_state('closed')",
        "str(now()) == '1970-01-02 00:00:00+00:00'",
    ] {
        let expr = Expr::compile(source).expect("an expression");
        assert_eq!(expr.holds(&Map::new(), &env), Ok(true), "{source}");
    }
}

#[test]
fn names_are_those_it_looks_up() {
    let expr = Expr::compile("a.b + c * len(a) if d else 'e'").expect("an expression");
    let mut names = expr.names();
    names.sort_unstable();
    assert_eq!(names, ["a", "c", "d"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_makes_the_compiler_panic(text in "\\PC{0,60}") {
        let _ = eval(&text);
    }

    #[test]
    fn no_row_of_tokens_makes_anything_panic(tokens in prop::collection::vec(
        prop::sample::select(vec![
            "a", "b", "text", "1", "0", "2.5", "-", "+", "*", "**", "//", "%", "<<", ">>", "(", ")", "[", "]", "{", "}", ":",
            ",", ".", "and", "or", "not", "in", "is", "if", "else", "==", "<", "f'{a}'", "'x'", "len(", "str(", ".get(", "c",
            "~", "&", "|", "^", "99999999999999999999", "f'{a:", "'", "True", "None",
        ]), 0..14)) {
        let _ = eval(&tokens.join(" "));
    }
}
