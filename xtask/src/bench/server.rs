//! The image of the server that `lag` needs: it is imported before the scenario and removed after it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::api::Api;

/// As the contenders name it. By such a name the leftovers would find it.
const REPOSITORY: &str = "localhost/seatrial-bench-server";
const TAG: &str = "1";

/// The image, which is removed when this is dropped.
pub(super) struct ServerImage<'a> {
    api: &'a Api,
}

impl<'a> ServerImage<'a> {
    /// Makes an image that has nothing but the executable, as `/server`.
    ///
    /// # Errors
    ///
    /// Where the engine refuses it.
    pub(super) fn import(api: &'a Api, executable: &Path) -> Result<Self> {
        let path = format!("/images/create?fromSrc=-&repo={REPOSITORY}&tag={TAG}");
        let (status, body) = api.post(&path, "application/x-tar", &archive(executable)?)?;
        // An error may come after the status.
        ensure!(
            status == 200 && !body.contains("\"error\""),
            "the engine answers {path} with {status}: {}",
            body.trim()
        );
        Ok(Self { api })
    }
}

impl Drop for ServerImage<'_> {
    fn drop(&mut self) {
        let path = format!("/images/{REPOSITORY}:{TAG}");
        match self.api.delete(&path) {
            Ok((200 | 404, _)) => {}
            Ok((status, body)) => {
                println!(
                    "the engine answers DELETE {path} with {status}: {}",
                    body.trim()
                );
            }
            Err(error) => println!("cannot remove the image {REPOSITORY}:{TAG}: {error:#}"),
        }
    }
}

/// An archive of the executable alone.
fn archive(executable: &Path) -> Result<Vec<u8>> {
    let content =
        fs::read(executable).with_context(|| format!("cannot read {}", executable.display()))?;
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o755);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, "server", content.as_slice())?;
    Ok(archive.into_inner()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_image_has_one_file_which_can_be_executed() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let archive = archive(&source).unwrap();
        let mut archive = tar::Archive::new(archive.as_slice());
        let mut files = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            let mode = entry.header().mode().unwrap();
            files.push((entry.path_bytes().into_owned(), mode, content));
        }
        let expected = fs::read_to_string(&source).unwrap();
        assert_eq!(files, [(b"server".to_vec(), 0o755, expected)]);
    }
}
