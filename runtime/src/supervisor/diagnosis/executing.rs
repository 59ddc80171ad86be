//! Why a container cannot run its executable, from the messages of the engine, the kernel, a loader or a shell, and
//! from the executable itself. Reads files of containers. Must not change anything.

mod refusal;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use seatrial_model::{Origin, Source, Template};

use self::refusal::{Loading, Refusal};
use super::finding::Finding;
use super::target::Target;
use crate::executable::{Executable, HEAD};
use crate::images::go_name;
use crate::supervisor::head::{self, Head};
use crate::supervisor::links::Links;
use crate::supervisor::spec;
use crate::visible::quoted;

/// Why a container could not be started, by the engine's message, or why it ended with this exit code and these last
/// lines. `None` if they are not about an executable.
pub(super) async fn finding(target: Target<'_>, symptom: Symptom<'_>) -> Option<Finding> {
    let subject = Subject {
        target,
        image: image(target),
    };
    let refusal = match symptom {
        Symptom::Refusal(refusal) => refusal::refusal(refusal),
        Symptom::Log(log, code) => {
            if let Some(loading) = refusal::loading(log) {
                return Some(subject.loading(&loading));
            }
            refusal::in_log(log, code)
        }
    };
    subject.refused(refusal?).await
}

/// The evidence.
#[derive(Clone, Copy, Debug)]
pub(super) enum Symptom<'a> {
    /// The message of an engine that could not start the container.
    Refusal(&'a str),
    /// The last lines and the exit code of a container that ended.
    Log(&'a [String], Option<i64>),
}

/// The image as the declaration or the configuration has it.
fn image(target: Target<'_>) -> String {
    match &target.service().origin {
        Origin::Image(image) => image.to_string(),
        Origin::Bin {
            base: Some(base), ..
        } => base.to_string(),
        Origin::Bin { base: None, .. } => target.base.to_string(),
        Origin::Build(build) => build.file(),
    }
}

/// The service of the executable, and where to look for it.
struct Subject<'a> {
    target: Target<'a>,
    image: String,
}

