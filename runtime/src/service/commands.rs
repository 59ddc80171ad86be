//! Commands that are run in a service's container.

use super::{Service, unexpected};
use crate::Operation;
use crate::protocol::{Action, ExecOutput, Reply};

impl Service {
    /// Runs a command in its container, to the end. No shell is involved: for one, run `["sh", "-c", ".."]`.
    ///
    /// A command that fails is no error: look at [`ExecOutput::code`]. Of an output that is longer than 16 MiB the end is
    /// handed out, and says so: see [`ExecOutput`].
    ///
    /// # Errors
    ///
    /// Where the container does not run, or has no such executable.
    pub fn exec<S: Into<String>>(
        &self,
        command: impl IntoIterator<Item = S>,
    ) -> Operation<ExecOutput> {
        let command = command.into_iter().map(Into::into).collect();
        self.act(Action::Exec { command }, |reply| match reply {
            Reply::Exec(output) => output,
            other => unexpected(other),
        })
    }
}
