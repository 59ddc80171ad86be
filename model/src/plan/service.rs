//! A plan and its services.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::container::{
    EnvVar, File, HostEntry, Mount, Origin, Pull, Scope, Source, Tmpfs, Ulimit, Volume,
};
use super::job::Job;
use super::port::Port;
use super::steps::{Check, Setup, Timing};
use crate::Template;

/// The services of one composition, in the order of their declaration.
///
/// Its `Debug` form hides the secrets of every service's environment, wherever in the plan they occur. Its serialized
/// form does not: it is for the supervisor and must not be printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The composition's name: that of the struct, or of the test function for services on its parameters.
    pub name: String,
    /// The services; other parts of the plan refer to them by position.
    pub services: Vec<ServicePlan>,
}

/// One service: its origin, its wiring, its readiness.
///
/// Its `Debug` form hides the secrets of its environment, wherever in it they occur.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServicePlan {
    /// The Rust field or parameter that declares it.
    pub field: String,
    /// Its host name on the network: the field's, lower case, `_` written as `-`.
    pub name: String,
    /// The origin of its container.
    pub origin: Origin,
    /// How long an instance lives.
    pub scope: Scope,
    /// How long an unused instance of scope `keep` stays, never zero; `None` for the configured default. Only with that
    /// scope.
    pub keep: Option<Duration>,
    /// The ports it serves.
    pub ports: Vec<Port>,
    /// Environment variables, in the order of their declaration.
    pub env: Vec<EnvVar>,
    /// Arguments; `None` leaves the image's own.
    pub command: Option<Vec<Template>>,
    /// The executable and its first arguments; `None` leaves the image's own.
    pub entrypoint: Option<Vec<Template>>,
    /// User the container runs as, `name`, `uid` or `uid:gid`.
    pub user: Option<String>,
    /// Working directory in the container.
    pub workdir: Option<String>,
    /// File systems in memory.
    pub tmpfs: Vec<Tmpfs>,
    /// Volumes of the engine, which live as long as the instance.
    pub volumes: Vec<Volume>,
    /// Files and directories of the host.
    pub mounts: Vec<Mount>,
    /// Files written into the container before it starts.
    pub files: Vec<File>,
    /// Labels of the user.
    pub labels: BTreeMap<String, String>,
    /// Additional lines for `/etc/hosts`.
    pub hosts: Vec<HostEntry>,
    /// Memory limit in bytes.
    pub memory: Option<u64>,
    /// Size of `/dev/shm` in bytes.
    pub shm_size: Option<u64>,
    /// Resource limits.
    pub ulimits: Vec<Ulimit>,
    /// Kernel parameters of the container's own namespaces, by name.
    pub sysctls: BTreeMap<String, String>,
    /// Capabilities added to the engine's default set.
    pub cap_add: Vec<String>,
    /// Whether the container gets every capability and device.
    pub privileged: bool,
    /// `os/arch[/variant]` to ask for.
    pub platform: Option<String>,
    /// Signal that `stop` sends first, such as `SIGINT`.
    pub stop_signal: Option<String>,
    /// When its image is pulled.
    pub pull: Pull,
    /// Positions of the services that must be ready before this one starts, ascending, each once: those its
    /// placeholders name and those in `needs(..)`.
    pub needs: Vec<usize>,
    /// The service is ready when all of them hold. If none of them chooses ports, it must also serve every declared TCP
    /// port.
    pub ready: Vec<Check>,
    /// How the checks are repeated.
    pub timing: Timing,
    /// Steps that run in this order, once per instance, after it is ready and before a user gets it.
    pub setups: Vec<Setup>,
    /// Whether and how the user's source tree is mounted.
    pub source: Source,
    /// Whether it is a job. A job serves nothing, has no checks and no setups, and is never of scope `keep`.
    pub job: Option<Job>,
}

impl ServicePlan {
    /// A service made from `origin` that declares nothing else.
    ///
    /// ```
    /// use seatrial_model::{Origin, ServicePlan};
    ///
    /// let cache = ServicePlan::new("user_cache", Origin::Image("redis:7".parse()?));
    /// assert_eq!(cache.name, "user-cache");
    /// # Ok::<(), seatrial_model::image::ImageTemplateError>(())
    /// ```
    pub fn new(field: &str, origin: Origin) -> Self {
        Self {
            field: field.to_owned(),
            name: crate::name::host_name(field),
            origin,
            scope: Scope::default(),
            keep: None,
            ports: Vec::new(),
            env: Vec::new(),
            command: None,
            entrypoint: None,
            user: None,
            workdir: None,
            tmpfs: Vec::new(),
            volumes: Vec::new(),
            mounts: Vec::new(),
            files: Vec::new(),
            labels: BTreeMap::new(),
            hosts: Vec::new(),
            memory: None,
            shm_size: None,
            ulimits: Vec::new(),
            sysctls: BTreeMap::new(),
            cap_add: Vec::new(),
            privileged: false,
            platform: None,
            stop_signal: None,
            pull: Pull::default(),
            needs: Vec::new(),
            ready: Vec::new(),
            timing: Timing::default(),
            setups: Vec::new(),
            source: Source::default(),
            job: None,
        }
    }
}

impl Plan {
    /// The positions of the services that run when the plan is launched: all but the jobs that run on demand.
    pub fn launched(&self) -> impl Iterator<Item = usize> {
        (0..self.services.len()).filter(|service| !self.is_on_demand(*service))
    }

    /// Whether a service is a job that runs only when a test asks for it, as no other service needs it.
    pub fn is_on_demand(&self, service: usize) -> bool {
        let mut services = self.services.iter();
        self.services[service].job.is_some()
            && !services.any(|other| other.needs.contains(&service))
    }
}

impl ServicePlan {
    /// Every environment variable that it declares, including those of its setups and the arguments of its build.
    pub fn variables(&self) -> impl Iterator<Item = &EnvVar> {
        let of_setups = self.setups.iter().flat_map(|setup| setup.kind.env());
        let of_build = match &self.origin {
            Origin::Build(build) => &build.args[..],
            Origin::Image(_) | Origin::Bin { .. } => &[],
        };
        self.env.iter().chain(of_setups).chain(of_build)
    }
}
