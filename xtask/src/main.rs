//! The project's commands: `cargo xtask demo|test`.

fn main() {}
