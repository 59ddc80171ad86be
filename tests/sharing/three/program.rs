//! Uses the PostgreSQL of the run and prints the id of its container.

use seatrial_sharing_fleet::Fleet;
use seatrial_sharing_fleet::seatrial::Composition as _;

fn main() {
    let fleet = Fleet::launch()
        .wait()
        .unwrap_or_else(|error| panic!("{error}"));
    fleet.assert_set_up_once();
    println!("{}", fleet.db.id());
}
