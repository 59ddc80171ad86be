//! Looking at a service that was kept, before one more launch is given it.
//!
//! It stood by itself, perhaps for hours, and people could do anything to it. Where it is not as it was another takes its
//! place, so nothing is waited for as long as where a service starts.

use std::time::Duration;

use tokio::time::timeout;

use super::checks::Thoroughness;
use super::inbox::Inbox;
use super::running::Running;
use super::state::Instance;
use crate::engine::EngineErrorKind;
use crate::supervisor::context::Context;
use crate::{Error, ErrorKind, terminal};

/// How long a service may take to answer that was ready before. On a busy machine it takes milliseconds.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

impl Running {
    /// Sees whether it runs and is as ready as it was, and made from the image that these settings lead to.
    ///
    /// # Errors
    ///
    /// Why it is of no use any more.
    pub(super) async fn check_kept(
        &self,
        instance: &Instance,
        context: &Context,
        inbox: &mut Inbox,
    ) -> Result<(), Error> {
        let unfit = |kind, why: String| Err(instance.attach(Error::new(kind, why)));
        // Where no image can be had now, what was made from one before is as good as it was.
        if let Ok(image) = instance.image(context, &self.engine).await
            && image.id != self.image.id
        {
            return unfit(ErrorKind::Image, "its image has changed".to_owned());
        }
        match self.engine.inspect(self.id()).await {
            // The kernel accepts connections for one that is paused.
            Ok(info) if info.paused => {
                return unfit(ErrorKind::Operation, "its container is paused".to_owned());
            }
            Ok(info) if info.running => {}
            // Its end is about to be told, and the check below says how it ended.
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
