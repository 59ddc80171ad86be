//! The layout of what is written, byte for byte: the other end of a connection may not be this code.

use super::*;

#[tokio::test]
async fn a_small_message_is_one_frame() {
    let note = Note {
        lane: 0x0102,
        text: "hi".to_owned(),
        content: ByteBuf::from([7]),
    };
    let mut expected = vec![0, 0, 0, 37];
    expected.extend([2, 1, 0, 0, 0, 0, 0, 0]); // lane
    expected.push(1); // last
    expected.extend(b"\x83\xa4lane\xcd\x01\x02\xa4text\xa2hi\xa7content\xc4\x01\x07");
    assert_eq!(written([note]).await, expected);
}

#[tokio::test]
async fn bytes_are_written_as_bytes() {
    let bytes = written([Note::with(1, "", 1000)]).await;
    assert!(bytes.len() < 1050, "{}", bytes.len());
}
