//! Discovery without an engine: what is tried in which order, and how each answer is reported.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use super::error::DiscoveryErrorKind;
use super::*;

/// A machine in a directory that is removed with it.
struct Machine {
    surroundings: Surroundings,
}

impl Machine {
    /// A machine with an empty home directory and an empty runtime directory.
    fn new(name: &str) -> Self {
        let name = format!("seatrial-discovery-{}-{name}", std::process::id());
        let root = std::env::temp_dir().join(name);
        std::fs::create_dir(&root).unwrap();
        let inside = |path: &str| root.join(path).to_str().unwrap().to_owned();
        let variables = BTreeMap::from([
            ("HOME".to_owned(), inside("home")),
            ("XDG_RUNTIME_DIR".to_owned(), inside("user")),
        ]);
        // Longer than a test may take. Only a test about timeouts sees its end.
        let deadlines = Deadlines::new(Duration::from_secs(7200));
        Self {
            surroundings: Surroundings {
                variables,
                root,
                deadlines,
            },
        }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.surroundings
            .variables
            .insert(name.to_owned(), value.to_owned());
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        let path = self.surroundings.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn file(&self, path: &str, content: &str) {
        std::fs::write(self.path(path), content).unwrap();
    }

    /// A Docker context of that name, in the directory `id`.
    fn context(&self, id: &str, name: &str, host: &str) {
        let meta = format!(
            r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":false}}}}}}"#
        );
        self.file(&format!("home/.docker/contexts/meta/{id}/meta.json"), &meta);
    }

    /// Listens at `path` and sends `answer` to each request, or nothing.
    fn serve(&self, path: &str, answer: impl Fn(&str) -> Option<String> + Send + 'static) {
        let listener = UnixListener::bind(self.path(path)).unwrap();
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                    request.push(byte[0]);
                }
                match answer(&String::from_utf8_lossy(&request)) {
                    Some(answer) => drop(stream.write_all(answer.as_bytes())),
                    None => open.push(stream),
                }
            }
        });
    }

    async fn fails(&self, choice: &str) -> DiscoveryError {
        let choice = match choice {
            "" => EngineChoice::Any,
            named => EngineChoice::Named(named.to_owned()),
        };
        connect_in(&choice, &self.surroundings)
            .await
            .map(drop)
            .expect_err("there is no engine")
    }

    /// The error's text, with `ROOT` for the machine's directory.
    fn shown(&self, error: &DiscoveryError) -> String {
        error
            .to_string()
            .replace(self.surroundings.root.to_str().unwrap(), "ROOT")
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.surroundings.root);
    }
}

#[tokio::test]
async fn nothing_anywhere_names_every_place_and_what_to_install() {
    let machine = Machine::new("nothing");
    let error = machine.fails("").await;
    assert_eq!(error.kind, DiscoveryErrorKind::NoneFound);
    assert_eq!(
        machine.shown(&error),
        "cannot find a container engine; tried
  unix://ROOT/var/run/docker.sock (Docker): no such file
  unix://ROOT/user/docker.sock (rootless Docker): no such file
  unix://ROOT/home/.docker/run/docker.sock (Docker Desktop): no such file
  unix://ROOT/home/.docker/desktop/docker.sock (Docker Desktop on Linux): no such file
  unix://ROOT/home/.colima/default/docker.sock (Colima): no such file
  unix://ROOT/home/.orbstack/run/docker.sock (OrbStack): no such file
  unix://ROOT/home/.rd/docker.sock (Rancher Desktop): no such file
  unix://ROOT/user/podman/podman.sock (rootless Podman): no such file
  unix://ROOT/run/podman/podman.sock (Podman): no such file
install Docker (https://docs.docker.com/engine/install/), or set the address of an engine, such as `SEATRIAL_ENGINE=unix:///path/to/docker.sock`"
    );
}

#[tokio::test]
async fn without_home_and_runtime_directory_the_system_is_left() {
    let mut machine = Machine::new("homeless");
    machine.surroundings.variables.clear();
    let error = machine.fails("").await;
    let tried: Vec<_> = error
        .tried
        .iter()
        .map(|tried| tried.origin.as_str())
        .collect();
    assert_eq!(tried, ["Docker", "Podman"]);
}

#[tokio::test]
async fn a_socket_that_nobody_listens_on_is_not_running() {
    let machine = Machine::new("refused");
    drop(UnixListener::bind(machine.path("home/.colima/default/docker.sock")).unwrap());
    let error = machine.fails("").await;
    assert_eq!(error.kind, DiscoveryErrorKind::NotRunning);
    let shown = machine.shown(&error);
    assert!(
        shown.starts_with("the container engine does not answer; tried\n"),
        "{shown}"
    );
    assert!(
        shown.contains("(Colima): not running; start it with `colima start`"),
        "{shown}"
    );
    assert!(!shown.contains("install"), "{shown}");
}

#[test]
fn a_socket_of_others_is_permission_denied() {
    let machine = Machine::new("denied");
    let path = machine.path("var/run/docker.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    let error = as_an_ordinary_user(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(machine.fails(""))
    });
    assert_eq!(error.kind, DiscoveryErrorKind::PermissionDenied);
    let shown = machine.shown(&error);
    assert!(
        shown.starts_with(
            "cannot use the container engine: permission denied; tried
  unix://ROOT/var/run/docker.sock (Docker): permission denied; add yourself to the `docker` group with `sudo usermod -aG docker \"$USER\"` and log in again\n"
        ),
        "{shown}"
    );
}

