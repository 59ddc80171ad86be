//! Where an executable becomes a supervisor instead of running its `main`.
//!
//! Above both the run, which starts supervisors, and the supervisor, which knows its run.

use crate::{run, supervisor};

/// The C library calls it before `main`, after what the standard library has there for itself (99), and before other
/// constructors of the executable: those of a test executable may start what a supervisor must not have.
#[used]
#[unsafe(link_section = ".init_array.00101")]
static INTERCEPT: extern "C" fn() = intercept;

/// Makes sure that the linker keeps the above. Whoever may start a supervisor calls this, for it is started from the same
/// executable.
pub(crate) fn link() {
    std::hint::black_box(&INTERCEPT);
}

extern "C" fn intercept() {
    run::intercept(supervisor::process::run);
}
