//! Image references, by the grammar of the distribution project (`[registry[:port]/]path[:tag][@digest]`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A reference to an image: where it is, what it is called, and which one of that name.
///
/// Displays as it was written: nothing is added that the user left out.
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

    /// Host and port of the registry, where the reference names one.
    pub fn registry(&self) -> Option<&str> {
        self.registry.as_deref()
    }

    /// The repository's path in its registry, as written: `redis`, `library/redis`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The tag, where the reference names one.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, where the reference names one: `sha256:..`.
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

    /// What an engine is asked for: as written, with the tag `latest` where neither tag nor digest is named.
    pub fn with_default_tag(&self) -> Self {
        let mut image = self.clone();
        if image.tag.is_none() && image.digest.is_none() {
            image.tag = Some("latest".to_owned());
        }
        image
    }

    /// The same path, tag and digest in another registry; `library/` is added to an official image's path, as
    /// mirrors of Docker Hub expect it. `registry` may have a path behind it: `mirror.local:5000/hub`.
    ///
    /// # Errors
    ///
    /// Where the outcome is no image reference.
    pub fn in_registry(&self, registry: &str) -> Result<Self, ImageRefError> {
        let path = match (&self.registry, self.path.contains('/')) {
            (None, false) => format!("library/{}", self.path),
            _ => self.path.clone(),
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
        format!("{}/{path}{tag}{digest}", registry.trim_end_matches('/')).parse()
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
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
            Some(_) => return Err(error(ImageRefErrorKind::Digest)),
            None => (text, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => {
                if !is_tag(tag) {
                    return Err(error(ImageRefErrorKind::Tag));
                }
                (name, Some(tag.to_owned()))
            }
            _ => (rest, None),
        };
        let (registry, path) = match name.split_once('/') {
            Some((first, path))
                if first.contains(['.', ':'])
                    || first == "localhost"
                    || first != first.to_lowercase() =>
            {
                if !is_registry(first) {
                    return Err(error(ImageRefErrorKind::Registry));
                }
                (Some(first.to_owned()), path)
            }
            _ => (None, name),
        };
        if path.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(error(ImageRefErrorKind::UpperCase));
        }
        if !path.split('/').all(is_path_component) {
            return Err(error(ImageRefErrorKind::Path));
        }
        if name.len() > Self::MAX_NAME {
            return Err(error(ImageRefErrorKind::TooLong));
        }
        Ok(Self {
            registry,
            path: path.to_owned(),
            tag,
            digest,
        })
    }
}

/// Lower-case letters and digits, separated by one `.`, one or two `_`, or any number of `-`.
fn is_path_component(component: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    if !alphanumeric(*first) || !alphanumeric(*last) {
        return false;
    }
    component
        .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
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

/// `algorithm:hex`, where the algorithms that registries know have their own length of hex.
fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else {
        return false;
    };
    let algorithm_fits = !algorithm.is_empty()
        && algorithm.split(['+', '.', '_', '-']).all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part.bytes().all(|b| b.is_ascii_alphanumeric())
        });
    let length_fits = match algorithm {
        "sha256" => hex.len() == 64,
        "sha384" => hex.len() == 96,
        "sha512" => hex.len() == 128,
        _ => hex.len() >= 32,
    };
    algorithm_fits
        && length_fits
        && hex
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn is_registry(registry: &str) -> bool {
    let (host, port) = match registry.strip_prefix('[') {
        Some(v6) => match v6.split_once(']') {
            Some((address, rest)) if address.parse::<std::net::Ipv6Addr>().is_ok() => {
                return rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
            }
            _ => return false,
        },
        None => match registry.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (registry, None),
        },
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

/// Text that is no image reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRefError {
    text: String,
    kind: ImageRefErrorKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ImageRefErrorKind {
    Empty,
    Registry,
    Path,
    UpperCase,
    TooLong,
    Tag,
    Digest,
}

impl fmt::Display for ImageRefError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        match self.kind {
            ImageRefErrorKind::Empty => f.write_str(
                "the image reference is empty; write a name and a tag such as \"redis:7\"",
            ),
            ImageRefErrorKind::Registry => write!(
                f,
                "the registry in `{text}` is no host name; write it as \"registry.example:5000/name:tag\""
            ),
            ImageRefErrorKind::Path => write!(
                f,
                "`{text}` is no image reference; write lower-case letters, digits and single `.`, `_`, `-` or `/` between them, such as \"team/app:1.2\""
            ),
            ImageRefErrorKind::UpperCase => write!(
                f,
                "the image name in `{text}` has upper-case letters; write \"{}\"",
                text.to_lowercase()
            ),
            ImageRefErrorKind::TooLong => write!(
                f,
                "the image name in `{text}` is too long; write at most {} characters before the tag",
                ImageRef::MAX_NAME
            ),
            ImageRefErrorKind::Tag => write!(
                f,
                "the tag in `{text}` is malformed; write at most {} letters, digits, `_`, `.` or `-` behind the colon, such as \"redis:7.2\"",
                ImageRef::MAX_TAG
            ),
            ImageRefErrorKind::Digest => write!(
                f,
                "the digest in `{text}` is malformed; write \"name@sha256:\" and 64 lower-case hex digits"
            ),
        }
    }
}

impl std::error::Error for ImageRefError {}
