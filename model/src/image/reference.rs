//! Image references, by the grammar of the distribution project (`[registry[:port]/]path[:tag][@digest]`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::message::invalid;

/// A reference to an image: registry, path, tag and digest.
///
/// Displays as it was written, without defaults.
///
/// ```
/// # use seatrial_model::ImageRef;
/// let image: ImageRef = "registry.example:5000/team/app:1.2".parse()?;
/// assert_eq!(image.registry(), Some("registry.example:5000"));
/// assert_eq!(image.path(), "team/app");
/// assert_eq!(image.tag(), Some("1.2"));
/// assert_eq!(image.to_string(), "registry.example:5000/team/app:1.2");
/// # Ok::<(), seatrial_model::image::ImageRefError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageRef {
    registry: Option<String>,
    path: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl ImageRef {
    /// Longest repository name (registry and path), from the distribution specification.
    const MAX_NAME: usize = 255;
    /// Longest tag, from the distribution specification.
    const MAX_TAG: usize = 128;

    /// Host and port of the registry, if the reference names one.
    pub fn registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// The repository's path in its registry, as written: `redis`, `library/redis`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The tag, if the reference names one.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if the reference names one: `sha256:..`.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// Registry and path, without tag and digest.
    pub fn repository(&self) -> String {
        match &self.registry {
            Some(registry) => format!("{registry}/{}", self.path),
            None => self.path.clone(),
        }
    }

    /// The reference for an engine: with the tag `latest` if it has neither tag nor digest.
    pub fn with_default_tag(&self) -> Self {
        let mut image = self.clone();
        if image.tag.is_none() && image.digest.is_none() {
            image.tag = Some("latest".to_owned());
        }
        image
    }

    /// The same image by its tag, `latest` if it has none, without the digest.
    ///
    /// ```
    /// # use seatrial_model::ImageRef;
    /// let digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    /// let image: ImageRef = format!("postgres:17@{digest}").parse()?;
    /// assert_eq!(image.without_digest().to_string(), "postgres:17");
    /// # Ok::<(), seatrial_model::image::ImageRefError>(())
    /// ```
    pub fn without_digest(&self) -> Self {
        let image = Self {
            digest: None,
            ..self.clone()
        };
        image.with_default_tag()
    }

    /// The same path, tag and digest in another registry; `library/` is added to an official image's path, as
    /// mirrors of Docker Hub expect it. `registry` may have a path behind it: `mirror.local:5000/hub`.
    ///
    /// ```
    /// # use seatrial_model::ImageRef;
    /// let image: ImageRef = "redis:7".parse()?;
    /// let mirrored = image.in_registry("mirror.example:5000/hub")?;
    /// assert_eq!(mirrored.to_string(), "mirror.example:5000/hub/library/redis:7");
    /// # Ok::<(), seatrial_model::image::ImageRefError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If `registry` does not begin with a registry's host, or the outcome is not an image reference.
    pub fn in_registry(&self, registry: &str) -> Result<Self, ImageRefError> {
        let official = self.is_on_docker_hub() && !self.path.contains('/');
        let path = if official {
            format!("library/{}", self.path)
        } else {
            self.path.clone()
        };
        let tag = self
            .tag
            .as_ref()
            .map(|tag| format!(":{tag}"))
            .unwrap_or_default();
        let digest = self
            .digest
            .as_ref()
            .map(|digest| format!("@{digest}"))
            .unwrap_or_default();
        let image: Self =
            format!("{}/{path}{tag}{digest}", registry.trim_end_matches('/')).parse()?;
        // Engines look for `mirror/library/redis` on Docker Hub, which the mirror must replace.
        if image.registry.is_none() {
            return Err(ImageRefError {
                text: registry.to_owned(),
                kind: ImageRefErrorKind::NoHost,
            });
        }
        Ok(image)
    }

    /// Whether it comes from Docker Hub: by name, or because it names no registry.
    pub fn is_on_docker_hub(&self) -> bool {
        matches!(
            self.registry.as_deref(),
            None | Some("docker.io" | "index.docker.io")
        )
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(registry) = &self.registry {
            write!(f, "{registry}/")?;
        }
        f.write_str(&self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl From<ImageRef> for String {
    fn from(image: ImageRef) -> Self {
        image.to_string()
    }
}

impl TryFrom<String> for ImageRef {
    type Error = ImageRefError;

    fn try_from(text: String) -> Result<Self, ImageRefError> {
        text.parse()
    }
}

impl FromStr for ImageRef {
    type Err = ImageRefError;

    fn from_str(text: &str) -> Result<Self, ImageRefError> {
        let error = |kind| ImageRefError {
            text: text.to_owned(),
            kind,
        };
        if text.is_empty() {
            return Err(error(ImageRefErrorKind::Empty));
        }
        if text.contains("://") {
            return Err(error(ImageRefErrorKind::Scheme));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
            Some(_) => return Err(error(ImageRefErrorKind::Digest)),
            None => (text, None),
        };
        // The tag's colon is after the last slash. Other colons belong to the registry: its port or its IPv6 address.
        let last = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[last..].find(':') {
            Some(_) if rest[last..].starts_with('[') => (rest, None),
            Some(colon) => (&rest[..last + colon], Some(&rest[last + colon + 1..])),
            None => (rest, None),
        };
        let (registry, path) = match name.split_once('/') {
            Some((first, path)) if looks_like_registry(first) => {
                if !is_registry(first) {
                    return Err(error(ImageRefErrorKind::Registry));
                }
                (Some(first.to_owned()), path)
            }
            _ => (None, name),
        };
        if path.is_empty() || path.starts_with('[') {
            return Err(error(ImageRefErrorKind::NoName));
        }
        if !path.split('/').all(is_path_component) {
            let lower = path.to_ascii_lowercase();
            return Err(error(if lower.split('/').all(is_path_component) {
                let before = name.len() - path.len();
                let corrected = format!("{}{lower}{}", &text[..before], &text[name.len()..]);
                ImageRefErrorKind::UpperCase { corrected }
            } else {
                ImageRefErrorKind::Path
            }));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(error(ImageRefErrorKind::Tag));
        }
        if name.len() > Self::MAX_NAME {
            return Err(error(ImageRefErrorKind::TooLong));
        }
        if registry.is_none() && is_hex(path, 64) {
            return Err(error(ImageRefErrorKind::Id));
        }
        Ok(Self {
            registry,
            path: path.to_owned(),
            tag: tag.map(str::to_owned),
            digest,
        })
    }
}

/// Whether the part before the first slash is a registry, rather than the first part of a path on Docker Hub. This is the
/// rule of engines. Upper case counts, too: a path has none.
fn looks_like_registry(first: &str) -> bool {
    first == "localhost"
        || first.contains(['.', ':', '['])
        || first.bytes().any(|b| b.is_ascii_uppercase())
}

/// Lower-case letters and digits, separated by one `.`, one or two `_`, or any number of `-`.
fn is_path_component(component: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    component.starts_with(alphanumeric)
        && component.ends_with(alphanumeric)
        && component
            .split(alphanumeric)
            .filter(|separator| !separator.is_empty())
            .all(|separator| {
                matches!(separator, "." | "_" | "__") || separator.bytes().all(|b| b == b'-')
            })
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=ImageRef::MAX_TAG).contains(&tag.len())
        && word(tag.as_bytes()[0])
        && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

/// Only algorithms that engines verify: the grammar allows more, but engines refuse them.
fn is_digest(digest: &str) -> bool {
    match digest.split_once(':') {
        Some(("sha256", hex)) => is_hex(hex, 64),
        Some(("sha384", hex)) => is_hex(hex, 96),
        Some(("sha512", hex)) => is_hex(hex, 128),
        _ => false,
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_registry(registry: &str) -> bool {
    if let Some(v6) = registry.strip_prefix('[') {
        // Neither zones nor dotted quads: engines refuse both.
        return v6.split_once(']').is_some_and(|(address, port)| {
            !address.contains('.')
                && address.parse::<std::net::Ipv6Addr>().is_ok()
                && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
        });
    }
    let (host, port) = match registry.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (registry, None),
    };
    port.is_none_or(is_port)
        && host.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Text that is not an image reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRefError {
    text: String,
    kind: ImageRefErrorKind,
}

impl ImageRefError {
    /// The error of a malformed tag.
    pub(super) fn tag(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            kind: ImageRefErrorKind::Tag,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum ImageRefErrorKind {
    Empty,
    Scheme,
    Registry,
    NoHost,
    NoName,
    Path,
    UpperCase { corrected: String },
    TooLong,
    Id,
    Tag,
    Digest,
}

impl fmt::Display for ImageRefError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        let reason = match &self.kind {
            ImageRefErrorKind::Empty => {
                return f.write_str("empty image reference: expected a name and a tag, such as \"redis:7\"");
            }
            ImageRefErrorKind::NoHost => {
                let reason = "it reads as a path; write its host with a dot or a port, such as \"mirror.example\" or \"mirror:5000\"";
                return f.write_str(&invalid("registry", text, reason));
            }
            ImageRefErrorKind::Scheme => {
                "a scheme is not supported; write it without, such as \"registry.example:5000/name:tag\"".to_owned()
            }
            ImageRefErrorKind::Registry => {
                "the registry is not a valid host name; write one such as \"registry.example:5000/name:tag\"".to_owned()
            }
            ImageRefErrorKind::NoName => {
                "missing name; write one such as \"redis:7\" or \"registry.example:5000/name:tag\"".to_owned()
            }
            ImageRefErrorKind::Path => {
                "expected lower-case letters, digits and single `.`, `_`, `-` or `/` between them, such as \"team/app:1.2\"".to_owned()
            }
            ImageRefErrorKind::UpperCase { corrected } => {
                format!("the name has upper-case letters; write \"{corrected}\"")
            }
            ImageRefErrorKind::TooLong => format!(
                "the name is too long; write at most {} characters before the tag",
                ImageRef::MAX_NAME
            ),
            ImageRefErrorKind::Id => {
                "an image id is unknown to registries; write a name, or \"name@sha256:\" and the registry's digest".to_owned()
            }
            ImageRefErrorKind::Tag => format!(
                "the tag is malformed; write 1 to {} letters, digits, `_`, `.` or `-` after the colon, such as \"redis:7.2\"",
                ImageRef::MAX_TAG
            ),
            ImageRefErrorKind::Digest => {
                "the digest is malformed; write \"name@sha256:\" and 64 lower-case hex digits".to_owned()
            }
        };
        f.write_str(&invalid("image reference", text, reason))
    }
}

impl std::error::Error for ImageRefError {}
