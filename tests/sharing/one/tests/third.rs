//! The shared declaration once more, in the third test executable.

mod common;

use common::Harbour;

#[seatrial::test]
#[ignore = "run by `tests/tests/sharing`"]
fn shares(harbour: Harbour) {
    harbour.assert_all_run();
}
