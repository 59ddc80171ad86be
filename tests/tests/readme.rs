//! The README's examples are code that compiles and runs: its first test is here, its shop is an example package's.

use seatrial::Service;

#[seatrial::test]
async fn a_counter_counts(
    #[service(image = "redis:7", port = 6379)] redis: Service,
) -> Result<(), seatrial::Error> {
    let reply = redis.exec(["redis-cli", "INCR", "visits"]).await?;
    assert_eq!(reply.stdout.trim(), "1");

    redis.restart().await?;
    println!("it is back at {}", redis.addr());
    Ok(())
}

#[test]
fn its_examples_are_code_that_is_tested() {
    let readme = include_str!("../../README.md");
    let tested = [
        include_str!("readme.rs"),
        include_str!("../../examples/source-to-app-to-mysql/tests/shop/orders.rs"),
    ];
    let examples = readme.split("```rust\n").skip(1);
    let mut items = 0;
    for item in examples.flat_map(|rest| {
        let (example, _) = rest.split_once("```").expect("a fence is closed");
        example.trim_end().split("\n\n")
    }) {
        assert!(
            tested.iter().any(|file| file.contains(item)),
            "the README shows code that no test runs; copy it from the example's file:\n{item}"
        );
        items += 1;
    }
    assert!(items > 5, "the README has no examples");
}
