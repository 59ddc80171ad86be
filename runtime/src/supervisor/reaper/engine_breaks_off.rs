//! A creation whose connection breaks after the real engine has got the request. The engine goes on with it.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use super::*;
use crate::engine::discovery::{self, EngineChoice};
use crate::images::fixture::{self, IMAGE};

/// A socket that forwards everything to the engine's. It breaks the connection at the answers to creations.
struct Breaking(PathBuf);

impl Breaking {
    fn before(engine: PathBuf) -> Self {
        let name = format!("seatrial-breaking-{}.sock", std::process::id());
        let path = std::env::temp_dir().join(name);
        let listener = UnixListener::bind(&path).expect("a socket");
        // The thread ends with the process.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let engine = UnixStream::connect(&engine).expect("the engine");
                std::thread::spawn(move || pass(&client, &engine));
            }
        });
        Self(path)
    }
}

impl Drop for Breaking {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn pass(client: &UnixStream, engine: &UnixStream) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match (&*client).read(&mut buffer) {
            Ok(read @ 1..) => request.extend(&buffer[..read]),
            _ => return,
        }
    }
    (&*engine).write_all(&request).expect("the engine listens");
    let creates = String::from_utf8_lossy(&request).contains("/containers/create");
    std::thread::scope(|scope| {
        // The body follows in pieces of its own.
        scope.spawn(|| std::io::copy(&mut &*client, &mut &*engine));
        if creates {
            // The answer has begun, so the engine has the complete request. Nobody reads the answer.
            let _ = (&*engine).read(&mut buffer[..1]);
        } else {
            let _ = std::io::copy(&mut &*engine, &mut &*client);
        }
        let _ = client.shutdown(Shutdown::Both);
        let _ = engine.shutdown(Shutdown::Both);
    });
}

async fn connect(choice: Option<String>) -> Engine {
    let choice = EngineChoice::from(choice);
    discovery::connect(&choice, std::env::vars().collect())
        .await
        .expect("an engine")
}

#[tokio::test]
async fn a_container_whose_creation_was_not_answered_is_removed() {
    fixture::prepare().await;
    let direct = connect(std::env::var("SEATRIAL_ENGINE").ok()).await;
    let address = direct.info().address.clone();
    let socket = address.strip_prefix("unix://").expect("a Unix socket");
    let breaking = Breaking::before(Path::new(socket).to_owned());
    let engine = connect(Some(format!("unix://{}", breaking.0.display()))).await;

    let name = format!("seatrial-breaks-off-{}", std::process::id());
    let reaper = Reaper::new(Journal::default(), Duration::from_secs(10));
    let guard = reaper.guard(&engine, name.clone());
    let spec = ContainerSpec {
        name: name.clone(),
        image: IMAGE.to_owned(),
        command: Some(vec!["true".to_owned()]),
        labels: [("dev.seatrial.test".to_owned(), "reaper".to_owned())].into(),
        ..ContainerSpec::default()
    };
    let error = guard.create(spec).await.expect_err("nobody answers");
    assert_eq!(error.kind, EngineErrorKind::Unreachable, "{error}");
    direct.inspect(&name).await.expect("it was created");
    drop(guard);
    reaper.close().await;
    let error = direct.inspect(&name).await.expect_err("it is removed");
    assert_eq!(error.kind, EngineErrorKind::NotFound, "{error}");
}
