//! Launching. The keeper launches the services that outlive the run; then the run's supervisor launches the rest.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use tokio::sync::oneshot;

use super::binaries::Binaries;
use super::calls::Client;
use super::declaration::{self, Instances, Prepared};
use super::hooks;
use super::jobs::OfLaunch;
use super::lease::Lease;
use super::notice;
use crate::composition::Member;
use crate::config::Keep;
use crate::deadline::{Bound, Deadline};
use crate::declaration::{Declaration, Hook};
use crate::operation::block_on;
use crate::protocol::{Kept, Launch, Reply, RequestBody, ServiceInfo};
use crate::{Error, ErrorKind, Job, Operation, Service, kept, terminal};

/// The members of a launch, in the order of their declaration, and the lease that holds them.
pub(crate) type Launched = (Vec<Member>, Arc<Lease>);

impl Client {
    /// Launches the services of `declaration`. The work has begun when this returns, and fails if it is not done in time.
    pub(crate) fn launch(
        &'static self,
        declaration: Declaration,
        instances: Instances,
        test: Option<String>,
        deadline: Option<Arc<Deadline>>,
    ) -> Operation<Launched> {
        let bound = Bound::of_launch(deadline.clone());
        let keep = self.config().map_or(Keep::Off, |config| config.keep);
        let plan = match declaration::plan(declaration, instances, keep) {
            Ok(plan) => plan,
            Err(error) => return Operation::failed(error),
        };
        let hooks = declaration.hooks;
        let binaries = Binaries::of(&plan);
        if !binaries.is_empty() {
            return on_a_thread(move |is_wanted| {
                let built = self.build(binaries, declaration.package, deadline.as_deref())?;
                if !is_wanted() {
                    return Err(unwanted());
                }
                let prepared = declaration::prepare(declaration, plan, built, test, keep)?;
                self.launch_both(prepared, hooks, keep, deadline)
            })
            .within(bound);
        }
        let prepared = declaration::prepare(declaration, plan, BTreeMap::new(), test, keep);
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return Operation::failed(error),
        };
        if prepared.kept.is_empty() && keep != Keep::Drop {
            let members = Members::of(&prepared.launch);
            let launched = self.begin(prepared.launch, hooks, None, deadline);
            return Operation::new(async move {
                let (services, lease) = launched.await?;
                Ok((members.of_services(services, &lease), lease))
            })
            .within(bound);
        }
        // The two launches are sequential.
        on_a_thread(move |_| self.launch_both(prepared, hooks, keep, deadline)).within(bound)
    }

    /// Launches first the services that outlive the run, then the rest. Blocks.
    fn launch_both(
        &'static self,
        Prepared {
            mut launch,
            kept,
            kept_identity,
        }: Prepared,
        hooks: &'static [Hook],
        keep: Keep,
        deadline: Option<Arc<Deadline>>,
    ) -> Result<Launched, Error> {
        if keep == Keep::Drop {
            drop_once()?;
        }
        let mut running = BTreeMap::new();
        let mut keeping = None;
        if !kept.is_empty() {
            let positions: Vec<usize> = kept.keys().copied().collect();
            let stays = notice::stays(&launch.plan, &kept);
            let wanted = Launch {
                identity: kept_identity,
                kept,
                ..launch.clone()
            };
            let launched = Self::keeper().begin(wanted, hooks, None, deadline.clone());
            let (services, lease) = block_on(launched)?;
            notice::used(stays);
            running.extend(positions.into_iter().zip(services));
            keeping = Some(lease);
        }
        let count = launch.plan.services.len();
        if running.len() == count
            && let Some(lease) = keeping
        {
            let members = Members::of(&launch);
            let services = running.into_values().collect();
            return Ok((members.of_services(services, &lease), lease));
        }
        let known = running.iter();
        launch.kept = known
            .map(|(index, info)| (*index, Kept::Running(Box::new(info.clone()))))
            .collect();
        let members = Members::of(&launch);
        let launched = self.begin(launch, hooks, keeping.clone(), deadline);
        let (services, lease) = block_on(launched)?;
        // The handles of the kept services send their actions to the keeper.
        let handle = |index, info| match (&keeping, running.remove(&index)) {
            (Some(keeping), Some(info)) => Service::new(info, keeping.clone()),
            _ => Service::new(info, lease.clone()),
        };
        Ok((members.with(services, &lease, handle), lease))
    }

    /// Asks this client's supervisor for a launch. The request is queued when this returns.
    fn begin(
        &'static self,
        launch: Launch,
        functions: &'static [Hook],
        keeping: Option<Arc<Lease>>,
        deadline: Option<Arc<Deadline>>,
    ) -> Operation<(Vec<ServiceInfo>, Arc<Lease>)> {
        hooks::register(&launch.identity, functions);
        let lease = Arc::new(Lease::of_launch(self, keeping, deadline));
        let call = self.number();
        let body = RequestBody::Launch {
            lease: lease.id(),
            launch: Box::new(launch),
            within: lease.deadline().map(|deadline| deadline.left()),
        };
        let answer = self.call(call, body);
        Operation::new(async move {
            match answer.await? {
                Reply::Launched(services) => Ok((services, lease)),
                other => unreachable!("a launch is answered with its services, not {other:?}"),
            }
        })
    }
}

