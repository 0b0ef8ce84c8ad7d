//! Nodes in layers: each edge goes from one layer to a later one, through a free place in each layer between; in the middle
//! one that place is as large as the edge's label.

/// How large something is drawn.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct LayerEdge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: Size,
}

/// The points that an edge passes, both ends included.
#[derive(Clone, Debug)]
pub(super) struct LayerRoute {
    pub(super) points: Vec<(f64, f64)>,
    pub(super) label: (f64, f64),
}

#[derive(Debug)]
pub(super) struct Layers {
    pub(super) size: Size,
    /// The upper left corner of each node.
    pub(super) places: Vec<(f64, f64)>,
    pub(super) routes: Vec<LayerRoute>,
}

const LAYER_GAP: f64 = 18.0;
const NODE_GAP: f64 = 26.0;
/// Edges that pass more layers than this get no places of their own; a drawing of such a size is a map, not a page.
const MAX_PLACES: usize = 60;

/// A node of a layer: a real one, or a place that an edge passes. Sizes are along and across the direction of the layers.
struct Item {
    layer: usize,
    breadth: f64,
    length: f64,
    x: f64,
    before: Vec<usize>,
    after: Vec<usize>,
}

impl Layers {
    /// Lays nodes out in layers from top to bottom, or from left to right if `across`.
    pub(super) fn of(sizes: &[Size], edges: &[LayerEdge], across: bool) -> Self {
        let turned: Vec<_> = sizes.iter().map(|size| turn(*size, across)).collect();
        let forward = acyclic(sizes.len(), edges);
        let ranks = ranks(sizes.len(), edges, &forward);
        let mut items: Vec<Item> = turned
            .iter()
            .zip(&ranks)
            .map(|(size, rank)| Item::new(*rank, size.width, size.height))
            .collect();
        let paths = places(edges, &forward, &ranks, &mut items, across);
        let mut layers =
            vec![Vec::new(); items.iter().map(|item| item.layer + 1).max().unwrap_or(0)];
        for (number, item) in items.iter().enumerate() {
            layers[item.layer].push(number);
        }
        arrange(&mut layers, &items);
        spread(&layers, &mut items);
        finish(&layers, &items, &paths, edges, sizes, across)
    }
}

impl Item {
    fn new(layer: usize, breadth: f64, length: f64) -> Self {
        Self {
            layer,
            breadth,
            length,
            x: 0.0,
            before: Vec::new(),
            after: Vec::new(),
        }
    }
}

fn turn(size: Size, across: bool) -> Size {
    if across {
        Size {
            width: size.height,
            height: size.width,
        }
    } else {
        size
    }
}

/// For each edge whether it keeps its direction; turning the others leaves no ring.
fn acyclic(nodes: usize, edges: &[LayerEdge]) -> Vec<bool> {
    let mut outgoing = vec![Vec::new(); nodes];
    for (number, edge) in edges.iter().enumerate() {
        outgoing[edge.from].push(number);
    }
    let mut forward = vec![true; edges.len()];
    // 0: not seen, 1: on the way, 2: done.
    let mut colour = vec![0_u8; nodes];
    for start in 0..nodes {
        if colour[start] != 0 {
            continue;
        }
        let mut path = vec![(start, 0)];
        colour[start] = 1;
        while let Some((node, next)) = path.last_mut() {
            let Some(number) = outgoing[*node].get(*next).copied() else {
                colour[*node] = 2;
                path.pop();
                continue;
            };
            *next += 1;
            let target = edges[number].to;
            match colour[target] {
                0 => {
                    colour[target] = 1;
                    path.push((target, 0));
                }
                1 => forward[number] = false,
                _ => {}
            }
        }
    }
    forward
}

