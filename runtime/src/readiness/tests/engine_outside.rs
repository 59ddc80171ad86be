//! Probe containers.

use super::service::{Fixture, perl};
use super::*;

#[tokio::test]
async fn a_probe_container_is_run_until_it_succeeds() {
    let script = "gate; my $s = listening(7000); sleep 600";
    let service = Fixture::start(perl(script), &[7000]).await;
    let connect = format!("exec 3<>/dev/tcp/{}/7000", service.address);
    let check = probe(&["bash", "-c", &connect]);
    service.ready_behind_the_gate(check).await;
}

#[tokio::test]
async fn a_probe_that_fails_or_cannot_run_is_reported() {
    let service = Fixture::start(perl("sleep 600"), &[]).await;
    let fails = probe(&["/bin/sh", "-c", "echo no answer; exit 2"]);
    let error = service.first_failure(&[fails]).await;
    let expected = format!("probe `echo no answer; exit 2` in {IMAGE}: exit code 2: no answer");
    assert_eq!(error.waiting_for, [expected]);

    let cannot = probe(&["no-such-command"]);
    let error = service.first_failure(&[cannot]).await;
    let label = format!("probe `no-such-command` in {IMAGE}: ");
    let said = error.waiting_for[0].strip_prefix(&label);
    let said = said.unwrap_or_else(|| panic!("{error:?}"));
    assert!(said.starts_with("cannot start the container: "), "{said}");
    assert!(said.contains("no-such-command"), "{said}");
}
