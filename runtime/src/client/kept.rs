//! The services of a launch that outlive the run, and the keys that they are kept for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use seatrial_model::{FileContent, Origin, Plan, Scope, ServicePlan, SetupKind};

use crate::declaration::Declaration;
use crate::fingerprint::Fingerprint;
use crate::protocol::{Kept, KeptKey, Launch};

/// The services to keep, by position. `stays` is the time to live of those that declare none.
pub(super) fn wanted(
    declaration: &Declaration,
    launch: &Launch,
    stays: Duration,
) -> BTreeMap<usize, Kept> {
    let plan = &launch.plan;
    let mut kept = BTreeMap::new();
    for unit in units(plan) {
        let content = content(declaration, launch, &unit);
        let values = values(plan, &unit);
        for index in unit {
            let service = &plan.services[index];
            let key = KeptKey {
                slot: slot(declaration, launch, service, values.as_deref()),
                content: content.clone(),
            };
            let stays = service.keep.unwrap_or(stays);
            kept.insert(index, Kept::Wanted { key, stays });
        }
    }
    kept
}

/// The identity of the kept services of a declaration. Their functions are registered under it.
pub(super) fn identity(declaration: &Declaration, kept: &BTreeMap<usize, Kept>) -> String {
    let mut hash = Fingerprint::new();
    for service in kept.values() {
        if let Kept::Wanted { key, .. } = service {
            hash.add(key.slot.as_bytes()).add(key.content.as_bytes());
        }
    }
    let hash = hash.finish();
    format!("{}:kept:{hash}", declaration.file)
}

/// Limits the life of every service to the run.
pub(super) fn nothing(plan: &mut Plan) {
    for service in &mut plan.services {
        if service.scope == Scope::Keep {
            service.scope = Scope::Run;
            service.keep = None;
        }
    }
}

/// The kept services, in units. The services of a unit depend on each other, or share a volume, so one cannot be replaced
/// without the others.
fn units(plan: &Plan) -> Vec<BTreeSet<usize>> {
    let kept = plan.services.iter().enumerate();
    let kept = kept.filter(|(_, service)| service.scope == Scope::Keep);
    let mut units: Vec<BTreeSet<usize>> = Vec::new();
    for (index, service) in kept {
        let belongs = |unit: &BTreeSet<usize>| {
            unit.iter().any(|other| {
                let needs = service.needs.contains(other);
                let needed = plan.services[*other].needs.contains(&index);
                needs || needed || share_a_volume(service, &plan.services[*other])
            })
        };
        let (joined, mut others): (Vec<_>, Vec<_>) = units.into_iter().partition(belongs);
        let mut unit: BTreeSet<usize> = joined.into_iter().flatten().collect();
        unit.insert(index);
        others.push(unit);
        units = others;
    }
    units
}

fn share_a_volume(one: &ServicePlan, other: &ServicePlan) -> bool {
    let mut named = one.volumes.iter().filter(|volume| volume.name.is_some());
    named.any(|volume| other.volumes.iter().any(|it| it.name == volume.name))
}

/// A fingerprint of the values of the variables that a unit reads. `None` if it reads none.
fn values(plan: &Plan, unit: &BTreeSet<usize>) -> Option<String> {
    let services = unit.iter().map(|index| &plan.services[*index]);
    let variables: Vec<_> = services.flat_map(ServicePlan::read_variables).collect();
    let mut values = Fingerprint::new();
    for variable in &variables {
        values.add(variable.value().unwrap_or_default().as_bytes());
    }
    (!variables.is_empty()).then(|| values.finish())
}

/// The place of a kept service: its declaration, without the declaration's content. If the content changes, another instance
/// takes the place.
fn slot(
    declaration: &Declaration,
    launch: &Launch,
    service: &ServicePlan,
    values: Option<&str>,
) -> String {
    let package = launch.package_dir.display();
    let mut slot = format!(
        "{package}:{}:{}:{}",
        declaration.file, launch.plan.name, service.field
    );
    // The runs of a matrix have a place each, so that they do not replace each other's instances.
    if let Some(values) = values {
        slot.push_str(&format!(":{values}"));
    }
    // Another executable has another content, so it has another place, for the same reason.
    if depends_on_executable(service)
        && let Ok(executable) = std::env::current_exe()
    {
        slot.push_str(&format!(":{}", executable.display()));
    }
    slot
}

/// Whether a setup is a function without a key: then only the executable tells whether the function has changed.
fn depends_on_executable(service: &ServicePlan) -> bool {
    let mut setups = service.setups.iter();
    setups.any(|setup| matches!(setup.kind, SetupKind::Hook { .. }) && setup.key.is_none())
}

/// A fingerprint of everything that the services of a unit are made from, except their images' content, which only the engine
/// knows.
fn content(declaration: &Declaration, launch: &Launch, unit: &BTreeSet<usize>) -> String {
    let mut content = Fingerprint::new();
    for path in [&launch.package_dir, &launch.workspace] {
        content.add(path.as_os_str().as_encoded_bytes());
    }
    for index in unit {
        // The time to live does not change the service itself.
        let service = ServicePlan {
            keep: None,
            ..launch.plan.services[*index].clone()
        };
        let json = serde_json::to_vec(&service);
        content.add(&json.unwrap_or_else(|error| unreachable!("a plan is data: {error}")));
        for file in &service.files {
            if let FileContent::Included(binding) = file.content {
                content.add(&launch.files[binding]);
            }
        }
        if let Origin::Bin { binding, .. } = service.origin {
            stamp(&mut content, &launch.binaries[binding]);
        }
        let keys = service.setups.iter().filter_map(|setup| setup.key);
        for key in keys {
            content.add(declaration.keys[key].as_bytes());
        }
        if depends_on_executable(&service)
            && let Ok(executable) = std::env::current_exe()
        {
            stamp(&mut content, &executable);
        }
    }
    content.finish()
}

