//! The compositions that `cargo xtask soak` has launched, and what its tests do with them.
//!
//! The tests are marked `#[ignore]`: nothing but the soak runs them, and it tells them through the environment where to
//! write what they have come to. What it expects of them is in `xtask/src/soak`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use seatrial::{Composition, Service};
use seatrial_tests::conversation::ask;
use seatrial_tests::flood::Sizes;

/// The variable that names the directory for the tests' records.
const RECORDS: &str = "SOAK_RECORDS";

/// The variable that names what ends when a test that has its services may end.
const END: &str = "SOAK_END";

/// How often a voyage does each thing.
const TURNS: usize = 4;

/// What all test processes of a run share.
#[derive(Composition)]
#[composition(scope = run)]
pub struct Fleet {
    /// Serves every test.
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "flagship"),
        command = "{source}/tests/fixtures/serve.pl 4000",
        volume("/anonymous", data = "/data"),
        ready(tcp, log = "listening", with = christen),
    )]
    pub flagship: Service,
    /// Needs another shared service.
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "tender"),
        command = "{source}/tests/fixtures/serve.pl 4000",
        needs(flagship)
    )]
    pub tender: Service,
}

/// What each test has for itself, and each test process.
#[derive(Composition)]
pub struct Crew {
    /// As long as the test process.
    #[service(
        image = "debian:bookworm-slim",
        scope = binary,
        command = ["sh", "-c", "echo at the helm; exec sleep infinity"],
        volume("/anonymous"),
        ready(log = "at the helm"),
    )]
    pub helm: Service,
    /// As long as the test.
    #[service(
        image = "debian:bookworm-slim",
        port = 4000,
        env(NAME = "lookout"),
        command = "{source}/tests/fixtures/serve.pl 4000",
        volume("/anonymous", scratch = "/scratch"),
        needs(helm),
        ready(tcp, exec = "test -d /scratch", with = answers),
    )]
    pub lookout: Service,
}

/// What the next run has.
#[derive(Composition)]
pub struct Boat {
    /// Does nothing.
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "echo aboard; exec sleep infinity"],
        ready(log = "aboard"),
    )]
    pub oars: Service,
}

/// What the tests share whose engine goes away. No ports: that engine's network is not this machine's.
#[derive(Composition)]
#[composition(scope = run)]
pub struct Pontoon {
    /// Logs a line every tenth of a second, and ends when it is asked to.
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "trap 'exit 0' TERM; while :; do echo ahoy; sleep 0.1; done"],
        volume(hold = "/hold"),
        ready(log = "ahoy"),
    )]
    pub deck: Service,
}

/// What each of them has for itself.
#[derive(Composition)]
pub struct Buoy {
    /// The same.
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "trap 'exit 0' TERM; while :; do echo ding; sleep 0.1; done"],
        volume("/anonymous", tide = "/tide"),
        ready(log = "ding"),
    )]
    pub bell: Service,
}

/// What the function of a setup adds, one after the other, to what the command before it has begun.
const PARTS: [&str; 8] = [
    "stem", "stern", "ribs", "planks", "deck", "mast", "yards", "sails",
];

/// What test processes wait for while one of them sets it up.
#[derive(Composition)]
#[composition(scope = run)]
pub struct Shipyard {
    /// The first setup fails where anything was done to the volume before.
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        volume(slip = "/slip"),
        setup(exec = "test ! -e /slip/ship && echo keel >/slip/ship"),
        setup(with = build),
        ready(running),
    )]
    pub dock: Service,
    /// Logs what it finds when it starts.
    #[service(
        image = "debian:bookworm-slim",
        command = ["sh", "-c", "cat /slip/ship; exec sleep infinity"],
        volume(slip = "/slip"),
        needs(dock),
        ready(log = "sails"),
    )]
    pub pilot: Service,
}

/// Writes `building-PID` when it begins and `built-PID` when all is done.
async fn build(dock: &Service) -> Result<()> {
    let records = named(RECORDS)?;
    let process = std::process::id();
    record(&records, &format!("building-{process}"), "")?;
    for part in PARTS {
        let append = format!("echo {part} >>/slip/ship");
        let output = dock.exec(["sh", "-c", &append]).await?;
        ensure!(output.success(), "{part}: {output:?}");
    }
    record(&records, &format!("built-{process}"), "")?;
    Ok(())
}

/// Runs in one test process of a run, for all of them.
async fn christen(flagship: &Service) -> Result<()> {
    let written = flagship
        .exec(["sh", "-c", "echo christened >>/data/log"])
        .await?;
    ensure!(written.success(), "it cannot be christened: {written:?}");
    answers(flagship).await?;
    if let Some(records) = std::env::var_os(RECORDS) {
        let name = format!("hook-{}", std::process::id());
        record(Path::new(&records), &name, "")?;
    }
    Ok(())
}

async fn answers(service: &Service) -> Result<()> {
    let answer = ask(service.addr(), "hello")?;
    ensure!(answer.starts_with("hello from "), "it answers {answer}");
    Ok(())
}

