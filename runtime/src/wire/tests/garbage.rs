//! What a peer may send that is not right: it is told what is wrong, and nothing panics.

use super::protocol::requests;
use super::*;
use crate::protocol::Request;

/// A frame as it should not be written.
fn frame(lane: u64, flags: u8, content: &[u8]) -> Vec<u8> {
    let mut frame = (content.len() as u32 + 9).to_be_bytes().to_vec();
    frame.extend(lane.to_le_bytes());
    frame.push(flags);
    frame.extend(content);
    frame
}

async fn error(bytes: &[u8]) -> WireError {
    let (received, end) = all::<Note>(bytes).await;
    assert_eq!(received, []);
    end.expect_err("it is not right")
}

async fn malformed(bytes: &[u8]) -> String {
    match error(bytes).await {
        WireError::Malformed(what) => what,
        other => panic!("not {other:?}"),
    }
}

async fn too_large(bytes: &[u8]) -> String {
    match error(bytes).await {
        WireError::TooLarge(what) => what,
        other => panic!("not {other:?}"),
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_frame_is_told() {
    let of_frame = "the stream ends in the middle of a frame";
    let of_message = "the stream ends in the middle of a message";
    let cases = [
        (&b"\0\0"[..], of_frame),
        (b"\0\0\0\x09", of_frame),
        (b"\0\0\0\x09\0", of_frame),
        (&frame(1, 0, b"begun"), of_message),
        (b"\0\0\0\0", "a frame of 0 bytes has no room for its header"),
        (
            b"\0\0\0\x0812345678",
            "a frame of 8 bytes has no room for its header",
        ),
        (&frame(1, 2, b""), "a frame has the unknown flags 0x02"),
        (&frame(1, 0xff, b""), "a frame has the unknown flags 0xff"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(malformed(bytes).await, expected, "{bytes:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_message_is_told() {
    let note = rmp_serde::to_vec_named(&Note::new(1, "note")).expect("it can be encoded");
    let mut longer = note.clone();
    longer.push(0xc0);
    let other = rmp_serde::to_vec_named(&("lane", 1)).expect("it can be encoded");
    let cases = [
        (&b""[..], "marker"),
        (&note[..note.len() - 1], "reading data"),
        (&longer, "a message has bytes after its value"),
        (&other, "wrong msgpack marker"),
        (b"\xc1", "Reserved"),
        // A text and bytes of 4 GiB that are not there, and as many elements.
        (b"\x81\xa4text\xdb\xff\xff\xff\xff", "reading data"),
        (b"\x81\xa7content\xc6\xff\xff\xff\xff", "reading data"),
        (b"\x81\xa7content\xdd\xff\xff\xff\xff", "marker"),
    ];
    for (content, expected) in cases {
        let what = malformed(&frame(1, 1, content)).await;
        assert!(what.contains(expected), "{what}: {content:?}");
    }
    // The same, in two chunks.
    let two = [frame(1, 0, &longer[..5]), frame(1, 1, &longer[5..])].concat();
    assert!(malformed(&two).await.contains("bytes after its value"));
}

#[tokio::test]
async fn values_nested_without_end_do_not_exhaust_the_stack() {
    let mut content = b"\x81\xa7unknown".to_vec();
    content.extend(vec![0x91; CHUNK_MAX - content.len()]);
    let what = malformed(&frame(1, 1, &content)).await;
    assert!(what.contains("depth limit"), "{what}");
}

#[tokio::test]
async fn a_frame_that_is_too_large_is_refused_before_it_is_there() {
    let max = CHUNK_MAX + 9;
    for length in [max as u32 + 1, u32::MAX] {
        let what = too_large(&length.to_be_bytes()).await;
        assert_eq!(what, "a frame of more than 65545 bytes");
    }
    let (received, end) = all::<Note>(&written([Note::with(1, "", 2 * CHUNK_MAX)]).await).await;
    end.expect("frames of the largest size are accepted");
    assert_eq!(received.len(), 1);
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused() {
    let within = |message| Limits {
        message,
        ..Limits::default()
    };
    let notes = [Note::with(1, "", 2 * CHUNK_MAX), Note::with(2, "", 10)];
    let size = rmp_serde::to_vec_named(&notes[0])
        .expect("it can be encoded")
        .len() as u64;
    let bytes = written(notes).await;

    let mut messages = Messages::<_, Note>::within(within(size), &bytes[..]);
    for _ in 0..2 {
        assert!(messages.next().await.expect("it is just allowed").is_some());
    }
    let mut messages = Messages::<_, Note>::within(within(size - 1), &bytes[..]);
    assert!(messages.next().await.expect("the small one").is_some());
    let error = messages.next().await.expect_err("it is too large");
    let expected = format!(
        "received more than is allowed: a message of more than {} bytes",
        size - 1
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn more_lanes_than_are_allowed_are_refused() {
    let frames = |count| (0..count).flat_map(|lane| frame(lane, 0, b"x"));
    let allowed: Vec<u8> = frames(LANES_MAX as u64).collect();
    assert!(malformed(&allowed).await.contains("ends in the middle"));
    let more: Vec<u8> = frames(LANES_MAX as u64 + 1).collect();
    let what = too_large(&more).await;
    assert_eq!(what, "messages in more than 1024 lanes at once");
    // A message of one chunk is in no lane that stays.
    let note = rmp_serde::to_vec_named(&Note::new(9999, "")).expect("it can be encoded");
    let bytes = [allowed, frame(9999, 1, &note)].concat();
    assert_eq!(all::<Note>(&bytes).await.0.len(), 1);
}

#[tokio::test]
async fn a_stream_that_is_cut_off_ends_with_an_error_or_between_messages() {
    // Two at a time: what is cut has one before it, and to cut all of them together everywhere takes long.
    let requests = requests();
    for two in 0..requests.len() - 1 {
        let bytes = written(self::requests().into_iter().skip(two).take(2)).await;
        let (received, _) = all::<Request>(&bytes).await;
        let mut boundaries = 0;
        for length in 0..bytes.len() {
            let (some, end) = all::<Request>(&bytes[..length]).await;
            match end {
                Ok(()) => boundaries += 1,
                Err(WireError::Malformed(what)) => assert!(what.contains("ends in the middle")),
                Err(other) => panic!("not {other:?}"),
            }
            assert!(received.starts_with(&some));
        }
        assert_eq!(boundaries, received.len());
    }
}

#[tokio::test]
async fn damaged_streams_never_panic() {
    let sound = written(requests()).await;
    let mut numbers = Numbers(77);
    let mut errors = 0;
    for _ in 0..2000 {
        let mut bytes = sound.clone();
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(bytes.len());
            bytes[at] ^= 1 << numbers.below(8);
        }
        errors += usize::from(all::<Request>(&bytes).await.1.is_err());
    }
    // Many a flipped bit only makes another text or number.
    assert!(errors > 200, "{errors}");
}

#[tokio::test]
async fn random_bytes_never_panic() {
    let mut numbers = Numbers(5);
    for _ in 0..2000 {
        let length = 1 + numbers.below(300);
        let bytes: Vec<u8> = (0..length).map(|_| numbers.below(256) as u8).collect();
        assert!(all::<Request>(&bytes).await.1.is_err());
        // The same as a message of a sound frame.
        assert!(all::<Request>(&frame(1, 1, &bytes)).await.1.is_err());
    }
}
