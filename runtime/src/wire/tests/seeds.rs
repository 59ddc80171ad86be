//! The seeds of the fuzz target `messages`. The target accepts any bytes, so only these tests notice that a new field makes
//! a seed unreadable.
//!
//! `UPDATE_EXPECTED=1 cargo test -p seatrial seeds_are_messages` rewrites them.

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::protocol::{messages, requests};
use crate::protocol::{Action, Message, Reply, RequestBody};
use crate::shown::{ProgressReport, Shown};

/// Where the target cuts a message in two: its first byte.
const CUT: u8 = 20;

#[test]
fn seeds_are_messages() {
    let request = |is: fn(&RequestBody) -> bool| {
        let mut requests = requests().into_iter();
        requests
            .find(|request| is(&request.body))
            .expect("it is there")
    };
    let introduction = request(|body| matches!(body, RequestBody::Introduce(_)));
    let launch = request(|body| matches!(body, RequestBody::Launch { .. }));
    let copy_in = request(|body| {
        let RequestBody::Act { action, .. } = body else {
            return false;
        };
        matches!(action, Action::CopyIn { .. })
    });
    check("introduction", &introduction);
    check("launch", &launch);
    check("copy_in", &copy_in);

    let message = |is: fn(&Message) -> bool| messages().into_iter().find(is).expect("it is there");
    let answer = |is: fn(&Reply) -> bool| {
        let mut messages = messages().into_iter();
        let found = messages.find(
            |message| matches!(message, Message::Answer { outcome: Ok(reply), .. } if is(reply)),
        );
        found.expect("it is there")
    };
    check(
        "launched",
        &answer(|reply| matches!(reply, Reply::Launched(_))),
    );
    check("kept", &answer(|reply| matches!(reply, Reply::Kept(_))));
    check(
        "failed",
        &message(|message| {
            matches!(
                message,
                Message::Answer {
                    outcome: Err(_),
                    ..
                }
            )
        }),
    );
    check(
        "hook",
        &message(|message| matches!(message, Message::Hook { .. })),
    );
    check(
        "progress",
        &message(|message| {
            matches!(
                message,
                Message::Show(Shown::Progress(ProgressReport::Engine { .. }))
            )
        }),
    );
}

fn check<T>(name: &str, message: &T)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let at = root.join("../fuzz/corpus/messages").join(name);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        let encoded = rmp_serde::to_vec_named(message).expect("it can be encoded");
        fs::write(&at, [&[CUT][..], &encoded].concat()).expect("a file that can be written");
    }
    let seed = fs::read(&at).expect("a file that can be read");
    match rmp_serde::from_slice::<T>(&seed[1..]) {
        Ok(read) => assert_eq!(read, *message, "the seed `{name}`"),
        Err(error) => panic!("the seed `{name}` is not a message any more: {error}"),
    }
}
