//! A journal, and the tests that every implementation of one must pass: [`contract_tests!`] writes them, each a
//! `#[tokio::test]` that begins with a new journal from a function of the implementation's.

use std::fmt::Debug;
use std::future::Future;

/// Entries in streams, each numbered from one.
pub trait Journal: Send + Sync + 'static {
    /// What can go wrong.
    type Error: Debug + Send;

    /// Adds an entry to the end of a stream, and returns its number.
    fn append(
        &self,
        stream: &str,
        entry: &str,
    ) -> impl Future<Output = Result<u64, Self::Error>> + Send;

    /// The entries of a stream from this number on.
    fn read(
        &self,
        stream: &str,
        from: u64,
    ) -> impl Future<Output = Result<Vec<String>, Self::Error>> + Send;

    /// Removes a stream.
    fn clear(&self, stream: &str) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// The tests themselves, as functions of a new journal.
#[doc(hidden)]
pub mod tests {
    use std::sync::Arc;

    use super::Journal;

    pub async fn a_stream_that_was_never_written_is_empty<J: Journal>(journal: J) {
        assert!(journal.read("log", 1).await.unwrap().is_empty());
    }

    pub async fn entries_are_numbered_from_one<J: Journal>(journal: J) {
        for number in 1..=3 {
            assert_eq!(journal.append("log", "calm").await.unwrap(), number);
        }
    }

    pub async fn entries_are_read_in_their_order<J: Journal>(journal: J) {
        for entry in ["calm", "breeze", "gale"] {
            journal.append("log", entry).await.unwrap();
        }
        let entries = journal.read("log", 1).await.unwrap();
        assert_eq!(entries, ["calm", "breeze", "gale"]);
    }

    pub async fn entries_are_read_from_a_number_on<J: Journal>(journal: J) {
        for entry in ["calm", "breeze", "gale"] {
            journal.append("log", entry).await.unwrap();
        }
        assert_eq!(journal.read("log", 3).await.unwrap(), ["gale"]);
        assert!(journal.read("log", 4).await.unwrap().is_empty());
    }

    pub async fn streams_are_independent<J: Journal>(journal: J) {
        assert_eq!(journal.append("log", "calm").await.unwrap(), 1);
        assert_eq!(journal.append("crew", "Ann").await.unwrap(), 1);
        assert_eq!(journal.read("log", 1).await.unwrap(), ["calm"]);
    }

    pub async fn an_entry_may_be_anything<J: Journal>(journal: J) {
        let entries = ["", "it's", "a\nb", "\\", "\u{2693}", "'; DROP TABLE x; --"];
        for entry in entries {
            journal.append("the captain's log", entry).await.unwrap();
        }
        assert_eq!(journal.read("the captain's log", 1).await.unwrap(), entries);
    }

    pub async fn a_stream_that_was_cleared_begins_anew<J: Journal>(journal: J) {
        journal.append("log", "calm").await.unwrap();
        journal.clear("log").await.unwrap();
        assert!(journal.read("log", 1).await.unwrap().is_empty());
        assert_eq!(journal.append("log", "gale").await.unwrap(), 1);
    }

    pub async fn many_write_at_once<J: Journal>(journal: J) {
        const MANY: u64 = 8;
        let journal = Arc::new(journal);
        let tasks: Vec<_> = (0..MANY)
            .map(|_| {
                let journal = journal.clone();
                tokio::spawn(async move { journal.append("log", "calm").await.unwrap() })
            })
            .collect();
        let mut numbers = Vec::new();
        for task in tasks {
            numbers.push(task.await.unwrap());
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=MANY).collect::<Vec<_>>());
    }
}

/// Writes the tests of a journal into a module of this name. The async function makes a new one, for one test.
#[macro_export]
macro_rules! contract_tests {
    ($module:ident, $new:path) => {
        mod $module {
            $crate::contract_tests! {
                @tests $new,
                a_stream_that_was_never_written_is_empty
                entries_are_numbered_from_one
                entries_are_read_in_their_order
                entries_are_read_from_a_number_on
                streams_are_independent
                an_entry_may_be_anything
                a_stream_that_was_cleared_begins_anew
                many_write_at_once
            }
        }
    };
    (@tests $new:path, $($test:ident)*) => {
        $(
            mod $test {
                #[tokio::test]
                async fn on_one_thread() {
                    $crate::tests::$test($new().await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_several_threads() {
                    $crate::tests::$test($new().await).await;
                }
            }
        )*
    };
}
