//! Operations on handles, awaited and waited for: on tokio's runtimes, on another one, and on none.

use seatrial::Service;

/// Everything that a handle can be asked in any way, as code on some runtime or none sees it.
async fn awaits(service: &Service) -> Result<String, seatrial::Error> {
    let first = service.log_lines().next().await.expect("a line")?;
    let echo = |text: &str| service.exec(["echo", text]).spawn();
    let (a, b) = (echo("a"), echo("b"));
    let (b, a) = (b.await?, a.await?);
    service.ready().await?;
    Ok(format!(
        "{} {} {}",
        first.text,
        a.stdout.trim(),
        b.stdout.trim()
    ))
}

const AWAITED: &str = "begun a b";

/// A runtime other than tokio: polls on this thread, and is parked in between, until it is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

#[seatrial::test]
fn handles_work_on_any_runtime_or_none(
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    server: Service,
) {
    let ready =
        |outcome: Result<String, seatrial::Error>| assert_eq!(outcome.as_deref(), Ok(AWAITED));
    ready(block_on(awaits(&server)));
    let mut current = tokio::runtime::Builder::new_current_thread();
    let current = current.enable_all().build().expect("a runtime");
    ready(current.block_on(awaits(&server)));
    // Blocking inside a runtime blocks its thread, and nothing else.
    ready(current.block_on(async { block_on(awaits(&server)) }));
    let spawned = server.clone();
    ready(current.block_on(async {
        tokio::spawn(async move { awaits(&spawned).await })
            .await
            .expect("it ends")
    }));
    // A handle outlives the runtime it was used on.
    drop(current);
    let moved = server.clone();
    ready(
        std::thread::spawn(move || block_on(awaits(&moved)))
            .join()
            .expect("it ends"),
    );
}

#[seatrial::test(runtime = "multi_thread")]
async fn handles_work_on_several_threads(
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000"
    )]
    server: Service,
) {
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let server = server.clone();
            tokio::spawn(async move { awaits(&server).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.expect("it ends").as_deref(), Ok(AWAITED));
    }
    // An operation that is dropped goes on.
    drop(server.stop());
    let log: Vec<_> = server.log_lines().wait_iter().take(3).flatten().collect();
    assert_eq!(log[2].text, "ended by TERM");
}
