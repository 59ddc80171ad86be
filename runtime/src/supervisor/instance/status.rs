//! Whether a container runs, and how it has ended.

use crate::engine::{Engine, EngineError};
use crate::protocol::ContainerStatus;
use crate::supervisor::diagnosis;
use crate::supervisor::exits::LatestExit;

/// Looks at the container.
pub(super) async fn of(
    engine: &Engine,
    container: &str,
    exit: &LatestExit,
) -> Result<ContainerStatus, EngineError> {
    let info = engine.inspect(container).await?;
    // Engines differ in whether a paused container counts as running.
    if info.paused {
        return Ok(ContainerStatus::Paused);
    }
    if info.running {
        return Ok(ContainerStatus::Running);
    }
    let exit = exit.get();
    Ok(ContainerStatus::Exited {
        code: diagnosis::exit_code(Some(&info), exit.as_ref().map(|(exit, _)| exit)),
        out_of_memory: info.out_of_memory,
        // The engine reports an end a little later than it shows it.
        ago: exit.map(|(_, ago)| ago).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::fake::{Answers, Call, answer, refusal};
    use crate::engine::{ContainerInfo, EngineErrorKind};
    use crate::supervisor::exits::Exits;

    /// Shows this for every container, and reports exit code 9 for one that ends.
    struct Shows(Result<ContainerInfo, EngineErrorKind>);

    impl Answers for Shows {
        fn inspect<'a>(&'a self, _: &'a str) -> Call<'a, ContainerInfo> {
            answer(
                self.0
                    .clone()
                    .map_err(|kind| refusal(kind, "no such container")),
            )
        }

        fn wait<'a>(&'a self, _: &'a str) -> Call<'a, i64> {
            answer(Ok(9))
        }
    }

    async fn status(
        shown: Result<ContainerInfo, EngineErrorKind>,
    ) -> Result<ContainerStatus, EngineError> {
        let engine = Engine::fake(Shows(shown));
        let exits = Exits::of(&engine, "one", |_| {});
        exits.ended().await;
        of(&engine, "one", &exits.latest_exit()).await
    }

    #[tokio::test]
    async fn what_an_engine_shows_of_a_container_is_its_status() {
        let shown = |running, paused, exit_code| ContainerInfo {
            running,
            paused,
            exit_code,
            ..ContainerInfo::default()
        };
        for (shown, expected) in [
            (shown(true, false, None), ContainerStatus::Running),
            (shown(true, true, None), ContainerStatus::Paused),
            (shown(false, true, None), ContainerStatus::Paused),
        ] {
            assert_eq!(status(Ok(shown)).await, Ok(expected));
        }
        for (exit_code, expected) in [(Some(3), 3), (None, 9)] {
            let shown = ContainerInfo {
                out_of_memory: exit_code.is_some(),
                ..shown(false, false, exit_code)
            };
            let Ok(ContainerStatus::Exited {
                code,
                out_of_memory,
                ago,
            }) = status(Ok(shown)).await
            else {
                panic!("it has ended");
            };
            assert_eq!((code, out_of_memory), (Some(expected), exit_code.is_some()));
            assert!(ago < Duration::from_secs(60));
        }
        let gone = status(Err(EngineErrorKind::NotFound)).await;
        assert_eq!(
            gone.expect_err("it is gone").kind,
            EngineErrorKind::NotFound
        );
    }
}
