//! Whether an image is for the requested platform, or for one that the engine runs.

use crate::engine::{EngineInfo, ImageInfo};

/// Why the image cannot be used. `None` if it can.
pub(super) fn unfit(
    image: &ImageInfo,
    engine: &EngineInfo,
    platform: Option<&str>,
) -> Option<String> {
    let has = format!("{}/{}", image.os, go_name(&image.arch));
    match platform {
        Some(platform) => {
            let mut parts = platform.split('/');
            let fits = match (parts.next(), parts.next()) {
                (Some(os), Some(arch)) => image.os == os && go_name(&image.arch) == go_name(arch),
                (Some(part), None) => image.os == part || go_name(&image.arch) == go_name(part),
                _ => true,
            };
            (!fits).then(|| format!("the image is for {has}, not for {platform}"))
        }
        // Engines do not say what they emulate. A declaration that relies on it names a `platform`.
        None => {
            let (arch, runs) = (go_name(&image.arch), go_name(&engine.arch));
            let known = !arch.is_empty() && !runs.is_empty();
            let fits = !known
                || arch == runs
                || matches!((runs, arch), ("amd64", "386") | ("arm64", "arm"));
            let os_fits = image.os.is_empty() || engine.os.is_empty() || image.os == engine.os;
            (!fits || !os_fits).then(|| {
                format!(
                    "the image is for {has}, but {} runs {}/{runs}; if it emulates {has}, write `platform = \"{has}\"`",
                    engine.name, engine.os
                )
            })
        }
    }
}

/// An architecture in Go's terms, which image configurations use.
pub(crate) fn go_name(arch: &str) -> &str {
    match arch {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "i386" | "i686" => "386",
        "armv7l" | "armv6l" | "armhf" => "arm",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unfit_on_amd64(os: &str, arch: &str, platform: Option<&str>) -> Option<String> {
        let engine = EngineInfo {
            name: "docker".to_owned(),
            version: String::new(),
            address: String::new(),
            os: "linux".to_owned(),
            arch: "x86_64".to_owned(),
            published_host: String::new(),
        };
        let image = ImageInfo {
            os: os.to_owned(),
            arch: arch.to_owned(),
            ..ImageInfo::default()
        };
        unfit(&image, &engine, platform)
    }

    #[test]
    fn the_engines_own_platform_fits() {
        assert_eq!(unfit_on_amd64("linux", "amd64", None), None);
        assert_eq!(unfit_on_amd64("linux", "386", None), None);
        assert_eq!(unfit_on_amd64("linux", "", None), None);
        assert_eq!(
            unfit_on_amd64("linux", "arm64", None).as_deref(),
            Some(
                "the image is for linux/arm64, but docker runs linux/amd64; if it emulates linux/arm64, write `platform = \"linux/arm64\"`"
            )
        );
        assert!(unfit_on_amd64("windows", "amd64", None).is_some());
    }

    #[test]
    fn the_platform_asked_for_is_the_one_that_counts() {
        assert_eq!(
            unfit_on_amd64("linux", "arm64", Some("linux/arm64/v8")),
            None
        );
        assert_eq!(
            unfit_on_amd64("linux", "arm64", Some("linux/aarch64")),
            None
        );
        assert_eq!(unfit_on_amd64("linux", "amd64", Some("linux")), None);
        assert_eq!(
            unfit_on_amd64("linux", "amd64", Some("linux/arm64")).as_deref(),
            Some("the image is for linux/amd64, not for linux/arm64")
        );
    }
}
