//! Directories for the files of one test.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// A directory of a test's own, gone when dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// One whose name no other test of this process may have.
    ///
    /// # Panics
    ///
    /// Where it cannot be made.
    pub fn new(name: &str) -> Self {
        let name = format!("seatrial-scratch-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    /// Where something in it is.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }

    /// A file of so many bytes, no two parts of which are alike.
    ///
    /// # Panics
    ///
    /// Where it cannot be written.
    pub fn file(&self, name: &str, size: u64) -> PathBuf {
        let path = self.path(name);
        let mut file = BufWriter::new(File::create(&path).expect("a file"));
        for number in 0..size / 8 {
            file.write_all(&number.to_le_bytes()).expect("space");
        }
        file.flush().expect("space");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
