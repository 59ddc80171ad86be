//! The readers of those keys of `#[service(..)]` that say how its container runs. None of the keys names another service.
//! Their rows are in the table in `service.rs`.

use std::net::IpAddr;

use seatrial_model::{HostEntry, MountMode, Pull, Tmpfs, Ulimit, Volume, name, suggest};
use syn::ext::IdentExt;

use super::arguments::{Argument, Name, Value};
use super::keys::read_entries;
use super::values;
use crate::message;
use crate::report::Report;
use crate::syntax::{MountSyntax, Service, Spanned};

/// The form of `mount` in messages.
pub(super) const MOUNT_FORM: &str = "mount(\"path/in/package\" = \"/path/in/container\")";

/// The prefix of Seatrial's own labels.
const RESERVED_LABELS: &str = "dev.seatrial.";

/// Limits that the kernel has, as engines name them.
const ULIMITS: [&str; 16] = [
    "as",
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// Kernel parameters that each container has for itself, beside those in [`OWN_SYSCTL_TREES`].
const OWN_SYSCTLS: [&str; 9] = [
    "kernel.domainname",
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shm_rmid_forced",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
];

/// Prefixes of kernel parameters that each container may have for itself. The kernel decides it for each of them.
const OWN_SYSCTL_TREES: [&str; 2] = ["net.", "fs.mqueue."];

/// Signals that may stop a process, without `SIG`.
const SIGNALS: [&str; 30] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "TSTP", "TTIN", "TTOU", "URG", "XCPU",
    "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// When an image is pulled.
pub(super) const PULLS: [(&str, Pull); 3] = [
    ("missing", Pull::Missing),
    ("always", Pull::Always),
    ("never", Pull::Never),
];

pub(super) fn user(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    let user = literal.value();
    if user.is_empty() || user.contains(char::is_whitespace) || user.split(':').count() > 2 {
        report.error(
            literal.span(),
            message::invalid(
                "user",
                &user,
                "expected a name or a number, each with an optional group, such as \"1000:1000\"",
            ),
        );
    }
    service.user = Some(user);
    Some(())
}

pub(super) fn workdir(
    service: &mut Service,
    argument: &Argument,
    report: &mut Report,
) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    service.workdir = match literal.value().as_str() {
        "/" => Some("/".to_owned()),
        _ => values::container_path(literal, report),
    };
    Some(())
}

pub(super) fn tmpfs(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let mut add = |at: &syn::LitStr, size: Option<u64>, report: &mut Report| {
        let form = |parts: &[&str]| {
            let size = parts[1..]
                .iter()
                .find_map(|part| part.split(',').find_map(|part| part.strip_prefix("size=")));
            let size = size.unwrap_or("64m");
            format!("tmpfs(\"{}\" = \"{size}\")", parts[0])
        };
        if let Some(path) = values::target_path(at, form, report) {
            let tmpfs = Tmpfs { at: path, size };
            service.tmpfs.push(Spanned::new(tmpfs, at.span()));
        }
    };
    if let Some(expr) = argument.expr() {
        add(values::string(expr)?, None, report);
        return Some(());
    }
    read_entries(
        argument,
        "\"/tmp\"` or `\"/tmp\" = \"64m\"",
        report,
        |entry, report| {
            let Name::Text(at) = &entry.name else {
                return None;
            };
            let size = match &entry.value {
                Value::None => None,
                Value::Expr(expr) => values::size(values::string(expr)?, report),
                Value::List(..) | Value::Unreadable => return None,
            };
            add(at, size, report);
            Some(())
        },
    )
}

pub(super) fn volume(
    service: &mut Service,
    argument: &Argument,
    report: &mut Report,
) -> Option<()> {
    let mut add = |name: Option<String>, at: &syn::LitStr, report: &mut Report| {
        if let Some(path) = values::target_path(at, volume_form, report) {
            let volume = Volume { name, at: path };
            service.volumes.push(Spanned::new(volume, at.span()));
        }
    };
    if let Some(expr) = argument.expr() {
        add(None, values::string(expr)?, report);
        return Some(());
    }
    read_entries(
        argument,
        "\"/data\"` or `name = \"/data\"",
        report,
        |entry, report| {
            match (&entry.name, &entry.value) {
                (Name::Text(at), Value::None) => add(None, at, report),
                (Name::Word(name), Value::Expr(expr)) => {
                    add(
                        Some(name.unraw().to_string()),
                        values::string(expr)?,
                        report,
                    );
                }
                _ => return None,
            }
            Some(())
        },
    )
}

/// The form to write for `from:at` of other tools, which is a volume or a mount.
fn volume_form(parts: &[&str]) -> String {
    let (from, at) = (parts[0], parts[1]);
    if from.starts_with(['.', '/', '~', '$']) {
        format!("mount(\"path/in/package\" = \"{at}\")")
    } else {
        format!("volume({} = \"{at}\")", from.replace('-', "_"))
    }
}