/// Adds what distinguishes one build of an executable from another, without reading the content.
fn stamp(content: &mut Fingerprint, executable: &Path) {
    content.add(executable.as_os_str().as_encoded_bytes());
    let Ok(metadata) = std::fs::metadata(executable) else {
        return;
    };
    let written = metadata.modified().ok();
    let written = written.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    content.add(&metadata.len().to_le_bytes());
    content.add(&written.unwrap_or_default().as_nanos().to_le_bytes());
}

#[cfg(test)]
mod tests {
    use seatrial_model::{Setup, Template, Volume};

    use super::*;
    use crate::client::declaration::tests::declaration;

    fn service(field: &str, needs: &[usize]) -> ServicePlan {
        let mut service = ServicePlan::new(field, Origin::Image("a".parse().expect("an image")));
        service.scope = Scope::Keep;
        service.needs = needs.to_vec();
        service
    }

    fn plan(services: Vec<ServicePlan>) -> Plan {
        Plan {
            name: "Shop".to_owned(),
            services,
        }
    }

    #[test]
    fn what_cannot_be_separated_is_a_unit() {
        let mut files = service("files", &[]);
        let mut reader = service("reader", &[]);
        for it in [&mut files, &mut reader] {
            it.volumes.push(Volume {
                name: Some("data".to_owned()),
                at: "/data".to_owned(),
            });
        }
        let mut of_run = service("of_run", &[0]);
        of_run.scope = Scope::Run;
        let plan = plan(vec![
            service("db", &[]),
            files,
            service("app", &[0]),
            of_run,
            service("cache", &[]),
            reader,
        ]);
        let mut found = units(&plan);
        found.sort();
        let expected = [vec![0, 2], vec![1, 5], vec![4]].map(BTreeSet::from_iter);
        assert_eq!(found, expected);
    }

    fn keys(services: Vec<ServicePlan>, keys: &'static [&'static str]) -> Vec<KeptKey> {
        let declaration = Declaration {
            keys,
            ..declaration()
        };
        let launch = Launch {
            identity: String::new(),
            plan: plan(services),
            test: None,
            package_dir: "/nowhere/shop".into(),
            workspace: "/nowhere".into(),
            binaries: Vec::new(),
            files: Vec::new(),
            user: (0, 0),
            kept: BTreeMap::new(),
        };
        let wanted = wanted(&declaration, &launch, Duration::from_secs(60));
        let keys = wanted.into_values().map(|kept| match kept {
            Kept::Wanted { key, .. } => key,
            Kept::Running(_) => panic!("nothing runs"),
        });
        keys.collect()
    }

    fn set_up(kind: SetupKind, key: Option<usize>) -> ServicePlan {
        let mut service = service("db", &[]);
        service.setups.push(Setup {
            name: None,
            kind,
            timeout: None,
            key,
        });
        service
    }

    fn function() -> SetupKind {
        SetupKind::Hook {
            binding: 0,
            name: "migrate".to_owned(),
        }
    }

    #[test]
    fn a_service_is_kept_for_what_its_declaration_says() {
        let plain = keys(vec![service("db", &[])], &[]);
        let mut longer = service("db", &[]);
        longer.keep = Some(Duration::from_secs(1));
        assert_eq!(
            keys(vec![longer], &[]),
            plain,
            "how long makes no difference"
        );

        let mut changed = service("db", &[]);
        changed.user = Some("1000".to_owned());
        let exec = SetupKind::Exec {
            command: vec![Template::literal("seed")],
            env: Vec::new(),
        };
        let others = [
            keys(vec![changed], &[]),
            keys(vec![set_up(exec, None)], &[]),
            keys(vec![set_up(function(), Some(0))], &["v1"]),
            keys(vec![set_up(function(), Some(0))], &["v2"]),
        ];
        let mut seen = vec![plain[0].content.clone()];
        for other in others {
            assert_eq!(other[0].slot, plain[0].slot);
            assert!(!seen.contains(&other[0].content), "{other:?}");
            seen.push(other[0].content.clone());
        }
        // A neighbour that it has nothing to do with makes no difference.
        let beside = keys(vec![service("db", &[]), service("cache", &[])], &[]);
        assert_eq!(beside[0], plain[0]);
        // One that needs it does.
        let below = keys(vec![service("db", &[]), service("app", &[0])], &[]);
        assert_ne!(below[0].content, plain[0].content);
        assert_eq!(below[0].content, below[1].content);
    }

    #[test]
    fn each_value_of_a_variable_has_its_own() {
        let versions = |value: Option<&str>| {
            let mut db = service("db", &[]);
            db.origin = Origin::Image("postgres:{$VERSION:-17}".parse().expect("an image"));
            let mut filled = plan(vec![db, service("app", &[0]), service("cache", &[])]);
            let filled_in = filled.fill(|_| value.map(Into::into));
            filled_in.expect("there is a default");
            keys(filled.services, &[])
        };
        let (default, same, other) = (versions(None), versions(Some("17")), versions(Some("16")));
        assert_eq!(default, same);
        for index in [0, 1] {
            assert_ne!(default[index].slot, other[index].slot);
            assert_ne!(default[index].content, other[index].content);
        }
        assert_eq!(default[2], other[2], "it has nothing to do with it");
    }

    #[test]
    fn a_function_without_a_key_is_its_executables() {
        let own = std::env::current_exe().expect("it is known");
        let key = &keys(vec![set_up(function(), None)], &[])[0];
        assert!(key.slot.ends_with(&*own.to_string_lossy()), "{key:?}");
        assert_eq!(*key, keys(vec![set_up(function(), None)], &[])[0]);
    }
}
