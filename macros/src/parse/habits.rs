//! Keys of other tools: Compose files, other libraries for containers in tests, other test attributes. Each has the help
//! that a message gives: the key that Seatrial has for it, or why none is needed, or that it is not supported yet.

/// A key of other tools that Seatrial does not have.
pub(crate) struct Habit {
    /// Its names in other tools.
    pub(crate) names: &'static [&'static str],
    /// The key of Seatrial that it stands for. The absence of that key is not another mistake.
    pub(crate) meant: Option<&'static str>,
    /// What to write instead, as the second half of a message.
    pub(crate) instead: &'static str,
    /// Whether a later version may have it.
    pub(crate) planned: bool,
}

const fn habit(names: &'static [&'static str], instead: &'static str) -> Habit {
    Habit {
        names,
        meant: None,
        instead,
        planned: false,
    }
}

const fn planned(names: &'static [&'static str], instead: &'static str) -> Habit {
    Habit {
        planned: true,
        ..habit(names, instead)
    }
}

impl Habit {
    const fn means(self, key: &'static str) -> Self {
        Self {
            meant: Some(key),
            ..self
        }
    }
}

/// Of `#[service(..)]`.
pub(crate) const OF_SERVICES: &[Habit] = &[
    // Origin.
    habit(&["tag", "version", "image_tag"], "write it in `image = \"redis:7\"`").means("image"),
    habit(
        &["dockerfile", "containerfile", "context", "build_context", "target"],
        "write `build(context = \"docker\", dockerfile = \"Dockerfile\", target = \"..\")`",
    )
    .means("build"),
    habit(
        &["auth", "credentials", "registry_auth", "registry"],
        "write the registry in `image = \"registry.example/team/app:1\"`, and log in with `docker login`",
    ),
    // Names and networks.
    habit(
        &["alias", "aliases", "network_alias", "hostname", "container_name", "service_name", "name", "domainname"],
        "rename the field: its name is the host name of the service",
    ),
    habit(
        &["network", "networks", "network_mode", "net"],
        "remove it: a service reaches the services that it names in `{placeholders}` or in `needs(..)`",
    ),
    habit(
        &["dns", "dns_search", "dns_opt"],
        "the declaration has the names of services: for all others write `hosts(\"name\" = \"192.0.2.1\")`",
    ),
    // Ports.
    habit(
        &["publish", "published", "published_ports", "host_port", "mapped_port", "mapped_ports", "port_mapping"],
        "write the port in the container, `port = 6379`; ask the handle for the port on this machine, which is chosen for each instance: `cache.port(6379)`",
    )
    .means("port"),
    habit(
        &["udp", "udp_port"],
        "remove it: other services reach UDP ports at `{name.host}` without a declaration, and UDP is not supported yet for tests",
    ),
    // Readiness.
    habit(&["tcp", "wait_for_port"], "write `ready(tcp)` instead"),
    habit(
        &["log", "wait_for_log", "wait_for_message"],
        "write `ready(log = \"text in its output\")` instead",
    ),
    habit(&["http", "wait_for_http"], "write `ready(http = \"/health\")` instead"),
    habit(&["exec"], "write `ready(exec = \"..\")` for a check, or `setup(exec = \"..\")` for a setup"),
    habit(
        &["healthcheck", "health_cmd", "health_check", "test"],
        "write `ready(exec = \"curl -f localhost:8080\")`, or `ready(healthcheck)` for the check that the image has",
    ),
    habit(&["times"], "write `ready(log = \"..\", times = 2)` instead"),
    habit(&["status"], "write `ready(http = \"/health\", status = 200)` instead"),
    habit(
        &["timeout", "startup_timeout", "start_period"],
        "write `ready(timeout = \"30s\")` instead",
    ),
    habit(&["interval"], "write `ready(interval = \"200ms\")` instead"),
    habit(&["delay"], "write `ready(delay = \"1s\")` instead"),
    habit(&["successes"], "write `ready(successes = 2)` instead"),
    habit(&["failures", "retries"], "write `ready(failures = 5)` instead"),
    // Lifetime.
    habit(
        &["reuse", "reusable", "singleton", "shared", "lifetime"],
        "write `scope = run` for one instance in each run, or `scope = keep` for one that later runs find",
    )
    .means("scope"),
    habit(
        &["restart", "restart_policy"],
        "remove it: a service that ends early is reported and not restarted, and a test restarts one with `db.restart()`",
    ),
    habit(
        &["stop_grace_period", "stop_timeout", "auto_remove", "rm", "remove"],
        "remove it: containers are removed when no test uses them",
    ),
    habit(
        &["deploy", "replicas", "scale"],
        "write a field for each instance of the service",
    ),
    habit(&["profiles"], "write one composition for each profile"),
    // Process.
    habit(
        &["tty", "stdin_open", "interactive", "attach", "detach"],
        "remove it: a service has no terminal, and its output is in `db.logs()`",
    ),
    habit(
        &["logging", "log_driver", "logs", "log_consumer"],
        "remove it: the output of a service is in `db.logs()` and `db.log_lines()`",
    ),
    planned(&["init"], "write an init process of the image in `entrypoint = [..]`"),
    // File system.
    habit(
        &["env_file", "dotenv"],
        "write each variable in `env(NAME = \"value\")`",
    ),
    habit(
        &["configs", "config", "secrets", "secret", "copy", "copy_to", "copy_file", "file"],
        "write `files(\"/path/in/container\" = include_file!(\"path\"))`, or the content as text",
    ),
    habit(
        &["volumes_from"],
        "write a volume of one name in both services: `volume(data = \"/data\")`",
    ),
    habit(
        &["volumes"],
        "write `volume(data = \"/data\")`, or `mount(\"path/in/package\" = \"/path/in/container\")` for a directory of this package",
    ),
    habit(
        &["read_only", "readonly"],
        "remove it: the source and mounts are read-only, and other changes go with the container",
    ),
    // Limits and other settings.
    habit(&["mem", "mem_limit", "memory_limit"], "write `memory = \"512m\"` instead"),
    habit(&["shm"], "write `shm_size = \"256m\"` instead"),
    planned(
        &["devices", "device", "security_opt", "pid", "ipc", "cgroup", "userns_mode"],
        "write `privileged` or `cap_add(\"SYS_ADMIN\")` if that is enough",
    ),
    planned(
        &["cap_drop", "cpus", "cpu_shares", "cpuset", "pids_limit", "gpus", "group_add", "runtime", "mac_address"],
        "remove it",
    ),
    habit(&["annotations"], "write `labels(\"com.example.team\" = \"shop\")` instead"),
];