pub(super) fn mount(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let mut mode = MountMode::default();
    let mut mounts = Vec::new();
    let form = "\"path/in/package\" = \"/path/in/container\"` or `mode = rw";
    read_entries(argument, form, report, |entry, report| {
        match &entry.name {
            Name::Word(word) if word == "mode" => {
                let word = values::word_or_quoted(entry.expr()?, report)?;
                mode = values::mode(&word, report).unwrap_or_default();
            }
            Name::Text(from) => {
                let at = entry.expr().and_then(values::string)?;
                let form = |parts: &[&str]| {
                    let mode = parts.get(1).filter(|mode| mode.contains("rw"));
                    let mode = mode.map_or("", |_| ", mode = rw");
                    format!("mount(\"{}\" = \"{}\"{mode})", from.value(), parts[0])
                };
                if let Some(path) = values::target_path(at, form, report) {
                    let from = Spanned::new(from.value(), from.span());
                    mounts.push((from, Spanned::new(path, at.span())));
                }
            }
            Name::Word(_) | Name::Bare(_) => return None,
        }
        Some(())
    })?;
    let mounts = mounts
        .into_iter()
        .map(|(from, at)| MountSyntax { from, at, mode });
    service.mounts.extend(mounts);
    Some(())
}

pub(super) fn labels(
    service: &mut Service,
    argument: &Argument,
    report: &mut Report,
) -> Option<()> {
    read_entries(
        argument,
        "\"com.example.team\" = \"shop\"",
        report,
        |entry, report| {
            let key = entry.key()?;
            let value = values::scalar(entry.expr()?)?.value;
            let problem = if key.is_empty() {
                Some("expected a name, such as \"com.example.team\"".to_owned())
            } else {
                key.starts_with(RESERVED_LABELS).then(|| {
                    format!("the prefix `{RESERVED_LABELS}` is reserved; write another prefix")
                })
            };
            if let Some(problem) = problem {
                report.error(entry.span(), message::invalid("label", &key, problem));
            }
            service
                .labels
                .push(Spanned::new((key, value), entry.span()));
            Some(())
        },
    )
}

pub(super) fn hosts(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    read_entries(
        argument,
        "\"name\" = \"192.0.2.1\"",
        report,
        |entry, report| {
            let host = entry.key()?;
            let literal = values::string(entry.expr()?)?;
            let address = literal.value();
            if !name::is_domain_name(&host) {
                report.error(
                    entry.span(),
                    message::invalid(
                        "host name",
                        &host,
                        "expected letters, digits, inner hyphens and dots, and no number after the last dot",
                    ),
                );
            }
            if address != "host-gateway" && address.parse::<IpAddr>().is_err() {
                report.error(
                    literal.span(),
                    message::invalid(
                        "address",
                        &address,
                        "expected one such as \"192.0.2.1\", or \"host-gateway\" for this machine",
                    ),
                );
            }
            let host = HostEntry {
                name: host,
                address,
            };
            service.hosts.push(Spanned::new(host, entry.span()));
            Some(())
        },
    )
}

pub(super) fn memory(
    service: &mut Service,
    argument: &Argument,
    report: &mut Report,
) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    service.memory = values::size(literal, report);
    Some(())
}

pub(super) fn shm_size(
    service: &mut Service,
    argument: &Argument,
    report: &mut Report,
) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    service.shm_size = values::size(literal, report);
    Some(())
}

pub(super) fn ulimits(
    service: &mut Service,
    argument: &Argument,
    report: &mut Report,
) -> Option<()> {
    read_entries(
        argument,
        "nofile = 1024` or `nofile = \"1024:2048\"",
        report,
        |entry, report| {
            let Name::Word(word) = &entry.name else {
                return None;
            };
            let name = word.unraw().to_string();
            if !ULIMITS.contains(&name.as_str()) {
                report.error(
                    word.span(),
                    message::unknown("limit", &name, "in `ulimits(..)`", &ULIMITS),
                );
            }
            let value = values::scalar(entry.expr()?)?;
            let (soft, hard) = value
                .value
                .split_once(':')
                .unwrap_or((&value.value, &value.value));
            let (soft, hard) = (soft.parse::<i64>().ok()?, hard.parse::<i64>().ok()?);
            // -1 is "unlimited": above any number.
            let order = |limit: i64| if limit == -1 { i64::MAX } else { limit };
            if soft < -1 || hard < -1 || order(soft) > order(hard) {
                let problem = "expected `\"soft:hard\"`, the soft limit not above the hard one, and neither below -1 (unlimited)";
                report.error(value.span, message::invalid("limit", &value.value, problem));
            }
            let ulimit = Ulimit { name, soft, hard };
            service.ulimits.push(Spanned::new(ulimit, word.span()));
            Some(())
        },
    )
}

