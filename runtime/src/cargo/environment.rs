//! The environment of cargo, made from that of a test process: without what cargo and nextest set for the test.
//!
//! The other variables are those of the user, who has started the tests with them: cargo compiles nothing again that it has compiled
//! for the tests.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The variables that cargo and nextest set for a test process. Build scripts and `env!(..)` would see a change of them.
const OF_A_TEST: [&str; 9] = [
    "CARGO",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_MANIFEST_PATH",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
    "OUT_DIR",
];

const OF_A_TEST_BEGIN: [&str; 3] = ["CARGO_BIN_EXE_", "CARGO_PKG_", "NEXTEST"];

/// The directories in which a test finds the libraries that it was linked with.
const LIBRARIES: &str = "LD_LIBRARY_PATH";

/// The variables for cargo, from `all` variables of a process. `target_directory` is that of the tests.
pub(crate) fn environment(
    all: impl Iterator<Item = (OsString, OsString)>,
    target_directory: Option<&Path>,
) -> Vec<(OsString, OsString)> {
    all.filter(|(name, _)| !is_of_a_test(name))
        .filter_map(|(name, value)| match name == LIBRARIES {
            true => Some((name, without_libraries_of_a_test(&value, target_directory)?)),
            false => Some((name, value)),
        })
        .collect()
}

fn is_of_a_test(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let mut beginnings = OF_A_TEST_BEGIN.iter();
    OF_A_TEST.contains(&name) || beginnings.any(|beginning| name.starts_with(beginning))
}

/// The directories that cargo has not added: the others are in the target directory, or those of a target's standard library. `None`
/// if there are none.
fn without_libraries_of_a_test(value: &OsStr, target_directory: Option<&Path>) -> Option<OsString> {
    let is_of_a_test = |path: &Path| {
        let is_built = target_directory.is_some_and(|directory| path.starts_with(directory));
        let triple = path.parent().and_then(Path::parent);
        is_built || path.ends_with("lib") && triple.is_some_and(|above| above.ends_with("rustlib"))
    };
    let left: Vec<_> = std::env::split_paths(value)
        .filter(|path| !is_of_a_test(path))
        .collect();
    let is_empty = left.iter().all(|path| path.as_os_str().is_empty());
    match is_empty {
        true => None,
        false => std::env::join_paths(left).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let all = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        let left = environment(all, Some(Path::new("/src/target")));
        let text = |text: OsString| text.into_string().expect("plain");
        let left = left.into_iter();
        left.map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    #[test]
    fn what_is_set_for_a_test_alone_is_taken_away() {
        let of_the_user = [
            ("PATH", "/usr/bin"),
            ("CARGO_HOME", "/root/.cargo"),
            ("CARGO_TERM_COLOR", "always"),
            ("RUSTFLAGS", "-Cdebuginfo=0"),
            ("RUSTUP_TOOLCHAIN", "stable"),
        ];
        let of_the_test = [
            ("CARGO", "/usr/bin/cargo"),
            ("CARGO_PKG_VERSION_MAJOR", "1"),
            ("CARGO_MANIFEST_DIR", "/src/shop"),
            ("CARGO_BIN_EXE_shop", "/src/target/debug/shop"),
            ("NEXTEST", "1"),
            ("NEXTEST_RUN_ID", "1-2-3"),
        ];
        let kept: Vec<(String, String)> = of_the_user
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(of(&[&of_the_user[..], &of_the_test[..]].concat()), kept);
    }

    #[test]
    fn libraries_of_the_user_stay() {
        let added = "/src/target/debug/deps:/src/target/debug:/rust/lib/rustlib/x86_64-unknown-linux-gnu/lib";
        assert_eq!(of(&[(LIBRARIES, added)]), []);
        let with_own = format!("{added}:/opt/lib:/rust/lib");
        let left = of(&[(LIBRARIES, &with_own)]);
        assert_eq!(
            left,
            [(LIBRARIES.to_owned(), "/opt/lib:/rust/lib".to_owned())]
        );
    }
}
