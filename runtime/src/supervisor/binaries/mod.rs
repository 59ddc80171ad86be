//! The binaries that cargo builds for a run: each once, however many processes ask, and one at a time. A failure holds for the run.

mod build;
mod said;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use self::build::build;
use super::once::Once;
use crate::cargo::Wanted;
use crate::{Error, ErrorKind};

/// The binaries of a run.
#[derive(Default)]
pub(super) struct Binaries {
    built: Mutex<HashMap<Wanted, Arc<Once<PathBuf>>>>,
    /// Whoever has it runs cargo. Another cargo would wait for the first one, and say so.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Binaries {
    /// The path of a binary. The first caller has it built, for all others, too. The wait ends after `within`.
    pub(super) fn get(
        &self,
        wanted: Wanted,
        within: Option<Duration>,
    ) -> impl Future<Output = Result<PathBuf, Error>> + Send + 'static {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        let once = built
            .entry(wanted.clone())
            .or_insert_with(|| Arc::new(Once::new()))
            .clone();
        let turn = self.turn.clone();
        async move {
            let making = wanted.clone();
            let path = once.get(async move {
                let _turn = turn.lock().await;
                build(making).await
            });
            match within {
                None => path.await,
                Some(within) => tokio::time::timeout(within, path)
                    .await
                    .unwrap_or_else(|_| Err(out_of_time(&wanted))),
            }
        }
    }
}

fn out_of_time(wanted: &Wanted) -> Error {
    let what = format!("{wanted} was not built when the time for the test was up");
    Error::new(ErrorKind::NotReady, what).with(|report| {
        report.help = Some(format!(
            "raise the `timeout` of the test, or build it before the tests: `{}`",
            wanted.by_hand()
        ));
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;
    use std::time::Instant;

    use super::*;

    /// A directory with a program in the place of cargo, gone when dropped.
    struct Cargo(PathBuf);

    impl Cargo {
        fn new(name: &str, script: &str) -> Self {
            let name = format!("seatrial-binaries-{}-{name}", std::process::id());
            let directory = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&directory).expect("a directory");
            let cargo = directory.join("cargo");
            std::fs::write(&cargo, format!("#!/bin/sh\n{script}\n")).expect("a file");
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&cargo, mode).expect("it is ours");
            Self(directory)
        }

        fn wanted(&self, name: &str) -> Wanted {
            Wanted {
                workspace: self.0.clone(),
                package: "server".to_owned(),
                name: name.to_owned(),
                layout: None,
                cargo: Some(self.0.join("cargo")),
            }
        }

        /// What it has written to a file of its directory.
        fn written(&self, file: &str) -> String {
            std::fs::read_to_string(self.0.join(file)).unwrap_or_default()
        }
    }

    impl Drop for Cargo {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    /// Says that it has built the binary `$7`.
    const BUILDS: &str = r#"echo "$7" >> built
printf '{"reason":"compiler-artifact","target":{"name":"%s","kind":["bin"]},"executable":"/built/%s"}\n' "$7" "$7""#;

    #[tokio::test]
    async fn a_binary_is_built_once_for_all_who_ask() {
        let cargo = Cargo::new("once", BUILDS);
        let binaries = Binaries::default();
        let ask = |name: &str| binaries.get(cargo.wanted(name), None);
        let asked = [ask("one"), ask("other"), ask("one"), ask("one")];
        let paths = futures_util::future::join_all(asked).await;
        let path = |name: &str| Ok(Path::new("/built").join(name));
        assert_eq!(
            paths,
            [path("one"), path("other"), path("one"), path("one")]
        );
        assert_eq!(ask("one").await, path("one"));
        let built = cargo.written("built");
        let mut built: Vec<&str> = built.lines().collect();
        built.sort_unstable();
        assert_eq!(built, ["one", "other"]);
    }

    #[tokio::test]
    async fn a_failure_has_the_compilers_message_and_holds() {
        let script =
            "echo tried >> tried\necho 'warning: old' >&2\necho 'error: no mast' >&2\nexit 101";
        let cargo = Cargo::new("fails", script);
        let binaries = Binaries::default();
        for _ in 0..2 {
            let built = binaries.get(cargo.wanted("server"), None).await;
            let error = built.expect_err("it fails");
            assert_eq!(error.kind(), ErrorKind::Build);
            let manifest = cargo.0.join("Cargo.toml");
            assert_eq!(
                error.to_string(),
                format!(
                    "cannot build the binary `server` of the package `server`: cargo ended with exit status: 101\n\
                     \x20 error: no mast\n\
                     \x20 help: `cargo build --manifest-path {} --package server --bin server` does the same by hand",
                    manifest.display()
                )
            );
        }
        assert_eq!(cargo.written("tried"), "tried\n");
    }

    #[tokio::test]
    async fn the_time_of_a_test_ends_its_wait_and_not_the_build() {
        let cargo = Cargo::new(
            "slow",
            &format!("until [ -e go ]; do sleep 0.01; done\n{BUILDS}"),
        );
        let binaries = Binaries::default();
        let wanted = || cargo.wanted("server");
        let waited = binaries.get(wanted(), Some(Duration::from_millis(1))).await;
        let error = waited.expect_err("it is not built").to_string();
        for part in [
            "the binary `server` of the package `server` was not built when the time for the test was up",
            "help: raise the `timeout` of the test, or build it before the tests: `cargo build ",
        ] {
            assert!(error.contains(part), "{error}");
        }
        std::fs::write(cargo.0.join("go"), "").expect("a file");
        let built = binaries.get(wanted(), None).await;
        assert_eq!(built, Ok("/built/server".into()));
        assert_eq!(cargo.written("built"), "server\n");
    }

    #[test]
    fn cargo_ends_with_the_run() {
        let script = "echo $$ > own\nsleep 1000 & echo $! > child\nwait";
        let cargo = Cargo::new("ends", script);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let begun = || !cargo.written("child").is_empty();
        let building = async {
            let built = Binaries::default().get(cargo.wanted("server"), None);
            tokio::spawn(built);
            while !begun() {
                tokio::task::yield_now().await;
            }
        };
        runtime.block_on(building);
        drop(runtime);
        let deadline = Instant::now() + Duration::from_secs(60);
        for file in ["own", "child"] {
            let process = cargo.written(file);
            let stat = format!("/proc/{}/stat", process.trim());
            let runs = || std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
            while runs() {
                assert!(Instant::now() < deadline, "{file} runs on");
                std::thread::yield_now();
            }
        }
    }
}
