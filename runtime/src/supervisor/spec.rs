//! Turns a service's plan into what an engine gets for it: the specification of its container, its files, and texts with
//! their placeholders filled in. Also tells which texts of a launch are secrets. Looks at the launch and at paths of this
//! machine. Must not ask an engine.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use seatrial_model::placeholder::Reference;
use seatrial_model::secret::Redactor;
use seatrial_model::{
    Build, EnvVar, FileContent, HostEntry, MountMode, Origin, ServicePlan, Source, Template,
};

use super::identity::LABEL;
use crate::config::BuildSource;
use crate::engine::{Attachment, ContainerSpec, MountSpec, PublishedPort};
use crate::protocol::{Launch, Mounted, MountedKind};
use crate::{Error, ErrorKind, files};

/// The directory for the executables of `bin` services.
const BINARIES: &str = "/seatrial/bin";

/// Hides the likely secrets in the variables of all services of a launch, as a service may log another's password.
pub(crate) fn redactor(launch: &Launch) -> Redactor {
    let mut redactor = Redactor::default();
    for (index, service) in launch.plan.services.iter().enumerate() {
        for variable in service.variables() {
            redactor.add(&variable.name, &render(launch, index, &variable.value));
        }
        for variable in service.read_variables() {
            redactor.add(variable.name(), variable.value().unwrap_or_default());
        }
    }
    redactor
}

/// The text of a template in the service at `index`.
pub(super) fn render(launch: &Launch, index: usize, template: &Template) -> String {
    let services = &launch.plan.services;
    template.render(|reference| match reference {
        Reference::Address { service, port } => format!("{}:{port}", services[service].name),
        Reference::Host(service) => services[service].name.clone(),
        Reference::Port { port, .. } => port.to_string(),
        Reference::Source => match &services[index].source {
            Source::Mounted { at, .. } => at.clone(),
            Source::None => String::new(),
        },
    })
}

/// The variables of the service at `index`, in the engine's form.
pub(super) fn env(launch: &Launch, index: usize, env: &[EnvVar]) -> Vec<String> {
    env.iter()
        .map(|variable| {
            let value = render(launch, index, &variable.value);
            format!("{}={value}", variable.name)
        })
        .collect()
}

/// The properties of a container that are known only just before its creation.
#[derive(Debug)]
pub(super) struct Assigned {
    pub(super) name: String,
    pub(super) image: String,
    pub(super) network: String,
    pub(super) address: Ipv4Addr,
    /// Names and addresses of the services that it may connect to.
    pub(super) hosts: Vec<(String, Ipv4Addr)>,
    pub(super) ports: Vec<PublishedPort>,
    pub(super) volumes: Vec<(String, String)>,
    /// The labels of everything that belongs to the run.
    pub(super) labels: BTreeMap<String, String>,
}

/// What the image of the service at `index` is built from.
pub(super) fn build_source(launch: &Launch, index: usize, build: &Build) -> BuildSource {
    let context = launch.package_dir.join(&build.context);
    let args = build.args.iter();
    BuildSource {
        // Without `..` if it exists, so that one directory has one name.
        context: context.canonicalize().unwrap_or(context),
        dockerfile: build.dockerfile.clone(),
        target: build.target.clone(),
        args: args
            .map(|arg| (arg.name.clone(), render(launch, index, &arg.value)))
            .collect(),
    }
}

/// Whether a service's container can join another one's network namespace. It cannot with settings of a namespace of its
/// own, or with host names whose addresses only the engine knows.
pub(super) fn can_join(service: &ServicePlan) -> bool {
    let is_known = |entry: &HostEntry| entry.address.parse::<IpAddr>().is_ok();
    service.hosts.iter().all(is_known)
        && !service.sysctls.keys().any(|name| name.starts_with("net."))
}

/// The path of the package's binary in its container.
pub(super) fn binary_path(name: &str) -> String {
    format!("{BINARIES}/{name}")
}

