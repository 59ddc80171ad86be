//! How tests end, as a user's own process sees it. Whatever the ending, nothing is left on the engine or on disk, and what
//! was said names the right thing.
//!
//! The supervisor is a process of its own, unless a module says otherwise: it removes everything, and ends, once the run
//! has ended, which is a moment after the test's process or its harness. A signal ends a test's process as it would
//! without services.
//!
//! The tests of `cases` are what ends; the others run them as child processes, directly and under both harnesses.
//! `ROUNDS=20` has each child run twenty times.

mod cases;
mod contained;
mod direct;
mod ended;
mod gate;
mod harnesses;
mod hung;
mod image;
mod interrupted;
mod killed;
mod processes;
mod run;
mod running;
mod secrets;
mod together;