/// Runs with the permissions of an ordinary user, on a thread that gives up those of the superuser.
fn as_an_ordinary_user<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    const NOBODY: libc::c_long = 65534;
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // SAFETY: takes no pointers. The bare call, other than the C library's function, changes this thread only.
            let changed = unsafe {
                libc::geteuid() != 0 || libc::syscall(libc::SYS_setresuid, -1, NOBODY, -1) == 0
            };
            assert!(changed, "the thread gives up its rights");
            run()
        });
        thread.join().unwrap()
    })
}

#[tokio::test]
async fn a_server_with_other_answers_is_not_an_engine() {
    for (name, answer) in [
        ("garbage", "220 mail.example ESMTP\r\n"),
        ("closed", ""),
        (
            "other",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
        ),
        (
            "missing",
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
    ] {
        let machine = Machine::new(name);
        machine.serve("var/run/docker.sock", move |_| Some(answer.to_owned()));
        let error = machine.fails("").await;
        assert_eq!(
            error.kind,
            DiscoveryErrorKind::NotRunning,
            "{name}: {error}"
        );
        let said = error.tried[0].to_string();
        assert!(
            said.starts_with("the server at this address is not a container engine: "),
            "{name}: {said}"
        );
    }
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let mut machine = Machine::new("silent");
    machine.surroundings.deadlines.quiet = Duration::from_millis(50);
    machine.serve("var/run/docker.sock", |_| None);
    let error = machine.fails("").await;
    assert_eq!(error.kind, DiscoveryErrorKind::NotRunning);
    assert!(
        matches!(error.tried[0].answer, Answer::Silent(_)),
        "{error}"
    );
}

#[tokio::test]
async fn the_first_that_answers_is_taken_and_podman_is_named() {
    let machine = Machine::new("podman");
    drop(UnixListener::bind(machine.path("var/run/docker.sock")).unwrap());
    machine.serve("user/podman/podman.sock", |request| {
        let body = if request.starts_with("GET /_ping ") {
            "OK"
        } else if request.starts_with("GET /version ") {
            r#"{"Components":[{"Name":"Podman Engine","Version":"4.3.1","Details":{}}],"Version":"4.3.1","ApiVersion":"1.41","Os":"linux","Arch":"arm64"}"#
        } else {
            ""
        };
        let length = body.len();
        Some(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"))
    });
    let engine = connect_in(&EngineChoice::Any, &machine.surroundings)
        .await
        .unwrap();
    let info = engine.info();
    assert_eq!(
        (info.name.as_str(), info.version.as_str()),
        ("podman", "4.3.1")
    );
    assert_eq!((info.os.as_str(), info.arch.as_str()), ("linux", "arm64"));
    assert_eq!(info.published_host, "127.0.0.1");
    assert!(
        info.address.ends_with("/user/podman/podman.sock"),
        "{}",
        info.address
    );
}

#[tokio::test]
async fn what_was_asked_for_is_the_only_one_tried() {
    for (choice, variable, value) in [
        (
            "unix:///nowhere/engine.sock",
            "DOCKER_HOST",
            "unix:///elsewhere/docker.sock",
        ),
        ("", "DOCKER_HOST", "unix:///nowhere/engine.sock"),
        ("docker", "DOCKER_HOST", "unix:///nowhere/engine.sock"),
    ] {
        let machine = Machine::new("asked").with(variable, value);
        let error = machine.fails(choice).await;
        assert_eq!(error.kind, DiscoveryErrorKind::NotRunning);
        let tried: Vec<_> = error
            .tried
            .iter()
            .map(|tried| tried.address.as_str())
            .collect();
        assert_eq!(tried, ["unix:///nowhere/engine.sock"]);
    }
}

#[tokio::test]
async fn an_engine_may_be_asked_for_by_name() {
    let machine = Machine::new("named");
    let origins = |error: DiscoveryError| -> Vec<_> {
        error.tried.into_iter().map(|tried| tried.origin).collect()
    };
    assert_eq!(
        origins(machine.fails("podman").await),
        ["rootless Podman", "Podman"]
    );
    let docker = origins(machine.fails("docker").await);
    assert!(docker.contains(&"Docker".to_owned()) && !docker.contains(&"Podman".to_owned()));

    let error = machine.fails("dokcer").await;
    assert_eq!(error.kind, DiscoveryErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        "cannot use the configured container engine
  dokcer (SEATRIAL_ENGINE or seatrial.toml): unknown engine `dokcer`; did you mean `docker`?"
    );
}

#[tokio::test]
async fn contexts_are_followed() {
    let machine = Machine::new("contexts");
    machine.context("aa11", "colima", "unix:///colima/docker.sock");
    machine.context("bb22", "remote", "ssh://me@host");
    machine.context("cc33", "secure", "tcp://127.0.0.1:2376");
    machine.file("home/.docker/contexts/tls/cc33/docker/ca.pem", "");
    machine.file("home/.docker/contexts/meta/dd44/meta.json", "not JSON");
    machine.file(
        "home/.docker/config.json",
        r#"{"auths":{},"currentContext":"colima"}"#,
    );

    let error = machine.fails("").await;
    assert_eq!(
        machine.shown(&error),
        "the container engine does not answer; tried
  unix:///colima/docker.sock (context `colima` of ROOT/home/.docker/config.json): no such file; start the engine, or choose another with `docker context use`"
    );

    for (context, kind, said) in [
        (
            "remote",
            DiscoveryErrorKind::Unsupported,
            "SSH is not supported",
        ),
        (
            "secure",
            DiscoveryErrorKind::Unsupported,
            "TLS is not supported",
        ),
        ("nope", DiscoveryErrorKind::Unsupported, "no such context"),
        (
            "default",
            DiscoveryErrorKind::NoneFound,
            "(Rancher Desktop)",
        ),
    ] {
        let surroundings = machine.surroundings.clone();
        let asking = Machine { surroundings }.with("DOCKER_CONTEXT", context);
        let error = asking.fails("").await;
        // The directory belongs to the other machine.
        std::mem::forget(asking);
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_configuration_elsewhere_or_broken_is_taken_as_docker_takes_it() {
    let machine = Machine::new("config");
    machine.file("home/.docker/config.json", "not JSON");
    assert_eq!(machine.fails("").await.kind, DiscoveryErrorKind::NoneFound);

    machine.file("else/config.json", r#"{"currentContext":"lost"}"#);
    let elsewhere = machine.path("else");
    let machine = machine.with("DOCKER_CONFIG", elsewhere.to_str().unwrap());
    let error = machine.fails("").await;
    assert!(
        machine
            .shown(&error)
            .contains("`lost` of ROOT/else/config.json"),
        "{error}"
    );
}

#[tokio::test]
async fn encryption_is_refused_where_it_is_asked_for() {
    let machine = Machine::new("tls")
        .with("DOCKER_HOST", "tcp://127.0.0.1:2376")
        .with("DOCKER_TLS_VERIFY", "1");
    let error = machine.fails("").await;
    assert_eq!(error.kind, DiscoveryErrorKind::Unsupported);
    assert!(
        error.to_string().contains("unset `DOCKER_TLS_VERIFY`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_not_running() {
    // The port was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let machine = Machine::new("port").with("DOCKER_HOST", &format!("tcp://127.0.0.1:{port}"));
    let error = machine.fails("").await;
    assert_eq!(error.tried[0].answer, Answer::Refused, "{error}");
    assert_eq!(
        error.to_string(),
        format!(
            "the container engine does not answer; tried
  tcp://127.0.0.1:{port} (DOCKER_HOST): not running; start the engine, or change the address"
        )
    );
}
