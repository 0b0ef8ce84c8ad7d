//! Any text as a chart in SCXML: read or refused, and what is read runs within its limits, the same way twice.
#![no_main]

use std::sync::Arc;

use core_fsm::scxml::{ChartHost, Event, EventKind, Parameters, Session, read_scxml};
use libfuzzer_sys::fuzz_target;

struct Nobody;

impl ChartHost for Nobody {}

const EVENTS: [&str; 5] = ["a", "b", "e.x", "done.state.a", "error"];

fn play(chart: &Arc<core_fsm::scxml::Chart>) -> String {
    let mut parameters = Parameters::new("fuzz");
    parameters.microsteps = 200;
    let mut session = Session::new(chart.clone(), parameters.clone());
    let mut told = format!("{:?}", session.start(&Nobody));
    for name in EVENTS {
        session.post(Event::new(name, EventKind::External));
        // Charts may send themselves events forever; a few are enough.
        for _ in 0..5 {
            match session.advance(&Nobody) {
                Ok(Some(orders)) => told.push_str(&format!("{orders:?}")),
                Ok(None) => break,
                Err(fault) => {
                    told.push_str(&fault.to_string());
                    break;
                }
            }
        }
    }
    let memory = session.remember();
    if session.is_running() {
        let again = Session::recall(chart.clone(), parameters, &memory).expect("a session is remembered as it was");
        assert_eq!(again.configuration(), session.configuration());
    }
    told
}

fuzz_target!(|text: &str| {
    let nothing = |address: &str| Err(format!("there is no {address}"));
    if let Ok(chart) = read_scxml(text, &nothing) {
        let chart = Arc::new(chart);
        assert_eq!(play(&chart), play(&chart), "the same chart runs in two ways");
    }
});
