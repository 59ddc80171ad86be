//! A case whose image is made by a script, or a build, that does not end.

use std::os::unix::fs::PermissionsExt;

use seatrial_tests::engine;

use crate::cases;
use crate::run::Run;
use crate::running::Running;

/// A run of [`cases::image_is_made`](crate::cases) in the middle of it.
pub(crate) struct Making {
    pub(crate) run: Running,
    /// The script's own process and one that it has started.
    pub(crate) processes: Vec<u32>,
}

/// Makes the case's image until the script runs.
#[track_caller]
pub(crate) fn making(mut run: Run) -> Making {
    let (script, started) = (run.path("rootfs"), run.path("started"));
    let text = format!(
        "#!/bin/sh\nsleep 1000 &\necho $$ $! > {0}.new\nmv {0}.new {0}\nwait\n",
        started.display()
    );
    std::fs::write(&script, text).expect("a script");
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).expect("executable");
    run.command.env(
        "SEATRIAL_IMAGES",
        format!("{}=script:{}", cases::MADE, script.display()),
    );
    let mut run = run.spawn();
    let processes = run.until("the script runs", |_| {
        std::fs::read_to_string(&started).ok()
    });
    let processes = processes.split_whitespace().map(|process| {
        let process = process.parse();
        process.expect("a process id")
    });
    Making {
        run,
        processes: processes.collect(),
    }
}

/// A run of the same case in the middle of a build.
pub(crate) struct Building {
    pub(crate) run: Running,
    /// What its first step has made.
    pub(crate) image: String,
}

/// Builds the case's image until the second step runs.
#[track_caller]
pub(crate) fn building(mut run: Run) -> Building {
    let context = run.path("context");
    std::fs::create_dir(&context).expect("a directory");
    // Nobody else's, so that it is in nobody's cache.
    let dockerfile = format!(
        "FROM debian:bookworm-slim\nLABEL test={}\nRUN sleep 1000\n",
        run.id
    );
    std::fs::write(context.join("Dockerfile"), dockerfile).expect("a Dockerfile");
    run.command.env(
        "SEATRIAL_IMAGES",
        format!("{}=build:{}", cases::MADE, context.display()),
    );
    let mut run = run.spawn();
    let image = run.until("the second step runs", |run| {
        let output = run.output();
        let (first, second) = output
            .split_once(" | Step 2/")?
            .1
            .split_once(" | Step 3/")?;
        second.contains("Running in").then_some(())?;
        let made = first.lines().filter_map(|line| line.split_once(" ---> "));
        let ids = made.filter(|(_, id)| !id.contains(' '));
        ids.map(|(_, id)| id.to_owned()).next_back()
    });
    assert!(has_image(&image), "{}", run.output());
    Building { run, image }
}

/// Whether the engine has an image of this id.
pub(crate) fn has_image(id: &str) -> bool {
    engine::ask("GET", &format!("/images/{id}/json")).0 != 404
}
