//! Any text as a configuration in YAML and in JSON: read or refused, and what is read is checked, drawn and looked through.
#![no_main]

use core_fsm::config::{Definition, check};
use core_fsm::draw::{self, DrawOptions};
use core_fsm::lint::lint;
use core_fsm::source::{Source, read_json, read_yaml};
use libfuzzer_sys::fuzz_target;

fn look(source: &Source) {
    let issues = check(&source.value);
    for issue in &issues {
        let position = source.mark.find(&source.value, &issue.path);
        assert!(position.line > 0 && position.column > 0);
    }
    let definition = Definition::read(&source.value);
    let _ = lint(&definition, None);
    if issues.is_empty() {
        let options = DrawOptions::default();
        let _ = draw::to_mermaid(&definition, &options);
        let _ = draw::to_svg(&definition, &options);
        let _ = draw::to_scxml(&definition, None);
    }
}

fuzz_target!(|text: &str| {
    let lookup = |name: &str| (name == "SET").then(|| "value".to_owned());
    if let Ok(source) = read_yaml(text, Some(&lookup)) {
        look(&source);
    }
    if let Ok(source) = read_json(text, None) {
        look(&source);
    }
});
