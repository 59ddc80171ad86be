//! Where the root of a workspace is. The macros and the runtime must agree on it: what the one looks for below the root when
//! it compiles, the other mounts when it runs.
//!
//! A rule on texts alone: whoever asks reads the manifests.

use std::path::Path;

/// The root of the workspace that a directory is in: the nearest directory at or above it whose manifest declares a
/// workspace, else the directory itself. `manifest` gives the text of the `Cargo.toml` at a path, if there is one.
pub fn root(directory: &Path, manifest: impl Fn(&Path) -> Option<String>) -> &Path {
    directory
        .ancestors()
        .find(|above| {
            manifest(&above.join("Cargo.toml")).is_some_and(|text| declares_workspace(&text))
        })
        .unwrap_or(directory)
}

/// Whether a manifest has a table `workspace`, or one inside it.
fn declares_workspace(manifest: &str) -> bool {
    manifest
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .any(|line| line == "[workspace]" || line.starts_with("[workspace."))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The root for a directory, where these manifests are.
    fn found(directory: &str, manifests: &[(&str, &str)]) -> String {
        let manifest = |path: &Path| {
            let (_, text) = manifests.iter().find(|(at, _)| Path::new(at) == path)?;
            Some((*text).to_owned())
        };
        let root = root(Path::new(directory), manifest);
        root.to_str().expect("plain").to_owned()
    }

    #[test]
    fn the_root_is_the_nearest_directory_that_declares_a_workspace() {
        let manifests = [
            ("/Cargo.toml", "[workspace]\n"),
            (
                "/tree/Cargo.toml",
                "[workspace]\nmembers = [\"crates/*\"]\n",
            ),
            (
                "/tree/crates/shop/Cargo.toml",
                "[package]\nname = \"shop\"\n",
            ),
        ];
        for directory in ["/tree", "/tree/crates", "/tree/crates/shop"] {
            assert_eq!(found(directory, &manifests), "/tree", "{directory}");
        }
        assert_eq!(found("/other", &manifests), "/");
    }

    #[test]
    fn a_package_in_no_workspace_is_its_own_root() {
        let manifests = [("/shop/Cargo.toml", "[package]\nname = \"shop\"\n")];
        assert_eq!(found("/shop", &manifests), "/shop");
        assert_eq!(found("/nowhere", &[]), "/nowhere");
    }

    #[test]
    fn a_workspace_is_declared_by_its_table_however_it_is_written() {
        for manifest in [
            "[workspace]",
            "  [workspace] # all of it",
            "[workspace]# all of it",
            "[workspace]\t# all of it",
            "[package]\nname = \"shop\"\n\n[workspace]\r\n",
            "[workspace.package]\nversion = \"1.0.0\"",
            "[workspace.lints.rust]",
        ] {
            assert!(declares_workspace(manifest), "{manifest}");
        }
        for manifest in [
            "",
            "# [workspace]",
            "[workspaces]",
            "[package]\nworkspace = \"..\"",
            "[dependencies]\nmodel.workspace = true",
            "[lints]\nworkspace = true",
        ] {
            assert!(!declares_workspace(manifest), "{manifest}");
        }
    }
}
