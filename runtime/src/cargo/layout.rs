//! How the tests were built: the target directory, the profile and the target, read from the place of a test executable.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// How an executable was built.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Layout {
    pub(crate) target_directory: PathBuf,
    /// The target, if one was selected.
    pub(crate) target: Option<String>,
    /// The directory of the profile: `debug` for `dev` and `test`, otherwise the profile's name.
    pub(crate) profile: String,
}

impl Layout {
    /// The layout of a test executable, `target/debug/deps/shop-0123456789abcdef` for one. `None` if it is elsewhere.
    pub(crate) fn of(executable: &Path, is_file: impl Fn(&Path) -> bool) -> Option<Self> {
        let executables = executable.parent()?;
        if !executables.ends_with("deps") {
            return None;
        }
        let of_profile = executables.parent()?;
        let profile = of_profile.file_name()?.to_str()?.to_owned();
        let above = of_profile.parent()?;
        // Cargo writes one to the directory itself, and the other also to that of a selected target.
        let is_target_directory = |path: &Path| is_file(&path.join(".rustc_info.json"));
        let is_tagged = |path: &Path| is_file(&path.join("CACHEDIR.TAG"));
        let of_target = above
            .parent()
            .filter(|outer| !is_target_directory(above) && is_tagged(outer));
        if let Some(target_directory) = of_target {
            return Some(Self {
                target_directory: target_directory.to_owned(),
                target: Some(above.file_name()?.to_str()?.to_owned()),
                profile,
            });
        }
        (is_target_directory(above) || is_tagged(above)).then(|| Self {
            target_directory: above.to_owned(),
            target: None,
            profile,
        })
    }

    /// Where cargo puts the binary of this name.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        let mut path = self.target_directory.clone();
        path.extend(&self.target);
        path.join(&self.profile)
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// The arguments with which cargo builds a binary in the same way.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut arguments = match &*self.profile {
            "debug" => Vec::new(),
            "release" => vec!["--release".to_owned()],
            other => vec!["--profile".to_owned(), other.to_owned()],
        };
        if let Some(target) = &self.target {
            arguments.extend(["--target".to_owned(), target.clone()]);
        }
        let directory = self.target_directory.to_string_lossy().into_owned();
        arguments.extend(["--target-dir".to_owned(), directory]);
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The layout of an executable where these files are.
    fn layout(executable: &str, files: &[&str]) -> Option<(String, String, Option<String>)> {
        let is_file = |path: &Path| files.iter().any(|file| Path::new(file) == path);
        let layout = Layout::of(Path::new(executable), is_file)?;
        let directory = layout.target_directory.to_string_lossy().into_owned();
        Some((directory, layout.profile, layout.target))
    }

    fn found(
        directory: &str,
        profile: &str,
        target: Option<&str>,
    ) -> Option<(String, String, Option<String>)> {
        let target = target.map(str::to_owned);
        Some((directory.to_owned(), profile.to_owned(), target))
    }

    #[test]
    fn the_place_of_a_test_says_how_it_was_built() {
        let plain = ["/src/target/CACHEDIR.TAG", "/src/target/.rustc_info.json"];
        for profile in ["debug", "release", "slow"] {
            let executable = format!("/src/target/{profile}/deps/shop-0123");
            assert_eq!(
                layout(&executable, &plain),
                found("/src/target", profile, None)
            );
        }
        let target = "x86_64-unknown-linux-musl";
        let executable = format!("/src/target/{target}/debug/deps/shop-0123");
        let own = format!("/src/target/{target}/CACHEDIR.TAG");
        let of_target = found("/src/target", "debug", Some(target));
        assert_eq!(layout(&executable, &plain), of_target);
        assert_eq!(layout(&executable, &[plain[0], plain[1], &own]), of_target);
    }

    #[test]
    fn a_target_directory_in_another_one_is_one_itself() {
        let files = [
            "/src/target/CACHEDIR.TAG",
            "/src/target/.rustc_info.json",
            "/src/target/other/CACHEDIR.TAG",
            "/src/target/other/.rustc_info.json",
        ];
        assert_eq!(
            layout("/src/target/other/debug/deps/shop-0123", &files),
            found("/src/target/other", "debug", None)
        );
    }

    #[test]
    fn a_test_elsewhere_says_nothing() {
        let files = ["/src/target/CACHEDIR.TAG"];
        for executable in [
            "/src/target/debug/shop",
            "/tmp/rustdoctest/rust_out",
            "/a/b/deps/c",
        ] {
            assert_eq!(layout(executable, &files), None, "{executable}");
        }
    }
}
