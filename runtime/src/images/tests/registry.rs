//! A registry on loopback: Debian's `docker-registry`, with images laid straight into its storage, behind a proxy that
//! sees every request and can break connections.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::proxy::Proxy;
use super::unique;

/// The one account of a registry that wants one, and its password as bcrypt.
pub(super) const USER: &str = "sea";
pub(super) const PASSWORD: &str = "sea-trial-password";
const HTPASSWD: &str = "sea:$2y$05$olh6zMgkp27IULY2iSj6LO6DWEs14hVCNBNoS3iBaRMaMUoQThIBG\n";

/// A registry that runs; ended and removed with the value.
pub(super) struct Registry {
    directory: PathBuf,
    process: Child,
    pub(super) proxy: Proxy,
}

impl Registry {
    /// One that everybody may pull from.
    pub(super) fn open() -> Self {
        Self::start(false)
    }

    /// One that wants [`USER`] and [`PASSWORD`].
    pub(super) fn guarded() -> Self {
        Self::start(true)
    }

    fn start(guarded: bool) -> Self {
        let directory = std::env::temp_dir().join(unique());
        fs::create_dir(&directory).expect("a directory");
        let at = directory.display();
        // On a Unix socket, so that no port has to be guessed.
        let mut config = format!(
            "version: 0.1\n\
             log: {{ level: info }}\n\
             storage: {{ filesystem: {{ rootdirectory: {at}/storage }} }}\n\
             http: {{ net: unix, addr: {at}/socket, secret: test }}\n"
        );
        if guarded {
            fs::write(directory.join("htpasswd"), HTPASSWD).expect("a file");
            config.push_str(&format!(
                "auth: {{ htpasswd: {{ realm: test, path: {at}/htpasswd }} }}\n"
            ));
        }
        fs::write(directory.join("config.yml"), config).expect("a file");
        let mut command = Command::new("docker-registry");
        command
            .arg("serve")
            .arg(directory.join("config.yml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // SAFETY: prctl is safe to call between fork and exec, and takes no memory here.
        unsafe {
            command.pre_exec(|| {
                // A test that is killed must not leave it behind.
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        let mut process = match command.spawn() {
            Ok(process) => process,
            Err(error) => {
                let _ = fs::remove_dir_all(&directory);
                panic!(
                    "`docker-registry` cannot be started ({error}); run `cargo xtask test`, which installs it"
                );
            }
        };
        let mut lines = BufReader::new(process.stderr.take().expect("a pipe")).lines();
        let mut said = String::new();
        loop {
            let line = match lines.next() {
                Some(line) => line.expect("the registry's log is text"),
                None => panic!("the registry ended:\n{said}"),
            };
            said.push_str(&line);
            said.push('\n');
            if line.contains("listening on") {
                break;
            }
        }
        // It must not be stopped by a pipe that is full.
        std::thread::spawn(move || lines.for_each(drop));
        let proxy = Proxy::start(directory.join("socket"));
        Self {
            directory,
            process,
            proxy,
        }
    }

    /// Host and port.
    pub(super) fn host(&self) -> String {
        self.proxy.address.to_string()
    }

    /// Puts an image into the registry: one layer with a file of `size` bytes that no other image has. Returns its digest.
    pub(super) fn add(&self, name: &str, tag: &str, arch: &str, size: usize) -> String {
        let layer = layer(size);
        let layer_digest = self.blob(&layer);
        // The layer is not compressed, so that its digest is that of its content.
        let config = format!(
            r#"{{"architecture":"{arch}","os":"linux","config":{{"Cmd":["/file"]}},"rootfs":{{"type":"layers","diff_ids":["{layer_digest}"]}},"history":[{{"created_by":"test"}}]}}"#
        );
        let config_digest = self.blob(config.as_bytes());
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{{"mediaType":"application/vnd.docker.container.image.v1+json","size":{},"digest":"{config_digest}"}},"layers":[{{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":{},"digest":"{layer_digest}"}}]}}"#,
            config.len(),
            layer.len(),
        );
        let manifest_digest = self.blob(manifest.as_bytes());
        let repository = self.repository(name);
        for digest in [&layer_digest, &config_digest] {
            link(&repository.join("_layers/sha256").join(hex(digest)), digest);
        }
        let manifests = repository.join("_manifests");
        let hex = hex(&manifest_digest);
        link(
            &manifests.join("revisions/sha256").join(hex),
            &manifest_digest,
        );
        let tag = manifests.join("tags").join(tag);
        link(&tag.join("current"), &manifest_digest);
        link(&tag.join("index/sha256").join(hex), &manifest_digest);
        manifest_digest
    }

    /// How often that tag was asked for. Engines ask for its digest first, for its manifest, or for both in turn.
    pub(super) fn fetches(&self, name: &str, tag: &str) -> usize {
        let requests = self.proxy.requests();
        let count = |method: &str| {
            let wanted = format!("{method} /v2/{name}/manifests/{tag} ");
            requests
                .iter()
                .filter(|line| line.starts_with(&wanted))
                .count()
        };
        count("HEAD").max(count("GET"))
    }

    fn repository(&self, name: &str) -> PathBuf {
        let storage = self.directory.join("storage/docker/registry/v2");
        storage.join("repositories").join(name)
    }

    /// Stores the content and returns its digest.
    fn blob(&self, content: &[u8]) -> String {
        let digest = format!("sha256:{}", sha256(content));
        let hex = hex(&digest);
        let blobs = self.directory.join("storage/docker/registry/v2/blobs");
        let blob = blobs.join("sha256").join(&hex[..2]).join(hex);
        fs::create_dir_all(&blob).expect("a directory");
        fs::write(blob.join("data"), content).expect("a file");
        digest
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        fs::remove_dir_all(&self.directory).expect("the registry's files can be removed");
    }
}

/// A tar with one file whose content begins with a name that nobody else uses.
fn layer(size: usize) -> Vec<u8> {
    let mut content = unique().into_bytes();
    let mut state: u32 = 1;
    while content.len() < size {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        content.extend(state.to_le_bytes());
    }
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o755);
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_data(&mut header, "file", content.as_slice())
        .expect("a tar in memory");
    tar.into_inner().expect("a tar in memory")
}

fn link(directory: &Path, digest: &str) {
    fs::create_dir_all(directory).expect("a directory");
    fs::write(directory.join("link"), digest).expect("a file");
}

fn hex(digest: &str) -> &str {
    digest.trim_start_matches("sha256:")
}

/// By the program that every system has: a registry's storage needs it, the product does not.
fn sha256(content: &[u8]) -> String {
    let mut process = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("`sha256sum` can be started");
    let mut input = process.stdin.take().expect("a pipe");
    input.write_all(content).expect("it reads");
    drop(input);
    let output = process.wait_with_output().expect("it ends");
    let text = String::from_utf8(output.stdout).expect("it writes text");
    text.split_whitespace().next().expect("a sum").to_owned()
}
