//! Keys that people write from habit: those of Compose files, of other libraries for containers in tests, of other test
//! attributes. Seatrial has another key for it, or does it by itself, or cannot do it: each is told how to go on.

/// A key that there is not.
pub(crate) struct Habit {
    /// What it is called.
    pub(crate) names: &'static [&'static str],
    /// Our key that is given with it in mind, if there is one: its absence is no other mistake.
    pub(crate) meant: Option<&'static str>,
    /// What to do instead, as the second half of a message.
    pub(crate) instead: &'static str,
}

const fn habit(names: &'static [&'static str], instead: &'static str) -> Habit {
    Habit {
        names,
        meant: None,
        instead,
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
    // What a container is made from.
    habit(&["tag", "version", "image_tag"], "write it in `image = \"redis:7\"`").means("image"),
    habit(
        &["dockerfile", "context", "build_context"],
        "build the image beforehand and write `image = ..`, or run a binary of this package with `bin = ..`",
    )
    .means("image"),
    habit(
        &["auth", "credentials", "registry_auth", "registry"],
        "write the registry in `image = \"registry.example/team/app:1\"`; credentials are those of `docker login`",
    ),
    // Names and networks.
    habit(
        &["alias", "aliases", "network_alias", "hostname", "container_name", "service_name", "name", "domainname"],
        "the field's name is the host name of the service; rename the field",
    ),
    habit(
        &["network", "networks", "network_mode", "net"],
        "remove it: a service reaches those that it names in `{placeholders}` or in `needs(..)`",
    ),
    habit(
        &["dns", "dns_search", "dns_opt"],
        "names of other services come from the declaration; for all others write `hosts(\"name\" = \"192.0.2.1\")`",
    ),
    // Ports.
    habit(
        &["publish", "published", "published_ports", "host_port", "mapped_port", "mapped_ports", "port_mapping"],
        "write the port in the container, `port = 6379`; the port on this machine is chosen for each instance, and the handle has it: `cache.port(6379)`",
    )
    .means("port"),
    habit(
        &["udp", "udp_port"],
        "remove it: other services reach UDP ports at `{name.host}` without a declaration; for tests UDP is not supported yet",
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
    // How long it lives.
    habit(
        &["reuse", "reusable", "singleton", "shared", "lifetime"],
        "write `scope = run` for one instance in each run, or `scope = keep` for one that later runs find",
    )
    .means("scope"),
    habit(
        &["restart", "restart_policy"],
        "remove it: a service that ends early is reported and not started again; a test restarts one with `db.restart()`",
    ),
    habit(
        &["stop_grace_period", "stop_timeout", "auto_remove", "rm", "remove"],
        "remove it: containers are removed when nobody uses them",
    ),
    habit(
        &["deploy", "replicas", "scale"],
        "write a field for each instance of the service",
    ),
    habit(&["profiles"], "write a composition for each, and let tests take those that they need"),
    // What it runs.
    habit(
        &["tty", "stdin_open", "interactive", "attach", "detach"],
        "remove it: a service has no terminal; its output is in `db.logs()`",
    ),
    habit(
        &["logging", "log_driver", "logs", "log_consumer"],
        "remove it: the output of a service is in `db.logs()` and `db.log_lines()`",
    ),
    habit(&["init"], "not supported yet; write an init process of the image in `entrypoint = [..]`"),
    // What it finds in its file system.
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
        "remove it: the source and mounts are read-only already, and what else is written goes with the container",
    ),
    // Limits and the like.
    habit(&["mem", "mem_limit", "memory_limit"], "write `memory = \"512m\"` instead"),
    habit(&["shm"], "write `shm_size = \"256m\"` instead"),
    habit(
        &["sysctls", "sysctl", "devices", "device", "security_opt", "pid", "ipc", "cgroup", "userns_mode"],
        "not supported yet; write `privileged` or `cap_add(\"SYS_ADMIN\")` if that is enough",
    ),
    habit(
        &["cap_drop", "cpus", "cpu_shares", "cpuset", "pids_limit", "gpus", "group_add", "runtime", "mac_address"],
        "not supported yet; remove it",
    ),
    habit(&["annotations"], "write `labels(\"com.example.team\" = \"shop\")` instead"),
];

/// Of `ready(..)`.
pub(crate) const OF_READINESS: &[Habit] = &[
    habit(
        &["test", "cmd", "command", "health_cmd"],
        "write `exec = \"pg_isready\"` for a command in the container",
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
        "UDP does not tell whether somebody listens; write `log = \"..\"` or `exec = \"..\"`",
    ),
    habit(
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
        "its protocol is not supported yet; write `log = \"..\"`, or a command that asks it, such as `exec = \"..\"`",
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
        "remove it: a composition is known by its type, and each instance has names of its own",
    ),
    habit(
        &["network", "networks"],
        "remove it: a service reaches those that it names in `{placeholders}` or in `needs(..)`",
    ),
    habit(
        &["volumes"],
        "write `volume(data = \"/data\")` in `#[service(..)]`; services that name the same volume share it",
    ),
    habit(&["services"], "write each service as a field with `#[service(..)]`"),
    habit(&["file", "files"], "write each service with `#[service(..)]`; Compose files are not supported yet"),
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
