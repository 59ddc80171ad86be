//! A Docker daemon of our own, for what would spoil the machine's: in namespaces and a directory that go with it. It
//! shares nothing with the machine's engine but the kernel.

use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::api::{Address, Api};
use crate::{engine, install, packages, steps};

const PROGRAMS: &[&str] = &["dockerd", "unshare", "nsenter", "ip", "mount"];

/// How long a daemon may take until its socket answers, and how long until it has ended.
const DEADLINE: Duration = Duration::from_secs(60);

/// Runs the daemon in a directory, the script's first argument, with the options that follow, until its input ends;
/// removes the directory then. The input ends with us however we end. Its lines are `stop`, which the daemon is asked to do,
/// `kill` and `start`.
///
/// The mounts, networks and processes of the daemon are in namespaces: what it does not clear away itself is gone with
/// their first process. An empty `/run` keeps it from a containerd of the machine's.
const SCRIPT: &str = r#"
unshare --net --mount --pid --fork --kill-child --mount-proc sh -c '
    directory=$1
    shift
    ip link set lo up && mount -t tmpfs tmpfs /run || exit
    pid=$directory/docker.pid
    start() {
        rm -f "$directory/ended" "$pid"
        (
            dockerd --config-file "$directory/daemon.json" --pidfile "$pid" \
                --host "unix://$directory/docker.sock" --data-root "$directory/data" --exec-root "$directory/exec" \
                "$@" >>"$directory/log" 2>&1 </dev/null
            touch "$directory/ended"
        ) &
    }
    start "$@"
    while read -r command; do
        case $command in
            start) start "$@" ;;
            stop) kill "$(cat "$pid")" ;;
            kill) kill -9 "$(cat "$pid")" ;;
        esac
    done
    kill "$(cat "$pid")"
    wait
' sh "$@" >/dev/null
rm -rf "$1"
"#;

/// Whether a daemon of its own can be started here.
///
/// # Errors
///
/// Where this user may not, or a program is missing.
pub(crate) fn check_machine() -> Result<()> {
    ensure!(
        packages::is_root(),
        "a separate Docker daemon needs root: run this command as root"
    );
    for program in PROGRAMS {
        ensure!(
            packages::is_installed(program),
            "`{program}` is not installed: a separate Docker daemon needs it"
        );
    }
    Ok(())
}

/// How a daemon is made to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// By `SIGTERM`: it stops its containers.
    Asked,
    /// By `SIGKILL`: its containers go on until it is started again.
    Killed,
}

/// A daemon that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    directory: PathBuf,
    process: Child,
    /// The script's input, until it is to end.
    input: Option<ChildStdin>,
}

impl Daemon {
    /// Starts one like the machine's engine; where that one's storage driver is of no use here, with the one that always is.
    ///
    /// # Errors
    ///
    /// As [`Self::start`].
    pub(crate) fn like_the_machines(name: &str) -> Result<Self> {
        const ANYWHERE: &str = "vfs";
        let info = engine::find().ok().map(|engine| engine.api.get("/info"));
        let info = info.transpose()?.flatten().unwrap_or_default();
        let driver = info["Driver"].as_str().unwrap_or(ANYWHERE);
        match Self::start(name, driver) {
            Err(error) if driver != ANYWHERE => {
                println!("{error:#}\ntrying again with the storage driver {ANYWHERE}");
                Self::start(name, ANYWHERE)
            }
            outcome => outcome,
        }
    }

    /// Starts a daemon and waits until it answers; `name` becomes part of its directory's.
    ///
    /// # Errors
    ///
    /// Where this user may not, a program is missing, or the daemon does not start; with the end of its log.
    pub(crate) fn start(name: &str, storage_driver: &str) -> Result<Self> {
        check_machine()?;
        // Not `seatrial-`: whoever looks for leftovers meanwhile is not to find this.
        let directory = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        fs::create_dir(&directory)
            .with_context(|| format!("cannot create `{}`", directory.display()))?;
        // Not the machine's own, which sets what the options set.
        fs::write(directory.join("daemon.json"), "{}")?;
        let mut process = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(&directory)
            .args(["--storage-driver", storage_driver])
            .stdin(Stdio::piped())
            // A signal of the terminal's is for us alone.
            .process_group(0)
            .spawn()
            .context("cannot run `sh`")?;
        let input = process.stdin.take();
        let daemon = Self {
            directory,
            process,
            input,
        };
        daemon.wait_until_it_answers()?;
        Ok(daemon)
    }

