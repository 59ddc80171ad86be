//! The meaning of image names: the canonical spelling, substitutions, and mirrors.

use std::collections::BTreeMap;

use seatrial_model::ImageRef;

/// The registry of names without one.
pub(super) const HUB: &str = "docker.io";

/// The registry's host and port.
pub(super) fn registry(image: &ImageRef) -> &str {
    match image.registry() {
        None | Some("index.docker.io" | "registry-1.docker.io") => HUB,
        Some(registry) => registry,
    }
}

/// The canonical spelling of an image's name: `redis`, `redis:latest` and `docker.io/library/redis` are the same image.
pub(super) fn canonical(image: &ImageRef) -> String {
    let registry = registry(image);
    let library = match image.path().contains('/') {
        false if registry == HUB => "library/",
        _ => "",
    };
    let mut name = format!("{registry}/{library}{}", image.path());
    if let Some(tag) = image.with_default_tag().tag() {
        name = format!("{name}:{tag}");
    }
    if let Some(digest) = image.digest() {
        name = format!("{name}@{digest}");
    }
    name
}

/// The entry for an image, in any spelling.
pub(super) fn find<'a, T>(image: &ImageRef, entries: &'a BTreeMap<ImageRef, T>) -> Option<&'a T> {
    let wanted = canonical(image);
    entries
        .iter()
        .find(|(name, _)| canonical(name) == wanted)
        .map(|(_, entry)| entry)
}

/// The image to use instead of this one, by the most specific entry: the entry for exactly this image, or for its digest, or for
/// its name and tag, or for its repository. The entry for a repository keeps the tag and the digest, unless it names its own.
pub(super) fn substitute(
    image: &ImageRef,
    substitutions: &BTreeMap<ImageRef, ImageRef>,
) -> ImageRef {
    if let Some(other) = find(image, substitutions) {
        return other.clone();
    }
    let repository = |image: &ImageRef| -> Option<String> {
        let repository: ImageRef = image.repository().parse().ok()?;
        Some(canonical(&repository))
    };
    let wanted = repository(image);
    let of_repository = |fits: &dyn Fn(&ImageRef) -> bool| {
        let mut entries = substitutions.iter();
        entries
            .find(|(name, _)| fits(name) && repository(name) == wanted)
            .map(|(_, other)| other)
    };
    if image.digest().is_some() {
        let with_digest = of_repository(&|name| name.digest() == image.digest());
        let with_tag = || {
            let tag = image.tag()?;
            of_repository(&|name| name.tag() == Some(tag) && name.digest().is_none())
        };
        if let Some(other) = with_digest.or_else(with_tag) {
            return other.clone();
        }
    }
    match of_repository(&|name| name.tag().is_none() && name.digest().is_none()) {
        Some(other) if other.tag().is_some() || other.digest().is_some() => other.clone(),
        Some(other) => {
            let tag = image.tag().map(|tag| format!(":{tag}"));
            let digest = image.digest().map(|digest| format!("@{digest}"));
            format!(
                "{}{}{}",
                other.repository(),
                tag.unwrap_or_default(),
                digest.unwrap_or_default()
            )
            .parse()
            .unwrap_or_else(|_| other.clone())
        }
        None => image.clone(),
    }
}

/// The image in each mirror of its registry, in order.
pub(super) fn mirrored(image: &ImageRef, mirrors: &BTreeMap<String, Vec<String>>) -> Vec<ImageRef> {
    let image = image.with_default_tag();
    // A mirror of Docker Hub knows `library/redis`, even if the declaration says `docker.io/redis`.
    let bare = match image.registry() {
        Some(name) if registry(&image) == HUB => image
            .to_string()
            .strip_prefix(&format!("{name}/"))
            .and_then(|rest| rest.parse().ok())
            .unwrap_or_else(|| image.clone()),
        _ => image.clone(),
    };
    mirrors
        .get(registry(&image))
        .into_iter()
        .flatten()
        .filter_map(|mirror| bare.in_registry(mirror).ok())
        .collect()
}

