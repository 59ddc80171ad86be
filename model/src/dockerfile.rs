//! Dockerfiles: their stages, their `ARG`s, and the images that they are built on.
//!
//! Knows as much of the grammar as that takes. Must not judge an instruction: that is the builder's task.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::ImageRef;

/// A Dockerfile.
///
/// ```
/// use seatrial_model::dockerfile::Dockerfile;
///
/// let file = Dockerfile::parse("ARG RUST=1.95\nFROM rust:$RUST AS build\nFROM debian:bookworm-slim\n");
/// assert_eq!(file.stages(), ["build"]);
/// assert_eq!(file.args(), ["RUST"]);
/// let bases = file.bases(None, &Default::default()).unwrap();
/// assert_eq!(bases[0].image.to_string(), "rust:1.95");
/// ```
#[derive(Debug)]
pub struct Dockerfile<'t> {
    text: &'t str,
    instructions: Vec<Instruction>,
}

/// An instruction, by the places of its words in the text.
#[derive(Debug)]
struct Instruction {
    /// In upper case.
    keyword: String,
    /// The options before the arguments, such as `--from=build`.
    flags: Vec<Range<usize>>,
    arguments: Vec<Range<usize>>,
    /// The delimiters of the here-documents that follow it.
    heredocs: Vec<String>,
}

/// An image that a Dockerfile names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The place of its name in the text.
    pub range: Range<usize>,
    /// The image, with its variables expanded.
    pub image: ImageRef,
}

/// Arguments that every Dockerfile takes without an `ARG`.
const PREDEFINED_ARGS: [&str; 5] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
];

/// The beginning of further such arguments.
const PREDEFINED_PREFIX: &str = "BUILDKIT_";

/// The options of `RUN`, and of `COPY` and `ADD`, that only BuildKit has.
const BUILDKIT_RUN: &[&str] = &["--mount", "--network", "--security", "--device"];
const BUILDKIT_COPY: &[&str] = &[
    "--link",
    "--chmod",
    "--parents",
    "--exclude",
    "--checksum",
    "--keep-git-dir",
    "--unpack",
];

/// The mounts of `RUN` whose content the client of a build delivers while it builds.
const MOUNTS_OF_CLIENT: [&str; 2] = ["type=secret", "type=ssh"];

/// Arguments that BuildKit gives to those who declare them.
const PLATFORM_ARGS: [&str; 8] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
];

impl<'t> Dockerfile<'t> {
    /// Splits the text into instructions.
    pub fn parse(text: &'t str) -> Self {
        Self {
            text,
            instructions: instructions(text),
        }
    }

