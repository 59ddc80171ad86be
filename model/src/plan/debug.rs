//! The `Debug` form of a plan, without the secrets of its environments.
//!
//! Secrets are hidden in values. Names, such as that of an image, are printed as they are, even if they contain a secret's
//! word.

use std::fmt;

use super::container::{EnvVar, Origin};
use super::service::{Plan, ServicePlan};
use crate::secret::{HIDDEN, Redactor, is_secret_name};

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, services } = self;
        let mut redactor = Redactor::default();
        for service in services {
            add_secrets(&mut redactor, service);
        }
        let services: Vec<Shown<'_>> = services
            .iter()
            .map(|service| Shown(service, &redactor))
            .collect();
        f.debug_struct("Plan")
            .field("name", name)
            .field("services", &services)
            .finish()
    }
}

impl fmt::Debug for ServicePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut redactor = Redactor::default();
        add_secrets(&mut redactor, self);
        Shown(self, &redactor).fmt(f)
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
    for variable in service.read_variables() {
        let value = variable.value().or(variable.default());
        redactor.add(variable.name(), value.unwrap_or_default());
    }
}

/// A part of a plan that may have a secret.
struct Redacted<'a>(&'a dyn fmt::Debug, &'a Redactor);

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(part, redactor) = self;
        let text = if f.alternate() {
            format!("{part:#?}")
        } else {
            format!("{part:?}")
        };
        f.write_str(&redactor.redact(&text))
    }
}

/// The output of a derived `Debug`, without the secrets.
struct Shown<'a>(&'a ServicePlan, &'a Redactor);

impl fmt::Debug for Shown<'_> {
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
            sysctls,
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
            job,
        } = self.0;
        // For each part with text that the user chose freely: it may repeat a secret of an environment.
        let part = |part| Redacted(part, self.1);
        let build = part(origin);
        let origin_shown: &dyn fmt::Debug = match origin {
            Origin::Build(_) => &build,
            Origin::Image(_) | Origin::Bin { .. } => origin,
        };
        f.debug_struct("ServicePlan")
            .field("field", field)
            .field("name", name)
            .field("origin", origin_shown)
            .field("scope", scope)
            .field("keep", keep)
            .field("ports", ports)
            .field("env", &part(env))
            .field("command", &part(command))
            .field("entrypoint", &part(entrypoint))
            .field("user", &part(user))
            .field("workdir", &part(workdir))
            .field("tmpfs", &part(tmpfs))
            .field("volumes", &part(volumes))
            .field("mounts", &part(mounts))
            .field("files", &part(files))
            .field("labels", &part(labels))
            .field("hosts", &part(hosts))
            .field("memory", memory)
            .field("shm_size", shm_size)
            .field("ulimits", ulimits)
            .field("sysctls", &part(sysctls))
            .field("cap_add", cap_add)
            .field("privileged", privileged)
            .field("platform", platform)
            .field("stop_signal", stop_signal)
            .field("pull", pull)
            .field("needs", needs)
            .field("ready", &part(ready))
            .field("timing", timing)
            .field("setups", &part(setups))
            .field("source", &part(source))
            .field("job", job)
            .finish()
    }
}
