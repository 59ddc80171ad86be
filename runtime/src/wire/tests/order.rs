//! Which message comes when: in order within a lane, in turn between lanes, and encoded no sooner than it must be.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt as _, poll};
use serde::Serializer;
use tokio_util::codec::FramedRead;

use super::super::frames::Chunks;
use super::*;

/// Lanes of the chunks of a stream, in order, each with whether a message ends.
async fn chunks(bytes: &[u8]) -> Vec<(u64, bool)> {
    FramedRead::new(bytes, Chunks::new())
        .map(|chunk| chunk.expect("a chunk"))
        .map(|chunk| (chunk.lane, chunk.last))
        .collect()
        .await
}

#[tokio::test]
async fn small_messages_arrive_before_a_large_one_of_another_lane_is_complete() {
    let large = Note::with(1, "large", 8 << 20);
    let small = || (2..100).map(|lane| Note::new(lane, "small"));
    let (client, server) = tokio::io::duplex(4096);
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut writing = std::pin::pin!(write_messages(client, receiver, none_refused));
    sender.send(large.clone()).expect("it listens");
    assert!(poll!(&mut writing).is_pending(), "nobody reads");
    // Now the large message has begun.
    for note in small() {
        sender.send(note).expect("it listens");
    }
    drop(sender);
    let reading = async {
        let mut messages = Messages::<_, Note>::new(server);
        let mut received = Vec::new();
        while let Some(message) = messages.next().await.expect("a message") {
            received.push(message);
        }
        received
    };
    let (writing, received) = tokio::join!(writing, reading);
    writing.expect("all is written");
    let expected: Vec<_> = small().chain([large]).collect();
    assert!(received == expected, "in another order");
}

#[tokio::test]
async fn lanes_write_in_turn() {
    let large = |lane| Note::with(lane, "large", 3 * CHUNK_MAX);
    let order = [
        large(7),
        large(8),
        Note::new(7, "small"),
        Note::new(9, "small"),
    ];
    let bytes = written(order).await;
    let expected = [
        (7, false),
        (8, false),
        (9, true),
        (7, false),
        (8, false),
        (7, false),
        (8, false),
        (7, true),
        (8, true),
        (7, true),
    ];
    assert_eq!(chunks(&bytes).await, expected);
}

#[tokio::test]
async fn messages_of_one_lane_stay_in_order() {
    let mut numbers = Numbers(11);
    let mut sent: HashMap<u64, VecDeque<Note>> = HashMap::new();
    let mut all_sent = Vec::new();
    for number in 0..300 {
        let lane = numbers.below(5) as u64;
        let size = match numbers.below(4) {
            0 => numbers.below(4 * CHUNK_MAX),
            _ => numbers.below(100),
        };
        let note = Note::with(lane, &number.to_string(), size);
        sent.entry(lane).or_default().push_back(note.clone());
        all_sent.push(note);
    }
    let (received, end) = all::<Note>(&written(all_sent).await).await;
    end.expect("the stream is whole");
    assert_eq!(received.len(), 300);
    for note in received {
        let expected = sent.get_mut(&note.lane).and_then(VecDeque::pop_front);
        assert!(Some(&note) == expected.as_ref(), "{} is early", note.text);
    }
}

#[tokio::test]
async fn a_writer_keeps_to_the_number_of_lanes_that_a_reader_accepts() {
    let limits = |lanes| Limits {
        lanes,
        ..Limits::default()
    };
    let sent: Vec<_> = (0..20)
        .map(|number| Note::with(number % 10, &number.to_string(), 2 * CHUNK_MAX))
        .collect();
    let mut bytes = Vec::new();
    write_within(limits(4), &mut bytes, channel(sent.clone()), none_refused)
        .await
        .expect("memory can be written");
    // As many at once as there may be, and no more.
    let (mut open, mut most) = (HashSet::new(), 0);
    for (lane, last) in chunks(&bytes).await {
        if last {
            open.remove(&lane);
        } else {
            open.insert(lane);
        }
        most = most.max(open.len());
    }
    assert_eq!(most, 4);

    let mut messages = Messages::<_, Note>::within(limits(4), &bytes[..]);
    let mut received = Vec::new();
    while let Some(message) = messages.next().await.expect("a message") {
        received.push(message);
    }
    received.sort_by_key(|note| note.text.parse::<u64>().expect("a number"));
    assert!(received == sent, "not all have arrived");

    let mut messages = Messages::<_, Note>::within(limits(3), &bytes[..]);
    let error = loop {
        match messages.next().await {
            Ok(message) => assert_ne!(message, None, "it was to fail"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, WireError::TooLarge(_)), "{error:?}");
    assert!(error.to_string().contains("more than 3 lanes"), "{error}");
}

/// Counts how often it is encoded.
struct Counted {
    lane: u64,
    encoded: Arc<AtomicUsize>,
}

impl InLane for Counted {
    fn lane(&self) -> u64 {
        self.lane
    }
}

impl Serialize for Counted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.encoded.fetch_add(1, Ordering::Relaxed);
        serializer.serialize_bytes(&[7; 2 * CHUNK_MAX])
    }
}

#[tokio::test]
async fn messages_are_encoded_when_their_turn_comes() {
    let encoded = Arc::new(AtomicUsize::new(0));
    let sent = (0..90).map(|number| Counted {
        lane: number % 3,
        encoded: encoded.clone(),
    });
    let (client, mut server) = tokio::io::duplex(64);
    let mut writing = std::pin::pin!(write_messages(client, channel(sent), none_refused));
    assert!(poll!(&mut writing).is_pending(), "nobody reads");
    // At most one frame waits in the buffer, and one for its turn to get there.
    let at_first = encoded.load(Ordering::Relaxed);
    assert!((1..=2).contains(&at_first), "{at_first}");
    let reading = async {
        let mut messages = Messages::<_, ByteBuf>::new(&mut server);
        for _ in 0..30 {
            messages.next().await.expect("a message");
        }
        // Each lane has at most one that is partly written, and one whose end has been written but not read.
        let after = encoded.load(Ordering::Relaxed);
        assert!((30..=36).contains(&after), "{after}");
    };
    tokio::select! {
        biased;
        () = reading => {}
        ended = &mut writing => panic!("it ended: {ended:?}"),
    }
}