    /// The names of its stages, in order. Names are not case-sensitive.
    pub fn stages(&self) -> Vec<&'t str> {
        let instructions = self.instructions.iter();
        instructions.filter_map(|it| self.stage(it)).collect()
    }

    /// Whether it has this stage. A stage has a number, too, from 0.
    pub fn has_stage(&self, name: &str) -> bool {
        let stages = self.instructions.iter().filter(|it| it.keyword == "FROM");
        match name.parse::<usize>() {
            Ok(number) => number < stages.count(),
            Err(_) => self
                .stages()
                .iter()
                .any(|stage| stage.eq_ignore_ascii_case(name)),
        }
    }

    /// The names of the arguments that it declares, in order, each once.
    pub fn args(&self) -> Vec<&'t str> {
        let mut names = Vec::new();
        for instruction in self.instructions.iter().filter(|it| it.keyword == "ARG") {
            for (name, _) in self.declared(instruction) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// Whether it takes an argument of this name: one that it declares, or one that every Dockerfile takes.
    pub fn takes_arg(&self, name: &str) -> bool {
        let is_predefined = PREDEFINED_ARGS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name));
        is_predefined || name.starts_with(PREDEFINED_PREFIX) || self.args().contains(&name)
    }

    /// The images named by `FROM`, `COPY --from` and `RUN --mount=from=..`, in order, up to the end of the stage `target`, without
    /// the names of stages.
    ///
    /// # Errors
    ///
    /// A name is not an image reference, with its variables expanded.
    pub fn bases(
        &self,
        target: Option<&str>,
        args: &BTreeMap<String, String>,
    ) -> Result<Vec<Base>, String> {
        let mut variables = BTreeMap::new();
        let mut stages: Vec<&str> = Vec::new();
        let mut count = 0;
        let mut is_last = false;
        let mut found = Vec::new();
        for instruction in &self.instructions {
            match &*instruction.keyword {
                // Those before the first `FROM` are the only ones that a `FROM` can use.
                "ARG" if count == 0 => {
                    for (name, default) in self.declared(instruction) {
                        let value = args.get(name).map(String::as_str).or(default);
                        if let Some(value) = value {
                            let value = expand(value, &variables);
                            variables.insert(name.to_owned(), value);
                        }
                    }
                }
                "FROM" if is_last => break,
                "FROM" => {
                    let name = self.stage(instruction);
                    is_last = target.is_some_and(|target| match target.parse::<usize>() {
                        Ok(number) => number == count,
                        Err(_) => name.is_some_and(|name| name.eq_ignore_ascii_case(target)),
                    });
                    count += 1;
                    if let Some(range) = instruction.arguments.first() {
                        found.extend(self.base(range.clone(), &variables, &stages)?);
                    }
                    stages.extend(name);
                }
                _ => {
                    for range in self.sources(instruction) {
                        // Stages have numbers, too.
                        if self.text[range.clone()].parse::<usize>().is_err() {
                            found.extend(self.base(range, &variables, &stages)?);
                        }
                    }
                }
            }
        }
        Ok(found)
    }

    /// The first thing in it that only BuildKit builds, rather than the builder that Docker had before: `RUN --mount`.
    pub fn needs_buildkit(&self) -> Option<String> {
        self.instructions.iter().find_map(|instruction| {
            let keyword = &*instruction.keyword;
            let mut flags = instruction.flags.iter().map(|flag| {
                let flag = &self.text[flag.clone()];
                flag.split_once('=').unwrap_or((flag, ""))
            });
            let flag = match keyword {
                "RUN" => flags.find(|(name, _)| BUILDKIT_RUN.contains(name)),
                "COPY" | "ADD" => flags.find(|(name, _)| BUILDKIT_COPY.contains(name)),
                "FROM" => {
                    flags.find(|(_, value)| PLATFORM_ARGS.iter().any(|it| value.contains(it)))
                }
                "ARG" => self
                    .declared(instruction)
                    .map(|(name, default)| (name, default.unwrap_or_default()))
                    .find(|(name, default)| default.is_empty() && PLATFORM_ARGS.contains(name)),
                _ => None,
            };
            let heredoc = || Some(format!("<<{}", instruction.heredocs.first()?));
            let what = flag.map(|(name, _)| name.to_owned()).or_else(heredoc)?;
            Some(format!("{keyword} {what}"))
        })
    }

    /// The first mount in it whose content the client of the build would have to deliver: `RUN --mount=type=secret`.
    pub fn needs_client(&self) -> Option<String> {
        let runs = self.instructions.iter().filter(|it| it.keyword == "RUN");
        let mut fields = runs.flat_map(|run| self.mount_fields(run));
        fields.find_map(|range| {
            let field = &self.text[range];
            let found = MOUNTS_OF_CLIENT.contains(&field);
            found.then(|| format!("RUN --mount={field}"))
        })
    }

    /// The image of the frontend that reads it for BuildKit, if its `# syntax=..` names one. Other builders take the line for a
    /// comment.
    pub fn frontend(&self) -> Option<Base> {
        let mut start = 0;
        // Such lines come before everything else.
        for line in self.text.split_inclusive('\n') {
            let (key, value) = line.trim_start().strip_prefix('#')?.split_once('=')?;
            if key.trim().eq_ignore_ascii_case("syntax") {
                let value = value.split_ascii_whitespace().next()?;
                let at = start + (value.as_ptr() as usize - line.as_ptr() as usize);
                let range = at..at + value.len();
                return Some(Base {
                    range,
                    image: value.parse().ok()?,
                });
            }
            start += line.len();
        }
        None
    }

    /// The text with some images replaced by others.
    pub fn with_bases(&self, replacements: &[(Range<usize>, String)]) -> String {
        let mut replaced = String::with_capacity(self.text.len());
        let mut end = 0;
        for (range, image) in replacements {
            replaced.push_str(&self.text[end..range.start]);
            replaced.push_str(image);
            end = range.end;
        }
        replaced.push_str(&self.text[end..]);
        replaced
    }

    /// The name of the stage that a `FROM` begins.
    fn stage(&self, instruction: &Instruction) -> Option<&'t str> {
        match &instruction.arguments[..] {
            [_, word, name, ..]
                if instruction.keyword == "FROM"
                    && self.text[word.clone()].eq_ignore_ascii_case("AS") =>
            {
                Some(&self.text[name.clone()])
            }
            _ => None,
        }
    }

    /// The places of the names from which `COPY` copies and `RUN` mounts.
    fn sources(&self, instruction: &Instruction) -> Vec<Range<usize>> {
        let fields = match &*instruction.keyword {
            "COPY" => self.behind(&instruction.flags, "--"),
            "RUN" => self.mount_fields(instruction),
            _ => Vec::new(),
        };
        self.behind(&fields, "from=")
    }

    /// The places of `type=cache`, `target=/x` and so on of all mounts of a `RUN`.
    fn mount_fields(&self, run: &Instruction) -> Vec<Range<usize>> {
        let mut fields = Vec::new();
        for mount in self.behind(&run.flags, "--mount=") {
            let mut start = mount.start;
            for field in self.text[mount].split(',') {
                fields.push(start..start + field.len());
                start += field.len() + 1;
            }
        }
        fields
    }

    /// The rest of each word that begins with `prefix`.
    fn behind(&self, words: &[Range<usize>], prefix: &str) -> Vec<Range<usize>> {
        let begins = words
            .iter()
            .filter(|word| self.text[(*word).clone()].starts_with(prefix));
        begins
            .map(|word| word.start + prefix.len()..word.end)
            .collect()
    }

    /// Names and defaults of the arguments that an `ARG` declares.
    fn declared(&self, arg: &Instruction) -> impl Iterator<Item = (&'t str, Option<&'t str>)> {
        let words = arg.arguments.iter();
        let declared = words.map(|word| match self.text[word.clone()].split_once('=') {
            Some((name, default)) => (name, Some(unquoted(default))),
            None => (&self.text[word.clone()], None),
        });
        // The rest of a quoted default is not a name.
        declared.filter(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
    }

    /// The image whose name is at `range`. `None` if it is a stage, or nothing.
    fn base(
        &self,
        range: Range<usize>,
        variables: &BTreeMap<String, String>,
        stages: &[&str],
    ) -> Result<Option<Base>, String> {
        let name = expand(unquoted(&self.text[range.clone()]), variables);
        let is_stage = stages.iter().any(|stage| stage.eq_ignore_ascii_case(&name));
        if name == "scratch" || is_stage {
            return Ok(None);
        }
        let line = self.text[..range.start].matches('\n').count() + 1;
        let image = name
            .parse()
            .map_err(|error| format!("line {line} of the Dockerfile: {error}"))?;
        Ok(Some(Base { range, image }))
    }
}