/// The container for the service at `index`.
pub(super) fn container(
    launch: &Launch,
    index: usize,
    assigned: Assigned,
) -> Result<ContainerSpec, Error> {
    let service = &launch.plan.services[index];
    let text = |template: &Template| render(launch, index, template);
    let texts = |templates: &Vec<Template>| templates.iter().map(text).collect::<Vec<_>>();
    let mut mounts = Vec::new();
    let mut entrypoint = service.entrypoint.as_ref().map(texts);
    if let Origin::Bin { name, binding, .. } = &service.origin {
        let at = binary_path(name);
        mounts.push(bind(&launch.binaries[*binding], at.clone(), true, || {
            format!("the binary `{name}`")
        })?);
        entrypoint.get_or_insert_with(|| vec![at]);
    }
    mounts.extend(source(launch, service)?);
    for mount in &service.mounts {
        let read_only = mount.mode == MountMode::Ro;
        mounts.push(bind(
            &launch.package_dir.join(&mount.from),
            mount.at.clone(),
            read_only,
            || format!("the mount path `{}`", mount.from),
        )?);
    }
    mounts.extend(
        assigned
            .volumes
            .into_iter()
            .map(|(name, at)| MountSpec::Volume { name, at }),
    );
    let anonymous = service
        .volumes
        .iter()
        .filter(|volume| volume.name.is_none());
    mounts.extend(anonymous.map(|volume| MountSpec::Anonymous {
        at: volume.at.clone(),
    }));
    let tmpfs = service.tmpfs.iter();
    mounts.extend(tmpfs.map(|tmpfs| MountSpec::Tmpfs {
        at: tmpfs.at.clone(),
        size: tmpfs.size,
    }));

    // The container's own name is a host entry, not its host name: the engine's name server would publish a host name
    // to everyone on the network, also to another instance of the same composition.
    let named = assigned
        .hosts
        .into_iter()
        .chain([(service.name.clone(), assigned.address)]);
    let hosts = named.map(|(name, address)| (name, address.to_string()));
    let own = service
        .hosts
        .iter()
        .map(|entry| (entry.name.clone(), entry.address.clone()));
    Ok(ContainerSpec {
        name: assigned.name,
        image: assigned.image,
        hostname: None,
        entrypoint,
        command: service.command.as_ref().map(texts),
        env: env(launch, index, &service.env),
        user: user(launch, service),
        workdir: workdir(launch, service),
        labels: labels(launch, service, assigned.labels),
        ports: assigned.ports,
        attachment: Some(Attachment {
            network: assigned.network,
            address: assigned.address,
        }),
        joins: None,
        has_input: false,
        hosts: hosts.chain(own).collect(),
        mounts,
        memory: service.memory,
        shm_size: service.shm_size,
        ulimits: service.ulimits.clone(),
        sysctls: service.sysctls.clone(),
        cap_add: service.cap_add.clone(),
        privileged: service.privileged,
        platform: service.platform.clone(),
        stop_signal: service.stop_signal.clone(),
    })
}

/// The mounts of a service's container.
pub(super) fn mounted(service: &ServicePlan) -> Vec<Mounted> {
    let mounted = |at: &str, kind| Mounted {
        at: at.to_owned(),
        kind,
    };
    let source = match &service.source {
        Source::Mounted { at, .. } => Some(mounted(at, MountedKind::Source)),
        Source::None => None,
    };
    let engines = ["/dev", "/proc", "/sys"];
    let engines = engines.map(|at| mounted(at, MountedKind::Engines));
    let mounts = service.mounts.iter();
    let volumes = service.volumes.iter();
    let tmpfs = service.tmpfs.iter();
    engines
        .into_iter()
        .chain(source)
        .chain(mounts.map(|mount| mounted(&mount.at, MountedKind::Mount)))
        .chain(volumes.map(|volume| mounted(&volume.at, MountedKind::Volume)))
        .chain(tmpfs.map(|tmpfs| mounted(&tmpfs.at, MountedKind::Tmpfs)))
        .collect()
}

