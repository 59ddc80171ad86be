//! A declaration as the user wrote it: each value parsed by its own grammar, with its span, and no name resolved yet.
//!
//! A malformed value is absent here, and the report has its error. Where the absence would look like another mistake, a
//! stand-in or a flag takes its place.

use std::time::Duration;

use proc_macro2::Span;
use seatrial_model::placeholder::RawTemplate;
use seatrial_model::{
    Artifact, Build, EnvVar, HostEntry, ImageTemplate, MountMode, Protocol, Pull, Scope, Source,
    Template, Timing, Ulimit,
};
use syn::{Expr, Ident, Type};

/// A value and its place in the source.
#[derive(Clone, Debug)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<T> Spanned<T> {
    pub(crate) fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// Text with placeholders.
pub(crate) type Text = Spanned<RawTemplate>;

/// `NAME = ..` in `env(..)`.
pub(crate) type Variable = Spanned<(String, Text)>;

/// The services of one struct, or those declared on one test's parameters.
pub(crate) struct Declaration {
    /// The struct's name, or the function's.
    pub(crate) name: String,
    pub(crate) settings: Settings,
    pub(crate) services: Vec<Service>,
}

/// `#[composition(..)]`.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) scope: ScopeSyntax,
    /// Spanned by its key.
    pub(crate) keep: Option<Spanned<Duration>>,
    pub(crate) source: Option<Spanned<Source>>,
    pub(crate) runtime_crate: Option<syn::Path>,
}

/// A field or parameter with its `#[service(..)]` or `#[job(..)]`.
pub(crate) struct Service {
    /// The field's or parameter's name.
    pub(crate) ident: Ident,
    /// The declaration is malformed as a whole: the report has the error, and nothing that is missing here is another one.
    pub(crate) unreadable: bool,
    /// A declared port is malformed, so the ports are not known.
    pub(crate) ports_unknown: bool,
    /// A malformed argument may stand for a check.
    pub(crate) checks_unknown: bool,
    pub(crate) origins: Vec<Spanned<OriginSyntax>>,
    pub(crate) base: Option<Spanned<Option<ImageTemplate>>>,
    pub(crate) scope: ScopeSyntax,
    /// Spanned by its key.
    pub(crate) keep: Option<Spanned<Duration>>,
    pub(crate) ports: Vec<Spanned<seatrial_model::Port>>,
    pub(crate) env: Vec<Variable>,
    pub(crate) command: Option<Vec<Text>>,
    pub(crate) entrypoint: Option<Vec<Text>>,
    pub(crate) user: Option<String>,
    pub(crate) workdir: Option<String>,
    pub(crate) tmpfs: Vec<Spanned<seatrial_model::Tmpfs>>,
    pub(crate) volumes: Vec<Spanned<seatrial_model::Volume>>,
    pub(crate) mounts: Vec<MountSyntax>,
    pub(crate) files: Vec<Spanned<FileSyntax>>,
    pub(crate) labels: Vec<Spanned<(String, String)>>,
    pub(crate) hosts: Vec<Spanned<HostEntry>>,
    pub(crate) memory: Option<u64>,
    pub(crate) shm_size: Option<u64>,
    pub(crate) ulimits: Vec<Spanned<Ulimit>>,
    pub(crate) sysctls: Vec<Spanned<(String, String)>>,
    pub(crate) cap_add: Vec<String>,
    pub(crate) privileged: bool,
    pub(crate) platform: Option<String>,
    pub(crate) stop_signal: Option<String>,
    pub(crate) pull: Pull,
    pub(crate) needs: Vec<Ident>,
    pub(crate) checks: Vec<Spanned<CheckSyntax>>,
    pub(crate) timing: Timing,
    pub(crate) setups: Vec<SetupSyntax>,
    pub(crate) source: Option<Spanned<Source>>,
    /// Set if it is a job.
    pub(crate) job: Option<JobSyntax>,
}

impl Service {
    /// A service that declares nothing yet.
    pub(crate) fn new(ident: Ident) -> Self {
        Self {
            ident,
            unreadable: false,
            ports_unknown: false,
            checks_unknown: false,
            origins: Vec::new(),
            base: None,
            scope: ScopeSyntax::default(),
            keep: None,
            ports: Vec::new(),
            env: Vec::new(),
            command: None,
            entrypoint: None,
            user: None,
            workdir: None,
            tmpfs: Vec::new(),
            volumes: Vec::new(),
            mounts: Vec::new(),
            files: Vec::new(),
            labels: Vec::new(),
            hosts: Vec::new(),
            memory: None,
            shm_size: None,
            ulimits: Vec::new(),
            sysctls: Vec::new(),
            cap_add: Vec::new(),
            privileged: false,
            platform: None,
            stop_signal: None,
            pull: Pull::default(),
            needs: Vec::new(),
            checks: Vec::new(),
            timing: Timing::default(),
            setups: Vec::new(),
            source: None,
            job: None,
        }
    }

    /// A service whose declaration is malformed; the report has the error.
    pub(crate) fn unreadable(ident: Ident) -> Self {
        Self {
            unreadable: true,
            ports_unknown: true,
            checks_unknown: true,
            scope: ScopeSyntax::Unreadable,
            ..Self::new(ident)
        }
    }

