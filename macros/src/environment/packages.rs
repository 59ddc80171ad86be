//! The packages of a workspace and their binaries, found by their manifests. A scan of lines, not a reader of TOML: what it does not
//! understand is not known, and cargo reads it at the latest when it builds.

use std::fs;
use std::path::{Path, PathBuf};

/// How many directories are looked at. A tree with more is not a workspace alone.
const DIRECTORIES: usize = 20_000;

/// A package of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The names of its binaries, sorted. `None` if they are not known for certain.
    pub(crate) binaries: Option<Vec<String>>,
}

/// The packages in the workspace with this root. `None` if there may be others.
pub(super) fn below(root: &Path) -> Option<Vec<Package>> {
    let workspace = fs::read_to_string(root.join("Cargo.toml")).ok()?;
    if ["\"../", "'../"]
        .iter()
        .any(|outside| workspace.contains(outside))
    {
        return None;
    }
    let mut packages = Vec::new();
    let mut directories = vec![root.to_owned()];
    let mut looked_at = 0;
    while let Some(directory) = directories.pop() {
        looked_at += 1;
        if looked_at > DIRECTORIES {
            return None;
        }
        if let Ok(text) = fs::read_to_string(directory.join("Cargo.toml")) {
            let manifest = Manifest::parse(&text);
            if manifest.is_workspace && directory != root {
                continue;
            }
            if manifest.is_package {
                packages.push(manifest.package(&directory)?);
            }
        }
        directories.extend(subdirectories(&directory));
    }
    Some(packages)
}

/// The directories in this one that may have packages of the workspace.
fn subdirectories(directory: &Path) -> Vec<PathBuf> {
    let is_looked_at = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let is_skipped = name == "target" || name.as_encoded_bytes().starts_with(b".");
        !is_skipped && entry.file_type().is_ok_and(|kind| kind.is_dir())
    };
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let entries = entries.filter(is_looked_at);
    entries.map(|entry| entry.path()).collect()
}

/// What a manifest says about packages and binaries.
#[derive(Default)]
struct Manifest {
    is_workspace: bool,
    is_package: bool,
    name: Option<String>,
    autobins_off: bool,
    binaries: Vec<Binary>,
    /// Binaries are declared in a way that is not understood.
    is_unclear: bool,
}

/// A `[[bin]]`.
#[derive(Default)]
struct Binary {
    name: Option<String>,
    path: Option<String>,
}

impl Manifest {
    fn parse(text: &str) -> Self {
        let mut manifest = Self::default();
        let mut table = "";
        for line in text.lines().map(without_comment) {
            if line.starts_with('[') {
                table = line;
                manifest.begin(table);
            } else if let Some((key, value)) = line.split_once('=') {
                manifest.entry(table, key.trim(), value.trim());
            }
        }
        manifest
    }

    fn begin(&mut self, table: &str) {
        match table {
            "[package]" => self.is_package = true,
            "[[bin]]" => self.binaries.push(Binary::default()),
            _ if table == "[workspace]" || table.starts_with("[workspace.") => {
                self.is_workspace = true;
            }
            _ => {}
        }
    }

    fn entry(&mut self, table: &str, key: &str, value: &str) {
        match (table, key) {
            ("[package]", "name") => self.name = string(value),
            ("[package]", "autobins") => self.autobins_off = value == "false",
            ("[[bin]]", "name") => self.bin(|bin| bin.name = string(value)),
            ("[[bin]]", "path") => self.bin(|bin| bin.path = string(value)),
            ("", "bin") => self.is_unclear = true,
            // An inline table, or a dotted key.
            ("", _) if key == "package" || key.starts_with("package.") => self.is_package = true,
            _ => {}
        }
    }

    fn bin(&mut self, change: impl FnOnce(&mut Binary)) {
        if let Some(bin) = self.binaries.last_mut() {
            change(bin);
        }
    }

    /// The package in this directory. `None` if its name is not known.
    fn package(&self, directory: &Path) -> Option<Package> {
        let name = self.name.clone()?;
        let binaries = self.binaries(&name, directory);
        Some(Package { name, binaries })
    }

    fn binaries(&self, package: &str, directory: &Path) -> Option<Vec<String>> {
        if self.is_unclear {
            return None;
        }
        let mut names = Vec::new();
        for bin in &self.binaries {
            names.push(bin.name.clone()?);
        }
        if !self.autobins_off {
            let is_declared = |path: &str| {
                let mut declared = self.binaries.iter();
                declared.any(|bin| bin.path.as_deref() == Some(path))
            };
            let found = found(package, directory).into_iter();
            let found = found.filter(|(_, path)| !is_declared(path));
            names.extend(found.map(|(name, _)| name));
        }
        names.sort();
        names.dedup();
        Some(names)
    }
}

/// The binaries that cargo finds in a package's directory: name, and path from there.
fn found(package: &str, directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut add = |name: &str, path: String| {
        if directory.join(&path).is_file() {
            found.push((name.to_owned(), path));
        }
    };
    add(package, "src/main.rs".to_owned());
    let entries = fs::read_dir(directory.join("src/bin"));
    for entry in entries.into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        match name.strip_suffix(".rs") {
            Some(stem) => add(stem, format!("src/bin/{name}")),
            None => add(name, format!("src/bin/{name}/main.rs")),
        }
    }
    found
}

/// A line of a manifest as far as its comment. A `#` in a string ends it, too, which no name or path has.
fn without_comment(line: &str) -> &str {
    line.split('#').next().unwrap_or_default().trim()
}

/// A string without escapes.
fn string(value: &str) -> Option<String> {
    let quoted = ['"', '\''].iter().find_map(|quote| {
        let inner = value.strip_prefix(*quote)?.strip_suffix(*quote)?;
        (!inner.contains([*quote, '\\'])).then_some(inner)
    });
    quoted.map(str::to_owned)
}