/// The layer of each node: after all that lead to it, with a layer between for labels.
fn ranks(nodes: usize, edges: &[LayerEdge], forward: &[bool]) -> Vec<usize> {
    let mut outgoing = vec![Vec::new(); nodes];
    let mut waiting = vec![0_usize; nodes];
    for (edge, forward) in edges.iter().zip(forward) {
        let (from, to) = if *forward {
            (edge.from, edge.to)
        } else {
            (edge.to, edge.from)
        };
        outgoing[from].push(to);
        waiting[to] += 1;
    }
    let first: Vec<_> = (0..nodes).filter(|node| waiting[*node] == 0).collect();
    let mut ranks = vec![0; nodes];
    let mut open: Vec<_> = (0..nodes)
        .rev()
        .filter(|node| waiting[*node] == 0)
        .collect();
    while let Some(node) = open.pop() {
        for target in &outgoing[node] {
            ranks[*target] = ranks[*target].max(ranks[node] + 2);
            waiting[*target] -= 1;
            if waiting[*target] == 0 {
                open.push(*target);
            }
        }
    }
    // What nothing leads to stands right before what it leads to, not at the far end of a long line.
    for node in first {
        let nearest = outgoing[node].iter().map(|target| ranks[*target]).min();
        ranks[node] = nearest.map_or(0, |nearest: usize| nearest.saturating_sub(2));
    }
    ranks
}

/// Adds the places that edges pass, and gives them for each edge from the upper end to the lower.
fn places(
    edges: &[LayerEdge],
    forward: &[bool],
    ranks: &[usize],
    items: &mut Vec<Item>,
    across: bool,
) -> Vec<Vec<usize>> {
    let mut paths = Vec::with_capacity(edges.len());
    for (edge, forward) in edges.iter().zip(forward) {
        let (from, to) = if *forward {
            (edge.from, edge.to)
        } else {
            (edge.to, edge.from)
        };
        let (top, bottom) = (ranks[from], ranks[to]);
        let middle = usize::midpoint(top, bottom);
        let label = turn(edge.label, across);
        let mut path = Vec::new();
        let mut last = from;
        for layer in top + 1..bottom {
            if layer != middle && bottom - top > MAX_PLACES {
                continue;
            }
            let item = if layer == middle {
                Item::new(layer, label.width.max(8.0), label.height)
            } else {
                Item::new(layer, 8.0, 0.0)
            };
            let number = items.len();
            items.push(item);
            items[last].after.push(number);
            items[number].before.push(last);
            path.push(number);
            last = number;
        }
        items[last].after.push(to);
        items[to].before.push(last);
        paths.push(path);
    }
    paths
}

/// Orders each layer so that few edges cross: by the middle of what an item is joined to, to and fro.
fn arrange(layers: &mut [Vec<usize>], items: &[Item]) {
    let mut rank = vec![0.0; items.len()];
    for layer in layers.iter() {
        for (place, item) in layer.iter().enumerate() {
            rank[*item] = place as f64;
        }
    }
    for sweep in 0..12 {
        let down = sweep % 2 == 0;
        let order: Vec<usize> = if down {
            (0..layers.len()).collect()
        } else {
            (0..layers.len()).rev().collect()
        };
        for layer in order {
            let mut keyed: Vec<(f64, usize)> = layers[layer]
                .iter()
                .map(|item| {
                    let joined = if down {
                        &items[*item].before
                    } else {
                        &items[*item].after
                    };
                    let key = if joined.is_empty() {
                        rank[*item]
                    } else {
                        joined.iter().map(|other| rank[*other]).sum::<f64>() / joined.len() as f64
                    };
                    (key, *item)
                })
                .collect();
            keyed.sort_by(|left, right| left.0.total_cmp(&right.0));
            layers[layer] = keyed.into_iter().map(|(_, item)| item).collect();
            let count = layers[layer].len().max(2) as f64 - 1.0;
            for (place, item) in layers[layer].iter().enumerate() {
                // As a share of the layer, so that short and long layers compare.
                rank[*item] = place as f64 / count;
            }
        }
    }
}

