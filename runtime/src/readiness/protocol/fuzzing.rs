//! Body of a fuzz target: the end of a conversation does not depend on how the server's bytes are cut.

use seatrial_model::Protocol;

use super::conversation::{LIMIT, QUOTED, Step, text};
use super::dialect::conversation;
use super::foreign;
use super::login::Login;

/// A server may send any bytes, in any pieces. The first byte of the input selects the protocol and whether there is a
/// password.
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
    // Any answer can be quoted.
    assert!(text(said).chars().count() <= QUOTED + 2);
    assert!(foreign::guess("seen", said).advice.is_some());
}

/// Everything that the client sends to a server with this answer, and the end of the conversation.
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
