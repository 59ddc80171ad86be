use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// A directory with checkouts in it, gone when dropped.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("seatrial-workspace-{}-{count}", std::process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a directory");
        Self(path.canonicalize().expect("it is there"))
    }

    fn file(&self, path: &str, text: &str) -> PathBuf {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(&path, text).expect("a file");
        path
    }

    /// A workspace with the package `shop` in `crates/shop`.
    fn checkout(&self, name: &str) -> PathBuf {
        self.file(&format!("{name}/Cargo.toml"), "[workspace]\n");
        let manifest = "[package]\nname = \"shop\"\n";
        self.file(&format!("{name}/crates/shop/Cargo.toml"), manifest);
        self.0.join(name)
    }

    /// The package, compiled in that checkout.
    fn shop(&self, checkout: &str) -> Package {
        let directory = self.0.join(checkout).join("crates/shop");
        Package {
            name: "shop",
            directory: directory.to_str().expect("plain").to_owned().leak(),
            in_workspace: "crates/shop",
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

type Variables = BTreeMap<&'static str, PathBuf>;

/// A process somewhere else, with these variables.
fn surroundings(variables: Variables) -> Surroundings<impl Fn(&str) -> Option<OsString>> {
    Surroundings {
        variables: move |name: &str| variables.get(name).map(|value| value.clone().into()),
        directory: Some("/".into()),
        executable: None,
    }
}

/// What cargo says to the tests of `shop` in that checkout.
fn by_cargo(checkout: &Path) -> Variables {
    BTreeMap::from([
        ("CARGO_PKG_NAME", "shop".into()),
        ("CARGO_MANIFEST_DIR", checkout.join("crates/shop")),
    ])
}

#[test]
fn what_cargo_says_wins_over_what_was_compiled_in() {
    let place = Place::new();
    let (old, new) = (place.checkout("old"), place.checkout("new"));
    let shop = place.shop("old");
    for (now, variables) in [(&old, by_cargo(&old)), (&new, by_cargo(&new))] {
        let seen = surroundings(variables);
        assert_eq!(&seen.root(Some(&shop), None), now);
        assert_eq!(&seen.root(None, Some(&shop)), now);
        assert_eq!(seen.directory(shop, now), now.join("crates/shop"));
    }
}

#[test]
fn a_declaration_of_another_package_is_of_the_same_tree() {
    let place = Place::new();
    let (old, new) = (place.checkout("old"), place.checkout("new"));
    let manifest = "[package]\nname = \"fleet\"\n";
    for checkout in ["old", "new"] {
        place.file(&format!("{checkout}/fleet/Cargo.toml"), manifest);
    }
    let elsewhere = place.file("elsewhere/Cargo.toml", manifest);
    let fleet = |directory: &Path, in_workspace| Package {
        name: "fleet",
        directory: directory.to_str().expect("plain").to_owned().leak(),
        in_workspace,
    };
    let seen = surroundings(by_cargo(&new));
    let of_workspace = fleet(&old.join("fleet"), "fleet");
    assert_eq!(seen.directory(of_workspace, &new), new.join("fleet"));
    // That of another workspace stays where it is.
    let directory = elsewhere.parent().expect("a directory");
    let of_another = fleet(directory, "");
    assert_eq!(seen.directory(of_another, &new), directory);
}

#[test]
fn nextest_names_a_root_that_no_manifest_does() {
    let place = Place::new();
    // Its members are the path dependencies of the package at the root.
    place.file("tree/Cargo.toml", "[package]\nname = \"ship\"\n");
    place.file(
        "tree/crates/shop/Cargo.toml",
        "[package]\nname = \"shop\"\n",
    );
    let (tree, shop) = (place.0.join("tree"), place.shop("tree"));
    let mut variables = by_cargo(&tree);
    variables.insert("NEXTEST_WORKSPACE_ROOT", tree.clone());
    assert_eq!(
        surroundings(variables.clone()).root(Some(&shop), None),
        tree
    );
    // A cargo that one of its tests starts says something else.
    let copy = place.checkout("copy");
    variables.extend(by_cargo(&copy));
    assert_eq!(surroundings(variables).root(Some(&shop), None), copy);
}

#[test]
fn without_a_word_of_cargos_it_is_where_it_was_compiled_wherever_it_is_run() {
    let place = Place::new();
    let (old, other) = (place.checkout("old"), place.checkout("other"));
    place.file("project/Cargo.toml", "[workspace]\n");
    let shop = place.shop("old");
    for directory in ["project", "other", "nowhere"] {
        let seen = Surroundings {
            directory: Some(place.0.join(directory)),
            executable: Some(other.join("target/debug/deps/shop")),
            ..surroundings(Variables::new())
        };
        assert_eq!(seen.root(Some(&shop), None), old);
        assert_eq!(seen.root(None, Some(&shop)), old);
    }
    // The variables may be those of a program of another workspace, which has started it.
    let mut variables = by_cargo(&place.0.join("project"));
    variables.insert("CARGO_PKG_NAME", "project".into());
    assert_eq!(surroundings(variables).root(Some(&shop), None), old);
}

#[test]
fn a_checkout_that_was_moved_is_found_by_the_working_directory_or_the_executable() {
    let place = Place::new();
    let new = place.checkout("new");
    let shop = place.shop("gone");
    let nowhere = surroundings(Variables::new());
    let in_it = Surroundings {
        directory: Some(new.clone()),
        ..surroundings(Variables::new())
    };
    let of_it = Surroundings {
        executable: Some(new.join("target/debug/deps/shop")),
        ..surroundings(Variables::new())
    };
    for seen in [in_it, of_it] {
        assert_eq!(seen.root(Some(&shop), None), new);
        assert_eq!(seen.directory(shop, &new), new.join("crates/shop"));
    }
    assert_eq!(nowhere.root(Some(&shop), None), Path::new("/"));
}

#[test]
fn a_binary_is_where_the_harness_says() {
    let place = Place::new();
    let (old, new) = (place.checkout("old"), place.checkout("new"));
    let shop = place.shop("old");
    let compiled = place.file("old/target/debug/shop", "");
    let (by_nextest_at, by_cargo_at) = (place.file("nextest", ""), place.file("cargo", ""));
    let found = |variables, root: &Path| {
        let seen = surroundings(variables);
        seen.binary(shop, "shop", &compiled, root)
    };
    let mut variables = by_cargo(&new);
    variables.insert("CARGO_BIN_EXE_shop", by_cargo_at.clone());
    assert_eq!(found(variables.clone(), &new), Ok(by_cargo_at.clone()));
    variables.insert("NEXTEST_BIN_EXE_shop", by_nextest_at.clone());
    variables.insert("NEXTEST_WORKSPACE_ROOT", new.clone());
    assert_eq!(found(variables.clone(), &new), Ok(by_nextest_at));
    // A cargo that a test of nextest's starts has another tree.
    variables.insert("NEXTEST_WORKSPACE_ROOT", old.clone());
    assert_eq!(found(variables.clone(), &new), Ok(by_cargo_at));
    // What is said of another package's binary is not of this one's.
    variables.insert("CARGO_PKG_NAME", "other".into());
    assert_eq!(found(variables, &old), Ok(compiled.clone()));
    // Older ones say nothing.
    assert_eq!(found(by_cargo(&old), &old), Ok(compiled));
}

#[test]
fn a_binary_that_is_not_there_or_of_another_tree_is_told() {
    let place = Place::new();
    let (old, new) = (place.checkout("old"), place.checkout("new"));
    let shop = place.shop("old");
    let compiled = place.file("old/target/debug/shop", "");
    let says = |error: Error, parts: &[&str]| {
        let text = error.to_string();
        for part in parts {
            assert!(text.contains(part), "`{part}` is not in {text}");
        }
    };
    let text = |path: &Path| path.display().to_string();

    let gone = place.0.join("gone");
    let mut variables = by_cargo(&new);
    variables.insert("CARGO_BIN_EXE_shop", gone.clone());
    let error = surroundings(variables).binary(shop, "shop", &compiled, &new);
    let (now, was) = (text(&gone), text(&compiled));
    let not_at = format!("the binary `shop` is not at `{now}`");
    let was_at = format!("compiled with it at `{was}`");
    says(
        error.expect_err("it is gone"),
        &[&not_at, &was_at, "help: build the tests again"],
    );

    let seen = || surroundings(by_cargo(&new));
    let error = seen().binary(shop, "shop", &compiled, &new);
    let stale = format!(
        "the binary `shop` at `{was}` may not be that of the tree at `{}",
        text(&new)
    );
    says(
        error.expect_err("it is stale"),
        &[&stale, "help: build the tests again in this tree"],
    );
    // Unless it is beside the executable that runs.
    let beside = place.file("moved/debug/shop", "");
    let seen = Surroundings {
        executable: Some(place.0.join("moved/debug/deps/tests")),
        ..seen()
    };
    assert_eq!(seen.binary(shop, "shop", &compiled, &new), Ok(beside));

    fs::remove_file(&compiled).expect("it was there");
    let error = surroundings(by_cargo(&old)).binary(shop, "shop", &compiled, &old);
    let not_at = format!("the binary `shop` is not at `{was}`");
    says(
        error.expect_err("it is gone"),
        &[&not_at, "help: build the tests again"],
    );
}
