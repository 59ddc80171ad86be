//! The images that a Dockerfile is built on. Knows as much of the grammar as finding them takes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use seatrial_model::ImageRef;

/// An image that a Dockerfile names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    /// The place of its name in the text.
    pub(super) range: Range<usize>,
    pub(super) image: ImageRef,
}

/// The images named by `FROM` and `COPY --from`, in order, without the names of the file's stages.
///
/// # Errors
///
/// A name is not an image reference, with its variables expanded.
pub(super) fn bases(text: &str, args: &BTreeMap<String, String>) -> Result<Vec<Base>, String> {
    let mut variables = BTreeMap::new();
    let mut stages = BTreeSet::new();
    let mut found = Vec::new();
    let mut in_stage = false;
    for instruction in instructions(text) {
        let mut words = instruction.iter();
        let Some(keyword) = words.next() else {
            continue;
        };
        let keyword = text[keyword.clone()].to_ascii_uppercase();
        let words: Vec<Range<usize>> = words.cloned().collect();
        let flag = |range: &Range<usize>| text[range.clone()].starts_with("--");
        match keyword.as_str() {
            // Those before the first `FROM` are the only ones that a `FROM` can use.
            "ARG" if !in_stage => {
                for word in &words {
                    let (name, default) = match text[word.clone()].split_once('=') {
                        Some((name, default)) => (name, Some(unquoted(default))),
                        None => (&text[word.clone()], None),
                    };
                    let value = args.get(name).map(String::as_str).or(default);
                    if let Some(value) = value {
                        let value = expand(value, &variables);
                        variables.insert(name.to_owned(), value);
                    }
                }
            }
            "FROM" => {
                in_stage = true;
                let mut words = words.into_iter().skip_while(flag);
                let Some(range) = words.next() else {
                    continue;
                };
                add(text, range, &variables, &stages, &mut found)?;
                if let (Some(word), Some(name)) = (words.next(), words.next())
                    && text[word].eq_ignore_ascii_case("AS")
                {
                    stages.insert(text[name].to_ascii_lowercase());
                }
            }
            "COPY" => {
                let from = words
                    .iter()
                    .take_while(|range| flag(range))
                    .find(|range| text[(*range).clone()].starts_with("--from="));
                if let Some(range) = from {
                    let range = range.start + "--from=".len()..range.end;
                    // Stages have numbers, too.
                    if text[range.clone()].parse::<usize>().is_err() {
                        add(text, range, &variables, &stages, &mut found)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The text with some images replaced by others.
pub(super) fn with_bases(text: &str, replacements: &[(Range<usize>, String)]) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut end = 0;
    for (range, image) in replacements {
        replaced.push_str(&text[end..range.start]);
        replaced.push_str(image);
        end = range.end;
    }
    replaced.push_str(&text[end..]);
    replaced
}

fn add(
    text: &str,
    range: Range<usize>,
    variables: &BTreeMap<String, String>,
    stages: &BTreeSet<String>,
    found: &mut Vec<Base>,
) -> Result<(), String> {
    let name = expand(unquoted(&text[range.clone()]), variables);
    if name == "scratch" || stages.contains(&name.to_ascii_lowercase()) {
        return Ok(());
    }
    let line = text[..range.start].matches('\n').count() + 1;
    let image = name
        .parse()
        .map_err(|error| format!("line {line} of the Dockerfile: {error}"))?;
    found.push(Base { range, image });
    Ok(())
}

/// The words of each instruction, by their places. A backslash at the end of a line continues the instruction on the next line.
/// Lines that begin with `#` are comments, also between continued lines.
fn instructions(text: &str) -> Vec<Vec<Range<usize>>> {
    let mut instructions = Vec::new();
    let mut current: Vec<Range<usize>> = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        let content = line.trim_end();
        if content.trim_start().starts_with('#') || content.is_empty() {
            continue;
        }
        let (content, goes_on) = match content.strip_suffix('\\') {
            Some(content) => (content, true),
            None => (content, false),
        };
        for word in content.split_ascii_whitespace() {
            let at = start + (word.as_ptr() as usize - line.as_ptr() as usize);
            current.push(at..at + word.len());
        }
        if !goes_on {
            instructions.push(std::mem::take(&mut current));
        }
    }
    instructions.push(current);
    instructions
}

fn unquoted(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text
            .strip_prefix(quote)
            .and_then(|text| text.strip_suffix(quote))
        {
            return inner;
        }
    }
    text
}

/// Expands `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}` and `${NAME:+other}`.
fn expand(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let braced = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let (expression, after) = match braced {
            Some(parts) => parts,
            None => rest.split_at(
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(rest.len()),
            ),
        };
        rest = after;
        let end = expression
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(expression.len());
        let (name, operation) = expression.split_at(end);
        let value = variables.get(name).map(String::as_str);
        let filled = value.filter(|value| !value.is_empty());
        out.push_str(&match operation.split_at(operation.len().min(2)) {
            (":-", default) => filled.map_or_else(|| expand(default, variables), str::to_owned),
            (":+", other) => filled.map_or_else(String::new, |_| expand(other, variables)),
            _ if operation.starts_with('-') => {
                value.map_or_else(|| expand(&operation[1..], variables), str::to_owned)
            }
            _ => value.unwrap_or_default().to_owned(),
        });
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(text: &str, args: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let args = args
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let bases = bases(text, &args)?;
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
        let found = bases(text, &BTreeMap::new()).expect("a Dockerfile");
        let replaced = with_bases(text, &[(found[1].range.clone(), "c:1".to_owned())]);
        assert_eq!(replaced, "FROM a AS x\nFROM c:1\n");
    }
}
