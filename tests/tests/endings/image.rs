//! A case whose image is made by a script that does not end.

use std::os::unix::fs::PermissionsExt;

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
