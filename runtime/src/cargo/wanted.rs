//! A wanted binary, and the command that builds it.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::layout::Layout;

/// A binary of a package of the workspace. Equal ones are built once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// The root of the workspace.
    pub(crate) workspace: PathBuf,
    pub(crate) package: String,
    pub(crate) name: String,
    /// How the tests were built. `None` if that is not known: cargo then builds it as it does by default.
    pub(crate) layout: Option<Layout>,
    /// The cargo that has started the tests. `None` for the usual one.
    pub(crate) cargo: Option<PathBuf>,
}

impl Wanted {
    /// The program that builds it.
    pub(crate) fn program(&self) -> PathBuf {
        self.cargo.clone().unwrap_or_else(|| "cargo".into())
    }

    /// The arguments of cargo, beside those about its output.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let manifest = self.workspace.join("Cargo.toml");
        let mut arguments: Vec<String> = [
            "build",
            "--manifest-path",
            &manifest.to_string_lossy(),
            "--package",
            &self.package,
            "--bin",
            &self.name,
        ]
        .map(str::to_owned)
        .into();
        if let Some(layout) = &self.layout {
            arguments.extend(layout.arguments());
        }
        arguments
    }

    /// The command that does the same by hand.
    pub(crate) fn by_hand(&self) -> String {
        let arguments = self.arguments();
        let words = ["cargo"]
            .into_iter()
            .chain(arguments.iter().map(|it| &**it));
        shlex::try_join(words.clone()).unwrap_or_else(|_| words.collect::<Vec<_>>().join(" "))
    }
}

/// As errors name it.
impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the binary `{}` of the package `{}`",
            self.name, self.package
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(layout: Option<Layout>) -> Wanted {
        Wanted {
            workspace: "/my src".into(),
            package: "server".to_owned(),
            name: "serve".to_owned(),
            layout,
            cargo: None,
        }
    }

    #[test]
    fn it_is_built_as_the_tests_were() {
        let layout = |profile: &str, target: Option<&str>| {
            Some(Layout {
                target_directory: "/my src/target".into(),
                target: target.map(str::to_owned),
                profile: profile.to_owned(),
            })
        };
        let all = "cargo build --manifest-path '/my src/Cargo.toml' --package server --bin serve";
        let directory = "--target-dir '/my src/target'";
        for (layout, more) in [
            (None, String::new()),
            (layout("debug", None), format!(" {directory}")),
            (layout("release", None), format!(" --release {directory}")),
            (layout("slow", None), format!(" --profile slow {directory}")),
            (
                layout("debug", Some("x86_64-unknown-linux-musl")),
                format!(" --target x86_64-unknown-linux-musl {directory}"),
            ),
        ] {
            assert_eq!(wanted(layout).by_hand(), format!("{all}{more}"));
        }
    }
}