fn bind(
    from: &Path,
    at: String,
    read_only: bool,
    what: impl FnOnce() -> String,
) -> Result<MountSpec, Error> {
    if !from.exists() {
        let what = format!("{} is not at `{}`", what(), from.display());
        return Err(Error::new(ErrorKind::Files, what).with(|report| {
            report.help = Some("put it back, or build the tests again".to_owned());
        }));
    }
    Ok(MountSpec::Bind {
        from: from.to_string_lossy().into_owned(),
        at,
        read_only,
    })
}

/// The mount of the service's source.
pub(super) fn source(launch: &Launch, service: &ServicePlan) -> Result<Option<MountSpec>, Error> {
    let Source::Mounted { from, at, mode } = &service.source else {
        return Ok(None);
    };
    let from: PathBuf = match from {
        Some(from) => launch.package_dir.join(from),
        None => launch.workspace.clone(),
    };
    bind(&from, at.clone(), *mode == MountMode::Ro, || {
        "the source tree".to_owned()
    })
    .map(Some)
}

/// The user of the service, unless the image decides.
pub(super) fn user(launch: &Launch, service: &ServicePlan) -> Option<String> {
    service.user.clone().or_else(|| owner(launch, service))
}

/// A service that may write to the source runs as the owner of the source.
pub(super) fn owner(launch: &Launch, service: &ServicePlan) -> Option<String> {
    match service.source {
        Source::Mounted {
            mode: MountMode::Rw,
            ..
        } => Some(format!("{}:{}", launch.user.0, launch.user.1)),
        _ => None,
    }
}

/// The working directory of a service, unless the image decides. A binary of the package and a job run in the package's
/// directory, as they do outside.
pub(super) fn workdir(launch: &Launch, service: &ServicePlan) -> Option<String> {
    let in_source = || match service.origin {
        Origin::Bin { .. } => package_in_source(launch, service),
        Origin::Image(_) | Origin::Build(_) => {
            service.job.as_ref()?;
            package_in_source(launch, service)
        }
    };
    service.workdir.clone().or_else(in_source)
}

/// The path of the declaring package's directory in the container. `None` if it is not mounted.
pub(super) fn package_in_source(launch: &Launch, service: &ServicePlan) -> Option<String> {
    let Source::Mounted { from, at, .. } = &service.source else {
        return None;
    };
    let package = match from {
        None => launch
            .package_dir
            .strip_prefix(&launch.workspace)
            .ok()?
            .to_owned(),
        // Only the file system knows the target of `..`.
        Some(from) => {
            let mounted = launch.package_dir.join(from).canonicalize().ok()?;
            let package = launch.package_dir.canonicalize().ok()?;
            package.strip_prefix(mounted).ok()?.to_owned()
        }
    };
    Some(Path::new(at).join(package).to_string_lossy().into_owned())
}

fn labels(
    launch: &Launch,
    service: &ServicePlan,
    of_run: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut labels = service.labels.clone();
    labels.extend(of_run);
    let mut plan = DefaultHasher::new();
    serde_json::to_string(service)
        .unwrap_or_default()
        .hash(&mut plan);
    labels.extend(
        [
            ("scope", service.scope.as_str().to_owned()),
            ("composition", launch.plan.name.clone()),
            ("service", service.name.clone()),
            ("plan", format!("{:016x}", plan.finish())),
            ("test", launch.test.clone().unwrap_or_default()),
        ]
        .into_iter()
        .map(|(key, value)| (format!("{LABEL}.{key}"), value)),
    );
    labels
}

/// These directories and the service's files, as an archive that is unpacked at `/`. `None` if there are none.
pub(super) fn files(
    launch: &Launch,
    index: usize,
    directories: Vec<(String, tar::Header)>,
) -> Option<Vec<u8>> {
    let files = &launch.plan.services[index].files;
    let content = |content: &FileContent| match content {
        FileContent::Text(template) => render(launch, index, template).into_bytes(),
        FileContent::Included(binding) => launch.files[*binding].to_vec(),
    };
    (!files.is_empty() || !directories.is_empty()).then(|| {
        files::pack_texts(
            directories,
            files
                .iter()
                .map(|file| (file.at.as_str(), content(&file.content))),
        )
    })
}
