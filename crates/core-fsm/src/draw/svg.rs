use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use super::DrawOptions;
use super::arrow::arrows;
use super::layers::Size;
use super::layout::{Layout, Rect, Route, Span, layout};
use super::nesting::Nesting;
use super::scxml::escape;
use crate::config::{Definition, StateKind};

const LETTER: f64 = 7.3;
const SMALL_LETTER: f64 = 6.3;
const LINE: f64 = 15.0;
/// Room around the picture, for the dots that stand before states.
const MARGIN: f64 = 7.0;
/// What stands where arrows begin that leave every state: as many arrows as there are states would hide all else.
const EVERY_STATE: &str = "any state";
/// Labels longer than this are broken.
const LABEL_WIDTH: usize = 34;

/// A picture of a machine.
pub fn to_svg(definition: &Definition<'_>, options: &DrawOptions) -> String {
    let mut nesting = Nesting::of(definition);
    let lines = merged(definition, options);
    let mut leaf: Vec<Size> = definition
        .states
        .iter()
        .map(|state| state_size(state.name, state.kind))
        .collect();
    if lines
        .iter()
        .any(|line| line.span.from == definition.states.len())
    {
        nesting.add_root();
        leaf.push(state_size(EVERY_STATE, StateKind::Stable));
    }
    let pointed: Vec<bool> = (0..leaf.len())
        .map(|position| {
            let state = definition.states.get(position);
            state.is_some_and(|state| state.kind == StateKind::Choice) && nesting.is_leaf(position)
        })
        .collect();
    for line in &lines {
        // Room for the arrow that comes back.
        if line.span.from == line.span.to {
            leaf[line.span.from].height = leaf[line.span.from]
                .height
                .max(line.span.label.height + 12.0);
        }
    }
    let spans: Vec<_> = lines.iter().map(|line| line.span).collect();
    let across = matches!(options.direction.as_str(), "LR" | "RL");
    let placed = layout(&nesting, &leaf, &pointed, &spans, across);
    write_picture(definition, options, &nesting, &lines, &placed, across)
}

/// All arrows from one state to another, drawn as one.
struct Line {
    span: Span,
    labels: Vec<String>,
    dashed: bool,
}

fn merged(definition: &Definition<'_>, options: &DrawOptions) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut known: HashMap<(usize, usize, bool), usize> = HashMap::new();
    let mut seen = HashSet::new();
    for arrow in arrows(definition, options) {
        let ends = definition
            .position(arrow.from)
            .zip(definition.position(arrow.to));
        let Some((mut from, to)) = ends.filter(|_| !arrow.timeout || options.timeouts) else {
            continue;
        };
        if let Some(transition) = arrow.wildcard {
            if !seen.insert(transition) {
                continue;
            }
            from = definition.states.len();
        }
        let number = *known.entry((from, to, arrow.timeout)).or_insert_with(|| {
            lines.push(Line {
                span: Span {
                    from,
                    to,
                    label: Size::default(),
                },
                labels: Vec::new(),
                dashed: arrow.timeout,
            });
            lines.len() - 1
        });
        let timeout = definition.states.get(from).and_then(|state| state.timeout);
        let label = match timeout {
            Some(timeout) if arrow.timeout => format!("after {}", duration(timeout.seconds)),
            _ => arrow.label,
        };
        lines[number].labels.extend(broken(&label));
    }
    for line in &mut lines {
        let longest = line.labels.iter().map(|label| label.chars().count()).max();
        line.span.label = Size {
            width: longest.unwrap_or(0) as f64 * SMALL_LETTER + 8.0,
            height: line.labels.len() as f64 * LINE,
        };
    }
    lines
}

