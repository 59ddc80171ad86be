//! Dockerfiles: stages, arguments, and the images that they are built on.

use std::collections::BTreeMap;

use seatrial_model::dockerfile::Dockerfile;

fn images(text: &str, args: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let args = args
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let bases = Dockerfile::parse(text).bases(None, &args)?;
    Ok(bases.iter().map(|base| base.image.to_string()).collect())
}

#[test]
fn stages_and_scratch_are_no_images() {
    let text = "\
# syntax=docker/dockerfile:1
FROM --platform=$BUILDPLATFORM rust:1.88 AS Build
RUN echo \\
    # FROM nothing
    FROM nothing
FROM build as test
from scratch
COPY --from=build /a /a
COPY --chown=1 --from=nginx:1.22 /b /b
COPY --from=0 /c /c
FROM debian:bookworm-slim
";
    let found = images(text, &[]).expect("a Dockerfile");
    assert_eq!(found, ["rust:1.88", "nginx:1.22", "debian:bookworm-slim"]);
}

#[test]
fn arguments_before_the_first_from_are_put_in() {
    let text = "ARG VERSION=15\nARG BASE=\"postgres:${VERSION}\"\nFROM $BASE\nFROM ${OTHER:-redis}:${TAG-7}\n";
    assert_eq!(
        images(text, &[]).expect("a Dockerfile"),
        ["postgres:15", "redis:7"]
    );
    let args = [("VERSION", "16")];
    assert_eq!(
        images(text, &args).expect("a Dockerfile"),
        ["postgres:16", "redis:7"]
    );
}

#[test]
fn a_name_that_is_no_image_is_told_with_its_line() {
    let error = images("\nFROM Debian\n", &[]).expect_err("upper case");
    assert!(error.starts_with("line 2 of the Dockerfile: "), "{error}");
}

#[test]
fn images_are_replaced_in_their_places() {
    let text = "FROM a AS x\nFROM b\n";
    let file = Dockerfile::parse(text);
    let found = file.bases(None, &BTreeMap::new()).expect("a Dockerfile");
    let replaced = file.with_bases(&[(found[1].range.clone(), "c:1".to_owned())]);
    assert_eq!(replaced, "FROM a AS x\nFROM c:1\n");
}

