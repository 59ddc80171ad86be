//! Why something does not do what it should: the cause, and the next step.
//!
//! What is here looks at what engines say, at containers and at their files. It changes nothing, knows no instance and no
//! run, and decides nothing; its callers attach to their errors what it finds.

mod engine;

pub(super) use engine::engine_error;
