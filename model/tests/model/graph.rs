//! Cycles and layers.

use std::collections::BTreeSet;

use proptest::prelude::*;
use seatrial_model::graph::{cycle, layers};

#[test]
fn small_graphs() {
    assert_eq!(cycle(&[]), None);
    assert_eq!(layers(&[]), Vec::<Vec<usize>>::new());
    assert_eq!(cycle(&[vec![0]]), Some(vec![0, 0]));
    assert_eq!(layers(&[vec![0], vec![]]), [[1]]);
    // 3 is behind the cycle of 1 and 2.
    let needs = [vec![], vec![0, 2], vec![1], vec![2], vec![0]];
    assert_eq!(cycle(&needs), Some(vec![1, 2, 1]));
    assert_eq!(layers(&needs), [[0], [4]]);
    // An edge given twice, and one to nowhere.
    let needs = [vec![], vec![0, 0, 9]];
    assert_eq!(cycle(&needs), None);
    assert_eq!(layers(&needs), [[0], [1]]);
}

#[test]
fn no_graph_is_too_deep() {
    let depth = 200_000;
    let mut chain: Vec<Vec<usize>> = (0..depth).map(|node| vec![node + 1]).collect();
    chain.push(Vec::new());
    assert_eq!(cycle(&chain), None);
    assert_eq!(layers(&chain).len(), depth + 1);
    chain[depth].push(0);
    assert_eq!(cycle(&chain).map(|cycle| cycle.len()), Some(depth + 2));
    assert!(layers(&chain).is_empty());
}

/// Edges to any of twelve, so that some lead nowhere.
fn any_graph() -> impl Strategy<Value = Vec<Vec<usize>>> {
    proptest::collection::vec(proptest::collection::vec(0_usize..12, 0..4), 0..10)
}

/// Every node that a walk from `node` along existing edges meets, itself only where it comes back.
fn reached(needs: &[Vec<usize>], node: usize) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open = needs[node].clone();
    while let Some(node) = open.pop() {
        if node < needs.len() && reached.insert(node) {
            open.extend(&needs[node]);
        }
    }
    reached
}

proptest! {
    #[test]
    fn a_cycle_is_found_where_there_is_one_and_is_one(needs in any_graph()) {
        let cyclic = (0..needs.len()).any(|node| reached(&needs, node).contains(&node));
        let found = cycle(&needs);
        prop_assert_eq!(found.is_some(), cyclic);
        if let Some(path) = found {
            prop_assert!(path.len() >= 2);
            prop_assert_eq!(path.first(), path.last());
            for step in path.windows(2) {
                prop_assert!(needs[step[0]].contains(&step[1]), "{:?} is no path", path);
            }
            let distinct: BTreeSet<_> = path[1..].iter().collect();
            prop_assert_eq!(distinct.len(), path.len() - 1, "{:?} meets a node twice", path);
        }
    }

    #[test]
    fn layers_hold_what_can_be_ordered_each_as_early_as_it_can(needs in any_graph()) {
        let layers = layers(&needs);
        let layer_of = |node: usize| layers.iter().position(|layer| layer.contains(&node));
        for (node, direct) in needs.iter().enumerate() {
            let behind = reached(&needs, node);
            let stuck = behind.iter().chain([&node]).any(|&n| reached(&needs, n).contains(&n));
            prop_assert_eq!(layer_of(node).is_none(), stuck);
            if let Some(layer) = layer_of(node) {
                let latest = direct.iter().filter(|&&need| need < needs.len());
                let earliest = latest.map(|&need| layer_of(need).unwrap() + 1).max().unwrap_or(0);
                prop_assert_eq!(layer, earliest);
            }
        }
        let all: Vec<usize> = layers.concat();
        prop_assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        prop_assert!(layers.iter().all(|layer| layer.is_sorted() && !layer.is_empty()));
    }
}
