//! A test executable without a harness: one test, which shares with those of the harness, and with a program that it
//! starts.

use std::process::Command;

use seatrial_sharing_fleet::Fleet;
use seatrial_sharing_fleet::seatrial::Composition as _;

const NAME: &str = "a_program_shares";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_given = |option: &str| arguments.iter().any(|argument| argument == option);
    if is_given("--list") {
        println!("{NAME}: test");
    } else if is_given("--ignored") {
        a_program_shares();
        println!("test {NAME} ... ok");
    } else {
        println!("test {NAME} ... ignored, run by `tests/tests/sharing`");
    }
}

fn a_program_shares() {
    let fleet = Fleet::launch()
        .wait()
        .unwrap_or_else(|error| panic!("{error}"));
    fleet.assert_set_up_once();
    let output = Command::new(env!("CARGO_BIN_EXE_program")).output();
    let output = output.expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(said.trim(), fleet.db.id());
}
