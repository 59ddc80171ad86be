//! Commands that are run in a service's container.

use std::fmt;
use std::io::Write as _;

use super::handle::{Service, unexpected};
use crate::call_site::CallSite;
use crate::pieces::{self, PieceWriter};
use crate::protocol::{Action, ExecCall, ExecOutput, Reply};
use crate::{Error, ErrorKind, Operation};

impl Service {
    /// Runs a command in its container, to the end. No shell is involved: for one, run `["sh", "-c", ".."]`.
    ///
    /// The command begins when what is returned is awaited or waited for. Before that, it can be given variables, a user, a
    /// working directory and a standard input: see [`Exec`].
    ///
    /// A command that fails is not an error: check [`ExecOutput::code`]. Of an output that is longer than 16 MiB the end is
    /// handed out, and says so: see [`ExecOutput`].
    ///
    /// ```no_run
    /// # async fn asynchronous(cache: seatrial::Service) -> Result<(), seatrial::Error> {
    /// let pong = cache.exec(["redis-cli", "ping"]).await?;
    /// assert_eq!(pong.stdout.trim(), "PONG");
    /// # Ok(()) }
    /// # fn plain(cache: seatrial::Service) -> Result<(), seatrial::Error> {
    /// let pong = cache.exec(["redis-cli", "ping"]).wait()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Where the container does not run, or has no such executable; see [`Exec::spawn`].
    #[track_caller]
    pub fn exec<S: Into<String>>(&self, command: impl IntoIterator<Item = S>) -> Exec {
        let command: Vec<String> = command.into_iter().map(Into::into).collect();
        // The arguments may be secret.
        let call_site = CallSite::of(match command.as_slice() {
            [] => "exec([])".to_owned(),
            [program] => format!("exec([{program:?}])"),
            [program, ..] => format!("exec([{program:?}, ..])"),
        });
        Exec {
            service: self.clone(),
            call_site,
            call: ExecCall {
                command,
                ..ExecCall::default()
            },
            input: None,
        }
    }
}

/// A command that is about to be run in a service's container, made by [`Service::exec`].
///
/// It begins when it is awaited, [waited for](Self::wait) or [spawned](Self::spawn). Dropping it before does nothing.
///
/// ```no_run
/// # async fn asynchronous(db: seatrial::Service) -> Result<(), seatrial::Error> {
/// let orders = db
///     .exec(["psql", "--no-align", "--tuples-only"])
///     .env("PGPASSWORD", "sea")
///     .user("postgres")
///     .workdir("/tmp")
///     .stdin("select count(*) from orders")
///     .await?;
/// assert_eq!(orders.stdout.trim(), "3");
/// # Ok(()) }
/// # fn plain(db: seatrial::Service) -> Result<(), seatrial::Error> {
/// let who = db.exec(["id", "-un"]).user("postgres").wait()?;
/// assert_eq!(who.stdout.trim(), "postgres");
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a command does nothing until it is awaited, waited for or spawned"]
pub struct Exec {
    service: Service,
    call_site: CallSite,
    call: ExecCall,
    input: Option<Vec<u8>>,
}

impl Exec {
    /// Sets an environment variable for the command, beside those of the container. The later of two values holds.
    ///
    /// ```no_run
    /// # fn example(db: seatrial::Service) -> Result<(), seatrial::Error> {
    /// db.exec(["createdb", "shop"]).env("PGPASSWORD", "sea").wait()?;
    /// # Ok(()) }
    /// ```
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        // Engines hand both on, and programs differ in which they take.
        self.call.env.retain(|(before, _)| *before != name);
        self.call.env.push((name, value));
        self
    }

    /// Runs the command as this user: a name or number of the container's, with a group or without, such as `postgres`,
    /// `1000` or `1000:1000`. Without it, as the container's own user.
    ///
    /// ```no_run
    /// # fn example(db: seatrial::Service) -> Result<(), seatrial::Error> {
    /// db.exec(["createdb", "shop"]).user("postgres").wait()?;
    /// # Ok(()) }
    /// ```
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.call.user = Some(user.into());
        self
    }

    /// Runs the command in this directory of the container, an absolute path. Without it, in the container's own.
    ///
    /// ```no_run
    /// # fn example(app: seatrial::Service) -> Result<(), seatrial::Error> {
    /// app.exec(["./migrate"]).workdir("/srv/app").wait()?;
    /// # Ok(()) }
    /// ```
    pub fn workdir(mut self, path: impl Into<String>) -> Self {
        self.call.workdir = Some(path.into());
        self
    }

    /// Gives the command a standard input, bytes or text, which is closed behind it: the command sees its end. Without it, the
    /// command has none.
    ///
    /// It is sent while the command runs, whatever its size. What a command that ends early has not read is dropped, and no
    /// error.
    ///
    /// ```no_run
    /// # fn example(db: seatrial::Service) -> Result<(), Box<dyn std::error::Error>> {
    /// let dump = std::fs::read("tests/shop.sql")?;
    /// db.exec(["psql", "--quiet"]).stdin(dump).wait()?;
    /// # Ok(()) }
    /// ```
    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Begins to run the command now; it goes on while the test does something else, and where the operation is dropped.
    ///
    /// ```no_run
    /// # fn example(app: seatrial::Service) -> Result<(), seatrial::Error> {
    /// let import = app.exec(["import", "--all"]).spawn();
    /// app.wait_log("import begins").wait()?;
    /// let imported = import.wait()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the operation: where the container does not run, or has no such executable, user or directory; where the
    /// command is empty, a variable's name is empty or has a `=`, or the directory is not an absolute path.
    pub fn spawn(self) -> Operation<ExecOutput> {
        let Self {
            service,
            call_site,
            mut call,
            input,
        } = self;
        let bound = service.bound().of_call(call_site);
        if let Err(error) = check(&call) {
            return Operation::failed(service.info.attribute(error)).within(bound);
        }
        let output = |reply| match reply {
            Reply::Exec(output) => output,
            other => unexpected(other),
        };
        let Some(input) = input else {
            return service.act_within(bound, Action::Exec(call), output);
        };
        call.has_input = true;
        let (client, caller) = (service.client(), service.lease.caller());
        let sending = client.act_sending(service.info.instance, Action::Exec(call), caller);
        let mut writer = PieceWriter::new(client, &sending);
        // Nobody waits for it: a command may end before it has read all.
        drop(pieces::spawn(move || {
            // What is not taken any more, the answer tells of.
            let _ = writer.write_all(&input);
            let _ = writer.end(Ok(()));
        }));
        let done = Operation::new(async move {
            let answered = sending.answer.await;
            let reply = answered.unwrap_or_else(|_| Err(pieces::ending()));
            let reply = reply.map_err(|error| service.info.with_composition(error))?;
            // The service must not be removed while the command runs.
            drop(service);
            Ok(output(reply))
        });
        done.within(bound)
    }

    /// Runs the command and blocks the thread until it has ended, as [`Operation::wait`] does.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Self::spawn), and where the time is over for the test that waits.
    pub fn wait(self) -> Result<ExecOutput, Error> {
        self.spawn().wait()
    }
}

