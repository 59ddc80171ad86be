//! Seatrial's macros. Use them through the `seatrial` crate.
