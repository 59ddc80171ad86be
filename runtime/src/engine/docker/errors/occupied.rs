//! The messages of engines that do not replace a directory by something else, or something else by a directory.

use crate::engine::error::{EngineError, EngineErrorKind};

/// What each engine says before the quoted path, and what is at the path. Docker's messages, and Podman's, of which the
/// first is about a directory that it cannot make.
const SAID: [(&str, &str, &str); 4] = [
    ("cannot overwrite directory ", "", DIRECTORY),
    ("cannot overwrite non-directory ", "", NO_DIRECTORY),
    ("copier: put: error creating ", ": mkdir ", NO_DIRECTORY),
    ("copier: put: error creating ", "", DIRECTORY),
];

const DIRECTORY: &str = "it is a directory";
const NO_DIRECTORY: &str = "it is not a directory";

/// Says in our words which path of the container is occupied, and by what, if the engine's message has it.
pub(in crate::engine::docker) fn occupied(error: EngineError) -> EngineError {
    if error.kind != EngineErrorKind::Occupied {
        return error;
    }
    let found = SAID.iter().find_map(|(before, after, what)| {
        let (_, rest) = error.message.split_once(before)?;
        let (path, rest) = unquoted(rest)?;
        rest.starts_with(after).then_some((path, what))
    });
    match found {
        Some((path, what)) => EngineError {
            attempt: format!("write `{path}`"),
            message: (*what).to_owned(),
            ..error
        },
        None => error,
    }
}

/// The text in double quotes at the beginning, and the rest. Only quotes and backslashes are unescaped.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut inner = String::new();
    let text = text.strip_prefix('"')?;
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Some((inner, &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                escaped @ ('"' | '\\') => inner.push(escaped),
                other => inner.extend(['\\', other]),
            },
            char => inner.push(char),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::{During, classify};
    use super::*;

    fn said(message: &str) -> String {
        occupied(EngineError {
            kind: classify(During::Other, Some(500), message),
            attempt: "copy files into the container at `/`".to_owned(),
            message: message.to_owned(),
        })
        .to_string()
    }

    #[test]
    fn the_path_is_named_and_what_is_there() {
        for (message, reads) in [
            (
                r#"Error processing tar file(exit status 1): cannot overwrite directory "/srv/tree/sub" with non-directory "/""#,
                "cannot write `/srv/tree/sub`: it is a directory",
            ),
            (
                r#"Error processing tar file(exit status 1): cannot overwrite non-directory "/srv/a \"b\"" with directory "/""#,
                r#"cannot write `/srv/a "b"`: it is not a directory"#,
            ),
            (
                r#"error during bulk transfer for copier.request{Request:"PUT", Root:"/"}: copier: put: error creating "/srv/sub": copier: put: error creating file at "/srv/sub": open /srv/sub: file exists"#,
                "cannot write `/srv/sub`: it is a directory",
            ),
            (
                r#"error during bulk transfer for copier.request{Request:"PUT", Root:"/"}: copier: put: error creating "/srv/sub": symlink nowhere /srv/sub: file exists"#,
                "cannot write `/srv/sub`: it is a directory",
            ),
            (
                r#"error during bulk transfer for copier.request{Request:"PUT", Root:"/"}: copier: put: error creating "/srv/plain": mkdir /srv/plain: file exists"#,
                "cannot write `/srv/plain`: it is not a directory",
            ),
        ] {
            assert_eq!(said(message), reads);
        }
    }

    #[test]
    fn another_message_stays() {
        for message in ["the sea is rough", "cannot overwrite directory \"/srv"] {
            let reads = format!("cannot copy files into the container at `/`: {message}");
            assert_eq!(said(message), reads);
        }
    }
}
