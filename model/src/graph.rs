//! The dependency graph: cycles and order. Nothing here recurses, so that no graph is too deep.

/// A cycle in the graph, as a path whose last node is its first one; `None` if the graph has no cycle. `needs[n]` lists
/// the nodes that node `n` needs; nodes out of range are ignored.
///
/// ```
/// // 0 needs 1, 1 needs 2, 2 needs 1.
/// let needs = [vec![1], vec![2], vec![1]];
/// assert_eq!(seatrial_model::graph::cycle(&needs), Some(vec![1, 2, 1]));
/// ```
pub fn cycle(needs: &[Vec<usize>]) -> Option<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        OnPath,
        Done,
    }
    let mut marks = vec![Mark::New; needs.len()];
    for root in 0..needs.len() {
        if marks[root] != Mark::New {
            continue;
        }
        // Each entry: a node on the current path and how many of its edges have been followed.
        let mut path = vec![(root, 0)];
        marks[root] = Mark::OnPath;
        while let Some((node, followed)) = path.last_mut() {
            let Some(&next) = needs[*node].get(*followed) else {
                marks[*node] = Mark::Done;
                path.pop();
                continue;
            };
            *followed += 1;
            match marks.get(next) {
                Some(Mark::New) => {
                    marks[next] = Mark::OnPath;
                    path.push((next, 0));
                }
                Some(Mark::OnPath) => {
                    let start = path.iter().position(|(node, _)| *node == next)?;
                    let mut cycle: Vec<usize> =
                        path[start..].iter().map(|(node, _)| *node).collect();
                    cycle.push(next);
                    return Some(cycle);
                }
                Some(Mark::Done) | None => {}
            }
        }
    }
    None
}

/// The nodes in layers, each ascending: a node needs only nodes of earlier layers, and is in the first layer possible.
/// Nodes on a cycle, and nodes that need one, are in no layer; nodes out of range are ignored.
///
/// ```
/// // A diamond: 1 and 2 need 0, 3 needs both.
/// let needs = [vec![], vec![0], vec![0], vec![1, 2]];
/// assert_eq!(seatrial_model::graph::layers(&needs), [vec![0], vec![1, 2], vec![3]]);
/// ```
pub fn layers(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut unmet = vec![0_usize; needs.len()];
    let mut needed_by = vec![Vec::new(); needs.len()];
    for (node, needs) in needs.iter().enumerate() {
        for &need in needs {
            if let Some(needed_by) = needed_by.get_mut(need) {
                needed_by.push(node);
                unmet[node] += 1;
            }
        }
    }
    let mut layers = Vec::new();
    let mut layer: Vec<usize> = (0..needs.len()).filter(|&node| unmet[node] == 0).collect();
    while !layer.is_empty() {
        let mut next = Vec::new();
        for &node in &layer {
            for &dependent in &needed_by[node] {
                unmet[dependent] -= 1;
                if unmet[dependent] == 0 {
                    next.push(dependent);
                }
            }
        }
        next.sort_unstable();
        layers.push(std::mem::replace(&mut layer, next));
    }
    layers
}