    /// Its API, whose address is what `DOCKER_HOST` has to be.
    pub(crate) fn api(&self) -> Api {
        Api {
            address: Address::Unix(self.directory.join("docker.sock")),
        }
    }

    /// The words before a command that have it run beside the daemon, whose processes and networks it sees as the machine's.
    ///
    /// # Errors
    ///
    /// Where the daemon has ended.
    pub(crate) fn beside(&self) -> Result<Vec<String>> {
        // The shell's child is `unshare`, and that one's child the first process of the namespaces.
        let child_of = |process: u32| {
            let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
            let first = children
                .unwrap_or_default()
                .split_whitespace()
                .next()
                .and_then(|child| child.parse::<u32>().ok());
            first.context("the daemon has ended")
        };
        let first = child_of(child_of(self.process.id())?)?;
        let here = std::env::current_dir()?;
        let here = here.to_str().context("a directory whose name is UTF-8")?;
        let words = format!("nsenter --target {first} --net --mount --pid");
        let words = words.split(' ').map(str::to_owned);
        Ok(words
            .chain([format!("--wd={here}"), "--".to_owned()])
            .collect())
    }

    /// Has it stop, as the system does, or killed; and waits for its end.
    ///
    /// # Errors
    ///
    /// Where it does not end.
    pub(crate) fn stop(&mut self, how: Stop) -> Result<()> {
        self.tell(match how {
            Stop::Asked => "stop",
            Stop::Killed => "kill",
        })?;
        let started = Instant::now();
        while !self.directory.join("ended").exists() {
            ensure!(started.elapsed() < DEADLINE, "the daemon did not stop");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Starts it once more, and waits until it answers.
    ///
    /// # Errors
    ///
    /// Where it does not start; with the end of its log.
    pub(crate) fn start_again(&mut self) -> Result<()> {
        fs::remove_file(self.directory.join("ended"))?;
        self.tell("start")?;
        self.wait_until_it_answers()
    }

    fn tell(&mut self, command: &str) -> Result<()> {
        let input = self.input.as_mut().context("the daemon has ended")?;
        writeln!(input, "{command}").context("the daemon's script has ended")
    }

    fn wait_until_it_answers(&self) -> Result<()> {
        let started = Instant::now();
        while self.api().ping().is_err() {
            let ended = self.directory.join("ended").exists();
            if ended || started.elapsed() > DEADLINE {
                let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
                bail!(
                    "the daemon {}; the end of its log:\n{}",
                    if ended {
                        "ended at once"
                    } else {
                        "does not answer"
                    },
                    install::last_lines(&log, 15)
                );
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Ends the daemon and waits until it and its directory are gone.
    ///
    /// # Errors
    ///
    /// Where something of it stays.
    pub(crate) fn end(mut self) -> Result<()> {
        self.end_once()
    }

    fn end_once(&mut self) -> Result<()> {
        if self.input.take().is_none() {
            return Ok(());
        }
        let started = Instant::now();
        while self.process.try_wait()?.is_none() {
            if started.elapsed() > DEADLINE {
                // With the process group goes `unshare`, and with that its namespaces.
                let group = format!("-{}", self.process.id());
                steps::run(Command::new("kill").args(["-KILL", "--", &group]))?;
                self.process.wait()?;
                fs::remove_dir_all(&self.directory)?;
                bail!("the daemon did not end by itself; it was killed");
            }
            thread::sleep(Duration::from_millis(100));
        }
        ensure!(
            !self.directory.exists(),
            "the daemon has left `{}`: remove it",
            self.directory.display()
        );
        Ok(())
    }
}

/// For the ways out on which something else has failed already.
impl Drop for Daemon {
    fn drop(&mut self) {
        if let Err(error) = self.end_once() {
            eprintln!("warning: {error:#}");
        }
    }
}
