//! Runs the body of a fuzz target on what is in the repository for it. The tests of the crates that have bodies include
//! this file.

use std::path::Path;

/// Runs `body` on the target's seeds (`corpus/`) and on every input that it once failed for (`findings/`).
pub(crate) fn replay(target: &str, body: fn(&[u8])) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let mut seeds = 0;
    for kind in ["corpus", "findings"] {
        let directory = root.join(kind).join(target);
        // Not every target has findings.
        for input in std::fs::read_dir(directory).into_iter().flatten() {
            let path = input.expect("a directory that can be listed").path();
            // Shown where the body panics.
            println!("{}", path.display());
            body(&std::fs::read(&path).expect("a file that can be read"));
            seeds += usize::from(kind == "corpus");
        }
    }
    assert!(seeds > 0, "`{target}` has no seeds in fuzz/corpus");
}