/// What the members of a launch are made with, beside its services: the launch itself, if it has jobs.
struct Members(Option<Launch>);

impl Members {
    fn of(launch: &Launch) -> Self {
        let mut services = launch.plan.services.iter();
        Self(services.any(|it| it.job.is_some()).then(|| launch.clone()))
    }

    fn of_services(self, services: Vec<ServiceInfo>, lease: &Arc<Lease>) -> Vec<Member> {
        self.with(services, lease, |_, info| Service::new(info, lease.clone()))
    }

    /// The members of these services, which are all but the jobs that run on demand. `handle` makes the handle of one.
    fn with(
        self,
        services: Vec<ServiceInfo>,
        lease: &Arc<Lease>,
        mut handle: impl FnMut(usize, ServiceInfo) -> Service,
    ) -> Vec<Member> {
        let Some(launch) = self.0 else {
            let services = services.into_iter().enumerate();
            return services
                .map(|(index, info)| Member::Service(handle(index, info)))
                .collect();
        };
        let mut running: BTreeMap<usize, ServiceInfo> =
            launch.plan.launched().zip(services).collect();
        let beside = running.iter().map(|(index, info)| (*index, info.instance));
        let jobs = Arc::new(OfLaunch {
            beside: beside.collect(),
            launch,
            lease: lease.clone(),
        });
        let services = jobs.launch.plan.services.iter().enumerate();
        let members = services.map(|(index, service)| match service.job {
            Some(_) => Member::Job(Job::new(jobs.clone(), index)),
            None => {
                let info = running.remove(&index);
                Member::Service(handle(index, info.expect("the launch has all services")))
            }
        });
        members.collect()
    }
}

/// Does the work of a launch that blocks. It goes on even if nobody polls the operation; it can ask whether anybody still wants the
/// result.
fn on_a_thread(
    work: impl FnOnce(&dyn Fn() -> bool) -> Result<Launched, Error> + Send + 'static,
) -> Operation<Launched> {
    let (outcome, launched) = oneshot::channel();
    let launch = move || {
        let launched = work(&|| !outcome.is_closed());
        let _ = outcome.send(launched);
    };
    let thread = std::thread::Builder::new().name("seatrial-launch".to_owned());
    if let Err(error) = thread.spawn(launch) {
        let what = format!("cannot start a thread: {error}");
        let error = Error::new(ErrorKind::Operation, what);
        return Operation::failed(error);
    }
    Operation::new(async move { launched.await.unwrap_or_else(|_| Err(unwanted())) })
}

/// The error of a launch that has no other result.
fn unwanted() -> Error {
    Error::new(
        ErrorKind::Interrupted,
        "the launch has ended without a result",
    )
}

/// Has the kept services removed, once per process and before its first launch.
fn drop_once() -> Result<(), Error> {
    static DROPPED: OnceLock<Result<(), Error>> = OnceLock::new();
    DROPPED
        .get_or_init(|| {
            let dropped = block_on(kept::drop_kept())?;
            if !dropped.is_empty() {
                terminal::say(&terminal::dropped(&dropped));
            }
            Ok(())
        })
        .clone()
}
