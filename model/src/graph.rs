//! The dependency graph: cycles and order.

/// A cycle in the graph, as the path that leads back to its first node, which stands at the end again; `None` where
/// there is none. `needs[n]` lists the nodes that node `n` needs; nodes out of range are passed over.
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

/// The nodes in layers: each needs only nodes of earlier layers, and stands as early as that allows. Nodes on or
/// behind a cycle are in no layer.
pub fn layers(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut layer_of: Vec<Option<usize>> = vec![None; needs.len()];
    let mut layers = Vec::new();
    loop {
        let ready: Vec<usize> = (0..needs.len())
            .filter(|&node| {
                layer_of[node].is_none()
                    && needs[node]
                        .iter()
                        .all(|&need| layer_of.get(need).is_none_or(Option::is_some))
            })
            .collect();
        if ready.is_empty() {
            return layers;
        }
        for &node in &ready {
            layer_of[node] = Some(layers.len());
        }
        layers.push(ready);
    }
}
