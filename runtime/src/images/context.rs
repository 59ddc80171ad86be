//! A build context: a directory, packed as a tar. The same content gives the same bytes, wherever and whenever it was checked out.
//!
//! It is never in memory as a whole: it is read once for its fingerprint, and again if it must be sent. What changes in between is
//! an error, or an image would be taken for one of other content.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use futures_util::stream;
use tokio::sync::mpsc;

use super::ignore::Ignore;
use crate::engine::{EngineError, EngineErrorKind, Parts};
use crate::fingerprint::Fingerprint;

/// The time of every packed file, 1980-01-02. The times of a checkout differ between machines, and some archive formats have no
/// earlier time.
const TIME: u64 = 315_619_200;

/// How many bytes are passed on at once.
const CHUNK: usize = 1 << 18;

/// A directory as the context of a build.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) directory: PathBuf,
    /// The Dockerfile's path in it.
    pub(super) dockerfile: String,
    /// Files that get another content, by their paths in it.
    pub(super) replaced: BTreeMap<String, Vec<u8>>,
}

/// What is known of a context that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) fingerprint: String,
    /// In bytes.
    pub(super) size: u64,
}

impl Context {
    /// Reads everything in it. Blocks.
    ///
    /// # Errors
    ///
    /// Something cannot be read; the message has its path.
    pub(super) fn summary(&self) -> Result<Summary, String> {
        let mut sum = Sum::new(io::sink());
        self.pack(&mut sum)?;
        Ok(sum.summary())
    }

    /// Packs it as a tar, on a thread of its own. The tar ends with an error if it is not the one that `expected` is of.
    pub(super) fn stream(self, expected: Summary) -> Parts<Vec<u8>> {
        let (parts, mut taken) = mpsc::channel(2);
        let failed = parts.clone();
        let work = move || {
            let sender = Sender {
                held: Vec::with_capacity(CHUNK),
                parts,
            };
            if let Err(message) = self.write(sender, &expected) {
                // The receiver is gone if nobody needs the context any more.
                let _ = failed.blocking_send(Err(EngineError {
                    kind: EngineErrorKind::Failed,
                    attempt: "read the build context".to_owned(),
                    message,
                }));
            }
        };
        std::thread::Builder::new()
            .name("seatrial-context".to_owned())
            .spawn(work)
            .expect("the system starts a thread");
        Box::pin(stream::poll_fn(move |context| taken.poll_recv(context)))
    }

    /// Writes it as a tar.
    ///
    /// # Errors
    ///
    /// It is not the one that `expected` is of, or cannot be read or written.
    pub(super) fn write(&self, to: impl Write, expected: &Summary) -> Result<(), String> {
        let mut sum = Sum::new(to);
        self.pack(&mut sum)?;
        if sum.summary() != *expected {
            return Err(format!(
                "{} changed while it was sent to the engine; run the tests again, or name what changes in its `.dockerignore`",
                self.directory.display()
            ));
        }
        sum.to.flush().map_err(|error| error.to_string())
    }

    fn pack(&self, to: &mut impl Write) -> Result<(), String> {
        let mut packer = Packer {
            context: self,
            ignore: self.ignore(),
            tar: tar::Builder::new(to),
        };
        packer.directory(&mut Vec::new())?;
        packer
            .tar
            .into_inner()
            .map(drop)
            .map_err(|error| format!("cannot pack {}: {error}", self.directory.display()))
    }

    /// The patterns of the Dockerfile's own file, or of the directory's.
    fn ignore(&self) -> Ignore {
        let own = format!("{}.dockerignore", self.dockerfile);
        let mut texts = [&*own, IGNORE]
            .into_iter()
            .map(|name| std::fs::read_to_string(self.directory.join(name)));
        match texts.find_map(Result::ok) {
            Some(text) => Ignore::parse(&text),
            None => Ignore::default(),
        }
    }
}

/// The file whose patterns are left out.
const IGNORE: &str = ".dockerignore";

/// Passes bytes on, and keeps their fingerprint and number.
struct Sum<W> {
    to: W,
    fingerprint: Fingerprint,
    size: u64,
}

impl<W> Sum<W> {
    fn new(to: W) -> Self {
        Self {
            to,
            fingerprint: Fingerprint::new(),
            size: 0,
        }
    }

    fn summary(&self) -> Summary {
        Summary {
            fingerprint: self.fingerprint.finish(),
            size: self.size,
        }
    }
}

impl<W: Write> Write for Sum<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.fingerprint.write_all(&bytes[..written])?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Sends what is written, in larger pieces.
struct Sender {
    held: Vec<u8>,
    parts: mpsc::Sender<Result<Vec<u8>, EngineError>>,
}

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend(bytes);
        if self.held.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let part = std::mem::replace(&mut self.held, Vec::with_capacity(CHUNK));
        self.parts
            .blocking_send(Ok(part))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

struct Packer<'a, W: Write> {
    context: &'a Context,
    ignore: Ignore,
    tar: tar::Builder<W>,
}

