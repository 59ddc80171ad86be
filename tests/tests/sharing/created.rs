//! What the engine says was created: asked for by HTTP, not through what is tested.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use seatrial_tests::engine::{answer, ask, connect, request};
use serde_json::Value;

/// How long an event may take that is certain to come.
const DEADLINE: Duration = Duration::from_secs(60);

/// Starts of containers, creations of networks and volumes, and what is attached to networks, by nobody in particular.
const EVENTS: &str = "%7B%22type%22%3A%5B%22container%22%2C%22network%22%2C%22volume%22%5D%2C\
                      %22event%22%3A%5B%22create%22%2C%22start%22%2C%22connect%22%5D%7D";

/// The engine's events from now on. They are followed: what the engine remembers of the past are a few hundred.
pub(crate) struct Recording(Receiver<Value>);

impl Recording {
    pub(crate) fn begin() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = since.expect("it is after 1970").as_secs();
        let path = format!("/events?since={since}&filters={EVENTS}");
        let mut answer = BufReader::new(request("GET", &path));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = answer.read_line(&mut head).expect("an answer");
            assert_ne!(read, 0, "{head}");
        }
        assert!(head.contains(" 200 "), "{head}");
        let (events, recorded) = channel();
        // It ends at the first event after the recording.
        std::thread::spawn(move || {
            for line in answer.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).expect("JSON");
                if events.send(event).is_err() {
                    return;
                }
            }
        });
        Self(recorded)
    }

    /// What a run has created so far.
    pub(crate) fn created(self, run: &str) -> Created {
        let mut created = Created::default();
        let mut networks = Vec::new();
        let mut attached = Vec::new();
        let marker = mark();
        loop {
            let event = self.0.recv_timeout(DEADLINE).expect("an event");
            let actor = &event["Actor"];
            let attribute = |key: &str| actor["Attributes"][key].as_str().unwrap_or_default();
            let id = actor["ID"].as_str().unwrap_or_default().to_owned();
            match (event["Type"].as_str(), event["Action"].as_str()) {
                (Some("volume"), _) if id == marker => break,
                (Some("container"), Some("start")) if attribute("dev.seatrial.run") == run => {
                    created.containers.push(Container {
                        id,
                        name: attribute("name").to_owned(),
                        service: attribute("dev.seatrial.service").to_owned(),
                    });
                    created.owner = attribute("dev.seatrial.owner").to_owned();
                }
                (Some("network"), Some("create")) => {
                    networks.push((id, attribute("name").to_owned()))
                }
                (Some("network"), Some("connect")) => {
                    attached.push((id, attribute("container").to_owned()));
                }
                _ => {}
            }
        }
        let is_of_run = |id: &String| created.containers.iter().any(|it| it.id == *id);
        let used = attached
            .into_iter()
            .filter(|(_, container)| is_of_run(container));
        created.networks_used = used.map(|(network, _)| network).collect();
        // Networks have the beginning of the containers' names.
        let beginning = created.containers.first().map(|first| first.beginning());
        let of_run = |name: &str| beginning.is_some_and(|beginning| name.starts_with(beginning));
        let of_run = networks.into_iter().filter(|(_, name)| of_run(name));
        created.networks = of_run.map(|(id, _)| id).collect();
        created
    }
}

/// What was created for a run.
#[derive(Debug, Default)]
pub(crate) struct Created {
    containers: Vec<Container>,
    networks: BTreeSet<String>,
    networks_used: BTreeSet<String>,
    owner: String,
}

#[derive(Debug)]
struct Container {
    id: String,
    name: String,
    service: String,
}

impl Container {
    /// `seatrial-4e1b-616f9c2092b4-0` of `seatrial-4e1b-616f9c2092b4-0-2-db`.
    fn beginning(&self) -> &str {
        let mut parts = self.name.rsplitn(3, '-');
        parts.nth(2).expect("a name of ours")
    }
}

impl Created {
    /// How many containers of a service there were.
    pub(crate) fn count(&self, service: &str) -> usize {
        let containers = self.containers.iter();
        containers.filter(|it| it.service == service).count()
    }

    /// How many containers of services there were.
    pub(crate) fn containers(&self) -> usize {
        let of_services = |it: &&Container| it.service != "network-namespace";
        self.containers.iter().filter(of_services).count()
    }

    /// All containers were on one network, which was created for the run alone; or was another's, where that could not
    /// get rid of it (Docker before 28, moby#42119).
    #[track_caller]
    pub(crate) fn assert_one_network(&self) {
        assert_eq!(self.networks_used.len(), 1, "{self:#?}");
        assert!(self.networks.is_subset(&self.networks_used), "{self:#?}");
    }

    /// The process that owned all this.
    pub(crate) fn owner(&self) -> u32 {
        let pid = self
            .owner
            .split('/')
            .nth(1)
            .and_then(|pid| pid.parse().ok());
        pid.unwrap_or_else(|| panic!("no owner: {self:#?}"))
    }
}

/// Makes an event that is known when it comes.
fn mark() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("seatrial-tests-marker-{}-{number}", std::process::id());
    let body = serde_json::json!({ "Name": name }).to_string();
    let mut stream = connect();
    let length = body.len();
    write!(
        stream,
        "POST /volumes/create HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("a request");
    let (status, answer) = answer(stream);
    assert_eq!(status, 201, "{answer}");
    let (status, answer) = ask("DELETE", &format!("/volumes/{name}"));
    assert_eq!(status, 204, "{answer}");
    name
}