/// The instructions of a file. A backslash at the end of a line continues the instruction on the next line. Lines that begin with
/// `#` are comments, also between continued lines.
fn instructions(text: &str) -> Vec<Instruction> {
    let mut instructions = Vec::new();
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut offset = 0;
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
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
            words.push(at..at + word.len());
        }
        if goes_on {
            continue;
        }
        let Some(instruction) = Instruction::new(text, &std::mem::take(&mut words)) else {
            continue;
        };
        for delimiter in &instruction.heredocs {
            for line in lines.by_ref() {
                offset += line.len();
                if line.trim() == delimiter {
                    break;
                }
            }
        }
        instructions.push(instruction);
    }
    instructions.extend(Instruction::new(text, &words));
    instructions
}

impl Instruction {
    fn new(text: &str, words: &[Range<usize>]) -> Option<Self> {
        let (keyword, words) = words.split_first()?;
        let is_flag = |word: &&Range<usize>| text[(*word).clone()].starts_with("--");
        let (flags, arguments) = words.split_at(words.iter().take_while(is_flag).count());
        let keyword = text[keyword.clone()].to_ascii_uppercase();
        let heredocs = match &*keyword {
            "RUN" | "COPY" | "ADD" => arguments
                .iter()
                .filter_map(|word| heredoc(&text[word.clone()]))
                .collect(),
            _ => Vec::new(),
        };
        Some(Self {
            keyword,
            flags: flags.to_vec(),
            arguments: arguments.to_vec(),
            heredocs,
        })
    }
}

/// The delimiter of a here-document that a word begins: `<<EOF`, `<<-"EOF"`.
fn heredoc(word: &str) -> Option<String> {
    let (descriptor, rest) = word.split_once("<<")?;
    let delimiter = unquoted(rest.strip_prefix('-').unwrap_or(rest));
    let mut bytes = delimiter.bytes();
    let is_word = bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (descriptor.bytes().all(|b| b.is_ascii_digit()) && is_word).then(|| delimiter.to_owned())
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
