//! Tells for which test run it was built, and waits.

/// Says for which test run the binary is built. Cargo builds it again for another one.
const RUN: Option<&str> = option_env!("SEATRIAL_TESTS_BUOY");

const BROKEN: &[u8] = b"broken";

const _: () = assert!(!is_broken(), "the buoy is broken");

/// Whether the test run asks for a binary that cannot be compiled.
const fn is_broken() -> bool {
    let Some(run) = RUN else { return false };
    let run = run.as_bytes();
    if run.len() != BROKEN.len() {
        return false;
    }
    let mut at = 0;
    while at < run.len() {
        if run[at] != BROKEN[at] {
            return false;
        }
        at += 1;
    }
    true
}

fn main() {
    println!("afloat for {}", RUN.unwrap_or_default());
    loop {
        std::thread::park();
    }
}
