//! The real client at a real socket whose server introduces itself and then hangs in one of several ways.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use futures_util::future::join_all;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;

use super::*;
use crate::engine::scripted::{self, Socket, begins, head, introduction, ok};
use crate::engine::{
    Attachment, BuildSpec, ContainerSpec, Credentials, NetworkSpec, PublishedPort, PullSpec, Subnet,
};

/// Small, so that the tests take no time. [`LIMIT`] detects a call that does not end.
const DEADLINES: Deadlines = Deadlines {
    short: Duration::from_millis(200),
    long: Duration::from_millis(600),
    quiet: Duration::from_millis(100),
};

/// Far longer than any of these calls takes.
const LIMIT: Duration = Duration::from_secs(60);

/// How the engine hangs.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// It accepts connections and requests, and never answers.
    Silent,
    /// It sends the headers of an answer, and no body.
    Headers,
    /// It sends the first piece of a log or the headers of a command's output, and nothing more.
    Streams,
}

/// An engine that introduces itself and then hangs.
async fn hung(way: Way) -> (Engine, Socket) {
    let (docker, socket) = scripted::open(move |stream| serve(stream, way)).await;
    let kind = Kind::Docker(Arc::new(docker));
    (Engine::new(kind, Some(DEADLINES)), socket)
}

