//! How the files of the crates depend on each other: no two files need each other, directly or through others.

mod circles;
mod crate_files;

use std::path::Path;

use crate_files::CrateFiles;

#[test]
fn no_file_depends_on_a_file_that_depends_on_it() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests are in the workspace");
    let mut found = Vec::new();
    for root in [
        "model/src/lib.rs",
        "macros/src/lib.rs",
        "runtime/src/lib.rs",
        "xtask/src/main.rs",
    ] {
        let files = CrateFiles::read(&workspace.join(root));
        let dependencies = files.dependencies();
        assert!(dependencies.len() > 10, "{root} was not read");
        for circle in circles::of(dependencies.keys().copied()) {
            let mut lines = vec![format!(
                "{} files below {root} depend on each other:",
                circle.len()
            )];
            for (&(from, to), names) in &dependencies {
                if circle.contains(&from) && circle.contains(&to) {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    let [from, to] = [from, to].map(|file| files.name(file));
                    lines.push(format!("  {from} -> {to}: {}", names.join(", ")));
                }
            }
            found.push(lines.join("\n"));
        }
    }
    assert!(
        found.is_empty(),
        "move what both files need into a third one below them\n{}",
        found.join("\n")
    );
}
