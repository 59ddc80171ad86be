//! How tests end, as a user's own process sees it: whatever the ending, nothing is left on the engine or on disk at
//! the moment the process is gone, and what it said names the right thing.
//!
//! The tests of `cases` are what ends; the others run them as child processes, directly and under both harnesses.
//! `ROUNDS=20` has each child run twenty times.

mod cases;
mod direct;
mod engine;
mod gate;
mod harnesses;
mod interrupted;
mod run;
mod secrets;
