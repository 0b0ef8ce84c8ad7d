//! Places for states and arrows: each frame is laid out in layers of its own, arrows between its members pass through places
//! that are kept free for them and for what is written on them.
use std::collections::HashMap;

use super::layers::{LayerEdge, Layers, Size};
use super::nesting::Nesting;

/// A rectangle of the drawing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// An arrow to be placed: between two states, with room for its label.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: Size,
}

/// Where an arrow goes, and where its label's middle is.
#[derive(Clone, Debug, Default)]
pub(super) struct Route {
    pub(super) points: Vec<(f64, f64)>,
    pub(super) label: (f64, f64),
    /// The arrow begins and ends at the same state.
    pub(super) around: bool,
}

/// A laid out drawing.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) boxes: Vec<Rect>,
    pub(super) routes: Vec<Route>,
    /// For each state the frames of its regions.
    pub(super) regions: Vec<(usize, usize, Rect)>,
    pub(super) size: Size,
}

const HEADER: f64 = 28.0;
const PADDING: f64 = 16.0;

/// A list of states that are laid out together, and the state it stands in.
struct Frame {
    owner: Option<usize>,
    region: Option<usize>,
    members: Vec<usize>,
    edges: Vec<usize>,
}

/// Lays a machine out. `leaf` has the sizes of states as if nothing stood in them; those that are `pointed` are drawn as
/// diamonds.
pub(super) fn layout(
    nesting: &Nesting,
    leaf: &[Size],
    pointed: &[bool],
    spans: &[Span],
    across: bool,
) -> Layout {
    let mut frames = vec![Frame {
        owner: None,
        region: None,
        members: nesting.roots.clone(),
        edges: Vec::new(),
    }];
    let mut home = vec![0; leaf.len()];
    for (owner, groups) in nesting.groups.iter().enumerate() {
        for group in groups {
            for member in &group.members {
                home[*member] = frames.len();
            }
            frames.push(Frame {
                owner: Some(owner),
                region: group.region,
                members: group.members.clone(),
                edges: Vec::new(),
            });
        }
    }
    let mut inside = vec![Vec::new(); leaf.len()];
    for (number, frame) in frames.iter().enumerate() {
        if let Some(owner) = frame.owner {
            inside[owner].push(number);
        }
    }
    let mut lifted = vec![None; spans.len()];
    for (number, span) in spans.iter().enumerate() {
        let from = chain(&frames, &home, span.from);
        let to: HashMap<_, _> = chain(&frames, &home, span.to).into_iter().collect();
        let common = from
            .iter()
            .find_map(|(frame, member)| to.get(frame).map(|other| (*frame, *member, *other)));
        if let Some((frame, left, right)) = common.filter(|(_, left, right)| left != right) {
            frames[frame].edges.push(number);
            lifted[number] = Some((left, right));
        }
    }
    let mut placing = Placing {
        frames: &frames,
        home: &home,
        inside: &inside,
        leaf,
        pointed,
        spans,
        lifted: &lifted,
        across,
        boxes: vec![Rect::default(); leaf.len()],
        routes: vec![Route::default(); spans.len()],
        regions: Vec::new(),
    };
    let sizes = placing.sizes(nesting);
    placing.place(0, &sizes, (PADDING, PADDING));
    placing.overlay();
    Layout {
        size: Size {
            width: sizes.frames[0].size.width + 2.0 * PADDING,
            height: sizes.frames[0].size.height + 2.0 * PADDING,
        },
        boxes: placing.boxes,
        routes: placing.routes,
        regions: placing.regions,
    }
}

/// The frames that a state stands in, innermost first, with the member of each that it is or is in.
fn chain(frames: &[Frame], home: &[usize], state: usize) -> Vec<(usize, usize)> {
    let mut chain = vec![(home[state], state)];
    while let Some(owner) = chain.last().and_then(|(frame, _)| frames[*frame].owner) {
        chain.push((home[owner], owner));
    }
    chain
}

struct Placing<'a> {
    frames: &'a [Frame],
    /// The frame that each state stands in, and those that stand in it.
    home: &'a [usize],
    inside: &'a [Vec<usize>],
    leaf: &'a [Size],
    pointed: &'a [bool],
    spans: &'a [Span],
    lifted: &'a [Option<(usize, usize)>],
    across: bool,
    boxes: Vec<Rect>,
    routes: Vec<Route>,
    regions: Vec<(usize, usize, Rect)>,
}

struct Sizes {
    states: Vec<Size>,
    frames: Vec<Layers>,
}