#[test]
fn only_what_the_target_is_built_from_is_named() {
    let text = "\
FROM rust:1 AS Build
COPY --from=nginx:1 /a /a
FROM debian:1 as test
COPY --from=redis:7 /b /b
FROM build
COPY --from=mariadb:10 /c /c
";
    let file = Dockerfile::parse(text);
    let bases = |target| {
        let bases = file.bases(Some(target), &BTreeMap::new());
        let images = bases.expect("a Dockerfile").into_iter();
        images.map(|it| it.image.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(bases("build"), ["rust:1", "nginx:1"]);
    assert_eq!(bases("0"), ["rust:1", "nginx:1"]);
    assert_eq!(bases("TEST"), ["rust:1", "nginx:1", "debian:1", "redis:7"]);
    assert_eq!(bases("2").last().map(String::as_str), Some("mariadb:10"));
    for (name, exists) in [
        ("build", true),
        ("Test", true),
        ("2", true),
        ("3", false),
        ("x", false),
    ] {
        assert_eq!(file.has_stage(name), exists, "{name}");
    }
    assert_eq!(file.stages(), ["Build", "test"]);
}

#[test]
fn arguments_are_those_of_all_stages_and_the_predefined_ones() {
    let file = Dockerfile::parse("ARG A=1 B\nFROM x\nARG C=\"2 3\"\nARG A\n");
    assert_eq!(file.args(), ["A", "B", "C"]);
    for name in ["A", "C", "http_proxy", "NO_PROXY", "BUILDKIT_INLINE_CACHE"] {
        assert!(file.takes_arg(name), "{name}");
    }
    assert!(!file.takes_arg("D"));
}

#[test]
fn the_lines_of_a_here_document_are_not_instructions() {
    let text = "\
FROM debian:1
RUN <<EOF cat >/a && cat <<-'END' >/b
FROM users
EOF
FROM orders
\tEND
COPY <<conf /etc/conf
ARG B
conf
RUN echo 1<<2
FROM redis:7
";
    let file = Dockerfile::parse(text);
    let bases = file.bases(None, &BTreeMap::new()).expect("a Dockerfile");
    let bases: Vec<_> = bases.iter().map(|it| it.image.to_string()).collect();
    assert_eq!(bases, ["debian:1", "redis:7"]);
    assert!(file.args().is_empty());
}

#[test]
fn the_images_of_mounts_are_found() {
    let text = "FROM debian:1 AS build\n\
                RUN --mount=type=bind,from=tools:2,target=/t --mount=from=build,target=/b make\n\
                RUN --mount=type=cache,target=/from=x,from=0 make\n";
    let bases = Dockerfile::parse(text).bases(None, &BTreeMap::new());
    let bases = bases.expect("a Dockerfile");
    let bases: Vec<_> = bases
        .iter()
        .map(|it| (it.image.to_string(), &text[it.range.clone()]))
        .collect();
    let expected = ["debian:1", "tools:2"].map(|image| (image.to_owned(), image));
    assert_eq!(bases, expected);
}

#[test]
fn what_a_client_would_have_to_deliver_is_named() {
    let needs = |line: &str| Dockerfile::parse(&format!("FROM x\n{line}\n")).needs_client();
    for (line, named) in [
        (
            "RUN --mount=type=cache,target=/x --mount=id=a,type=secret make",
            Some("RUN --mount=type=secret"),
        ),
        (
            "run --mount=type=ssh git fetch",
            Some("RUN --mount=type=ssh"),
        ),
        ("RUN --mount=type=cache,id=type=ssh,target=/x make", None),
        ("RUN make --mount=type=ssh", None),
        ("COPY --mount=type=ssh a b", None),
    ] {
        assert_eq!(needs(line).as_deref(), named, "{line}");
    }
}

#[test]
fn the_frontend_is_the_one_that_the_first_lines_name() {
    for (text, image) in [
        (
            "# syntax=docker/dockerfile:1\nFROM x\n",
            "docker/dockerfile:1",
        ),
        (
            "# escape=\\\n#SYNTAX = example.org/a:2 -- b\nFROM x\n",
            "example.org/a:2",
        ),
    ] {
        let frontend = Dockerfile::parse(text).frontend().expect("a frontend");
        assert_eq!(frontend.image.to_string(), image);
        assert_eq!(&text[frontend.range], image);
    }
    for text in [
        "FROM x\n# syntax=a\n",
        "\n# syntax=a\nFROM x\n",
        "# a comment\n# syntax=a\nFROM x\n",
        "# syntax=\nFROM x\n",
        "# syntax=A B\nFROM x\n",
    ] {
        assert_eq!(Dockerfile::parse(text).frontend(), None, "{text}");
    }
}

#[test]
fn what_only_buildkit_builds_is_named() {
    let needs = |line: &str| Dockerfile::parse(&format!("FROM x\n{line}\n")).needs_buildkit();
    for (line, named) in [
        ("run --mount=type=cache,target=/x make", Some("RUN --mount")),
        ("RUN --network=none make", Some("RUN --network")),
        ("COPY --chown=1 --link a b", Some("COPY --link")),
        ("RUN cat <<EOF\na\nEOF", Some("RUN <<EOF")),
        (
            "FROM --platform=$BUILDPLATFORM rust",
            Some("FROM --platform"),
        ),
        ("ARG TARGETARCH", Some("ARG TARGETARCH")),
        ("ARG TARGETARCH=amd64", None),
        ("FROM --platform=linux/amd64 rust", None),
        ("RUN make --mount=x", None),
        ("COPY --from=a --chown=1 a b", None),
        ("RUN echo $((1<<2))", None),
        ("ENTRYPOINT a <<EOF", None),
    ] {
        assert_eq!(needs(line).as_deref(), named, "{line}");
    }
}