pub(super) fn sysctls(
    service: &mut Service,
    argument: &Argument,
    report: &mut Report,
) -> Option<()> {
    read_entries(
        argument,
        "\"net.core.somaxconn\" = 1024",
        report,
        |entry, report| {
            let name = entry.key()?;
            let value = values::scalar(entry.expr()?)?;
            if let Some(problem) = problem_with_sysctl(&name) {
                let message = message::invalid("kernel parameter", &name, problem);
                report.error(entry.span(), message);
            }
            let problem = match &*value.value {
                "" => Some("expected a number or a text"),
                "true" => Some("the kernel has numbers; write `1`"),
                "false" => Some("the kernel has numbers; write `0`"),
                _ => None,
            };
            if let Some(problem) = problem {
                let message = message::invalid("value", &value.value, problem);
                report.error(value.span, message);
            }
            let sysctl = (name, value.value);
            service.sysctls.push(Spanned::new(sysctl, entry.span()));
            Some(())
        },
    )
}

/// Why a container cannot have the kernel parameter `name` for itself, and what to write instead.
fn problem_with_sysctl(name: &str) -> Option<String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(fits);
    let dotted = name.replace('/', ".");
    if !dotted.contains('.') || !dotted.split('.').all(is_part) {
        return Some("expected a name such as \"net.core.somaxconn\"".to_owned());
    }
    if dotted != name {
        return Some(format!("separate its parts by dots: \"{dotted}\""));
    }
    let is_own =
        OWN_SYSCTLS.contains(&name) || OWN_SYSCTL_TREES.iter().any(|tree| name.starts_with(tree));
    if is_own {
        return None;
    }
    Some(match suggest::nearest(name, OWN_SYSCTLS) {
        Some(known) => suggest::did_you_mean(Some(known), &OWN_SYSCTLS),
        None => format!(
            "all containers share that of the machine; set it there, with `sysctl -w {name}=..`"
        ),
    })
}

pub(super) fn cap_add(
    service: &mut Service,
    argument: &Argument,
    report: &mut Report,
) -> Option<()> {
    read_entries(argument, "\"NET_ADMIN\"", report, |entry, report| {
        let (Name::Text(literal), Value::None) = (&entry.name, &entry.value) else {
            return None;
        };
        let capability = literal.value();
        let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        if capability.is_empty() || !capability.bytes().all(fits) {
            report.error(
                literal.span(),
                message::invalid(
                    "capability",
                    &capability,
                    "expected upper-case letters and `_`, such as \"NET_ADMIN\"",
                ),
            );
        }
        service.cap_add.push(capability);
        Some(())
    })
}

pub(super) fn privileged(service: &mut Service, argument: &Argument, _: &mut Report) -> Option<()> {
    service.privileged = match &argument.value {
        Value::None => true,
        Value::Expr(expr) => values::boolean(expr)?,
        Value::List(..) | Value::Unreadable => return None,
    };
    Some(())
}

pub(super) fn platform(
    service: &mut Service,
    argument: &Argument,
    report: &mut Report,
) -> Option<()> {
    let literal = argument.expr().and_then(values::string)?;
    let platform = literal.value();
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let count = platform.split('/').count();
    if !(2..=3).contains(&count) || !platform.split('/').all(part) {
        report.error(
            literal.span(),
            message::invalid(
                "platform",
                &platform,
                "expected a system and an architecture, such as \"linux/amd64\"",
            ),
        );
    }
    service.platform = Some(platform);
    Some(())
}

pub(super) fn stop_signal(
    service: &mut Service,
    argument: &Argument,
    report: &mut Report,
) -> Option<()> {
    let value = values::scalar(argument.expr()?)?;
    let signal = value.value;
    let name = signal.strip_prefix("SIG").unwrap_or(&signal);
    let number = signal
        .parse::<u8>()
        .is_ok_and(|number| (1..=64).contains(&number));
    if !number && !SIGNALS.contains(&name) {
        let nearest = suggest::nearest(name, SIGNALS).unwrap_or("TERM");
        report.error(
            value.span,
            message::invalid(
                "signal",
                &signal,
                format!("expected a name or a number, such as \"SIG{nearest}\""),
            ),
        );
    }
    service.stop_signal = Some(signal);
    Some(())
}

pub(super) fn pull(service: &mut Service, argument: &Argument, report: &mut Report) -> Option<()> {
    let word = values::word_or_quoted(argument.expr()?, report)?;
    service.pull = values::choice(&word, "pull", &PULLS, report).unwrap_or_default();
    Some(())
}
