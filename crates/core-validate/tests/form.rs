//! Form fields: bracketed names, coercion by the body's schema, limits.

use std::borrow::Cow;

use core_validate::{Faults, NameFault, Schema};
use serde_json::{Value, json};

type Pairs = Vec<(Cow<'static, str>, Cow<'static, str>)>;

fn pairs(texts: &[&'static str]) -> Pairs {
    let split = |text: &&'static str| {
        text.split_once('=')
            .map(|(name, value)| (name.into(), value.into()))
    };
    texts
        .iter()
        .map(|text| split(text).expect("name=value"))
        .collect()
}

fn read(schema: Value, texts: &[&'static str]) -> Result<Value, Value> {
    let schema = Schema::compile(&schema).expect("a schema");
    let mut faults = Faults::new();
    let pairs = pairs(texts);
    let made = schema
        .coerce_form(&pairs, &["body"], &mut faults)
        .expect("readable names");
    match made {
        Some(value) => {
            assert!(faults.is_empty());
            Ok(value.to_json())
        }
        None => Err(serde_json::from_slice(&faults.to_json()).expect("JSON")),
    }
}

#[test]
fn names_make_shapes() {
    let untyped = read(
        json!({"type": "object"}),
        &[
            "a=1",
            "b=1",
            "b=2",
            "l[]=x",
            "i[5]=z",
            "i[0]=x",
            "i[2]=y",
            "u[name]=n",
            "u[tags][]=t",
            "contact.email=e",
            "x-y=1",
            "1=one",
            "[odd]=o",
            "open[=p",
            "rows[0][id]=7",
            "rows[1][id]=8",
        ],
    );
    assert_eq!(
        untyped,
        Ok(json!({
            "a": "1", "b": ["1", "2"], "l": ["x"], "i": ["x", "y", "z"], "u": {"name": "n", "tags": ["t"]},
            "contact.email": "e", "x-y": "1", "1": "one", "[odd]": "o", "open[": "p", "rows": [{"id": "7"}, {"id": "8"}],
        }))
    );
}

#[test]
fn the_schema_coerces() {
    let schema = json!({
        "type": "object",
        "properties": {
            "n": {"type": "integer"},
            "f": {"type": ["number", "null"]},
            "o": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "s": {"type": ["string", "null"]},
            "b": {"type": "boolean"},
            "t": {"type": "array", "items": {"type": "integer"}},
            "last": {"type": "string"},
            "u": {"type": "object", "properties": {"age": {"type": "integer", "minimum": 1}}},
        },
        "required": ["n"],
    });
    let good = [
        "n=1", "f=", "o=", "s=", "b=", "t=4", "last=a", "last=b", "u[age]=3",
    ];
    assert_eq!(
        read(schema.clone(), &good),
        Ok(
            json!({"n": 1, "f": null, "o": null, "s": "", "b": false, "t": [4], "last": "b", "u": {"age": 3}})
        )
    );
    assert_eq!(
        read(schema, &["t[]=1", "t[]=x", "u[age]=0"]),
        Err(json!([
            {"type": "missing", "loc": ["body", "n"], "msg": "Field required", "input": {"t": ["1", "x"], "u": {"age": "0"}}, "pointer": "/n"},
            {"type": "int_parsing", "loc": ["body", "t", "1"], "msg": "Input should be a valid integer, unable to parse string as an integer", "input": "x", "pointer": "/t/1"},
            {"type": "greater_than_equal", "loc": ["body", "u", "age"], "msg": "Input should be greater than or equal to 1", "input": "0", "ctx": {"ge": 1}, "pointer": "/u/age"},
        ]))
    );
}

#[test]
fn unreadable_names_refuse_the_form() {
    let schema = Schema::compile(&json!({"type": "object"})).expect("a schema");
    let fault = |texts: &[&'static str]| {
        let pairs = pairs(texts);
        schema
            .coerce_form(&pairs, &["body"], &mut Faults::new())
            .map(|_| ())
    };
    assert_eq!(fault(&["a[10000]=x"]), Ok(()));
    assert_eq!(
        fault(&["a[10001]=x"]),
        Err(NameFault::Index("a[10001]".into()))
    );
    assert_eq!(
        fault(&["a[99999999999999999999999]=x"]),
        Err(NameFault::Index("a[99999999999999999999999]".into()))
    );
    assert_eq!(
        fault(&["a=1", "a[b]=2"]),
        Err(NameFault::Conflict("a[b]".into()))
    );
    assert_eq!(
        fault(&["a[b]=1", "a=2"]),
        Err(NameFault::Conflict("a".into()))
    );
    assert_eq!(
        fault(&["a[b][c]=1", "a[]=2", "a[b]=3"]),
        Err(NameFault::Conflict("a[]".into()))
    );
    let deep: &'static str = Box::leak(format!("a{}=x", "[b]".repeat(17)).into_boxed_str());
    assert!(matches!(fault(&[deep]), Err(NameFault::Depth(_))));
    assert_eq!(
        fault(&["a[b][b][b][b][b][b][b][b][b][b][b][b][b][b][b][b]=x"]),
        Ok(())
    );
}

#[test]
fn many_names_keep_their_order() {
    let schema = Schema::compile(&json!({"type": "object"})).expect("a schema");
    let pairs: Vec<_> = (0..500)
        .map(|n| {
            (
                Cow::Owned(format!("k{}", n % 250)),
                Cow::Owned(n.to_string()),
            )
        })
        .collect();
    let made = schema
        .coerce_form(&pairs, &["body"], &mut Faults::new())
        .expect("readable")
        .expect("sound")
        .to_json();
    assert_eq!(made.as_object().map(serde_json::Map::len), Some(250));
    assert_eq!(made["k249"], json!(["249", "499"]));
    assert_eq!(
        made.as_object()
            .and_then(|names| names.keys().nth(20))
            .map(String::as_str),
        Some("k20")
    );
}
