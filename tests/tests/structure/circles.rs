//! The circles of a graph: its strongly connected parts of more than one node.

use std::collections::{BTreeMap, BTreeSet};

/// Every largest set of nodes in which each can be reached from each.
pub(crate) fn of(edges: impl IntoIterator<Item = (usize, usize)>) -> Vec<BTreeSet<usize>> {
    let mut next: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for (from, to) in edges {
        next.entry(from).or_default().insert(to);
    }
    let reached: BTreeMap<usize, BTreeSet<usize>> = next
        .keys()
        .map(|&node| (node, reached_from(node, &next)))
        .collect();
    let mut circles = Vec::new();
    let mut seen = BTreeSet::new();
    for (&node, from_node) in &reached {
        let circle: BTreeSet<usize> = from_node
            .iter()
            .copied()
            .filter(|other| reached.get(other).is_some_and(|back| back.contains(&node)))
            .collect();
        if circle.len() > 1 && seen.insert(circle.clone()) {
            circles.push(circle);
        }
    }
    circles
}

fn reached_from(start: usize, next: &BTreeMap<usize, BTreeSet<usize>>) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(node) = open.pop() {
        for &other in next.get(&node).into_iter().flatten() {
            if reached.insert(other) {
                open.push(other);
            }
        }
    }
    reached
}

#[test]
fn finds_each_circle_once() {
    let edges = [
        (0, 1),
        (1, 2),
        (2, 1),
        (2, 3),
        (4, 5),
        (5, 6),
        (6, 4),
        (3, 4),
    ];
    let circles = of(edges);
    assert_eq!(circles, [BTreeSet::from([1, 2]), BTreeSet::from([4, 5, 6])]);
}
