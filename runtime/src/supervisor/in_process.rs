//! The supervisor in the process of its only client.

use tokio::sync::mpsc;

use super::identity::Role;
use super::messages::Input;
use super::sweep::History;
use super::table::Supervisor;
use crate::Error;
use crate::protocol::{ClientId, Introduction, Message, Request, RequestBody};
use crate::settings::Settings;

/// Serves one client. The run ends with the client, and everything is removed before this returns.
pub(crate) async fn run(
    settings: Result<Settings, Error>,
    mut requests: mpsc::UnboundedReceiver<Request>,
    messages: mpsc::UnboundedSender<Message>,
) {
    const CLIENT: ClientId = 1;
    let (inputs, from_clients) = mpsc::unbounded_channel();
    let forward = async move {
        // Sending fails only if the supervisor has panicked.
        let input = |input| drop(inputs.send(input));
        input(Input::Connected {
            client: CLIENT,
            messages,
        });
        input(Input::RunGoesOn(false));
        let introduction = Introduction {
            settings,
            process: None,
        };
        input(Input::Request {
            client: CLIENT,
            request: Request {
                call: 0,
                body: RequestBody::Introduce(Box::new(introduction)),
            },
        });
        while let Some(request) = requests.recv().await {
            input(Input::Request {
                client: CLIENT,
                request,
            });
        }
        input(Input::Disconnected { client: CLIENT });
    };
    let supervise = async {
        let mut supervisor = Supervisor::new(Role::Run, History::default(), from_clients);
        supervisor.serve().await;
        supervisor.close().await;
        supervisor.answer_closes().await;
    };
    tokio::join!(forward, supervise);
}
