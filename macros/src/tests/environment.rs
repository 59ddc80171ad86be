//! Mistakes about the package and its files.

use std::fs;
use std::path::{Path, PathBuf};

use quote::quote;

use super::composition;
use crate::environment::{Environment, PathProblem, Wanted};

/// A workspace with a package in it and something beside it, removed at the end.
struct Workspace {
    root: PathBuf,
}

impl Workspace {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("seatrial-{}-{name}", std::process::id()));
        let package = root.join("workspace/package");
        fs::create_dir_all(package.join("fixtures")).expect("no directory");
        fs::create_dir_all(root.join("outside")).expect("no directory");
        fs::write(root.join("workspace/Cargo.toml"), "[workspace] # all\n").expect("no file");
        fs::write(package.join("Cargo.toml"), "[package]\n").expect("no file");
        Self { root }
    }

    fn environment(&self) -> Environment {
        Environment {
            package: Some(self.root.join("workspace/package")),
            binaries: None,
            ..Environment::default()
        }
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

#[test]
fn a_package_knows_where_in_its_workspace_it_is() {
    let workspace = Workspace::new("place");
    assert_eq!(workspace.environment().package_in_workspace(), "package");
    let root = Environment {
        package: Some(workspace.root.join("workspace")),
        ..Environment::default()
    };
    assert_eq!(root.package_in_workspace(), "");
    // As in an editor.
    assert_eq!(Environment::default().package_in_workspace(), "");
}

#[test]
fn paths_are_there_and_stay_in_the_workspace() {
    let workspace = Workspace::new("paths");
    let environment = workspace.environment();
    assert_eq!(environment.check_path("fixtures", Wanted::Anything), Ok(()));
    assert_eq!(
        environment.check_path("../Cargo.toml", Wanted::Anything),
        Ok(())
    );
    assert_eq!(environment.check_path(".", Wanted::Anything), Ok(()));
    assert_eq!(
        environment.check_path("missing", Wanted::Anything),
        Err(PathProblem::Missing)
    );
    assert_eq!(
        environment.check_path("../..", Wanted::Anything),
        Err(PathProblem::Outside)
    );
    assert_eq!(
        environment.check_path("../../outside", Wanted::Anything),
        Err(PathProblem::Outside)
    );
    assert_eq!(
        environment.check_path("../../nowhere", Wanted::Anything),
        Err(PathProblem::Outside)
    );
    assert_eq!(
        environment.check_path("/etc", Wanted::Anything),
        Err(PathProblem::Absolute)
    );
    assert_eq!(
        environment.check_path("", Wanted::Anything),
        Err(PathProblem::Empty)
    );
    assert_eq!(environment.check_path("Cargo.toml", Wanted::File), Ok(()));
    assert_eq!(
        environment.check_path("fixtures", Wanted::Directory),
        Ok(())
    );
    let no_file = environment.check_path("fixtures", Wanted::File);
    assert_eq!(no_file, Err(PathProblem::NotAFile));
    let no_directory = environment.check_path("Cargo.toml", Wanted::Directory);
    assert_eq!(no_directory, Err(PathProblem::NotADirectory));
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_workspace_leads_outside() {
    let workspace = Workspace::new("link");
    let link = workspace.root.join("workspace/package/link");
    std::os::unix::fs::symlink(workspace.root.join("outside"), link).expect("no link");
    assert_eq!(
        workspace.environment().check_path("link", Wanted::Anything),
        Err(PathProblem::Outside)
    );
}

#[test]
fn a_package_without_a_workspace_is_its_own() {
    let workspace = Workspace::new("alone");
    fs::remove_file(workspace.root.join("workspace/Cargo.toml")).expect("no file");
    let environment = workspace.environment();
    assert_eq!(environment.check_path("fixtures", Wanted::Anything), Ok(()));
    assert_eq!(
        environment.check_path("..", Wanted::Anything),
        Err(PathProblem::Outside)
    );
}

#[test]
fn what_is_not_known_is_not_refused() {
    let item = quote! {
        struct Shop {
            #[service(bin = "shop", mount("missing" = "/a"), source(path = "missing"), ready(running))]
            app: Service,
        }
    };
    assert!(composition(item, &Environment::default()).is_ok());
    assert_eq!(
        Environment {
            package: Some(Path::new("/nowhere").into()),
            binaries: None,
            ..Environment::default()
        }
        .check_path("a", Wanted::Anything),
        Ok(())
    );
}

#[test]
fn a_binary_is_one_of_those_that_cargo_offers() {
    let offered = |binaries: &[&str]| Environment {
        package: None,
        binaries: Some(binaries.iter().map(|name| (*name).to_owned()).collect()),
        ..Environment::default()
    };
    let messages = |environment: &Environment| {
        let item = quote!(
            struct Shop {
                #[service(bin = "shp", ready(running))]
                app: Service,
            }
        );
        composition(item, environment).map(drop).unwrap_err()
    };
    assert!(
        composition(
            quote!(
                struct Shop {
                    #[service(bin = "shop", ready(running))]
                    app: Service,
                }
            ),
            &offered(&["shop"])
        )
        .is_ok()
    );
    let unknown = messages(&offered(&["shop", "worker"]));
    assert_eq!(
        unknown,
        ["unknown binary `shp` in this package; did you mean `shop`?"]
    );
    for (may_use_binaries, part) in [
        (false, "only valid in an integration test"),
        (true, "this package has no binary; add `src/main.rs`"),
    ] {
        let none = messages(&Environment {
            may_use_binaries,
            ..offered(&[])
        });
        assert_eq!(none.len(), 1, "{none:?}");
        assert!(none[0].contains(part), "{none:?}");
    }
}

impl Workspace {
    fn file(&self, path: &str, text: &str) {
        let path = self.root.join("workspace").join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("no directory");
        fs::write(path, text).expect("no file");
    }

    /// The packages that are found, and their binaries.
    fn packages(&self) -> Option<Vec<(String, Option<Vec<String>>)>> {
        let packages = self.environment().packages()?.into_iter();
        let mut packages: Vec<_> = packages.map(|it| (it.name, it.binaries)).collect();
        packages.sort();
        Some(packages)
    }
}

#[test]
fn packages_are_found_with_the_binaries_that_cargo_finds() {
    let workspace = Workspace::new("packages");
    workspace.file("package/Cargo.toml", "[package]\nname = \"own\" # this\n");
    workspace.file("a/server/Cargo.toml", "[package]\nname = 'server'\n");
    for path in [
        "main.rs",
        "bin/migrate.rs",
        "bin/seed/main.rs",
        "bin/seed/other.rs",
    ] {
        workspace.file(&format!("a/server/src/{path}"), "");
    }
    let renamed = "[package]\nname = \"renamed\"\n\n[[bin]]\nname = \"serve\"\npath = \"src/main.rs\"\n\n\
                   [[bin]] # another\npath = \"x.rs\"\nname = \"x\"\n\n[dependencies]\nname = \"1\"\n";
    workspace.file("renamed/Cargo.toml", renamed);
    workspace.file("renamed/src/main.rs", "");
    let off = "[package]\nautobins = false\nname = \"off\"\n";
    workspace.file("off/Cargo.toml", off);
    workspace.file("off/src/main.rs", "");
    let inline = "bin = [{ name = \"x\" }]\n[package]\nname = \"inline\"\n";
    workspace.file("inline/Cargo.toml", inline);
    // What is not of this workspace.
    let another = "[workspace]\n[package]\nname = \"another\"\n";
    workspace.file("another/Cargo.toml", another);
    let hidden = "[package]\nname = \"hidden\"\n";
    workspace.file("target/package/Cargo.toml", hidden);
    workspace.file(".git/Cargo.toml", hidden);
    let found = |name: &str, binaries: Option<&[&str]>| {
        let binaries = binaries.map(|names| names.iter().map(|it| (*it).to_owned()).collect());
        (name.to_owned(), binaries)
    };
    assert_eq!(
        workspace.packages(),
        Some(vec![
            found("inline", None),
            found("off", Some(&[])),
            found("own", Some(&[])),
            found("renamed", Some(&["serve", "x"])),
            found("server", Some(&["migrate", "seed", "server"])),
        ])
    );
}

#[test]
fn packages_that_may_be_elsewhere_are_not_known() {
    let unnamed = Workspace::new("unnamed");
    // A package whose name is not understood.
    assert_eq!(unnamed.packages(), None);
    let outside = Workspace::new("members-outside");
    outside.file("package/Cargo.toml", "[package]\nname = \"own\"\n");
    assert!(outside.packages().is_some());
    let members = "[workspace]\nmembers = [\"package\", \"../outside\"]\n";
    outside.file("Cargo.toml", members);
    assert_eq!(outside.packages(), None);
    let item = quote!(
        struct Shop {
            #[service(bin(package = "nobody"), ready(running))]
            a: Service,
        }
    );
    assert!(composition(item, &outside.environment()).is_ok());
}
