//! The text about a launch that has succeeded: the tree of its services, with the time that each took until it was ready.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use seatrial_model::{Origin, Plan};

use crate::protocol::{Launch, ServiceInfo};
use crate::wording::duration;

/// The tree of a launch that succeeded, with the time that each service took until it was ready.
pub(crate) fn launched(launch: &Launch, services: &[ServiceInfo], took: Duration) -> String {
    let plan = &launch.plan;
    let mut text = format!(
        "seatrial: `{}` is ready after {}",
        plan.name,
        duration(took)
    );
    if let Some(test) = &launch.test {
        let _ = write!(text, ", for {test}");
    }
    text.push('\n');
    let launched: Vec<usize> = plan.launched().collect();
    let needed: Vec<usize> = launched
        .iter()
        .flat_map(|index| plan.services[*index].needs.clone())
        .collect();
    let roots: Vec<usize> = launched
        .iter()
        .copied()
        .filter(|index| !needed.contains(index))
        .collect();
    let infos: HashMap<usize, &ServiceInfo> = launched.into_iter().zip(services).collect();
    let mut lines: Vec<(String, usize, bool)> = Vec::new();
    for (position, root) in roots.iter().enumerate() {
        branch(plan, *root, "", position + 1 == roots.len(), &mut lines);
    }
    let width = lines
        .iter()
        .map(|(label, ..)| label.chars().count())
        .max()
        .unwrap_or(0);
    for (label, index, again) in lines {
        let padding = " ".repeat(width - label.chars().count());
        let shown = if again {
            "(see above)".to_owned()
        } else {
            timings(plan, index, infos[&index])
        };
        let _ = writeln!(text, "  {label}{padding}  {shown}");
    }
    text
}

/// One line per service below `index`: a label drawn as a tree, the service, and whether it was shown already.
fn branch(
    plan: &Plan,
    index: usize,
    indent: &str,
    last: bool,
    lines: &mut Vec<(String, usize, bool)>,
) {
    let service = &plan.services[index];
    let again = lines.iter().any(|(_, shown, _)| *shown == index);
    let turn = if last { "└─ " } else { "├─ " };
    lines.push((format!("{indent}{turn}{}", service.field), index, again));
    if again {
        return;
    }
    let indent = format!("{indent}{}", if last { "   " } else { "│  " });
    for (position, need) in service.needs.iter().enumerate() {
        branch(
            plan,
            *need,
            &indent,
            position + 1 == service.needs.len(),
            lines,
        );
    }
}

/// The origin of a service, and the time of each step.
fn timings(plan: &Plan, index: usize, info: &ServiceInfo) -> String {
    let origin = match &plan.services[index].origin {
        Origin::Image(image) => image.to_string(),
        Origin::Bin {
            name,
            base: Some(base),
            ..
        } => format!("{name} in {base}"),
        Origin::Bin {
            name, base: None, ..
        } => format!("{name} (binary)"),
        Origin::Build(build) => build.file(),
    };
    let times = &info.times;
    if times.shared {
        return format!("{origin}  was running, checked again");
    }
    if times.ahead {
        let then = match times.ready {
            Some(ready) => format!("ready after {}", duration(ready)),
            None => "checked again".to_owned(),
        };
        return format!("{origin}  was started ahead, {then}");
    }
    let between = |from: Option<Duration>, to: Option<Duration>| {
        duration(
            to.unwrap_or_default()
                .saturating_sub(from.unwrap_or_default()),
        )
    };
    let mut parts = vec![format!(
        "ready after {}",
        duration(times.set_up.or(times.ready).unwrap_or_default())
    )];
    parts.push(format!("image {}", between(None, times.image)));
    if times.unblocked > times.created {
        parts.push(format!(
            "waited {}",
            between(times.created, times.unblocked)
        ));
    }
    parts.push(format!("start {}", between(times.unblocked, times.started)));
    parts.push(format!("readiness {}", between(times.started, times.ready)));
    if times.set_up.is_some() {
        parts.push(format!("setup {}", between(times.ready, times.set_up)));
    }
    let ports = info.ports.iter().map(|port| {
        let port = info.port_at_host(port.number);
        format!("{}:{port}", info.host)
    });
    let ports: Vec<String> = ports.collect();
    format!("{origin}  {}  {}", parts.join(", "), ports.join(" "))
        .trim_end()
        .to_owned()
}
