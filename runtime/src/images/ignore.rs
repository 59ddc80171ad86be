//! `.dockerignore`: the files of a build's directory that are not sent to the engine.

/// The patterns of one file. The last pattern that matches decides.
#[derive(Debug, Default)]
pub(super) struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    /// `!pattern`: files that match are sent after all.
    keeps: bool,
    components: Vec<String>,
}

impl Ignore {
    pub(super) fn parse(text: &str) -> Self {
        let rules = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| {
                let (keeps, pattern) = match line.strip_prefix('!') {
                    Some(pattern) => (true, pattern.trim()),
                    None => (false, line),
                };
                Rule {
                    keeps,
                    components: pattern
                        .split('/')
                        .filter(|component| !matches!(*component, "" | "."))
                        .map(str::to_owned)
                        .collect(),
                }
            })
            .filter(|rule| !rule.components.is_empty())
            .collect();
        Self { rules }
    }

    /// Whether the file or directory with this path, relative to the build's directory, is left out.
    pub(super) fn leaves_out(&self, path: &[&str]) -> bool {
        self.rules
            .iter()
            .rev()
            .find(|rule| rule.matches(path))
            .is_some_and(|rule| !rule.keeps)
    }

    /// Whether a file below a directory that is left out may be sent after all.
    pub(super) fn has_exceptions(&self) -> bool {
        self.rules.iter().any(|rule| rule.keeps)
    }
}

impl Rule {
    /// A pattern matches a path, and everything below it.
    fn matches(&self, path: &[&str]) -> bool {
        (1..=path.len()).any(|length| matches(&self.components, &path[..length]))
    }
}

fn matches(pattern: &[String], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            (0..=path.len()).any(|skipped| matches(rest, &path[skipped..]))
        }
        (Some((first, rest)), Some((name, below))) => {
            matches_name(first.as_bytes(), name.as_bytes()) && matches(rest, below)
        }
        _ => false,
    }
}

/// `*` is any text, `?` any one byte.
fn matches_name(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|skipped| matches_name(rest, &name[skipped..])),
        Some((wanted, rest)) => name.split_first().is_some_and(|(first, below)| {
            (*wanted == b'?' || wanted == first) && matches_name(rest, below)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rule_that_matches_decides() {
        let ignore = Ignore::parse("# no\n*.log\n/target/\n**/*.tmp\ndocs\n!docs/README.md\n");
        let out = |path: &str| ignore.leaves_out(&path.split('/').collect::<Vec<_>>());
        assert!(out("a.log"));
        assert!(!out("deep/a.log"));
        assert!(out("target"));
        assert!(out("target/debug/x"));
        assert!(out("x.tmp"));
        assert!(out("deep/er/x.tmp"));
        assert!(out("docs/other.md"));
        assert!(!out("docs/README.md"));
        assert!(!out("src/main.rs"));
        assert!(ignore.has_exceptions());
    }
}