impl Placing<'_> {
    /// The sizes of all states and frames, innermost first.
    fn sizes(&self, nesting: &Nesting) -> Sizes {
        let mut states = self.leaf.to_vec();
        let mut layers: Vec<Option<Layers>> = (0..self.frames.len()).map(|_| None).collect();
        let mut depth: Vec<(usize, usize)> = (0..self.frames.len())
            .map(|frame| (self.depth(frame), frame))
            .collect();
        depth.sort_unstable_by(|left, right| right.cmp(left));
        for (_, number) in depth {
            let frame = &self.frames[number];
            for member in &frame.members {
                if !nesting.groups[*member].is_empty() {
                    states[*member] = self.outer(*member, &layers);
                }
            }
            let edges: Vec<_> = frame
                .edges
                .iter()
                .filter_map(|number| {
                    let (from, to) = self.lifted[*number]?;
                    let place = |state| frame.members.iter().position(|member| *member == state);
                    Some(LayerEdge {
                        from: place(from)?,
                        to: place(to)?,
                        label: self.spans[*number].label,
                    })
                })
                .collect();
            let sizes: Vec<_> = frame.members.iter().map(|member| states[*member]).collect();
            layers[number] = Some(Layers::of(&sizes, &edges, self.across));
        }
        Sizes {
            states,
            frames: layers.into_iter().flatten().collect(),
        }
    }

    fn depth(&self, mut frame: usize) -> usize {
        let mut depth = 0;
        while let Some(owner) = self.frames[frame].owner {
            depth += 1;
            if depth > self.frames.len() {
                break;
            }
            frame = self.home[owner];
        }
        depth
    }

    /// The size of a state that frames stand in, side by side.
    fn outer(&self, state: usize, layers: &[Option<Layers>]) -> Size {
        let mut size = Size {
            width: 0.0,
            height: 0.0,
        };
        for number in &self.inside[state] {
            if let Some(layers) = &layers[*number] {
                let height = layers.size.height + region_header(&self.frames[*number]);
                size.width += layers.size.width + 2.0 * PADDING;
                size.height = size.height.max(height);
            }
        }
        Size {
            width: size.width.max(self.leaf[state].width),
            height: size.height + HEADER + 2.0 * PADDING,
        }
    }

    fn place(&mut self, number: usize, sizes: &Sizes, origin: (f64, f64)) {
        let frame = &self.frames[number];
        let layers = &sizes.frames[number];
        for (member, (x, y)) in frame.members.iter().zip(&layers.places) {
            let size = sizes.states[*member];
            let rect = Rect {
                x: origin.0 + x,
                y: origin.1 + y,
                width: size.width,
                height: size.height,
            };
            self.boxes[*member] = rect;
            let mut left = rect.x;
            for inner in self.inside[*member].iter().copied() {
                let child = &self.frames[inner];
                let width = sizes.frames[inner].size.width + 2.0 * PADDING;
                let head = region_header(child);
                if let Some(region) = child.region {
                    self.regions.push((
                        *member,
                        region,
                        Rect {
                            x: left,
                            y: rect.y + HEADER,
                            width,
                            height: rect.height - HEADER,
                        },
                    ));
                }
                self.place(
                    inner,
                    sizes,
                    (left + PADDING, rect.y + HEADER + PADDING + head),
                );
                left += width;
            }
        }
        for (number, route) in frame.edges.iter().zip(&layers.routes) {
            let shift = |point: &(f64, f64)| (origin.0 + point.0, origin.1 + point.1);
            self.routes[*number] = Route {
                points: route.points.iter().map(shift).collect(),
                label: shift(&route.label),
                around: false,
            };
        }
    }

    /// Arrows that no layer has: from a state to itself, or between a state and what stands in it; and the ends of those
    /// that begin or end deeper than their frame.
    fn overlay(&mut self) {
        for (number, span) in self.spans.iter().enumerate() {
            let (from, to) = (self.boxes[span.from], self.boxes[span.to]);
            if self.lifted[number].is_some() {
                let across = self.across;
                let points = &self.routes[number].points;
                let inner: Vec<_> = points[1..points.len() - 1].to_vec();
                let middle = self.routes[number].label;
                let first = inner.first().copied().unwrap_or(middle);
                let last = inner.last().copied().unwrap_or(middle);
                let (start, end) = (
                    on_edge(self.pointed[span.from], from, first, across),
                    on_edge(self.pointed[span.to], to, last, across),
                );
                let points = &mut self.routes[number].points;
                points[0] = start;
                if let Some(last) = points.last_mut() {
                    *last = end;
                }
            } else if span.from == span.to {
                let right = from.x + from.width;
                let middle = from.y + from.height / 2.0;
                self.routes[number] = Route {
                    points: vec![(right, middle - 7.0), (right, middle + 7.0)],
                    label: (right + 26.0 + span.label.width / 2.0, middle),
                    around: true,
                };
            } else {
                let start = (from.x + from.width / 2.0, from.y + from.height / 2.0);
                let end = (to.x + to.width / 2.0, to.y + to.height / 2.0);
                let middle = (f64::midpoint(start.0, end.0), f64::midpoint(start.1, end.1));
                self.routes[number] = Route {
                    points: vec![
                        edge_of(from, middle, self.across),
                        middle,
                        edge_of(to, middle, self.across),
                    ],
                    label: middle,
                    around: false,
                };
            }
        }
    }
}

fn region_header(frame: &Frame) -> f64 {
    if frame.region.is_some() { 26.0 } else { 0.0 }
}

/// The point of a state's edge that faces another point.
fn on_edge(pointed: bool, rect: Rect, other: (f64, f64), across: bool) -> (f64, f64) {
    let (x, y) = edge_of(rect, other, across);
    if !pointed {
        return (x, y);
    }
    let (middle_x, middle_y) = (rect.x + rect.width / 2.0, rect.y + rect.height / 2.0);
    if across {
        let share = 1.0 - (y - middle_y).abs() / (rect.height / 2.0);
        (middle_x + (x - middle_x) * share, y)
    } else {
        let share = 1.0 - (x - middle_x).abs() / (rect.width / 2.0);
        (x, middle_y + (y - middle_y) * share)
    }
}

/// The point of a rectangle's edge that faces another point, along the direction of the layers.
fn edge_of(rect: Rect, other: (f64, f64), across: bool) -> (f64, f64) {
    let clamp = |value: f64, low: f64, size: f64| {
        let inset = (size / 2.0).min(10.0);
        value.clamp(low + inset, low + size - inset)
    };
    if across {
        let y = clamp(other.1, rect.y, rect.height);
        if other.0 < rect.x + rect.width / 2.0 {
            (rect.x, y)
        } else {
            (rect.x + rect.width, y)
        }
    } else {
        let x = clamp(other.0, rect.x, rect.width);
        if other.1 < rect.y + rect.height / 2.0 {
            (x, rect.y)
        } else {
            (x, rect.y + rect.height)
        }
    }
}
