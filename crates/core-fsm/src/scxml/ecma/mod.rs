//! Expressions of ECMAScript, as far as charts use them.
//!
//! - `lexer`, `parser`: from text to a tree
//! - `eval`, `convert`: values of trees, and ECMAScript's ideas of truth, equality, numbers and texts
//! - `library`: functions and methods

mod convert;
mod eval;
mod lexer;
mod library;
mod parser;

pub(super) use convert::truth;
pub(super) use lexer::closing;

use std::sync::Arc;

use super::data::View;
use crate::Value;

/// An expression, compiled.
#[derive(Debug)]
pub(super) struct Expression(Tree);

pub(super) fn compile(text: &str) -> Result<Expression, String> {
    parser::parse(text).map(Expression)
}

impl Expression {
    pub(super) fn eval(&self, view: &View<'_>) -> Result<Value, String> {
        eval::eval(&self.0, view)
    }

    /// Its value, where it is a literal through and through.
    pub(super) fn literal(&self) -> Option<Value> {
        eval::literal(&self.0)
    }
}

#[derive(Debug)]
enum Tree {
    Constant(Value),
    Name(Arc<str>),
    List(Vec<Tree>),
    Object(Vec<(Arc<str>, Tree)>),
    Member(Box<Tree>, Arc<str>),
    Index(Box<Tree>, Box<Tree>),
    /// A function by its name.
    Call(Arc<str>, Vec<Tree>),
    Method(Box<Tree>, Arc<str>, Vec<Tree>),
    Unary(&'static str, Box<Tree>),
    Binary(&'static str, Box<Tree>, Box<Tree>),
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
    /// `??`
    Else(Box<Tree>, Box<Tree>),
    Choice(Box<(Tree, Tree, Tree)>),
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::Value;
    use crate::scxml::{ChartHost, Parameters, Session, read_scxml};

    struct Nobody;

    impl ChartHost for Nobody {}

    /// The value of an expression as JSON, or nothing where it has none.
    fn value(expression: &str) -> Option<String> {
        let escaped = expression
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;");
        let text = format!(
            "<scxml datamodel='ecmascript'><datamodel><data id='o' expr=\"{{a: [1, 'x'], n: null}}\"/>\
             <data id='u'/><data id='v' expr=\"[{escaped}]\"/></datamodel><state id='s'/></scxml>"
        );
        let chart =
            read_scxml(&text, &|_: &str| Err(String::new())).expect("the document is a chart");
        let mut session = Session::new(Arc::new(chart), Parameters::new("t"));
        session.start(&Nobody).expect("it comes to rest");
        match session.values().get("v") {
            Some(value @ Value::List(_)) => Some(crate::scxml::to_json(value)),
            _ => None,
        }
    }

    #[test]
    fn expressions_have_the_values_of_ecmascript() {
        for (expression, wanted) in [
            ("1 + 2 * 3 - 4 / 2", "[5]"),
            ("7 % 4, 2 ** 3 ** 2, -7 % 4", "[3,512,-3]"),
            ("1 / 4, 1 / 0 > 9, 0 / 0 === NaN", "[0.25,true,false]"),
            (
                "'a' + 1 + null + true + undefined",
                "[\"a1nulltrueundefined\"]",
            ),
            ("1 + true, '5' * '2', +'3', -'x' === 1", "[2,10,3,false]"),
            (
                "[] + 1, [1, 2] + '', {} + ''",
                "[\"1\",\"1,2\",\"[object Object]\"]",
            ),
            (
                "null == undefined, null === undefined, null == 0",
                "[true,false,false]",
            ),
            (
                "'1' == 1, '1' === 1, true == 1, 'b' > 'a', '10' < '9'",
                "[true,false,true,true,true]",
            ),
            (
                "typeof u, typeof nowhere, typeof null, typeof 'x', typeof 1",
                "[\"undefined\",\"undefined\",\"object\",\"string\",\"number\"]",
            ),
            (
                "[] ? 1 : 2, '' ? 1 : 2, 0 || 'x', null ?? 'y', 0 ?? 1",
                "[1,2,\"x\",\"y\",0]",
            ),
            (
                "o.a[1], o['a'][0], o.a.length, 'abc'.length, o.zz === undefined",
                "[\"x\",1,2,3,true]",
            ),
            (
                "'n' in o, 'zz' in o, 1 in o.a, o.a instanceof Array",
                "[true,false,true,true]",
            ),
            (
                "'abcabc'.indexOf('c'), 'abc'.slice(-2), 'a,b'.split(','), 'abc'.substring(2, 0)",
                "[2,\"bc\",[\"a\",\"b\"],\"ab\"]",
            ),
            (
                "[1, 2].concat([3], 4), [3, 4].indexOf(4), [1, 2].join('-'), [1, 2, 3].slice(1)",
                "[[1,2,3,4],1,\"1-2\",[2,3]]",
            ),
            (
                "Math.max(1, 5, 3), Math.floor(-1.5), Math.round(2.5), Math.pow(2, 3)",
                "[5,-2,3,8]",
            ),
            (
                "parseInt('12px'), parseFloat('1.5e'), Number(''), String(12), isNaN('x')",
                "[12,1.5,0,\"12\",true]",
            ),
            (
                "JSON.parse('{\"a\": [1]}').a[0], JSON.stringify({a: 'x', u: undefined})",
                "[1,\"{\\\"a\\\":\\\"x\\\"}\"]",
            ),
            (
                "5 & 3, 5 | 3, 5 ^ 3, ~5, 1 << 4, -1 >>> 28",
                "[1,7,6,-6,16,15]",
            ),
            (
                "'\\u0041\\x42\\n'.length, (1.005).toFixed(1), (12).toString()",
                "[3,\"1.0\",\"12\"]",
            ),
            (
                "Object.keys({b: 1, a: 2}), {b: 1}.hasOwnProperty('b')",
                "[[\"b\",\"a\"],true]",
            ),
        ] {
            assert_eq!(value(expression).as_deref(), Some(wanted), "{expression}");
        }
    }

    #[test]
    fn what_has_no_value_is_an_error() {
        for expression in [
            "nowhere",
            "u.name",
            "null.name",
            "return",
            "1 +",
            "f(1)",
            "o.a.push(2)",
            "'x",
            "a = 1",
            "new Date()",
            "`${o}`",
            "1a",
        ] {
            assert_eq!(value(expression), None, "{expression}");
        }
        let deep = format!("{}1{}", "(".repeat(150), ")".repeat(150));
        assert_eq!(value(&deep), None);
        assert_eq!(value(&vec!["1"; 600].join(" + ")), None);
        assert_eq!(
            value(&format!("'{}'.split('')", "x".repeat(30_000))).map(|text| text.len()),
            Some(120_003)
        );
    }
}