impl IntoFuture for Exec {
    type Output = Result<ExecOutput, Error>;
    type IntoFuture = Operation<ExecOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.spawn()
    }
}

/// Without the values of variables, the arguments and the input, which may be secret.
impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables: Vec<&str> = self.call.env.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("Exec")
            .field("service", &self.service.info.field)
            .field("program", &self.call.command.first())
            .field("env", &variables)
            .field("user", &self.call.user)
            .field("workdir", &self.call.workdir)
            .field("stdin", &self.input.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}

/// Whether an engine can make sense of it.
fn check(call: &ExecCall) -> Result<(), Error> {
    let Some(program) = call.command.first().filter(|program| !program.is_empty()) else {
        return Err(refused(
            "cannot run an empty command in the container",
            "name an executable, such as `exec([\"redis-cli\", \"ping\"])`",
        ));
    };
    let what = |why: String| format!("cannot run `{program}` in the container: {why}");
    for (name, _) in &call.env {
        if name.is_empty() || name.contains('=') {
            return Err(refused(
                &what(format!(
                    "`{name}` is not a valid name of an environment variable"
                )),
                "write a name without `=`, and the value behind it: `env(\"NAME\", \"value\")`",
            ));
        }
    }
    if let Some(workdir) = &call.workdir
        && !workdir.starts_with('/')
    {
        return Err(refused(
            &what(format!(
                "the working directory `{workdir}` is not an absolute path"
            )),
            "write where in the container the command runs, such as `workdir(\"/tmp\")`",
        ));
    }
    let variables = call.env.iter().flat_map(|(name, value)| [name, value]);
    let mut texts = call
        .command
        .iter()
        .chain(variables)
        .chain(&call.user)
        .chain(&call.workdir);
    if texts.any(|text| text.contains('\0')) {
        return Err(refused(
            &what(
                "an argument, a variable, the user or the working directory has a NUL character"
                    .to_owned(),
            ),
            "pass such bytes with `stdin(..)`",
        ));
    }
    Ok(())
}

fn refused(what: &str, help: &str) -> Error {
    Error::new(ErrorKind::Operation, what).with(|report| report.help = Some(help.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(change: impl FnOnce(&mut ExecCall)) -> ExecCall {
        let mut call = ExecCall {
            command: vec!["psql".to_owned(), String::new()],
            env: vec![("PGPASSWORD".to_owned(), String::new())],
            user: Some("postgres".to_owned()),
            workdir: Some("/tmp".to_owned()),
            has_input: false,
        };
        change(&mut call);
        call
    }

    #[test]
    fn what_no_engine_understands_is_refused_and_says_what_to_write() {
        assert_eq!(check(&call(|_| ())), Ok(()));
        let variable = |name: &str| (name.to_owned(), "secret".to_owned());
        for (wrong, what, help) in [
            (
                call(|call| call.command.clear()),
                "empty command",
                "name an executable",
            ),
            (
                call(|call| call.command[0].clear()),
                "empty command",
                "name an executable",
            ),
            (
                call(|call| call.env.push(variable("A=B"))),
                "cannot run `psql` in the container: `A=B` is not a valid name",
                "without `=`",
            ),
            (
                call(|call| call.env.push(variable(""))),
                "`` is not a valid name",
                "`env(",
            ),
            (
                call(|call| call.env.push(variable("A\0"))),
                "a NUL character",
                "`stdin(..)`",
            ),
            (
                call(|call| call.command[1].push('\0')),
                "a NUL character",
                "`stdin(..)`",
            ),
            (
                call(|call| call.workdir = Some("tmp".to_owned())),
                "`tmp` is not an absolute path",
                "`workdir(",
            ),
        ] {
            let error = check(&wrong).expect_err(what);
            assert_eq!(error.kind(), ErrorKind::Operation);
            let report = error.report();
            assert!(report.what.contains(what), "{error}");
            assert!(
                report.help.as_ref().is_some_and(|said| said.contains(help)),
                "{error}"
            );
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
