//! A library whose unit tests need a binary of the workspace. Cargo tells them the path of none.

#[cfg(test)]
mod tests {
    use seatrial::Service;

    #[seatrial::test]
    #[ignore = "run by `tests/tests/binaries.rs`"]
    fn built_on_demand_for_a_unit_test(
        #[service(bin(package = "seatrial-buoy", name = "buoy"), ready(log = "afloat"))]
        buoy: Service,
    ) {
        let run = std::env::var("SEATRIAL_TESTS_BUOY").expect("the other test says which");
        let log = buoy.logs().wait().expect("it runs");
        assert_eq!(log.trim(), format!("afloat for {run}"));
    }
}
