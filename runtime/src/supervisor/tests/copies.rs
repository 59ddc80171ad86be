//! //! Copies whose client is too slow, or ends in the middle.

use seatrial_model::Scope;

use super::clients::{Peer, Run, scoped};
use super::lasting;
use crate::flow::{PIECE, WINDOW};
use crate::protocol::{Action, Caller, Message, Owner, Reply, RequestBody, ServiceInfo};

/// The number of pieces that fit the window.
const PIECES: usize = WINDOW as usize * 1024 / PIECE;

fn act(client: &mut Peer, service: &ServiceInfo, action: Action) -> u64 {
    client.send(RequestBody::Act {
        instance: service.instance,
        action,
        caller: Caller::Handle,
    })
}

/// The head of an archive with a file of 100 MB.
fn head() -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_path("srv/half").expect("a path");
    header.set_size(100_000_000);
    header.set_mode(0o644);
    header.set_cksum();
    header.as_bytes().to_vec()
}

#[tokio::test]
async fn engine_a_client_that_ends_in_the_middle_of_a_copy_holds_up_nobody() {
    let mut run = Run::new();
    let (mut one, mut other) = (run.connect(), run.connect());
    let services = || vec![scoped(lasting("hold", &[]), Scope::Run)];
    let service = one.launch(services()).await.expect("ready").remove(0);
    other.launch(services()).await.expect("ready");

    let to = "/srv/whole".to_owned();
    let copy = act(&mut one, &service, Action::CopyIn { to, is_file: false });
    let bytes = head();
    one.send(RequestBody::Piece { copy, bytes });
    for _ in 0..PIECES {
        let bytes = vec![b'x'; PIECE];
        one.send(RequestBody::Piece { copy, bytes });
    }
    // The piece was read and passed on, although the archive is not complete.
    loop {
        if let Message::HaveRead { call, .. } = one.next().await {
            assert_eq!(call, copy);
            break;
        }
    }
    let mut tar = Vec::new();
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let packed = crate::files::pack(manifest.as_ref(), "/srv/whole", Owner::default(), &mut tar);
    packed.expect("a tar").into_result().expect("all of it");
    one.disconnect();
    let copied = other.copy_in(&service, tar, Caller::Handle).await;
    assert_eq!(copied, Ok(Reply::Done));
    let output = other.exec(&service, Caller::Handle).await;
    assert!(output.expect("it runs").success());
}

#[tokio::test]
async fn engine_a_file_is_sent_only_as_it_is_read() {
    let mut run = Run::new();
    let mut client = run.connect();
    let services = vec![lasting("hold", &[]), lasting("clock", &[])];
    let mut services = client.launch(services).await.expect("ready");
    let clock = services.remove(1);
    let service = services.remove(0);
    let command = ["sh", "-c", "head -c 8000000 /dev/zero >/srv/cargo"];
    let command = command.map(str::to_owned).to_vec();
    let made = act(&mut client, &service, super::exec_call(command));
    client.answer(made).await.expect("it is made");

    let from = "/srv/cargo".to_owned();
    let copy = act(
        &mut client,
        &service,
        Action::CopyOut {
            from,
            follow: false,
        },
    );
    let mut received = 0;
    let mut units = 0;
    for windows in 1..=2 {
        // As much as may be under way, however long the engine takes for it. After that, only answers to other
        // requests.
        let before = units;
        while units - before <= WINDOW as usize - PIECE / 1024 {
            if let Message::Piece { bytes, .. } = client.next().await {
                received += bytes.len();
                units += bytes.len().div_ceil(1024);
            }
        }
        while let Some(bytes) = piece(&mut client, &clock, copy).await {
            received += bytes;
            units += bytes.div_ceil(1024);
        }
        assert!(units <= windows * WINDOW as usize, "{units} units");
        client.send(RequestBody::HaveRead {
            stream: copy,
            units: WINDOW,
        });
    }
    assert!(received < 8_000_000);
    client.send(RequestBody::StopStream { stream: copy });
    let again = act(&mut client, &service, Action::WaitReady);
    assert_eq!(client.answer(again).await, Ok(Reply::Done));
}

/// The size of the next piece, or `None` if no more are sent while the engine does something in another container.
/// Docker does nothing else in this container while it copies.
async fn piece(client: &mut Peer, clock: &ServiceInfo, copy: u64) -> Option<usize> {
    for _ in 0..5 {
        let command = vec!["true".to_owned()];
        let exec = act(client, clock, super::exec_call(command));
        loop {
            match client.next().await {
                Message::Piece { call, bytes } => {
                    assert_eq!(call, copy);
                    return Some(bytes.len());
                }
                Message::Answer { call, outcome } if call == exec => {
                    outcome.expect("it runs");
                    break;
                }
                Message::Answer { .. } => {}
                other => panic!("not {other:?}"),
            }
        }
    }
    None
}