impl<W: Write> Packer<'_, W> {
    /// Packs the content of the directory with that path below the root.
    fn directory(&mut self, path: &mut Vec<String>) -> Result<(), String> {
        let directory = self.context.directory.join(path.join("/"));
        let failed = |error: io::Error| format!("cannot read {}: {error}", directory.display());
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&directory).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            names.push(name.into_string().map_err(|name| {
                format!(
                    "the name {} in {} is not UTF-8",
                    name.display(),
                    directory.display()
                )
            })?);
        }
        names.sort();
        for name in names {
            path.push(name);
            let result = self.entry(path);
            path.pop();
            result?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &mut Vec<String>) -> Result<(), String> {
        let name = path.join("/");
        let source = self.context.directory.join(&name);
        let failed = |error: io::Error| format!("cannot read {}: {error}", source.display());
        let metadata = std::fs::symlink_metadata(&source).map_err(failed)?;
        // The engine needs the Dockerfile and `.dockerignore`, even if `.dockerignore` excludes them.
        let needed = name == self.context.dockerfile || name == IGNORE;
        let components: Vec<&str> = path.iter().map(String::as_str).collect();
        let left_out = self.ignore.leaves_out(&components) && !needed;
        let mut header = tar::Header::new_gnu();
        header.set_mtime(TIME);
        header.set_uid(0);
        header.set_gid(0);
        if metadata.is_dir() {
            let wanted_within = self.context.dockerfile.starts_with(&format!("{name}/"));
            if left_out && !self.ignore.has_exceptions() && !wanted_within {
                return Ok(());
            }
            if !left_out {
                header.set_entry_type(tar::EntryType::Directory);
                header.set_mode(0o755);
                header.set_size(0);
                self.tar
                    .append_data(&mut header, &name, io::empty())
                    .map_err(failed)?;
            }
            return self.directory(path);
        }
        if left_out {
            return Ok(());
        }
        if metadata.is_symlink() {
            let target = std::fs::read_link(&source).map_err(failed)?;
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_mode(0o777);
            header.set_size(0);
            return self
                .tar
                .append_link(&mut header, &name, target)
                .map_err(failed);
        }
        if !metadata.is_file() {
            // A build cannot use sockets and pipes.
            return Ok(());
        }
        // Version control keeps only whether a file is executable. The rest depends on the umask of the checkout.
        let executable = metadata.permissions().mode() & 0o100 != 0;
        header.set_mode(if executable { 0o755 } else { 0o644 });
        if let Some(content) = self.context.replaced.get(&name) {
            header.set_size(content.len() as u64);
            return self
                .tar
                .append_data(&mut header, &name, content.as_slice())
                .map_err(failed);
        }
        let size = metadata.len();
        header.set_size(size);
        let mut content = std::fs::File::open(&source).map_err(failed)?.take(size);
        self.tar
            .append_data(&mut header, &name, &mut content)
            .map_err(failed)?;
        match content.limit() {
            0 => Ok(()),
            _ => Err(format!("{} changed while it was read", source.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use futures_util::StreamExt;

    use super::*;

    /// A context in a directory of its own, which is removed at the end.
    struct Files(Context);

    impl Files {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let name = format!("seatrial-context-{}-{name}", std::process::id());
            let directory = std::env::temp_dir().join(name);
            for (path, content) in files {
                let path = directory.join(path);
                fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
                fs::write(path, content).expect("a file");
            }
            Self(Context {
                directory,
                dockerfile: "Dockerfile".to_owned(),
                replaced: BTreeMap::new(),
            })
        }

        /// The content that is packed, by path.
        fn packed(&self) -> BTreeMap<String, String> {
            let mut bytes = Vec::new();
            self.0.pack(&mut bytes).expect("it can be read");
            let mut archive = tar::Archive::new(&*bytes);
            let entries = archive.entries().expect("an archive").map(|entry| {
                let mut entry = entry.expect("an entry");
                let path = entry.path().expect("a path").display().to_string();
                let mut content = String::new();
                entry.read_to_string(&mut content).expect("text");
                (path, content)
            });
            entries.collect()
        }
    }

    impl Drop for Files {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0.directory);
        }
    }

    #[test]
    fn a_dockerfiles_own_patterns_come_before_those_of_the_directory() {
        let files = [
            ("Dockerfile", "FROM scratch"),
            ("a", "1"),
            ("b", "2"),
            (".dockerignore", "a\n"),
        ];
        let mut context = Files::new("patterns", &files);
        context.0.replaced = [("b".to_owned(), b"3".to_vec())].into();
        let packed = context.packed();
        let paths: Vec<&str> = packed.keys().map(String::as_str).collect();
        assert_eq!(paths, [".dockerignore", "Dockerfile", "b"]);
        assert_eq!(packed["b"], "3");
        let own = context.0.directory.join("Dockerfile.dockerignore");
        fs::write(own, "b\nDockerfile\n").expect("a file");
        let paths: Vec<String> = context.packed().into_keys().collect();
        let expected = [
            ".dockerignore",
            "Dockerfile",
            "Dockerfile.dockerignore",
            "a",
        ];
        assert_eq!(paths, expected);
    }

    #[tokio::test]
    async fn what_is_sent_is_what_was_read() {
        let large = "x".repeat(3 * CHUNK);
        let files = [("Dockerfile", "FROM scratch"), ("large", &*large)];
        let context = Files::new("sent", &files);
        let summary = context.0.summary().expect("it can be read");
        let parts: Vec<_> = context.0.clone().stream(summary.clone()).collect().await;
        let parts: Result<Vec<_>, _> = parts.into_iter().collect();
        let sent = parts.expect("nothing has changed").concat();
        assert_eq!(sent.len() as u64, summary.size);
        let mut bytes = Vec::new();
        context.0.pack(&mut bytes).expect("it can be read");
        assert!(sent == bytes);

        fs::write(context.0.directory.join("large"), "y").expect("a file");
        let parts: Vec<_> = context.0.clone().stream(summary).collect().await;
        let error = parts.last().expect("an end").clone();
        let message = error.expect_err("it has changed").message;
        assert!(message.contains("changed while it was sent"), "{message}");
    }
}