impl Subject<'_> {
    /// A name from outside that may be shown.
    fn shown(&self, name: &str) -> String {
        quoted(self.target.redactor, name)
    }

    fn is_bin(&self) -> bool {
        matches!(self.target.service().origin, Origin::Bin { .. })
    }

    /// The binary of the package that is mounted at a path of the container: its name, and its path on this machine.
    fn binary(&self, path: &str) -> Option<(&str, &Path)> {
        let Origin::Bin { name, binding, .. } = &self.target.service().origin else {
            return None;
        };
        let is_own = path == spec::binary_path(name);
        is_own.then(|| (&**name, &*self.target.launch.binaries[*binding]))
    }

    fn file(&self, path: &str) -> String {
        match self.binary(path) {
            Some((name, _)) => format!("the binary `{name}`"),
            None => format!("`{}`", self.shown(path)),
        }
    }

    /// The key of the declaration that names this executable.
    fn key(&self, name: &str) -> Option<&'static str> {
        let service = self.target.service();
        let is_part_of_shell = |character: char| {
            character.is_whitespace() || matches!(character, ';' | '|' | '&' | '(' | ')')
        };
        let names = |words: &Option<Vec<Template>>| {
            let words = words.iter().flatten();
            let mut words =
                words.map(|word| spec::render(self.target.launch, self.target.index, word));
            words.next().is_some_and(|first| first == name)
                || words.any(|word| word.split(is_part_of_shell).any(|part| part == name))
        };
        if names(&service.entrypoint) {
            Some("entrypoint")
        } else if names(&service.command) {
            Some(self.command_key())
        } else {
            None
        }
    }

    /// The key that a declaration has for the command.
    fn command_key(&self) -> &'static str {
        match self.target.service().job {
            Some(_) => "run",
            None => "command",
        }
    }

    async fn refused(&self, refusal: Refusal<'_>) -> Option<Finding> {
        match refusal {
            // A shell also reports a missing file if the file's interpreter is missing.
            Refusal::Missing(name) if name.starts_with('/') => match self.head(name).await {
                Some(head) => self.not_runnable(name, Executable::read(&head)).await,
                None => Some(self.missing(name)),
            },
            Refusal::Missing(name) => Some(self.missing(name)),
            Refusal::Denied(path) => Some(self.denied(path)),
            Refusal::Directory(path) => Some(Finding {
                cause: format!(
                    "{} in the image `{}` is a directory",
                    self.file(path),
                    self.image
                ),
                next_step: Some(format!(
                    "name a file in `{}` or `entrypoint`",
                    self.command_key()
                )),
            }),
            Refusal::NotRunnable(path) => match self.head(path).await {
                Some(head) => self.not_runnable(path, Executable::read(&head)).await,
                None => Some(self.missing(path)),
            },
            Refusal::Format(path) => {
                let head = self.head(path).await?;
                self.format(path, &Executable::read(&head))
            }
            Refusal::Interpreter(name) if name.contains("\\r") || name.contains('\r') => {
                Some(carriage_return("a script"))
            }
            Refusal::Interpreter(name) => Some(Finding {
                cause: format!(
                    "the image `{}` has no `{}`, which the first line of a script names behind `env`",
                    self.image,
                    self.shown(name)
                ),
                next_step: Some(
                    "name an interpreter that the image has, or use an image that has this one"
                        .to_owned(),
                ),
            }),
        }
    }

    fn missing(&self, name: &str) -> Finding {
        let shown = self.shown(name);
        let help = match self.key(name) {
            Some(key) if name.contains(char::is_whitespace) => format!(
                "this is read as one word; write all words as one string, `{key} = \"..\"`, or each word separately in the list"
            ),
            Some(key) => format!(
                "name an executable that the image has in `{key}`, or use an image that has this one; a program of this package runs with `bin = \"..\"`"
            ),
            None => {
                "the declaration does not name it; check what runs it, or use an image that has it"
                    .to_owned()
            }
        };
        Finding {
            cause: format!("the image `{}` has no executable `{shown}`", self.image),
            next_step: Some(help),
        }
    }

    fn denied(&self, path: &str) -> Finding {
        let shown = self.shown(path);
        let service = self.target.service();
        let who = match spec::user(self.target.launch, service) {
            Some(user) => format!(" for the user `{user}`"),
            None => String::new(),
        };
        let help = match self.on_this_machine(path) {
            Some(here) => format!("run `chmod +x {}`", here.display()),
            None => {
                let key = self.key(path).unwrap_or("command");
                format!(
                    "make it executable where the image is built (`chmod +x`), or name what runs it: `{key} = \"sh {shown}\"`"
                )
            }
        };
        Finding {
            cause: format!("`{shown}` in the container is not executable{who}"),
            next_step: Some(help),
        }
    }

    /// The path on this machine of a mounted file.
    fn on_this_machine(&self, path: &str) -> Option<PathBuf> {
        let launch = self.target.launch;
        let service = self.target.service();
        let source = match &service.source {
            Source::Mounted { from, at, .. } => {
                let from = from.as_ref().map(|from| launch.package_dir.join(from));
                Some((at, from.unwrap_or_else(|| launch.workspace.clone())))
            }
            Source::None => None,
        };
        let mounts = service.mounts.iter();
        let mounts = mounts.map(|mount| (&mount.at, launch.package_dir.join(&mount.from)));
        mounts.chain(source).find_map(|(at, from)| {
            let below = Path::new(path).strip_prefix(at).ok()?;
            match below.as_os_str().is_empty() {
                true => Some(from),
                false => Some(from.join(below)),
            }
        })
    }

    /// The kernel reports a missing file that exists, so its interpreter or loader is missing.
    async fn not_runnable(&self, path: &str, executable: Executable) -> Option<Finding> {
        let file = self.file(path);
        let image = &self.image;
        let (cause, help) = match executable {
            Executable::Elf {
                loader: Some(loader),
                ..
            } => {
                if self.head(&loader).await.is_some() {
                    return None;
                }
                let shown = self.shown(&loader);
                (
                    format!("the image `{image}` has no `{shown}`, for which {file} is linked"),
                    self.loader_help(&loader),
                )
            }
            Executable::Script { interpreter, .. } if interpreter.ends_with('\r') => {
                return Some(carriage_return(&file));
            }
            Executable::Script { interpreter, .. } => {
                if self.head(&interpreter).await.is_some() {
                    return None;
                }
                let shown = self.shown(&interpreter);
                (
                    format!(
                        "the image `{image}` has no `{shown}`, which the first line of {file} names"
                    ),
                    "name an interpreter that the image has in that line, or use an image that has this one"
                        .to_owned(),
                )
            }
            Executable::Elf { loader: None, .. } | Executable::Unknown => return None,
        };
        Some(Finding {
            cause,
            next_step: Some(help),
        })
    }

    fn loader_help(&self, loader: &str) -> String {
        let name = loader.rsplit('/').next().unwrap_or(loader);
        let (library, image) = if name.starts_with("ld-musl") {
            ("musl", "alpine:3")
        } else if name.starts_with("ld-linux") || name.starts_with("ld64.so") {
            ("glibc", "debian:bookworm-slim")
        } else {
            return "use an image that has it, or link the executable statically".to_owned();
        };
        match (self.is_bin(), library) {
            (true, "glibc") => format!(
                "choose a base with {library}, such as `base = \"{image}\"`, or build for a musl target, whose binaries are linked statically"
            ),
            (true, _) => format!(
                "choose a base with {library}, such as `base = \"{image}\"`, or link the binary statically: `-C target-feature=+crt-static`"
            ),
            (false, _) => format!(
                "use an image with {library}, such as one that is built on `{image}`, or link the executable statically"
            ),
        }
    }

    fn format(&self, path: &str, executable: &Executable) -> Option<Finding> {
        let file = self.file(path);
        let runs = go_name(&self.target.engine.info().arch);
        match executable {
            Executable::Elf {
                arch: Some(arch), ..
            } if *arch != runs => Some(Finding {
                cause: format!("{file} is for linux/{arch}, and this engine runs linux/{runs}"),
                next_step: Some(match self.is_bin() {
                    true => format!(
                        "build the tests for linux/{runs}, or use an engine that runs linux/{arch}"
                    ),
                    false => format!(
                        "use an image for linux/{runs}, or have the engine's machine emulate linux/{arch} (binfmt_misc)"
                    ),
                }),
            }),
            Executable::Unknown => {
                let key = self.key(path).unwrap_or("command");
                let shown = self.shown(path);
                Some(Finding {
                    cause: format!(
                        "{file} is neither a program for Linux nor a script that names its interpreter"
                    ),
                    next_step: Some(format!(
                        "begin a script with `#!/bin/sh`, or name what runs it: `{key} = \"sh {shown}\"`"
                    )),
                })
            }
            Executable::Elf { .. } | Executable::Script { .. } => None,
        }
    }

    fn loading(&self, loading: &Loading<'_>) -> Finding {
        let image = &self.image;
        let file = |path: Option<&str>| match path {
            Some(path) => self.file(path),
            None => "the executable".to_owned(),
        };
        match *loading {
            Loading::Old { version, by } => {
                let library = match version.starts_with("GLIBCXX") || version.starts_with("CXXABI")
                {
                    true => "C++ library",
                    false => "C library",
                };
                let (file, version) = (file(by), self.shown(version));
                Finding {
                    cause: format!(
                        "the {library} of the image `{image}` is older than the one that {file} was built with: it has no `{version}`"
                    ),
                    next_step: Some(match self.is_bin() {
                        true => "choose a newer image with `base = \"..\"` (or `base` in seatrial.toml), or build for a musl target, \
                                 whose binaries are linked statically"
                            .to_owned(),
                        false => "use a newer image, or build the executable in one as old as this".to_owned(),
                    }),
}
            }
            Loading::Missing { library, by } => {
                let (file, library) = (file(by), self.shown(library));
                Finding {
                    cause: format!("the image `{image}` has no `{library}`, which {file} is linked with"),
                    next_step: Some(match self.is_bin() {
                        true => "choose an image that has this library with `base = \"..\"`, such as one of your own in which its \
                                 package is installed, or link the library statically"
                            .to_owned(),
                        false => "install the library's package where the image is built".to_owned(),
                    }),
}
            }
        }
    }

    /// The beginning of a file in the container, with links followed. `None` if it does not exist or is not a file.
    async fn head(&self, path: &str) -> Option<Vec<u8>> {
        if let Some((_, here)) = self.binary(path) {
            let mut head = Vec::new();
            let file = std::fs::File::open(here).ok()?;
            file.take(HEAD as u64).read_to_end(&mut head).ok()?;
            return Some(head);
        }
        let links = Links {
            engine: self.target.engine,
            container: self.target.container,
            image: None,
        };
        let real = links.real(Path::new(path)).await;
        match head::read(
            self.target.engine,
            self.target.container,
            real.to_str()?,
            HEAD,
        )
        .await
        {
            Head::Entry(entry) if entry.header.entry_type().is_file() => Some(entry.content),
            _ => None,
        }
    }
}

fn carriage_return(file: &str) -> Finding {
    Finding {
        cause: format!(
            "the first line of {file} ends with a carriage return, which counts as a part of the interpreter's name"
        ),
        next_step: Some(
            "write the script with the line ends of Unix: `\\n`, not `\\r\\n`".to_owned(),
        ),
    }
}
