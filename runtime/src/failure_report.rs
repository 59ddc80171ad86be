//! The report about the services of a failed test.

use std::time::Instant;

use crate::client::Client;
use crate::{Error, ErrorKind, Operation, Service, terminal};

/// The status and the last lines of these services, as far as they arrive before `until`. What the failure itself has `said` is
/// not repeated.
pub(crate) fn of_services(services: &[Service], until: Option<Instant>, said: &str) -> String {
    let first = services.first().map(Service::client);
    let lines = first
        .and_then(Client::config)
        .map_or(0, |config| config.logs_on_failure);
    if lines == 0 {
        return String::new();
    }
    let tails: Vec<_> = services
        .iter()
        .map(|service| (service, service.ended(), service.log_tail(lines)))
        .collect();
    let mut report = String::new();
    let mut lost = false;
    for (service, ended, tail) in tails {
        if lost && service.client().is_lost() {
            // The log's error would be the same.
            continue;
        }
        let ended = in_time(ended, until).ok().flatten();
        let tail = in_time(tail, until);
        lost |= tail.is_err() && service.client().is_lost();
        report += &terminal::log_of_failed_test(service.info(), ended.as_deref(), tail, said);
    }
    if report.contains(terminal::LOG_LINE) {
        report += terminal::NUMBER_OF_LINES;
    }
    report
}

/// The outcome of an operation, or an error if it is not done before the test has to end.
fn in_time<T: Send + 'static>(operation: Operation<T>, until: Option<Instant>) -> Result<T, Error> {
    match until {
        None => operation.wait(),
        Some(until) => operation.wait_until(until).unwrap_or_else(|| {
            let what = "the engine has not answered in time";
            Err(Error::new(ErrorKind::Engine, what))
        }),
    }
}