    /// The images that it asks to be built. More than one is a mistake.
    pub(crate) fn builds(&self) -> impl Iterator<Item = &BuildSyntax> {
        let origins = self.origins.iter();
        origins.filter_map(|origin| match &origin.value {
            OriginSyntax::Build(build) => Some(build),
            OriginSyntax::Image(_)
            | OriginSyntax::Bin(_)
            | OriginSyntax::PackageBin(_)
            | OriginSyntax::Unreadable => None,
        })
    }

    /// The binaries of named packages that it asks for. More than one is a mistake.
    pub(crate) fn package_binaries(&self) -> impl Iterator<Item = &PackageBinSyntax> {
        let origins = self.origins.iter();
        origins.filter_map(|origin| match &origin.value {
            OriginSyntax::PackageBin(bin) => Some(bin),
            OriginSyntax::Image(_)
            | OriginSyntax::Bin(_)
            | OriginSyntax::Build(_)
            | OriginSyntax::Unreadable => None,
        })
    }

    /// The name that placeholders and `needs(..)` use.
    pub(crate) fn field(&self) -> String {
        use syn::ext::IdentExt;
        self.ident.unraw().to_string()
    }
}

/// What only a job has.
#[derive(Default)]
pub(crate) struct JobSyntax {
    pub(crate) artifacts: Vec<Spanned<Artifact>>,
}

/// How long an instance lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ScopeSyntax {
    /// Not given.
    #[default]
    Absent,
    Known(Scope),
    /// Malformed; the report has the error.
    Unreadable,
}

impl ScopeSyntax {
    /// This scope, or the other if this one is not given.
    pub(crate) fn or(self, other: Self) -> Self {
        match self {
            Self::Absent => other,
            Self::Known(_) | Self::Unreadable => self,
        }
    }
}

/// The origin of a container.
pub(crate) enum OriginSyntax {
    Image(ImageTemplate),
    /// A binary of the declaring package.
    Bin(String),
    PackageBin(PackageBinSyntax),
    Build(BuildSyntax),
    /// Malformed; the report has the error.
    Unreadable,
}

/// `bin(package = "..", ..)`.
pub(crate) struct PackageBinSyntax {
    pub(crate) package: Spanned<String>,
    /// Without it, the binary has the package's name, as cargo's default is.
    pub(crate) name: Option<Spanned<String>>,
}

impl PackageBinSyntax {
    /// The binary's name.
    pub(crate) fn binary(&self) -> &str {
        &self.name.as_ref().unwrap_or(&self.package).value
    }
}

/// `build = ".."` or `build(..)`.
pub(crate) struct BuildSyntax {
    pub(crate) context: Spanned<String>,
    pub(crate) dockerfile: Option<Spanned<String>>,
    pub(crate) target: Option<Spanned<String>>,
    /// The text of each has no other placeholders than variables of the environment.
    pub(crate) args: Vec<Spanned<(String, Template)>>,
}

impl BuildSyntax {
    pub(crate) fn plan(&self) -> Build {
        let value = |text: &Spanned<String>| text.value.clone();
        let dockerfile = self.dockerfile.as_ref().map(value);
        Build {
            context: value(&self.context),
            dockerfile: dockerfile.unwrap_or_else(|| Build::DOCKERFILE.to_owned()),
            target: self.target.as_ref().map(value),
            args: self
                .args
                .iter()
                .map(|arg| EnvVar {
                    name: arg.value.0.clone(),
                    value: arg.value.1.clone(),
                })
                .collect(),
        }
    }
}

/// `"from" = "at"` in `mount(..)`.
pub(crate) struct MountSyntax {
    pub(crate) from: Spanned<String>,
    pub(crate) at: Spanned<String>,
    pub(crate) mode: MountMode,
}

/// `"at" = ..` in `files(..)`.
pub(crate) struct FileSyntax {
    pub(crate) at: String,
    pub(crate) content: FileContentSyntax,
}

/// The content of a file.
pub(crate) enum FileContentSyntax {
    Text(Text),
    /// `include_file!("path")`.
    Included(Spanned<String>),
}

/// A readiness check.
pub(crate) enum CheckSyntax {
    /// Without ports: all ports of the service.
    Tcp(Vec<Spanned<PortChoice>>),
    Log {
        text: String,
        times: u32,
    },
    Http {
        path: String,
        status: Option<u16>,
        port: Option<Spanned<PortChoice>>,
    },
    Protocol(Protocol, Option<Spanned<PortChoice>>),
    Exec(Vec<Text>),
    Healthcheck,
    Running,
    Probe {
        image: ImageTemplate,
        command: Vec<Text>,
    },
    Hook(syn::Path),
}

/// `setup(..)`.
pub(crate) struct SetupSyntax {
    pub(crate) name: Option<Spanned<String>>,
    /// `None` if it is malformed.
    pub(crate) kind: Option<SetupKindSyntax>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) env: Vec<Variable>,
    /// Unread: it goes into the generated code as it is.
    pub(crate) key: Option<Expr>,
}

/// The kind of a setup.
pub(crate) enum SetupKindSyntax {
    Exec(Vec<Text>),
    Container {
        image: ImageTemplate,
        command: Vec<Text>,
    },
    Hook(syn::Path),
}

/// A declared port, by number or by name.
#[derive(Clone, Debug)]
pub(crate) enum PortChoice {
    Number(u16),
    Name(String),
}

/// Whether a type is written with this name, whatever the name stands for.
pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    let Type::Path(path) = ty else {
        return false;
    };
    let last = path.path.segments.last();
    last.is_some_and(|segment| segment.ident == name && segment.arguments.is_none())
}