/// What a test does with its services: everything, some times. Writes `passed-TEST` when that is done.
///
/// # Errors
///
/// The first thing that goes wrong.
pub async fn voyage(test: &str, fleet: Fleet, crew: Crew) -> Result<()> {
    let records = named(RECORDS)?;
    let lookout = &crew.lookout;
    let own = std::env::temp_dir().join(test);
    fs::write(&own, test)?;
    let mut log = lookout.log_lines();
    for turn in 0..TURNS {
        for (service, name) in [(&fleet.flagship, "flagship"), (lookout, "lookout")] {
            let answer =
                ask(service.addr(), "hello").with_context(|| format!("{name} is asked"))?;
            ensure!(answer == format!("hello from {name}"), "{name}: {answer}");
        }
        let output = fleet.flagship.exec(["cat", "/data/log"]).await?;
        ensure!(output.stdout.starts_with("christened\n"), "{output:?}");
        lookout.copy_in(&own, "/scratch/own").await?;
        let output = lookout.exec(["cat", "/scratch/own"]).await?;
        ensure!(output.stdout == test, "{output:?}");
        let copy = own.with_extension("copy");
        lookout.copy_out("/scratch/own", &copy).await?;
        ensure!(
            fs::read_to_string(&copy)? == test,
            "the copy is another file"
        );
        ask(lookout.addr(), &format!("say turn {turn}"))?;
        let expected = format!("turn {turn}");
        loop {
            let line = log.next().await.context("the log has ended")??;
            if line.text == expected {
                break;
            }
        }
    }
    record(&records, &format!("passed-{test}"), "")?;
    Ok(())
}

/// Launches the fleet as many processes do, see [`with_others`]. What it writes once it has the fleet are the ids of its
/// containers.
///
/// # Errors
///
/// The launch's own; or the soak is gone.
pub async fn launch_with_others() -> Result<()> {
    with_others(async || {
        let fleet = Fleet::launch().await?;
        ask_both(&fleet)?;
        let ids = format!("{} {}", fleet.flagship.id(), fleet.tender.id());
        Ok((fleet, ids))
    })
    .await
}

/// Launches the shipyard as other processes do, see [`with_others`], and sees that all was done to it that had to be, and
/// nothing twice. What it writes then are the ids of its containers.
///
/// # Errors
///
/// The launch's own; or the ship is not whole; or the soak is gone.
pub async fn build_with_others() -> Result<()> {
    with_others(async || {
        let yard = Shipyard::launch().await?;
        let whole = format!("keel\n{}\n", PARTS.join("\n"));
        let output = yard.dock.exec(["cat", "/slip/ship"]).await?;
        ensure!(output.stdout == whole, "the ship: {output:?}");
        let seen = yard.pilot.logs().await?;
        ensure!(seen == whole, "what the pilot found: {seen:?}");
        let ids = format!("{} {}", yard.dock.id(), yard.pilot.id());
        Ok((yard, ids))
    })
    .await
}

/// Launches something at the very moment at which the standard input ends, as other processes do, and keeps it until the
/// soak says so.
///
/// Writes `waiting-PID` before, and `ready-PID` once it is launched, with the text that `launch` gives.
///
/// # Errors
///
/// What `launch` says; or the soak is gone.
pub async fn with_others<C>(launch: impl AsyncFnOnce() -> Result<(C, String)>) -> Result<()> {
    let records = named(RECORDS)?;
    let end = named(END)?;
    let mut end = File::open(&end).with_context(|| end.display().to_string())?;
    let process = std::process::id();
    record(&records, &format!("waiting-{process}"), "")?;
    read_to_end(&mut io::stdin())?;
    let (launched, text) = launch().await?;
    record(&records, &format!("ready-{process}"), &text)?;
    read_to_end(&mut end)?;
    drop(launched);
    Ok(())
}

/// The sizes of [`flood`].
const SIZES: Sizes = Sizes {
    line: GIBI,
    lines: 2 * GIBI,
    output: GIBI,
    file: FILE,
};
/// More than the memory of a small machine that runs tests.
const FILE: u64 = 1_500_000_000;
const GIBI: u64 = 1 << 30;

/// Has more than anybody should hold pass through this process and its supervisor. Writes `peaks`: a line for each step, with
/// the most bytes that each of the two had used by then.
///
/// # Errors
///
/// Where something does not arrive.
pub async fn flood() -> Result<()> {
    let peaks = seatrial_tests::flood::flood(SIZES).await?;
    let lines: Vec<String> = peaks
        .iter()
        .map(|peak| format!("{} {} {}\n", peak.test, peak.supervisor, peak.step))
        .collect();
    record(&named(RECORDS)?, "peaks", &lines.concat())?;
    Ok(())
}

/// Both services are there for this process, too.
fn ask_both(fleet: &Fleet) -> Result<()> {
    for (service, name) in [(&fleet.flagship, "flagship"), (&fleet.tender, "tender")] {
        let answer = ask(service.addr(), "hello")?;
        ensure!(answer == format!("hello from {name}"), "{name}: {answer}");
    }
    Ok(())
}

fn read_to_end(from: &mut impl Read) -> Result<()> {
    from.read_to_end(&mut Vec::new())?;
    Ok(())
}

fn named(variable: &str) -> Result<PathBuf> {
    let path = std::env::var_os(variable);
    Ok(PathBuf::from(
        path.context("`cargo xtask soak` runs these tests")?,
    ))
}

/// Writes a record. Whoever sees it sees all of it.
fn record(records: &Path, name: &str, text: &str) -> io::Result<()> {
    let beside = records.join(format!(".{name}-{}", std::process::id()));
    fs::write(&beside, text)?;
    fs::rename(beside, records.join(name))
}
