//! Configurations as users write them, right and wrong.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use seatrial_model::Pull;

use super::{BuildSource, Config, Fallback, Keep, Publish, SupervisorMode};

/// A workspace with files, and an environment; gone with the value.
struct Workspace {
    root: PathBuf,
    variables: HashMap<&'static str, &'static str>,
}

impl Workspace {
    fn new(name: &str, toml: &str) -> Self {
        let root =
            std::env::temp_dir().join(format!("seatrial-config-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&root).expect("a directory");
        std::fs::write(root.join("seatrial.toml"), toml).expect("a file");
        Self {
            root,
            variables: HashMap::new(),
        }
    }

    fn file(self, path: &str, executable: bool) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(&path, "").expect("a file");
        let mode = if executable { 0o755 } else { 0o644 };
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
        self
    }

    fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.insert(name, value);
        self
    }

    fn config(&self) -> Config {
        self.load().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The error's text, with the root left out of paths.
    fn error(&self) -> String {
        let error = self.load().expect_err("the configuration has mistakes");
        error
            .to_string()
            .replace(&format!("{}/", self.root.display()), "")
            .replace(&self.root.display().to_string(), "ROOT")
    }

    fn load(&self) -> Result<Config, super::ConfigError> {
        Config::load(&self.root, &|name| {
            self.variables.get(name).map(|value| (*value).to_owned())
        })
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

#[test]
fn without_a_file_the_defaults_hold() {
    let config = Config::load("/nonexistent/workspace".as_ref(), &|_| None).expect("defaults");
    assert_eq!(config.engine, None);
    assert_eq!(config.base.to_string(), "debian:bookworm-slim");
    assert_eq!(config.timeouts.ready, Duration::from_secs(60));
    assert_eq!(config.timeouts.pull, Duration::from_secs(900));
    assert_eq!(config.timeouts.engine, Duration::from_secs(60));
    assert_eq!(config.ports, 20000..=29999);
    assert_eq!(config.publish, Publish::Auto);
    assert_eq!(config.namespaces, 32);
    assert!(!config.report);
    assert_eq!(config.events, None);
    assert_eq!(config.logs_on_failure, 20);
    assert_eq!(config.supervisor, SupervisorMode::Process);
    assert_eq!(config.keep, Keep::For(Duration::from_secs(7200)));
    assert_eq!(config.ahead, None);
    assert_eq!(config.images.pull, Pull::Missing);
    assert!(config.images.mirrors.is_empty());
}

#[test]
fn every_key_is_read() {
    let workspace = Workspace::new(
        "every-key",
        r#"
engine = "podman"
base = "debian:trixie"
pull = "always"
ports = "30000-30099"
publish = "always"
namespaces = 8
report = true
events = "target/events.jsonl"
logs_on_failure = 5
supervisor = "in-process"
keep = "30m"
ahead = 3

[timeouts]
ready = "1m30s"
pull = "2m"
engine = "30s"

[mirrors]
"docker.io" = ["mirror.example:5000/hub", "other.example"]
"quay.io" = "mirror.example:5001"

[substitutions]
"postgres:15" = "team/postgres:15"

[images."mariadb:10.11"]
build = "tests/images/mariadb"
dockerfile = "Containerfile"
target = "server"
args = { VERSION = "10.11" }

[images."debian:bookworm-slim"]
script = "tests/images/debian/rootfs"
"#,
    )
    .file("tests/images/mariadb/Containerfile", false)
    .file("tests/images/debian/rootfs", true);
    let config = workspace.config();
    assert_eq!(config.engine.as_deref(), Some("podman"));
    assert_eq!(config.base.to_string(), "debian:trixie");
    assert_eq!(config.images.pull, Pull::Always);
    assert_eq!(config.ports, 30000..=30099);
    assert_eq!(config.publish, Publish::Always);
    assert_eq!(config.namespaces, 8);
    assert!(config.report);
    assert_eq!(
        config.events,
        Some(workspace.root.join("target/events.jsonl"))
    );
    assert_eq!(config.logs_on_failure, 5);
    assert_eq!(config.supervisor, SupervisorMode::InProcess);
    assert_eq!(config.keep, Keep::For(Duration::from_secs(1800)));
    assert_eq!(config.ahead, Some(3));
    assert_eq!(config.timeouts.ready, Duration::from_secs(90));
    assert_eq!(config.timeouts.pull, Duration::from_secs(120));
    assert_eq!(config.timeouts.engine, Duration::from_secs(30));
    assert_eq!(
        config.images.mirrors["docker.io"],
        ["mirror.example:5000/hub", "other.example"]
    );
    assert_eq!(config.images.mirrors["quay.io"], ["mirror.example:5001"]);
    let substitute = &config.images.substitutions[&"postgres:15".parse().expect("a reference")];
    assert_eq!(substitute.to_string(), "team/postgres:15");
    assert_eq!(
        config.images.fallbacks[&"mariadb:10.11".parse().expect("a reference")],
        Fallback::Build(BuildSource {
            context: workspace.root.join("tests/images/mariadb"),
            dockerfile: "Containerfile".to_owned(),
            target: Some("server".to_owned()),
            args: [("VERSION".to_owned(), "10.11".to_owned())].into(),
        })
    );
    assert_eq!(
        config.images.fallbacks[&"debian:bookworm-slim".parse().expect("a reference")],
        Fallback::Script(workspace.root.join("tests/images/debian/rootfs"))
    );
}

#[test]
fn a_variable_has_the_last_word_on_every_key() {
    let workspace = Workspace::new(
        "variables",
        r#"
engine = "podman"
base = "debian:trixie"
pull = "always"
ports = "30000-30099"
report = true
events = "a"
logs_on_failure = 5
keep = "30m"
ahead = 3
timeouts = { ready = "1s", pull = "1s", engine = "1s" }
mirrors = { "docker.io" = "a.example", "quay.io" = "b.example" }
substitutions = { "a" = "b" }
"#,
    )
    .file("redis/Dockerfile", false)
    .file("rootfs", true)
    .variable("SEATRIAL_ENGINE", "docker")
    .variable("SEATRIAL_BASE", "alpine:3")
    .variable("SEATRIAL_PULL", "never")
    .variable("SEATRIAL_PORTS", "1-2")
    .variable("SEATRIAL_PUBLISH", "always")
    .variable("SEATRIAL_REPORT", "0")
    .variable("SEATRIAL_EVENTS", "/absolute")
    .variable("SEATRIAL_LOGS_ON_FAILURE", "7")
    .variable("SEATRIAL_SUPERVISOR", "in-process")
    .variable("SEATRIAL_KEEP", "1d")
    .variable("SEATRIAL_AHEAD", "0")
    .variable("SEATRIAL_TIMEOUTS_READY", "2s")
    .variable("SEATRIAL_TIMEOUTS_PULL", "3s")
    .variable("SEATRIAL_TIMEOUTS_ENGINE", "4s")
    .variable("SEATRIAL_MIRRORS", "docker.io=c.example, ghcr.io=d.example")
    .variable("SEATRIAL_SUBSTITUTIONS", "a=c")
    .variable(
        "SEATRIAL_IMAGES",
        "redis:7=build:redis,debian=script:rootfs",
    );
    let config = workspace.config();
    assert_eq!(config.engine.as_deref(), Some("docker"));
    assert_eq!(config.base.to_string(), "alpine:3");
    assert_eq!(config.images.pull, Pull::Never);
    assert_eq!(config.ports, 1..=2);
    assert_eq!(config.publish, Publish::Always);
    assert!(!config.report);
    assert_eq!(config.events, Some("/absolute".into()));
    assert_eq!(config.logs_on_failure, 7);
    assert_eq!(config.supervisor, SupervisorMode::InProcess);
    assert_eq!(config.keep, Keep::For(Duration::from_secs(86_400)));
    assert_eq!(config.ahead, Some(0));
    assert_eq!(config.timeouts.ready, Duration::from_secs(2));
    assert_eq!(config.timeouts.pull, Duration::from_secs(3));
    assert_eq!(config.timeouts.engine, Duration::from_secs(4));
    assert_eq!(config.images.mirrors["docker.io"], ["c.example"]);
    assert_eq!(config.images.mirrors["quay.io"], ["b.example"]);
    assert_eq!(config.images.mirrors["ghcr.io"], ["d.example"]);
    assert_eq!(config.images.substitutions.len(), 1);
    assert_eq!(config.images.fallbacks.len(), 2);
}

#[test]
fn what_is_kept_has_a_time_or_is_off_and_the_variable_can_drop_it() {
    let in_file = |value: &str| Workspace::new("keep", &format!("keep = {value}"));
    assert_eq!(in_file("\"off\"").config().keep, Keep::Off);
    let by_variable = |value| in_file("\"1h\"").variable("SEATRIAL_KEEP", value);
    assert_eq!(by_variable("off").config().keep, Keep::Off);
    assert_eq!(by_variable(" drop ").config().keep, Keep::Drop);

    for (value, message) in [
        (
            "\"drop\"",
            "1:8: `drop` is only valid in the variable; run `SEATRIAL_KEEP=drop cargo test`, or write \"off\"",
        ),
        (
            "\"forever\"",
            "1:8: invalid value `forever` of `keep`; write a duration such as \"2h\", or \"off\"",
        ),
        (
            "\"0h\"",
            "1:8: invalid duration `0h`: must be greater than zero; write a duration such as \"2h\", or \"off\"",
        ),
        (
            "\"90\"",
            "1:8: invalid duration `90`: missing unit; write \"90s\" for seconds or \"90ms\" for milliseconds",
        ),
        (
            "false",
            "1:1: invalid type of `keep`: expected a string, found boolean; write `keep = \"2h\"`",
        ),
    ] {
        let error = in_file(value).error();
        assert_eq!(
            error,
            format!("a mistake in the configuration:\n  seatrial.toml:{message}")
        );
    }
    assert_eq!(
        by_variable("no").error(),
        "a mistake in the configuration:\n  SEATRIAL_KEEP: invalid value `no` of `keep`; write a duration such as \"2h\", or \"off\" or \"drop\""
    );
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let workspace =
        Workspace::new("empty-variable", "engine = \"podman\"").variable("SEATRIAL_ENGINE", "");
    assert_eq!(workspace.config().engine.as_deref(), Some("podman"));
}

#[test]
fn no_fallback_makes_an_image_that_is_pinned() {
    let digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let table = format!("[images.\"postgres:15@{digest}\"]\nbuild = \"postgres\"\n");
    let workspace = Workspace::new("pinned", &table).file("postgres/Dockerfile", false);
    let says = format!(
        "`postgres:15@{digest}` is pinned by its digest, but an image that is made here has no digest; \
         write `[images.\"postgres:15\"]`, and `\"postgres:15@{digest}\" = \"postgres:15\"` in `[substitutions]`"
    );
    assert!(workspace.error().contains(&says), "{}", workspace.error());
    let variable = format!("redis@{digest}=build:redis");
    let workspace = Workspace::new("pinned-variable", "")
        .file("redis/Dockerfile", false)
        .variable("SEATRIAL_IMAGES", variable.leak());
    let says = format!("`\"redis@{digest}\" = \"redis:latest\"` in `[substitutions]`");
    assert!(workspace.error().contains(&says), "{}", workspace.error());
}

#[test]
fn all_mistakes_are_told_at_once() {
    let workspace = Workspace::new(
        "mistakes",
        r#"enigne = "docker"
base = "Debian"
ports = "9-8"
report = "yes"
logs_on_failure = -1

[timeouts]
ready = "60"
pulls = "1m"

[mirrors]
"docker.io" = "http://mirror.example"
hub = "mirror.example"

[substitutions]
"postgres:15" = 15

[images."redis:7"]
build = "tests/images/redis"

[images."mariadb:10.11"]
biuld = "x"

[images."mysql:8"]
build = "a"
script = "b"

[images."debian:bookworm-slim"]
script = "plain"
"#,
    )
    .file("plain", false)
    .variable("SEATRIAL_AHEAD", "-1")
    .variable("SEATRIAL_PORTS", "many")
    .variable("SEATRIAL_PUBLISH", "never")
    .variable("SEATRIAL_PULL", "alway");
    assert_eq!(
        workspace.error(),
        r#"19 mistakes in the configuration:
  seatrial.toml:1:1: unknown key `enigne`; did you mean `engine`?
  seatrial.toml:2:8: invalid image reference `Debian`: the name has upper-case letters; write "debian"
  seatrial.toml:3:9: invalid range of ports `9-8`: expected the first and the last port, such as "20000-29999"
  seatrial.toml:4:1: invalid type of `report`: expected `true` or `false`, found string; write `report = true`
  seatrial.toml:5:1: invalid type of `logs_on_failure`: expected a number from 0 upwards, found integer; write `logs_on_failure = 20`
  seatrial.toml:8:9: invalid duration `60`: missing unit; write "60s" for seconds or "60ms" for milliseconds
  seatrial.toml:9:1: unknown key `pulls` in `[timeouts]`; did you mean `pull`?
  seatrial.toml:12:15: invalid registry `http://mirror.example`: expected host and port without a scheme, such as "mirror.example:5000"
  seatrial.toml:13:1: invalid registry `hub`: expected a host name, such as "docker.io" or "localhost:5000"
  seatrial.toml:16:1: invalid type of `postgres:15`: expected a string, found integer; write `"postgres:15" = "team/postgres:15"`
  seatrial.toml:19:9: there is no directory `tests/images/redis` in ROOT; write a path relative to the workspace root
  seatrial.toml:21:9: `mariadb:10.11` has neither `build` nor `script`; write `build = "a directory with a Dockerfile"` or `script = "an executable"`
  seatrial.toml:22:1: unknown key `biuld` in `[images."mariadb:10.11"]`; did you mean `build`?
  seatrial.toml:26:1: `mysql:8` has both `build` and `script`; remove one of them
  seatrial.toml:29:10: `plain` is not executable; run `chmod +x plain`
  SEATRIAL_AHEAD: invalid number of services `-1`: expected a number, such as 2, or 0 for none
  SEATRIAL_PORTS: invalid range of ports `many`: expected the first and the last port, such as "20000-29999"
  SEATRIAL_PUBLISH: unknown value `never` for `publish`; write one of `auto` or `always`
  SEATRIAL_PULL: unknown value `alway` for `pull`; did you mean `always`?"#
    );
}

#[test]
fn broken_syntax_is_told_with_the_other_mistakes() {
    let workspace = Workspace::new("syntax", "engine = docker\n\nports = \"x\"\nreport =\n");
    let error = workspace.error();
    assert!(error.starts_with("3 mistakes"), "{error}");
    assert!(
        error.contains("\n  seatrial.toml:1:10: not TOML: "),
        "{error}"
    );
    assert!(
        error.contains("\n  seatrial.toml:3:9: invalid range of ports `x`"),
        "{error}"
    );
    assert!(error.contains("\n  seatrial.toml:4:"), "{error}");
}

#[test]
fn a_table_in_the_place_of_a_value_and_a_value_in_the_place_of_a_table() {
    let workspace = Workspace::new(
        "types",
        "timeouts = 3\nengine = { a = 1 }\nimages = { \"redis:7\" = \"dir\" }\n",
    );
    assert_eq!(
        workspace.error(),
        r#"3 mistakes in the configuration:
  seatrial.toml:1:1: invalid type of `timeouts`: expected a table, found integer; write `[timeouts]`
  seatrial.toml:2:1: invalid type of `engine`: expected a string, found table; write `engine = "docker"`
  seatrial.toml:3:12: invalid type of `redis:7`: expected a table, found string; write `[images."redis:7"]`"#
    );
}
