//! Services of scope `keep`, as the processes of several runs see them: each run is a child process with a run id of its
//! own, and what it has and says is compared with that of the run before.
//!
//! The runs of a test share a runtime directory, and with it a keeper, with nobody else. At its end the keeper has ended,
//! and nothing of it is left on the engine or on disk.
//!
//! The tests of `cases` are what the children run; the others drive them.

mod adopted;
mod cases;
mod dropped;
mod machine;
mod record;
mod replaced;
mod run;
