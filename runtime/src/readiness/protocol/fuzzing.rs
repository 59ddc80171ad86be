//! Body of a fuzz target: a conversation comes to the same end however the server's words are cut.

use seatrial_model::Protocol;

use super::conversation::{LIMIT, QUOTED, Step, text};
use super::dialect::conversation;
use super::foreign;
use super::login::Login;

/// Whatever a server says, in whatever pieces. The input's first byte says in which protocol it is asked, and whether with
/// a password.
pub(crate) fn conversations(data: &[u8]) {
    let Some((kind, said)) = data.split_first() else {
        return;
    };
    let protocol = Protocol::ALL[usize::from(*kind & 0x7f) % Protocol::ALL.len()];
    let login = Login {
        password: (kind & 0x80 != 0).then(|| "salt".to_owned()),
        ..Login::default()
    };
    let said = &said[..said.len().min(LIMIT)];
    let uncut = ended(protocol, &login, said, said.len().max(1));
    for size in [1, 3] {
        let pieces = ended(protocol, &login, said, size);
        assert_eq!(pieces, uncut, "{protocol:?} in pieces of {size}");
    }
    // Quoted whatever it is.
    assert!(text(said).chars().count() <= QUOTED + 2);
    assert!(!foreign::guess(said).is_empty());
}

/// How a conversation goes with a server that says this, whatever it is sent: all that it is sent, and the end.
fn ended(protocol: Protocol, login: &Login, said: &[u8], size: usize) -> (Vec<Vec<u8>>, Step) {
    let mut conversation = conversation(protocol, login);
    let mut sent = vec![conversation.opening()];
    let mut heard = 0;
    loop {
        match conversation.hear(&said[..heard]) {
            Step::Say(bytes) => {
                sent.push(bytes);
                assert!(sent.len() < 8, "it never ends");
            }
            Step::More if heard < said.len() => heard = said.len().min(heard + size),
            end => return (sent, end),
        }
    }
}
