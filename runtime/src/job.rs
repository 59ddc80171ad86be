//! The handle of a job.

use std::fmt;
use std::sync::Arc;

use crate::call_site::CallSite;
use crate::client::{JobNews, OfLaunch};
use crate::deadline::Bound;
use crate::engine::{Collected, Output, OutputUse};
use crate::visible::quoted;
use crate::{ExecOutput, Operation};

/// A job: a container that runs a command to its end, declared with `#[job(..)]` beside the services that it needs.
///
/// Use it for what does not serve: a test suite that is not written in Rust, or a step that has to be done once.
///
/// ```no_run
/// use seatrial::{Composition, Job, Service};
///
/// #[derive(Composition)]
/// struct Shop {
///     #[service(image = "postgres:17", port = 5432, env(POSTGRES_PASSWORD = "sea"))]
///     db: Service,
///
///     #[job(image = "flyway/flyway:11", run = "flyway -url=jdbc:postgresql://{db}/postgres migrate")]
///     migrate: Job,
///
///     #[service(image = "shop:latest", port = 8080, needs(migrate), env(DATABASE_HOST = "{db.host}"))]
///     app: Service,
///
///     #[job(
///         image = "node:22",
///         run = "npm test -- --reporter=junit --output=/reports/junit.xml",
///         env(BASE_URL = "http://{app}"),
///         artifacts("/reports" = "target/reports")
///     )]
///     e2e: Job,
/// }
///
/// #[seatrial::test]
/// async fn end_to_end(shop: Shop) -> Result<(), seatrial::Error> {
///     shop.e2e.run().await?;
///     Ok(())
/// }
/// ```
///
/// A job that a service or another job needs, such as `migrate`, is run once when the composition is launched: what needs it starts
/// when it has exited with 0. Any other job, such as `e2e`, is run when a test calls [`run`](Self::run), each time in a new
/// container.
///
/// The handle keeps all services of the launch, as that of a [`Service`](crate::Service) does. It is cheap to clone.
#[derive(Clone)]
pub struct Job {
    of: Arc<OfLaunch>,
    /// Its position in the plan.
    service: usize,
}

impl Job {
    pub(crate) fn new(of: Arc<OfLaunch>, service: usize) -> Self {
        Self { of, service }
    }

    fn field(&self) -> &str {
        &self.of.launch().plan.services[self.service].field
    }

    /// The name of the field or parameter that declares it.
    pub fn name(&self) -> &str {
        self.field()
    }

    /// Runs the job in a new container, to its end. Its exit code is the verdict: with any other than 0, this is an error.
    ///
    /// The output is printed as it comes, line by line, with the name of the job before each line. So a test harness captures it with
    /// the other output of the test. It is returned, too.
    ///
    /// When it has ended, in whatever way, what `artifacts(..)` names is copied to this machine, owned by the user who runs the test.
    /// JUnit reports among it (`*.xml`) are read: the error names each failed case.
    ///
    /// The job begins when this is called. If the operation is dropped, the job ends.
    ///
    /// ```no_run
    /// # async fn asynchronous(e2e: seatrial::Job) -> Result<(), seatrial::Error> {
    /// let output = e2e.run().await?;
    /// assert!(output.stdout.contains("12 passed"));
    /// # Ok(()) }
    /// # fn plain(e2e: seatrial::Job) -> Result<(), seatrial::Error> {
    /// e2e.run().wait()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Of the kind [`Job`](crate::ErrorKind::Job): it has exited with another code than 0, has not ended within its `timeout` (10
    /// minutes unless declared, or `timeouts.job` of `seatrial.toml`), or has not left its artifacts. The error has the last lines of
    /// its output. Of other kinds: its image cannot be obtained, or its container cannot be started.
    #[track_caller]
    pub fn run(&self) -> Operation<ExecOutput> {
        let of = self.of.clone();
        let bound = Bound::of_launch(of.lease().deadline());
        let bound = bound.of_call(CallSite::of(format!("{}.run()", self.field())));
        let (name, redactor) = (self.field().to_owned(), of.redactor());
        let mut job = of.run(self.service);
        let ended = Operation::new(async move {
            let mut collected = Collected::new(OutputUse::Answer);
            loop {
                match job.next().await {
                    JobNews::Line(line) => {
                        let text = quoted(&redactor, &line.text);
                        match line.stderr {
                            true => eprintln!("{name} | {text}"),
                            false => println!("{name} | {text}"),
                        }
                        let mut bytes = line.text.into_bytes();
                        bytes.push(b'\n');
                        let stderr = line.stderr;
                        collected.push(&Output { stderr, bytes });
                    }
                    JobNews::End(outcome) => {
                        // The services stay until the job has ended.
                        let composition = &of.launch().plan.name;
                        outcome.map_err(|error| {
                            error.with(|report| report.composition = Some(composition.clone()))
                        })?;
                        return Ok(collected.ended(0).into_answer());
                    }
                }
            }
        });
        ended.within(bound)
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("field", &self.field()).finish()
    }
}
