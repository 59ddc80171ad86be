//! Gets an engine where there is none: installs Docker from the distribution's packages and starts it, and says so
//! before it does. Leaves alone an engine that is there but may not be used, and one that the environment names.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::engine::{self, Attempt, Engine};
use crate::packages::{self, Need};
use crate::steps;

const DOCKER: Need = Need {
    programs: &["dockerd"],
    packages: &["docker.io", "ca-certificates"],
    why: "no container engine answers, and the services run in containers; \
          docker.io brings Docker, containerd and runc",
};

/// Where a daemon that is started here writes its log.
const LOG: &str = "/var/log/seatrial-dockerd.log";

/// How long a daemon may take until its socket answers.
const DEADLINE: Duration = Duration::from_secs(60);

/// The engine that is there, or else one that is installed and started now.
///
/// # Errors
///
/// Where no engine answers, and none can be installed and started; the message says what to do by hand.
pub(crate) fn engine() -> Result<Engine> {
    let engine = match engine::find() {
        Ok(engine) => engine,
        Err(attempts) => {
            println!("no container engine answers:");
            for Attempt {
                address, outcome, ..
            } in &attempts
            {
                println!("  {address}: {outcome}");
            }
            refuse_where_it_would_not_help(&attempts)?;
            DOCKER.meet()?;
            start()?
        }
    };
    println!("engine: {} at {}", engine.name, engine.api.address);
    Ok(engine)
}

fn refuse_where_it_would_not_help(attempts: &[Attempt]) -> Result<()> {
    if let Some(host) = engine::demanded() {
        bail!(
            "DOCKER_HOST names {host}, which does not answer; start that engine, or unset DOCKER_HOST"
        );
    }
    if let Some(attempt) = attempts.iter().find(|attempt| attempt.forbidden) {
        bail!(
            "this user may not use the engine at {}; join its group (sudo usermod -aG docker $USER, \
             then log in again), or run this as root",
            attempt.address
        );
    }
    if packages::is_installed("dockerd") && !packages::is_root() {
        bail!("Docker is installed but does not run; start it: sudo systemctl start docker");
    }
    Ok(())
}

fn start() -> Result<Engine> {
    if Path::new("/run/systemd/system").exists() {
        println!("starting Docker: systemctl start docker");
        steps::run(Command::new("systemctl").args(["start", "docker"]))?;
        return wait(|| None);
    }
    if is_starting() {
        println!("waiting for Docker, which its package has started");
        if let Ok(engine) = wait(|| (!is_starting()).then(|| "it ended".to_owned())) {
            return Ok(engine);
        }
    }
    let mut remedies: Vec<&Remedy> = Vec::new();
    loop {
        match launch(&remedies) {
            Ok(engine) => return Ok(engine),
            Err(error) => {
                let log = std::fs::read_to_string(LOG).unwrap_or_default();
                let untried = |remedy: &&Remedy| {
                    !remedies.iter().any(|tried| tried.what == remedy.what) && remedy.cures(&log)
                };
                let Some(remedy) = REMEDIES.iter().find(untried) else {
                    let end = last_lines(&log, 15);
                    return Err(error.context(format!(
                        "Docker does not start; the end of its log ({LOG}):\n{end}\n"
                    )));
                };
                println!(
                    "Docker did not start ({error}); trying again with {}",
                    remedy.what
                );
                remedies.push(remedy);
            }
        }
    }
}

/// What to try differently when a daemon ends at once: machines that are containers themselves lack a thing or two.
struct Remedy {
    what: &'static str,
    /// Words in the log that call for it, in lower case.
    signs: &'static [&'static str],
    options: &'static [&'static str],
    command: Option<&'static [&'static str]>,
}

impl Remedy {
    fn cures(&self, log: &str) -> bool {
        // What ends the daemon is in the last lines; many a warning before them is harmless.
        let end = last_lines(log, 5).to_lowercase();
        self.signs.iter().any(|sign| end.contains(sign))
    }
}

const REMEDIES: &[Remedy] = &[
    Remedy {
        what: "iptables' older interface to the kernel (iptables-legacy)",
        signs: &["iptables", "nf_tables", "nft"],
        options: &[],
        command: Some(&[
            "update-alternatives",
            "--set",
            "iptables",
            "/usr/sbin/iptables-legacy",
        ]),
    },
    Remedy {
        what: "the storage driver vfs (slower, works everywhere)",
        signs: &[
            "graphdriver",
            "storage-driver",
            "storage driver",
            "overlay",
            "snapshotter",
        ],
        options: &["--storage-driver=vfs"],
        command: None,
    },
    Remedy {
        what: "no packet filtering (containers reach each other, but not the world)",
        signs: &["iptables", "nf_tables", "nft"],
        options: &["--iptables=false", "--ip6tables=false"],
        command: None,
    },
];

fn launch(remedies: &[&Remedy]) -> Result<Engine> {
    for command in remedies.iter().filter_map(|remedy| remedy.command) {
        steps::run(Command::new(command[0]).args(&command[1..]))?;
    }
    let options = remedies.iter().flat_map(|remedy| remedy.options);
    let log = File::create(LOG).with_context(|| format!("cannot write {LOG}"))?;
    let mut dockerd = Command::new("dockerd");
    // A process group of its own: the daemon stays when this command is interrupted.
    dockerd
        .args(options)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0);
    println!(
        "starting Docker in the background, its log in {LOG}: {}",
        steps::command_line(&dockerd)
    );
    let mut daemon = dockerd.spawn().context("cannot run `dockerd`")?;
    wait(|| ended(&mut daemon))
}

fn ended(daemon: &mut Child) -> Option<String> {
    match daemon.try_wait() {
        Ok(None) => None,
        Ok(Some(status)) => Some(format!("it ended with {status}")),
        Err(error) => Some(error.to_string()),
    }
}

/// Waits until an engine answers, or `over` says why none will.
fn wait(mut over: impl FnMut() -> Option<String>) -> Result<Engine> {
    let started = Instant::now();
    loop {
        if let Ok(engine) = engine::find() {
            return Ok(engine);
        }
        if let Some(why) = over() {
            bail!("{why}");
        }
        if started.elapsed() > DEADLINE {
            bail!(
                "the socket did not answer within {}",
                steps::seconds(DEADLINE)
            );
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Whether a daemon has written its process id and runs: its package's installation may have started it.
fn is_starting() -> bool {
    std::fs::read_to_string("/var/run/docker.pid")
        .is_ok_and(|pid| Path::new("/proc").join(pid.trim()).exists())
}

/// The end of a log.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remedy_is_chosen_by_what_ended_the_daemon() {
        let chosen = |log: &str| REMEDIES.iter().find(|remedy| remedy.cures(log));
        let log = "level=info msg=\"starting\"\nfailed to start daemon: error initializing graphdriver: \
                   driver not supported\n";
        assert_eq!(chosen(log).unwrap().options, ["--storage-driver=vfs"]);
        let log = "failed to start daemon: Error initializing network controller: failed to register \
                   \"bridge\" driver: iptables failed";
        assert!(chosen(log).unwrap().command.is_some());
        assert!(chosen("failed to start daemon: no space left on device").is_none());
    }
}