async fn serve(mut stream: UnixStream, way: Way) {
    while let Some(request) = head(&mut stream).await {
        let asks = |what: &str| request.contains(what);
        let answer = if let Some(answer) = introduction(&request) {
            answer
        } else {
            match way {
                Way::Silent => String::new(),
                Way::Headers => {
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
                        .to_owned()
                }
                Way::Streams if asks("/logs?") => begins("\u{1}\0\0\0\0\0\0\u{2}up"),
                Way::Streams if asks("/containers/one/exec ") => {
                    let body = r#"{"Id":"command"}"#;
                    ok(body).replace("200 OK", "201 Created")
                }
                Way::Streams if asks("/exec/command/start ") => {
                    "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n".to_owned()
                }
                Way::Streams => String::new(),
            }
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        if answer.ends_with("99\r\n\r\n") {
            // The rest of the request must not be read as another request.
            pending::<()>().await;
        }
    }
}

/// How a call ended, by its name.
type Ended = (&'static str, Result<(), EngineError>);

async fn ended<T>(name: &'static str, call: impl Future<Output = Result<T, EngineError>>) -> Ended {
    let outcome = timeout(LIMIT, call).await;
    let outcome = outcome.unwrap_or_else(|_| panic!("{name} does not end"));
    (name, outcome.map(drop))
}

async fn read<T>(name: &'static str, parts: Parts<T>) -> Ended {
    let call = async move {
        let mut parts = parts;
        while let Some(part) = parts.next().await {
            part?;
        }
        Ok(())
    };
    ended(name, call).await
}

/// Something to copy into a container.
fn tar() -> Parts<Vec<u8>> {
    Box::pin(stream::iter([Ok(vec![0; 1024])]))
}

/// How every call of the boundary ended.
async fn every_call(engine: &Engine) -> Vec<Ended> {
    let none = BTreeMap::new();
    let image = "localhost:9/none:1".parse().expect("a reference");
    let credentials = Credentials::Token("none".to_owned());
    let pull = PullSpec {
        image: &image,
        platform: None,
        credentials: Some(&credentials),
    };
    let build = BuildSpec {
        dockerfile: "Dockerfile",
        target: None,
        needs_buildkit: false,
        platform: None,
        args: &none,
        tag: "none:1",
        labels: &none,
    };
    let root = Box::pin(stream::iter([Ok(vec![0; 1024])]));
    let context = Box::pin(stream::iter([Ok(vec![0; 1024])]));
    let network = NetworkSpec {
        name: "none".to_owned(),
        subnet: Subnet {
            address: Ipv4Addr::new(10, 1, 2, 0),
            prefix: 24,
        },
        labels: none.clone(),
    };
    let attachment = Attachment {
        network: "none".to_owned(),
        address: Ipv4Addr::new(10, 1, 2, 3),
    };
    let container = ContainerSpec {
        name: "one".to_owned(),
        image: "none:1".to_owned(),
        ports: vec![PublishedPort {
            container: 1,
            host_ip: Ipv4Addr::LOCALHOST.into(),
            host: 2,
        }],
        ..ContainerSpec::default()
    };
    let exec = ExecSpec {
        command: vec!["true".to_owned()],
        ..ExecSpec::default()
    };
    let calls: [std::pin::Pin<Box<dyn Future<Output = Ended> + '_>>; 31] = [
        Box::pin(ended("image", engine.image("none:1"))),
        Box::pin(ended("pull", engine.pull(pull, &|_| ()))),
        Box::pin(ended("build", engine.build(build, context, &|_| ()))),
        Box::pin(ended("import", engine.import(root, "none:1", &none))),
        Box::pin(ended("tag", engine.tag("none:1", "none:2"))),
        Box::pin(ended("steps", engine.steps("none"))),
        Box::pin(ended(
            "remove_unused_image",
            engine.remove_unused_image("none"),
        )),
        Box::pin(ended("create_network", engine.create_network(&network))),
        Box::pin(ended("networks", engine.networks())),
        Box::pin(ended("attached", engine.attached("none"))),
        Box::pin(ended("remove_network", engine.remove_network("none"))),
        Box::pin(ended("connect", engine.connect("one", &attachment))),
        Box::pin(ended("disconnect", engine.disconnect("one", "none"))),
        Box::pin(ended("create_volume", engine.create_volume("none", &none))),
        Box::pin(ended("volumes", engine.volumes("none"))),
        Box::pin(ended("containers", engine.containers("none"))),
        Box::pin(ended("remove_volume", engine.remove_volume("none"))),
        Box::pin(ended("create", engine.create(&container))),
        Box::pin(ended("start", engine.start("one"))),
        Box::pin(ended("stop", engine.stop("one", None))),
        Box::pin(ended("kill", engine.kill("one", None))),
        Box::pin(ended("pause", engine.pause("one"))),
        Box::pin(ended("unpause", engine.unpause("one"))),
        Box::pin(ended("remove", engine.remove("one"))),
        Box::pin(ended("inspect", engine.inspect("one"))),
        Box::pin(ended("wait", engine.wait("one"))),
        Box::pin(read("logs", engine.logs("one", false, Some(3)))),
        Box::pin(read("logs, followed", engine.logs("one", true, None))),
        Box::pin(ended("exec", engine.exec("one", &exec))),
        Box::pin(ended(
            "exec_with_input",
            engine.exec_with_input("one", &exec, tar()),
        )),
        Box::pin(ended("upload", engine.upload("one", "/", tar()))),
    ];
    let mut all = join_all(calls).await;
    all.push(read("download", engine.download("one", "/")).await);
    all
}

#[tokio::test]
async fn every_call_to_an_engine_that_accepts_and_never_answers_ends_and_says_so() {
    let (engine, socket) = hung(Way::Silent).await;
    let address = format!("the engine at unix://{}", socket.0.display());
    for (name, outcome) in every_call(&engine).await {
        let error = outcome.expect_err(name);
        assert_eq!(error.kind, EngineErrorKind::Unreachable, "{name}: {error}");
        assert!(error.message.contains(&address), "{name}: {error}");
        assert!(
            error.message.contains("has not answered"),
            "{name}: {error}"
        );
    }
}

#[tokio::test]
async fn every_call_to_an_engine_that_hangs_in_an_answer_ends() {
    let (engine, _socket) = hung(Way::Headers).await;
    for (name, outcome) in every_call(&engine).await {
        // Where an answer has no body, its headers are all of it.
        if let Err(error) = outcome {
            assert_eq!(error.kind, EngineErrorKind::Unreachable, "{name}: {error}");
        } else {
            let bodies = [
                "image",
                "pull",
                "build",
                "networks",
                "volumes",
                "containers",
                "create",
                "inspect",
                "wait",
                "logs",
                "exec",
                "download",
            ];
            assert!(
                !bodies.contains(&name),
                "{name} took what did not come for an answer"
            );
        }
    }
}

#[tokio::test]
async fn a_stream_that_stalls_ends() {
    let (engine, _socket) = hung(Way::Streams).await;
    for follow in [false, true] {
        let read = engine.logs("one", follow, None).collect::<Vec<_>>();
        let log = timeout(LIMIT, read).await.expect("it ends");
        let [Ok(piece), Err(error)] = log.as_slice() else {
            panic!("a piece, and that no more came: {log:?}");
        };
        assert_eq!(piece.bytes, b"up");
        assert_eq!(error.kind, EngineErrorKind::Unreachable, "{error}");
    }
    let exec = ExecSpec {
        command: vec!["true".to_owned()],
        ..ExecSpec::default()
    };
    let (_, outcome) = ended("exec", engine.exec("one", &exec)).await;
    let error = outcome.expect_err("its output never comes");
    assert_eq!(error.kind, EngineErrorKind::Unreachable, "{error}");
}

#[tokio::test]
async fn a_call_that_was_given_up_keeps_no_other_from_its_turn() {
    let (engine, _socket) = hung(Way::Silent).await;
    // Endpoints of one network are deleted in turn.
    for _ in 0..2 {
        let outcomes = tokio::join!(
            ended("remove", engine.remove("one")),
            ended("disconnect", engine.disconnect("two", "none")),
            ended("disconnect", engine.disconnect("three", "none")),
        );
        for (name, outcome) in <[_; 3]>::from(outcomes) {
            outcome.expect_err(name);
        }
    }
}