/// Of `#[job(..)]`.
pub(crate) const OF_JOBS: &[Habit] = &[
    habit(
        &["port", "ports", "expose", "url"],
        "remove it: a job serves nothing, and what others connect to is a `#[service(..)]`",
    ),
    habit(
        &["ready", "readiness", "healthcheck", "wait_for"],
        "remove it: a job has its result when its command has ended, and what needs it waits until it has exited with 0",
    ),
    habit(
        &["setup"],
        "write the steps in `run = \"first && second\"`, or another job that this one `needs(..)`",
    ),
    habit(&["keep"], "remove it: a job is not kept after the run"),
    habit(
        &["stop_signal", "stop_grace_period", "stop_timeout"],
        "remove it: a job ends by itself, or is killed at its `timeout`",
    ),
    habit(
        &["restart", "restart_policy", "retries", "retry"],
        "remove it: a job runs once each time that it is asked for",
    ),
    habit(
        &["junit", "report", "results"],
        "write `artifacts(\"/reports\" = \"target/reports\")`: JUnit files among them are read",
    )
    .means("artifacts"),
];

/// Of `ready(..)`.
pub(crate) const OF_READINESS: &[Habit] = &[
    habit(
        &["test", "cmd", "command", "health_cmd"],
        "write `exec = \"test -e /tmp/ready\"` for a command in the container",
    ),
    habit(
        &["message", "stdout", "stderr", "text"],
        "write `log = \"text in its output\"` instead",
    ),
    habit(
        &["path", "url", "get"],
        "write `http = \"/health\"` instead",
    ),
    habit(&["ports"], "write `tcp(5432, metrics)` instead"),
    habit(
        &["udp"],
        "UDP does not tell whether a process listens: write `log = \"..\"` or `exec = \"..\"`",
    ),
    planned(
        &[
            "mongo",
            "mongodb",
            "kafka",
            "cassandra",
            "scylla",
            "memcached",
            "mqtt",
            "grpc",
            "ldap",
            "smtp",
            "sqlserver",
            "mssql",
            "oracle",
            "clickhouse",
            "zookeeper",
        ],
        "write `log = \"..\"`, or a command that asks it, such as `exec = \"..\"`",
    ),
    habit(
        &["hook", "function", "closure"],
        "write `with = path::to::async_fn` instead",
    ),
    habit(&["retries", "attempts"], "write `failures = 5` instead"),
    habit(
        &["start_period", "startup_timeout"],
        "write `timeout = \"30s\"` for the whole wait",
    ),
    habit(&["start_interval"], "write `interval = \"200ms\"` instead"),
    habit(
        &["sleep", "duration", "wait"],
        "write `delay = \"1s\"` instead",
    ),
];

/// Of `#[composition(..)]`.
pub(crate) const OF_COMPOSITIONS: &[Habit] = &[
    habit(
        &["name", "project", "version"],
        "remove it: the type names a composition, and each instance has names of its own",
    ),
    habit(
        &["network", "networks"],
        "remove it: a service reaches the services that it names in `{placeholders}` or in `needs(..)`",
    ),
    habit(
        &["volumes"],
        "write `volume(data = \"/data\")` in `#[service(..)]`: services that name the same volume share it",
    ),
    habit(&["services"], "write each service as a field with `#[service(..)]`"),
    habit(&["file", "files"], "write each service with `#[service(..)]`: Compose files are not supported yet"),
    habit(
        &["reuse", "reusable", "singleton", "shared", "lifetime"],
        "write `scope = run` for one instance in each run, or `scope = keep` for one that later runs find",
    )
    .means("scope"),
    habit(&["image", "port", "env", "ready", "setup"], "write it in the `#[service(..)]` of a field"),
];

/// Of `#[seatrial::test(..)]`.
pub(crate) const OF_TESTS: &[Habit] = &[
    habit(&["flavor"], "write `runtime = \"multi_thread\"` instead"),
    habit(
        &["worker_threads"],
        "write `runtime = \"multi_thread\"`, which has a thread for each processor",
    ),
    habit(
        &["start_paused"],
        "remove it and call `tokio::time::pause()` in the test: services need real time",
    ),
    habit(&["ignore"], "write `#[ignore]` beneath `#[seatrial::test]`"),
    habit(
        &["should_panic"],
        "write `#[should_panic]` beneath `#[seatrial::test]`",
    ),
    habit(
        &["service", "services", "composition", "compositions"],
        "write it as a parameter of the function",
    ),
    habit(
        &["scope"],
        "write `#[composition(scope = test)]` on the parameter, or the scope where the services are declared",
    ),
    habit(
        &["retries", "retry"],
        "remove it: the runner repeats tests, as `cargo nextest run --retries 2` does",
    ),
];
