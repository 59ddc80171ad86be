//! The modules of one crate, and which file takes what from which.
//!
//! It reads paths, not meanings: `use` items, and `a::b` wherever it stands. A path that goes through a re-export counts for the file
//! that defines the item. Code that only tests have is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Item, UseTree};

/// How many re-exports a path may go through.
const HOPS_MAX: usize = 16;

/// Which file takes which names from which other.
pub(crate) type Dependencies = BTreeMap<(usize, usize), BTreeSet<String>>;

/// A crate's files.
pub(crate) struct CrateFiles {
    root: PathBuf,
    files: Vec<PathBuf>,
    modules: Vec<Module>,
}

#[derive(Default)]
struct Module {
    file: usize,
    parent: Option<usize>,
    children: BTreeMap<String, usize>,
    /// Names that it imports, with their paths.
    imports: BTreeMap<String, Vec<String>>,
    /// Modules of which it imports everything.
    globs: Vec<Vec<String>>,
    defines: BTreeSet<String>,
    /// Paths that its code has.
    uses: BTreeSet<Vec<String>>,
}

/// What a path leads to.
enum Target {
    Module(usize),
    /// An item that this module defines, and its name.
    Item(usize, String),
}

impl CrateFiles {
    /// Reads the crate whose root file this is.
    pub(crate) fn read(root: &Path) -> Self {
        let mut files = Self {
            root: root.parent().expect("it is in a directory").to_owned(),
            files: Vec::new(),
            modules: Vec::new(),
        };
        files.read_file(root, &files.root.clone(), None);
        files
    }

    /// A file's path in the crate.
    pub(crate) fn name(&self, file: usize) -> String {
        let path = &self.files[file];
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }

    /// Which file takes what from which other.
    pub(crate) fn dependencies(&self) -> Dependencies {
        let mut dependencies = Dependencies::new();
        for (from, module) in self.modules.iter().enumerate() {
            for path in module.imports.values().chain(&module.uses) {
                let Some(Target::Item(to, name)) = self.resolve(from, path, HOPS_MAX) else {
                    continue;
                };
                let ends = (module.file, self.modules[to].file);
                if ends.0 != ends.1 {
                    dependencies.entry(ends).or_default().insert(name);
                }
            }
        }
        dependencies
    }

    /// Reads a file whose submodules are in `directory`.
    fn read_file(&mut self, path: &Path, directory: &Path, parent: Option<usize>) -> usize {
        let source =
            fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let source =
            syn::parse_file(&source).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.files.push(path.to_owned());
        let file = self.files.len() - 1;
        self.read_items(source.items, file, directory, parent)
    }

    fn read_items(
        &mut self,
        items: Vec<Item>,
        file: usize,
        directory: &Path,
        parent: Option<usize>,
    ) -> usize {
        let this = self.modules.len();
        self.modules.push(Module {
            file,
            parent,
            ..Module::default()
        });
        for item in items {
            match item {
                Item::Mod(module) if !is_for_tests(&module.attrs) => {
                    let name = module.ident.to_string();
                    let below = directory.join(&name);
                    let child = match module.content {
                        Some((_, items)) => self.read_items(items, file, &below, Some(this)),
                        None => {
                            let beside = directory.join(format!("{name}.rs"));
                            let path = if beside.exists() {
                                beside
                            } else {
                                below.join("mod.rs")
                            };
                            self.read_file(&path, &below, Some(this))
                        }
                    };
                    self.modules[this].children.insert(name, child);
                }
                Item::Use(item) if !is_for_tests(&item.attrs) => {
                    self.modules[this].import(&item.tree, &mut Vec::new());
                }
                Item::Mod(_) | Item::Use(_) => {}
                item => {
                    let module = &mut self.modules[this];
                    module.defines.extend(defined(&item));
                    if !attributes(&item).is_some_and(is_for_tests) {
                        module.read_paths(item.to_token_stream());
                    }
                }
            }
        }
        this
    }

    /// What a path in a module leads to; nothing where it leaves the crate.
    fn resolve(&self, from: usize, path: &[String], hops: usize) -> Option<Target> {
        let hops = hops.checked_sub(1)?;
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => 0,
            "self" => from,
            "super" => self.modules[from].parent?,
            name => return self.member(from, name, rest, hops),
        };
        while let Some(("super", after)) = rest
            .split_first()
            .map(|(first, after)| (first.as_str(), after))
        {
            at = self.modules[at].parent?;
            rest = after;
        }
        match rest.split_first() {
            Some((name, after)) => self.member(at, name, after, hops),
            None => Some(Target::Module(at)),
        }
    }

    /// What `name` and the path behind it are in a module.
    fn member(&self, module: usize, name: &str, rest: &[String], hops: usize) -> Option<Target> {
        let hops = hops.checked_sub(1)?;
        let Module {
            children,
            imports,
            globs,
            defines,
            ..
        } = &self.modules[module];
        if defines.contains(name) {
            return Some(Target::Item(module, name.to_owned()));
        }
        let found = if let Some(child) = children.get(name) {
            Target::Module(*child)
        } else if let Some(path) = imports.get(name).filter(|path| path[..] != [name]) {
            self.resolve(module, path, hops)?
        } else {
            return globs
                .iter()
                .find_map(|glob| match self.resolve(module, glob, hops)? {
                    Target::Module(other) => self.member(other, name, rest, hops),
                    Target::Item(..) => None,
                });
        };
        match (found, rest.split_first()) {
            (Target::Module(inner), Some((name, rest))) => self.member(inner, name, rest, hops),
            (found, _) => Some(found),
        }
    }
}

impl Module {
    fn import(&mut self, tree: &UseTree, path: &mut Vec<String>) {
        match tree {
            UseTree::Path(part) => {
                path.push(part.ident.to_string());
                self.import(&part.tree, path);
                path.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, path);
                }
            }
            UseTree::Name(name) if name.ident == "self" => {
                if let Some(last) = path.last() {
                    self.imports.insert(last.clone(), path.clone());
                }
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                let whole = path.iter().cloned().chain([name.clone()]).collect();
                self.imports.insert(name, whole);
            }
            UseTree::Rename(rename) => {
                let whole = path
                    .iter()
                    .cloned()
                    .chain([rename.ident.to_string()])
                    .collect();
                // `as _` has no name, and is used all the same.
                let name = match rename.rename.to_string() {
                    name if name == "_" => format!("_{}", rename.ident),
                    name => name,
                };
                self.imports.insert(name, whole);
            }
            UseTree::Glob(_) => self.globs.push(path.clone()),
        }
    }

    /// Notes every `a::b` in the code, also in the arguments of macros.
    fn read_paths(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        // How many colons have come since the last name.
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.note(&mut path);
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && colons < 2 => colons += 1,
                TokenTree::Group(group) => {
                    self.note(&mut path);
                    colons = 0;
                    self.read_paths(group.stream());
                }
                _ => {
                    self.note(&mut path);
                    colons = 0;
                }
            }
        }
        self.note(&mut path);
    }

    fn note(&mut self, path: &mut Vec<String>) {
        if path.len() > 1 {
            self.uses.insert(path.clone());
        }
        path.clear();
    }
}

/// The name that an item has in its module.
fn defined(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        _ => return None,
    };
    Some(name.to_string())
}

fn attributes(item: &Item) -> Option<&[Attribute]> {
    Some(match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        _ => return None,
    })
}

/// Whether only tests, or fuzzing, have what these attributes are on.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .any(|attribute| {
            let condition = attribute.to_token_stream().to_string();
            condition.contains("test") && !condition.contains("not")
        })
}
