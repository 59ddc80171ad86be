//! The keys of the file. Each at the root and in `[timeouts]` has a variable.

/// The keys at the root of the file.
pub(super) const KEYS: [&str; 16] = [
    "ahead",
    "base",
    "engine",
    "events",
    "images",
    "keep",
    "logs_on_failure",
    "mirrors",
    "namespaces",
    "ports",
    "publish",
    "pull",
    "report",
    "substitutions",
    "supervisor",
    "timeouts",
];
/// The keys of `[timeouts]`.
pub(super) const TIMEOUTS: [&str; 5] = ["engine", "job", "pull", "ready", "setup"];
/// The keys of an entry of `[images]`.
pub(super) const FALLBACK: [&str; 5] = ["args", "build", "dockerfile", "script", "target"];
