//! Checks a kept service before another launch uses it.
//!
//! The service was left alone, perhaps for hours, and anybody may have changed it. If it is not as it was, another one
//! replaces it. So the deadline is shorter than that of a service that starts.

use std::time::Duration;

use tokio::time::timeout;

use super::checks::Thoroughness;
use super::inbox::Inbox;
use super::running::Running;
use super::state::Instance;
use crate::engine::EngineErrorKind;
use crate::supervisor::context::Context;
use crate::{Error, ErrorKind, terminal};

/// How long a service that was ready before may take to answer. On a busy machine it takes milliseconds.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

impl Running {
    /// Checks that the container runs, is as ready as it was, and was made from the image of these settings.
    ///
    /// # Errors
    ///
    /// Returns the reason for which it is no longer usable.
    pub(super) async fn check_kept(
        &self,
        instance: &Instance,
        context: &Context,
        inbox: &mut Inbox,
    ) -> Result<(), Error> {
        let unfit = |kind, why: String| Err(instance.attach(Error::new(kind, why)));
        // If the image cannot be obtained now, the existing container stays usable.
        if let Ok(image) = instance.image(context, &self.engine).await
            && image.id != self.image.id
        {
            return unfit(ErrorKind::Image, "its image has changed".to_owned());
        }
        match self.engine.inspect(self.id()).await {
            // The kernel accepts connections for a paused container.
            Ok(info) if info.paused => {
                return unfit(ErrorKind::Operation, "its container is paused".to_owned());
            }
            Ok(info) if info.running => {}
            // Its end is about to be reported, and the check below says how it ended.
            Ok(_) => drop(timeout(ANSWERS_WITHIN, self.exits.ended()).await),
            Err(error) if error.kind == EngineErrorKind::NotFound => {
                return unfit(ErrorKind::Exited, "its container was removed".to_owned());
            }
            Err(error) => return Err(self.refused(instance, &error)),
        }
        let ready = self.wait_ready(instance, inbox, Thoroughness::Again);
        timeout(ANSWERS_WITHIN, ready).await.unwrap_or_else(|_| {
            let within = terminal::duration(ANSWERS_WITHIN);
            unfit(
                ErrorKind::NotReady,
                format!("it does not answer within {within}"),
            )
        })
    }
}
