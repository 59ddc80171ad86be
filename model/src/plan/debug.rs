//! How a plan is printed: without the secrets that its environments hold.

use std::fmt;

use super::{EnvVar, Plan, ServicePlan};
use crate::secret::{HIDDEN, Redactor, is_secret_name};

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, services } = self;
        let shown: Vec<Unredacted<'_>> = services.iter().map(Unredacted).collect();
        let mut redactor = Redactor::default();
        for service in services {
            add_secrets(&mut redactor, service);
        }
        write_redacted(
            f,
            &redactor,
            &Shown {
                name,
                services: &shown,
            },
        )
    }
}

impl fmt::Debug for ServicePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut redactor = Redactor::default();
        add_secrets(&mut redactor, self);
        write_redacted(f, &redactor, &Unredacted(self))
    }
}

impl fmt::Debug for EnvVar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value } = self;
        if is_secret_name(name) {
            return write!(f, "{name}={HIDDEN}");
        }
        let mut redactor = Redactor::default();
        redactor.add(name, &value.render(|reference| reference.to_string()));
        write!(f, "{name}={}", redactor.redact(&format!("{value:?}")))
    }
}

fn add_secrets(redactor: &mut Redactor, service: &ServicePlan) {
    for EnvVar { name, value } in service.variables() {
        redactor.add(name, &value.render(|reference| reference.to_string()));
    }
}

fn write_redacted(
    f: &mut fmt::Formatter<'_>,
    redactor: &Redactor,
    value: &dyn fmt::Debug,
) -> fmt::Result {
    let text = if f.alternate() {
        format!("{value:#?}")
    } else {
        format!("{value:?}")
    };
    f.write_str(&redactor.redact(&text))
}

struct Shown<'a> {
    name: &'a str,
    services: &'a [Unredacted<'a>],
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("name", &self.name)
            .field("services", &self.services)
            .finish()
    }
}

/// What a derived `Debug` would print.
struct Unredacted<'a>(&'a ServicePlan);

impl fmt::Debug for Unredacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without `..`, so that no new field is forgotten.
        let ServicePlan {
            field,
            name,
            origin,
            scope,
            keep,
            ports,
            env,
            command,
            entrypoint,
            user,
            workdir,
            tmpfs,
            volumes,
            mounts,
            files,
            labels,
            hosts,
            memory,
            shm_size,
            ulimits,
            cap_add,
            privileged,
            platform,
            stop_signal,
            pull,
            needs,
            ready,
            timing,
            setups,
            source,
        } = self.0;
        f.debug_struct("ServicePlan")
            .field("field", field)
            .field("name", name)
            .field("origin", origin)
            .field("scope", scope)
            .field("keep", keep)
            .field("ports", ports)
            .field("env", env)
            .field("command", command)
            .field("entrypoint", entrypoint)
            .field("user", user)
            .field("workdir", workdir)
            .field("tmpfs", tmpfs)
            .field("volumes", volumes)
            .field("mounts", mounts)
            .field("files", files)
            .field("labels", labels)
            .field("hosts", hosts)
            .field("memory", memory)
            .field("shm_size", shm_size)
            .field("ulimits", ulimits)
            .field("cap_add", cap_add)
            .field("privileged", privileged)
            .field("platform", platform)
            .field("stop_signal", stop_signal)
            .field("pull", pull)
            .field("needs", needs)
            .field("ready", ready)
            .field("timing", timing)
            .field("setups", setups)
            .field("source", source)
            .finish()
    }
}
