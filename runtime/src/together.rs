//! Waiting for several operations of a test together, and one text for the errors of all that failed.

use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::operation::block_on_until;
use crate::{Error, Operation, wording};

/// How long the other operations may go on after one has failed. Most of those that fail do so in this time.
const SETTLING: Duration = Duration::from_secs(5);

/// The outcomes of several operations.
pub(crate) struct Outcomes<T> {
    /// The outcome of each operation. `None` if it was not done when the wait ended.
    pub(crate) outcomes: Vec<Option<Result<T, Error>>>,
    /// The time of the first failure.
    pub(crate) failed: Option<Instant>,
}

/// Waits until all operations are done, or until `until`. If one fails, the others get a moment to end, too.
pub(crate) fn wait<T>(operations: Vec<Operation<T>>, until: Option<Instant>) -> Outcomes<T> {
    wait_settling(operations, until, SETTLING)
}

fn wait_settling<T>(
    operations: Vec<Operation<T>>,
    until: Option<Instant>,
    settling: Duration,
) -> Outcomes<T> {
    let mut operations: Vec<Progress<T>> = operations.into_iter().map(Progress::UnderWay).collect();
    let is_done = |operations: &[Progress<T>]| !operations.iter().any(Progress::is_under_way);
    let has_failed = |operations: &[Progress<T>]| operations.iter().any(Progress::has_failed);
    poll_until(&mut operations, until, |operations| {
        is_done(operations) || has_failed(operations)
    });
    let failed = has_failed(&operations).then(Instant::now);
    if let Some(failed) = failed {
        let settled = failed + settling;
        let until = until.map_or(settled, |until| until.min(settled));
        poll_until(&mut operations, Some(until), is_done);
    }
    let outcomes = operations.into_iter().map(Progress::into_outcome);
    Outcomes {
        outcomes: outcomes.collect(),
        failed,
    }
}

fn poll_until<T>(
    operations: &mut [Progress<T>],
    until: Option<Instant>,
    is_enough: impl Fn(&[Progress<T>]) -> bool,
) {
    let polled = poll_fn(|context| {
        for operation in &mut *operations {
            operation.poll(context);
        }
        match is_enough(operations) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    });
    // Operations that are not done by then have no outcome.
    let _ = block_on_until(polled, until);
}

enum Progress<T> {
    UnderWay(Operation<T>),
    Done(Result<T, Error>),
}

impl<T> Progress<T> {
    fn poll(&mut self, context: &mut Context<'_>) {
        if let Self::UnderWay(operation) = self
            && let Poll::Ready(outcome) = Pin::new(operation).poll(context)
        {
            *self = Self::Done(outcome);
        }
    }

    fn is_under_way(&self) -> bool {
        matches!(self, Self::UnderWay(_))
    }

    fn has_failed(&self) -> bool {
        matches!(self, Self::Done(Err(_)))
    }

    fn into_outcome(self) -> Option<Result<T, Error>> {
        match self {
            Self::UnderWay(_) => None,
            Self::Done(outcome) => Some(outcome),
        }
    }
}

/// The errors of several launches as one text. A cause that several launches share is reported once, with the names of all.
pub(crate) fn describe(errors: Vec<Error>) -> String {
    let mut causes: Vec<(Error, Vec<String>)> = Vec::new();
    for mut error in errors {
        // An error about a service belongs to one composition only.
        let name = match error.service() {
            None => error.take_composition(),
            Some(_) => None,
        };
        match causes.iter_mut().find(|(cause, _)| *cause == error) {
            // A composition that is launched twice is named once.
            Some((_, names)) => names.extend(name.filter(|name| !names.contains(name))),
            None => causes.push((error, name.into_iter().collect())),
        }
    }
    let texts = causes.into_iter().map(|(error, names)| {
        let text = error.to_string();
        if names.is_empty() {
            return text;
        }
        format!("{}: {text}", wording::names(&names))
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::ErrorKind;

    fn error(what: &str) -> Error {
        Error::new(ErrorKind::Start, what)
    }

    fn done(outcome: Result<u8, Error>) -> Operation<u8> {
        Operation::new(std::future::ready(outcome))
    }

    fn never() -> Operation<u8> {
        Operation::new(std::future::pending())
    }

    #[test]
    fn all_that_succeed_are_waited_for() {
        let (sender, receiver) = oneshot::channel();
        let later = Operation::new(async move { Ok(receiver.await.expect("sent")) });
        let sending = std::thread::spawn(move || sender.send(2));
        let Outcomes { outcomes, failed } = wait(vec![done(Ok(1)), later], None);
        assert_eq!(outcomes, [Some(Ok(1)), Some(Ok(2))]);
        assert_eq!(failed, None);
        sending.join().expect("joined").expect("received");
    }

    #[test]
    fn an_error_that_follows_is_had_and_what_goes_on_is_not_waited_for() {
        let (sender, receiver) = oneshot::channel();
        let later = Operation::new(async move { Err(receiver.await.expect("sent")) });
        let sending = std::thread::spawn(move || sender.send(error("second")));
        let operations = vec![never(), done(Err(error("first"))), later, done(Ok(1))];
        let waiting = wait_settling(operations, None, Duration::from_millis(500));
        sending.join().expect("joined").expect("received");
        let expected = [
            None,
            Some(Err(error("first"))),
            Some(Err(error("second"))),
            Some(Ok(1)),
        ];
        assert_eq!(waiting.outcomes, expected);
        assert!(waiting.failed.is_some());
    }

    #[test]
    fn nothing_is_waited_for_longer_than_it_may() {
        let now = Instant::now();
        let Outcomes { outcomes, failed } = wait(vec![never(), done(Ok(1))], Some(now));
        assert_eq!(outcomes, [None, Some(Ok(1))]);
        assert_eq!(failed, None);
        let operations = vec![never(), done(Err(error("first")))];
        let waiting = wait_settling(operations, Some(now), Duration::MAX / 4);
        assert_eq!(waiting.outcomes, [None, Some(Err(error("first")))]);
    }

    #[test]
    fn what_is_one_cause_for_several_is_told_once() {
        let of = |composition: &str, service: Option<&str>, what: &str| {
            error(what).with(|report| {
                report.composition = Some(composition.to_owned());
                report.service = service.map(str::to_owned);
                report.help = Some("start it".to_owned());
            })
        };
        let errors = vec![
            of("Shop", None, "no engine"),
            of("Shop", Some("db"), "no image"),
            of("Fleet", None, "no engine"),
            of("Shop", None, "no engine"),
            of("Shop", Some("db"), "no image"),
            of("Fleet", Some("db"), "no image"),
        ];
        assert_eq!(
            describe(errors),
            "`Shop`, `Fleet`: no engine\n  help: start it\n\
             service `db` of `Shop`: no image\n  help: start it\n\
             service `db` of `Fleet`: no image\n  help: start it"
        );
    }
}