/// A number of seconds in the largest units that say it exactly.
fn duration(seconds: f64) -> String {
    const UNITS: [(&str, f64); 4] = [("d", 86_400.0), ("h", 3_600.0), ("min", 60.0), ("s", 1.0)];
    let mut left = seconds;
    let mut parts = Vec::new();
    for (unit, length) in UNITS {
        let count = (left / length).floor();
        if unit == "s" && (left > 0.0 || parts.is_empty()) {
            parts.push(format!("{}{unit}", (left * 1e3).round() / 1e3));
        } else if count >= 1.0 {
            parts.push(format!("{count}{unit}"));
            left -= count * length;
        }
    }
    parts.join(" ")
}

/// A label in lines that aren't too long.
fn broken(label: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in label.split_whitespace() {
        let last = lines.len() - 1;
        let long = lines[last].chars().count() + word.chars().count() >= LABEL_WIDTH;
        if !lines[last].is_empty() && long {
            lines.push(format!("  {word}"));
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}

fn state_size(name: &str, kind: StateKind) -> Size {
    let width = name.chars().count() as f64 * LETTER + 28.0;
    match kind {
        StateKind::Choice => Size {
            width: width + 30.0,
            height: 46.0,
        },
        _ => Size {
            width: width.max(64.0),
            height: 34.0,
        },
    }
}

fn write_picture(
    definition: &Definition<'_>,
    options: &DrawOptions,
    nesting: &Nesting,
    lines: &[Line],
    placed: &Layout,
    across: bool,
) -> String {
    let title = options.title.as_deref().map(|title| (title, 30.0));
    let top = title.map_or(0.0, |(_, height)| height);
    // Arrows that come back and their labels stand beside their state.
    let right = lines
        .iter()
        .zip(&placed.routes)
        .filter(|(_, route)| route.around)
        .map(|(line, route)| route.label.0 + line.span.label.width / 2.0 + 12.0)
        .fold(placed.size.width, f64::max);
    let (width, height) = (
        right.max(120.0) + 2.0 * MARGIN,
        placed.size.height + top + 2.0 * MARGIN,
    );
    let mut text = String::new();
    let _ = writeln!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"ui-sans-serif, system-ui, Helvetica, Arial, sans-serif\" font-size=\"13\" role=\"img\">"
    );
    let _ = writeln!(
        text,
        "<title>{}</title>",
        escape(
            options
                .title
                .as_deref()
                .or(definition.name)
                .unwrap_or("state machine")
        )
    );
    text.push_str(STYLE);
    let _ = writeln!(
        text,
        "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>"
    );
    if let Some((title, _)) = title {
        let _ = writeln!(
            text,
            "<text x=\"16\" y=\"24\" class=\"title\">{}</text>",
            escape(title)
        );
    }
    let _ = writeln!(
        text,
        "<g transform=\"translate({MARGIN:.0} {:.0})\">",
        top + MARGIN
    );
    for root in &nesting.roots {
        write_state(definition, options, nesting, placed, *root, &mut text);
    }
    start(definition, placed, across, &mut text);
    for (line, route) in lines.iter().zip(&placed.routes) {
        let from = definition.states.get(line.span.from);
        let to = definition.states[line.span.to].name;
        let taken = match from {
            Some(from) => options.is_taken(from.name, to),
            None => options.is_entered(to) && !is_drawn(definition, options, lines, to),
        };
        write_arrow(line, route, taken, across, &mut text);
    }
    for (line, route) in lines.iter().zip(&placed.routes) {
        write_label(line, route, &mut text);
    }
    text.push_str("</g>\n</svg>\n");
    text
}

/// Whether a step that was made to a state has an arrow of its own.
fn is_drawn(definition: &Definition<'_>, options: &DrawOptions, lines: &[Line], to: &str) -> bool {
    lines.iter().any(|line| {
        definition.states[line.span.to].name == to
            && definition
                .states
                .get(line.span.from)
                .is_some_and(|from| options.is_taken(from.name, to))
    })
}

const STYLE: &str = "<style>
.state{fill:#eef3fb;stroke:#3b5b8c;stroke-width:1.3}.frame{fill:#f7f9fc;stroke:#8fa3c1;stroke-width:1.2}
.initial{fill:#dbe8ff;stroke-width:2}.terminal{fill:#e9efe6;stroke:#4d7a3a}.error{fill:#fdeaea;stroke:#b3413c}
.choice{fill:#fff6dc;stroke:#a07a1c}.visited{fill:#dcedc8}.active{fill:#ffe082;stroke:#ff6f00;stroke-width:2.4}
.every{fill:none;stroke:#8fa3c1;stroke-dasharray:3 3}.region{fill:none;stroke:#8fa3c1;stroke-dasharray:5 4}.arrow{fill:none;stroke:#5a6678;stroke-width:1.2}
.timeout{stroke-dasharray:4 3}.taken{stroke:#558b2f;stroke-width:2.4}.label{font-size:11.5px;fill:#2b3442}
.name{fill:#16202e}.title{font-size:17px;font-weight:600;fill:#16202e}.small{font-size:11px;fill:#66758c}
</style>
<defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7.5\" markerHeight=\"7.5\" orient=\"auto-start-reverse\"><path d=\"M0 0.8 10 5 0 9.2Z\" fill=\"#5a6678\"/></marker></defs>
";

fn write_state(
    definition: &Definition<'_>,
    options: &DrawOptions,
    nesting: &Nesting,
    placed: &Layout,
    position: usize,
    text: &mut String,
) {
    let Rect {
        x,
        y,
        width,
        height,
    } = placed.boxes[position];
    let Some(state) = definition.states.get(position) else {
        let (middle, baseline) = (x + width / 2.0, y + height / 2.0 + 4.5);
        let _ = writeln!(
            text,
            "<rect class=\"every\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"17\"/>\
             <text class=\"small\" x=\"{middle:.1}\" y=\"{baseline:.1}\" text-anchor=\"middle\">{EVERY_STATE}</text>"
        );
        return;
    };
    let framed = !nesting.is_leaf(position);
    let mut class = if framed {
        "frame".to_owned()
    } else {
        "state".to_owned()
    };
    match state.kind {
        StateKind::Initial => class.push_str(" initial"),
        StateKind::Terminal => class.push_str(" terminal"),
        StateKind::Error => class.push_str(" error"),
        StateKind::Choice => class.push_str(" choice"),
        StateKind::Stable | StateKind::Parallel => {}
    }
    if options.is_active(state.name) {
        class.push_str(" active");
    } else if options.is_visited(state.name) {
        class.push_str(" visited");
    }
    let _ = writeln!(text, "<g id=\"state-{}\">", escape(state.name));
    if !state.description.is_empty() {
        let _ = writeln!(text, "<title>{}</title>", escape(state.description));
    }
    let (middle_x, middle_y) = (x + width / 2.0, y + height / 2.0);
    if state.kind == StateKind::Choice && !framed {
        let _ = writeln!(
            text,
            "<path class=\"{class}\" d=\"M{middle_x:.1} {y:.1} {:.1} {middle_y:.1} {middle_x:.1} {:.1} {x:.1} {middle_y:.1}Z\"/>",
            x + width,
            y + height
        );
    } else {
        let _ = writeln!(
            text,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"9\"/>"
        );
        if state.kind == StateKind::Terminal {
            let _ = writeln!(
                text,
                "<rect fill=\"none\" stroke=\"#4d7a3a\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\"/>",
                x + 3.0,
                y + 3.0,
                width - 6.0,
                height - 6.0
            );
        }
    }
    let baseline = if framed { y + 19.0 } else { middle_y + 4.5 };
    let _ = writeln!(
        text,
        "<text class=\"name\" x=\"{middle_x:.1}\" y=\"{baseline:.1}\" text-anchor=\"middle\">{}</text>",
        escape(state.name)
    );
    for (_, region, frame) in placed
        .regions
        .iter()
        .filter(|(owner, ..)| *owner == position)
    {
        let name = state.regions.get(*region).map_or("", |region| region.name);
        if frame.x > x + 1.0 {
            let _ = writeln!(
                text,
                "<path class=\"region\" d=\"M{0:.1} {1:.1}V{2:.1}\"/>",
                frame.x,
                frame.y,
                frame.y + frame.height
            );
        }
        let _ = writeln!(
            text,
            "<text class=\"small\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            frame.x + 10.0,
            frame.y + 14.0,
            escape(name)
        );
    }
    for group in &nesting.groups[position] {
        for member in &group.members {
            write_state(definition, options, nesting, placed, *member, text);
        }
    }
    text.push_str("</g>\n");
}

/// The dot from which a machine, a compound state or a region begins.
fn start(definition: &Definition<'_>, placed: &Layout, across: bool, text: &mut String) {
    let mut first: Vec<usize> = definition
        .initial()
        .and_then(|state| definition.position(state.name))
        .into_iter()
        .collect();
    for state in &definition.states {
        let inner = state.regions.iter().map(|region| region.initial);
        first.extend(
            inner
                .chain(state.initial_child)
                .filter_map(|name| definition.position(name)),
        );
    }
    for position in first {
        let rect = placed.boxes[position];
        let (x, y, to_x, to_y) = if across {
            let y = rect.y + 8.0;
            (rect.x - 12.5, y, rect.x, y)
        } else {
            let x = rect.x + 13.0;
            (x, rect.y - 15.0, x, rect.y)
        };
        let _ = writeln!(
            text,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.6\" fill=\"#16202e\"/><path class=\"arrow\" marker-end=\"url(#tip)\" d=\"M{x:.1} {y:.1} {to_x:.1} {to_y:.1}\"/>"
        );
    }
}

fn write_arrow(line: &Line, route: &Route, taken: bool, across: bool, text: &mut String) {
    let mut path = String::new();
    if route.around {
        if let [(x, top), (_, bottom)] = route.points[..] {
            let out = x + 24.0;
            let _ = write!(
                path,
                "M{x:.1} {top:.1}C{out:.1} {:.1} {out:.1} {:.1} {x:.1} {bottom:.1}",
                top - 8.0,
                bottom + 8.0
            );
        }
    } else {
        for (number, point) in route.points.iter().enumerate() {
            let Some((x, y)) = number.checked_sub(1).map(|before| route.points[before]) else {
                let _ = write!(path, "M{:.1} {:.1}", point.0, point.1);
                continue;
            };
            let (first, second) = if across {
                let middle = f64::midpoint(x, point.0);
                ((middle, y), (middle, point.1))
            } else {
                let middle = f64::midpoint(y, point.1);
                ((x, middle), (point.0, middle))
            };
            let _ = write!(
                path,
                "C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
                first.0, first.1, second.0, second.1, point.0, point.1
            );
        }
    }
    let dashed = if line.dashed { " timeout" } else { "" };
    let taken = if taken { " taken" } else { "" };
    let _ = writeln!(
        text,
        "<path class=\"arrow{dashed}{taken}\" marker-end=\"url(#tip)\" d=\"{path}\"/>"
    );
}

fn write_label(line: &Line, route: &Route, text: &mut String) {
    let (x, y) = route.label;
    let Size { width, height } = line.span.label;
    if width <= 8.0 {
        return;
    }
    // Paper behind the letters, so that a line below them doesn't strike them out.
    let _ = writeln!(
        text,
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"#ffffff\" fill-opacity=\"0.85\" rx=\"3\"/>",
        x - width / 2.0,
        y - height / 2.0
    );
    for (number, label) in line.labels.iter().enumerate() {
        let _ = writeln!(
            text,
            "<text class=\"label\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            y - height / 2.0 + LINE * (number as f64 + 0.78),
            escape(label.trim_start())
        );
    }
}
