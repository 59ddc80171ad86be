//! More than anybody should hold: an endless line, a long log, a large output and large files, and how much memory the
//! processes that they pass through have used at most.

use std::fmt;
use std::fs::{self, File};

use anyhow::{Context, Result, ensure};
use seatrial::{Composition, LogLines, Service};

use crate::child::with_in_environment;
use crate::scratch::Scratch;

/// The variable that says which run this process is of.
const RUN_ID: &str = "SEATRIAL_RUN_ID";

/// The longest line that is handed out whole.
const LONGEST_LINE: u64 = 64 * 1024;

/// How long each line of the log is, with its end.
const LINE: u64 = 1024;

/// So much is written before any of it is read, and read before more is written: an engine may keep only the last 20 or 30 MB
/// of a log, and waits for no reader.
const PORTION: u64 = 4 * 1024 * 1024;

/// Writes what it is told to.
#[derive(Composition)]
pub struct Torrent {
    /// For `line N` in `/go` it writes N bytes of a line, for `lines N` so many bytes of lines, for `end` a line's end. Then it
    /// says so on standard error, with the third word that it was given, and makes `/written`.
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "mkfifo /go; while read kind size number </go; do case $kind in \
                                line) head -c $size /dev/zero | tr '\\0' x;; \
                                lines) yes $(head -c 1023 /dev/zero | tr '\\0' y) | head -c $size;; \
                                *) echo;; \
                                esac; echo written $number >&2; touch /written; done"],
        ready(exec = "test -p /go"),
    )]
    pub spring: Service,
}

/// How much passes through, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// The line that is too long.
    pub line: u64,
    /// The lines behind it.
    pub lines: u64,
    /// What a command writes.
    pub output: u64,
    /// The file that is copied.
    pub file: u64,
}

/// The most memory that both processes had used by the end of a step, in bytes.
#[derive(Clone, Debug)]
pub struct Peak {
    /// The step.
    pub step: &'static str,
    /// Of the test process.
    pub test: u64,
    /// Of the supervisor.
    pub supervisor: u64,
}

impl fmt::Display for Peak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebi = |bytes: u64| bytes.div_ceil(1024 * 1024);
        let Self {
            step,
            test,
            supervisor,
        } = self;
        write!(
            f,
            "{step}: test process {} MiB, supervisor {} MiB",
            mebi(*test),
            mebi(*supervisor)
        )
    }
}

/// Has it all pass through, in a run whose supervisor has nothing else to do, and tells what it took.
///
/// # Errors
///
/// Where something does not arrive, or anything else goes wrong.
pub async fn flood(sizes: Sizes) -> Result<Vec<Peak>> {
    let spring = Torrent::launch().await?.spring;
    let mut peaks = vec![peak("launched")?];
    let log = spring.log_lines();
    let mut flood = Flood::new(&spring, log);
    for _ in 0..sizes.line / PORTION {
        flood.portion("line").await?;
    }
    ensure!(flood.begun > 0, "nothing of the endless line has come");
    peaks.push(peak("an endless line")?);
    flood.portion("end").await?;
    for _ in 0..sizes.lines / PORTION {
        flood.portion("lines").await?;
    }
    peaks.push(peak("a log that is read slowly")?);
    // Not exactly: where a log is rotated, some engines lose or repeat a part of it.
    ensure!(flood.cut > sizes.line / 2, "{} bytes were cut", flood.cut);
    ensure!(
        flood.lines > sizes.lines / LINE / 2,
        "{} lines have come",
        flood.lines
    );
    copy(&spring, sizes.file, &mut peaks).await?;
    write_output(&spring, sizes.output).await?;
    peaks.push(peak("a command's output")?);
    let text = spring.logs().await?;
    ensure!(!text.is_empty());
    peaks.push(peak("the log as one text")?);
    Ok(peaks)
}

/// What comes of the log.
struct Flood<'a> {
    spring: &'a Service,
    log: LogLines,
    /// How many portions were written.
    portions: u64,
    /// How many beginnings of an endless line have come.
    begun: u64,
    /// How much was cut of it, as far as that was said.
    cut: u64,
    /// How many whole lines have come.
    lines: u64,
}

impl<'a> Flood<'a> {
    fn new(spring: &'a Service, log: LogLines) -> Self {
        Self {
            spring,
            log,
            portions: 0,
            begun: 0,
            cut: 0,
            lines: 0,
        }
    }

    /// Has a portion written, and then reads it.
    async fn portion(&mut self, kind: &str) -> Result<()> {
        self.portions += 1;
        let number = self.portions;
        let script = format!(
            "echo {kind} {PORTION} {number} >/go; until test -e /written; do sleep 0.02; done; rm /written"
        );
        let output = self.spring.exec(["sh", "-c", &script]).await?;
        ensure!(output.success(), "{output:?}");
        loop {
            let line = self.log.next().await.context("the log has ended")??;
            if line.stderr {
                let said = line.text.strip_prefix("written ");
                let said: u64 = said.context(line.text.clone())?.parse()?;
                if said == number {
                    return Ok(());
                }
            } else {
                self.line(&line.text)?;
            }
        }
    }

    fn line(&mut self, line: &str) -> Result<()> {
        ensure!(
            line.len() as u64 <= LONGEST_LINE + 100,
            "{} bytes",
            line.len()
        );
        if let Some(cut) = line.strip_prefix("[.. ") {
            let number = cut.split(' ').next().unwrap_or_default();
            self.cut += number.parse::<u64>()?;
        } else if line.ends_with(']') {
            self.begun += 1;
        } else if line.len() as u64 + 1 == LINE {
            self.lines += 1;
        }
        Ok(())
    }
}

async fn copy(spring: &Service, size: u64, peaks: &mut Vec<Peak>) -> Result<()> {
    let scratch = Scratch::new("flood");
    let (from, back) = (scratch.path("from"), scratch.path("back"));
    File::create(&from)?.set_len(size)?;
    spring.copy_in(&from, "/file").await?;
    peaks.push(peak("a file copied in")?);
    spring.copy_out("/file", &back).await?;
    peaks.push(peak("a file copied out")?);
    let came = fs::metadata(&back)?.len();
    ensure!(came == size, "{came} of {size} bytes came back");
    Ok(())
}

async fn write_output(spring: &Service, size: u64) -> Result<()> {
    let script = format!("yes sixteen bytes.. | head -c {size}");
    let output = spring.exec(["sh", "-c", &script]).await?;
    let (_, kept) = output.stdout.split_once('\n').context("no lines")?;
    ensure!(output.truncated + kept.len() as u64 == size);
    Ok(())
}

/// What both processes have used at most so far.
fn peak(step: &'static str) -> Result<Peak> {
    let run = std::env::var(RUN_ID).context("it is to be run in a run of its own")?;
    let processes = with_in_environment(&format!("{RUN_ID}={run}"));
    let supervisors = processes.into_iter().filter(|process| {
        let words = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        words.starts_with(b"seatrial-supervisor")
    });
    let supervisors: Vec<u32> = supervisors.collect();
    let [supervisor] = supervisors[..] else {
        anyhow::bail!("the run's supervisors: {supervisors:?}");
    };
    Ok(Peak {
        step,
        test: most_memory(std::process::id())?,
        supervisor: most_memory(supervisor)?,
    })
}

/// `VmHWM` of a process.
fn most_memory(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibi = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
    let kibi: u64 = kibi.context("the kernel does not tell")?.parse()?;
    Ok(kibi * 1024)
}