/// The argument of `docker login` for a registry. Empty for Docker Hub.
pub(super) fn login_argument(registry: &str) -> String {
    match registry {
        HUB => String::new(),
        registry => format!(" {registry}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(text: &str) -> ImageRef {
        text.parse().expect("a reference")
    }

    #[test]
    fn spellings_of_one_image_are_one() {
        for same in [
            "redis",
            "redis:latest",
            "library/redis",
            "docker.io/redis",
            "index.docker.io/library/redis:latest",
        ] {
            assert_eq!(canonical(&image(same)), "docker.io/library/redis:latest");
        }
        assert_eq!(
            canonical(&image("localhost:5000/redis:7")),
            "localhost:5000/redis:7"
        );
    }

    #[test]
    fn a_substitution_is_exact_or_for_a_repository() {
        let substitutions = [
            ("postgres:15", "team/pg:custom"),
            ("postgres", "mirror.example/pg"),
            ("redis", "team/redis:7"),
        ]
        .map(|(name, other)| (image(name), image(other)))
        .into();
        let substituted = |name| substitute(&image(name), &substitutions).to_string();
        assert_eq!(substituted("postgres:15"), "team/pg:custom");
        assert_eq!(
            substituted("docker.io/library/postgres:15"),
            "team/pg:custom"
        );
        assert_eq!(substituted("postgres:16"), "mirror.example/pg:16");
        assert_eq!(substituted("redis:6"), "team/redis:7");
        assert_eq!(substituted("mysql:8"), "mysql:8");
    }

    #[test]
    fn the_entry_that_says_most_of_a_pinned_image_counts() {
        const ONE: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
        const TWO: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";
        let whole = format!("postgres:15@{ONE}");
        let digest = format!("postgres@{ONE}");
        let entries = [
            (whole.as_str(), "team/whole:1"),
            (&digest, "team/digest:1"),
            ("docker.io/library/postgres:15", "team/tag:1"),
            ("postgres", "mirror.example/pg"),
        ];
        let mut expected = entries.map(|(_, other)| other.to_owned());
        // Where nothing but the repository is said, all else stays.
        expected[3] = format!("mirror.example/pg:15@{ONE}");
        for (first, expected) in expected.iter().enumerate() {
            let entries = entries[first..].iter();
            let substitutions = entries.map(|(name, other)| (image(name), image(other)));
            let substitutions = substitutions.collect();
            let substituted = |name: &str| substitute(&image(name), &substitutions).to_string();
            assert_eq!(substituted(&whole), *expected);
            let with_registry = format!("index.docker.io/library/postgres:15@{ONE}");
            assert_eq!(substituted(&with_registry), *expected);
            // Another digest is another image, and has the same tag.
            let other = substituted(&format!("postgres:15@{TWO}"));
            match first {
                0..=2 => assert_eq!(other, "team/tag:1"),
                _ => assert_eq!(other, format!("mirror.example/pg:15@{TWO}")),
            }
            let no_tag = substituted(&format!("postgres@{TWO}"));
            assert_eq!(no_tag, format!("mirror.example/pg@{TWO}"));
        }
        // A digest says what it is, whatever the tag beside it.
        let substitutions = [(image(&whole), image("team/whole:1"))].into();
        let substituted = |name: &str| substitute(&image(name), &substitutions).to_string();
        assert_eq!(substituted(&digest), "team/whole:1");
        assert_eq!(substituted("postgres:15"), "postgres:15");
        // `latest` is a tag only where it is written.
        let substitutions = [(image("postgres"), image("mirror.example/pg"))].into();
        let latest = image(&format!("postgres:latest@{ONE}"));
        assert_eq!(
            substitute(&latest, &substitutions).to_string(),
            format!("mirror.example/pg:latest@{ONE}")
        );
    }

    #[test]
    fn a_mirror_gets_the_path_that_the_registry_has() {
        let mirrors = [
            (
                HUB.to_owned(),
                vec!["m.example:5000".to_owned(), "n.example/hub".to_owned()],
            ),
            ("quay.io".to_owned(), vec!["q.example".to_owned()]),
        ]
        .into();
        let places = |name| -> Vec<String> {
            mirrored(&image(name), &mirrors)
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        let both = [
            "m.example:5000/library/redis:7",
            "n.example/hub/library/redis:7",
        ];
        assert_eq!(places("redis:7"), both);
        assert_eq!(places("docker.io/redis:7"), both);
        assert_eq!(places("quay.io/redis"), ["q.example/redis:latest"]);
        assert!(places("ghcr.io/team/redis").is_empty());
    }
}