/// Gives each item a middle: near what it is joined to, without touching its neighbours.
fn spread(layers: &[Vec<usize>], items: &mut [Item]) {
    for layer in layers {
        let mut x = 0.0;
        for item in layer {
            items[*item].x = x + items[*item].breadth / 2.0;
            x += items[*item].breadth + NODE_GAP;
        }
    }
    for sweep in 0..24 {
        let down = sweep % 2 == 0;
        let order: Vec<usize> = if down {
            (0..layers.len()).collect()
        } else {
            (0..layers.len()).rev().collect()
        };
        for layer in order {
            let wanted: Vec<f64> = layers[layer]
                .iter()
                .map(|item| {
                    let item = &items[*item];
                    let joined = if down { &item.before } else { &item.after };
                    if joined.is_empty() {
                        item.x
                    } else {
                        joined.iter().map(|other| items[*other].x).sum::<f64>()
                            / joined.len() as f64
                    }
                })
                .collect();
            settle(&layers[layer], &wanted, items);
        }
    }
}

/// Puts the items of a layer where they want to be as far as there is room: half of what pushing from the left gives, and
/// half of what pushing from the right does.
fn settle(layer: &[usize], wanted: &[f64], items: &mut [Item]) {
    let gap = |left: usize, right: usize, items: &[Item]| {
        f64::midpoint(items[left].breadth, items[right].breadth) + NODE_GAP
    };
    let mut from_left = wanted.to_vec();
    for place in 1..layer.len() {
        let least = from_left[place - 1] + gap(layer[place - 1], layer[place], items);
        from_left[place] = from_left[place].max(least);
    }
    let mut from_right = wanted.to_vec();
    for place in (1..layer.len()).rev() {
        let most = from_right[place] - gap(layer[place - 1], layer[place], items);
        from_right[place - 1] = from_right[place - 1].min(most);
    }
    for (place, item) in layer.iter().enumerate() {
        items[*item].x = f64::midpoint(from_left[place], from_right[place]);
    }
}

fn finish(
    layers: &[Vec<usize>],
    items: &[Item],
    paths: &[Vec<usize>],
    edges: &[LayerEdge],
    sizes: &[Size],
    across: bool,
) -> Layers {
    let left = items
        .iter()
        .map(|item| item.x - item.breadth / 2.0)
        .fold(f64::INFINITY, f64::min);
    let left = if left.is_finite() { left } else { 0.0 };
    let mut tops = Vec::with_capacity(layers.len());
    let mut lengths = Vec::with_capacity(layers.len());
    let mut y = 0.0;
    for layer in layers {
        let length = layer
            .iter()
            .map(|item| items[*item].length)
            .fold(0.0, f64::max);
        tops.push(y);
        lengths.push(length);
        y += length + LAYER_GAP;
    }
    let middle = |number: usize| {
        let item = &items[number];
        let point = (item.x - left, tops[item.layer] + lengths[item.layer] / 2.0);
        if across { (point.1, point.0) } else { point }
    };
    let breadth = items
        .iter()
        .map(|item| item.x + item.breadth / 2.0 - left)
        .fold(0.0, f64::max);
    let size = turn(
        Size {
            width: breadth,
            height: (y - LAYER_GAP).max(0.0),
        },
        across,
    );
    let routes = edges
        .iter()
        .zip(paths)
        .map(|(edge, path)| {
            let label = path
                .get(path.len() / 2)
                .map_or_else(|| middle(edge.from), |place| middle(*place));
            let mut points: Vec<_> = path.iter().map(|place| middle(*place)).collect();
            let downward = items[edge.from].layer <= items[edge.to].layer;
            if !downward {
                points.reverse();
            }
            points.insert(0, middle(edge.from));
            points.push(middle(edge.to));
            LayerRoute { points, label }
        })
        .collect();
    Layers {
        size,
        places: sizes
            .iter()
            .enumerate()
            .map(|(number, size)| {
                let (x, y) = middle(number);
                (x - size.width / 2.0, y - size.height / 2.0)
            })
            .collect(),
        routes,
    }
}
