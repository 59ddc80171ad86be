//! What image names stand for: one spelling for each image, substitutions, and the places it may come from.

use std::collections::BTreeMap;

use seatrial_model::ImageRef;

/// The registry that names without one belong to.
pub(super) const HUB: &str = "docker.io";

/// The registry's host and port.
pub(super) fn registry(image: &ImageRef) -> &str {
    match image.registry() {
        None | Some("index.docker.io" | "registry-1.docker.io") => HUB,
        Some(registry) => registry,
    }
}

/// One spelling for all those of one image: `redis`, `redis:latest` and `docker.io/library/redis` are the same.
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

/// The entry for an image, however it is spelled.
pub(super) fn find<'a, T>(image: &ImageRef, entries: &'a BTreeMap<ImageRef, T>) -> Option<&'a T> {
    let wanted = canonical(image);
    entries
        .iter()
        .find(|(name, _)| canonical(name) == wanted)
        .map(|(_, entry)| entry)
}

/// What to use in the image's place: an entry for exactly this image, else one for its repository, which keeps the tag
/// unless it names one itself.
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
    let found = substitutions.iter().find(|(name, _)| {
        name.tag().is_none() && name.digest().is_none() && repository(name) == wanted
    });
    match found {
        Some((_, other)) if other.tag().is_some() || other.digest().is_some() => other.clone(),
        Some((_, other)) => {
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
    // A mirror of Docker Hub knows `library/redis`, also where the declaration says `docker.io/redis`.
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

/// What `docker login` wants behind it: nothing for Docker Hub.
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
