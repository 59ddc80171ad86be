//! The binaries of named packages that a launch needs. The run's supervisor has them built.

use std::collections::BTreeMap;
use std::path::PathBuf;

use seatrial_model::{Origin, Plan};

use super::calls::Client;
use crate::cargo::{Layout, Wanted};
use crate::deadline::Deadline;
use crate::operation::block_on;
use crate::package::Package;
use crate::protocol::{Reply, RequestBody};
use crate::{Error, ErrorKind, workspace};

/// The binaries that a launch needs, by binding.
pub(super) struct Binaries(BTreeMap<usize, Binary>);

struct Binary {
    wanted: Wanted,
    /// The composition and the first of its services that runs it.
    composition: String,
    service: String,
}

impl Binaries {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut binaries = BTreeMap::new();
        for service in &plan.services {
            if let Origin::Bin {
                name,
                binding,
                package: Some(package),
                ..
            } = &service.origin
            {
                binaries.entry(*binding).or_insert_with(|| Binary {
                    wanted: wanted(package, name),
                    composition: plan.name.clone(),
                    service: service.field.clone(),
                });
            }
        }
        Self(binaries)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Binary {
    /// Attributes an error to the service.
    fn attribute(self, error: Error) -> Error {
        error.with(|report| {
            report.composition = Some(self.composition);
            report.service = Some(self.service);
        })
    }
}

fn wanted(package: &str, name: &str) -> Wanted {
    let executable = std::env::current_exe().ok();
    let cargo = std::env::var_os("CARGO").filter(|cargo| !cargo.is_empty());
    Wanted {
        workspace: workspace::of_process(),
        package: package.to_owned(),
        name: name.to_owned(),
        layout: executable.and_then(|path| Layout::of(&path, |file| file.is_file())),
        cargo: cargo.map(PathBuf::from),
    }
}

impl Client {
    /// The paths of binaries, by binding, once all are built. `package` is that of the declaration. Blocks.
    ///
    /// # Errors
    ///
    /// A binary cannot be built, or not in time.
    pub(super) fn build(
        &self,
        Binaries(binaries): Binaries,
        package: Package,
        deadline: Option<&Deadline>,
    ) -> Result<BTreeMap<usize, PathBuf>, Error> {
        if workspace::has_moved(package) {
            let there = binaries.into_iter().map(|(binding, binary)| {
                let path = moved(&binary.wanted).map_err(|error| binary.attribute(error))?;
                Ok((binding, path))
            });
            return there.collect();
        }
        let within = deadline.map(Deadline::left);
        let asked: Vec<_> = binaries
            .into_iter()
            .map(|(binding, binary)| {
                let wanted = Box::new(binary.wanted.clone());
                let answer = self.ask(RequestBody::Binary { wanted, within });
                (binding, binary, answer)
            })
            .collect();
        let mut built = BTreeMap::new();
        for (binding, binary, answer) in asked {
            match block_on(answer) {
                Ok(Reply::Binary(path)) => drop(built.insert(binding, path)),
                Ok(other) => unreachable!("a binary is answered with its path, not {other:?}"),
                Err(error) => return Err(binary.attribute(error)),
            }
        }
        Ok(built)
    }
}

/// The binary that was moved with the tests. Cargo would build another one, of another tree.
fn moved(wanted: &Wanted) -> Result<PathBuf, Error> {
    let beside = wanted.layout.as_ref();
    let beside = beside.map(|layout| layout.binary(&wanted.name));
    if let Some(path) = beside.as_ref().filter(|path| path.is_file()) {
        return Ok(path.clone());
    }
    let what = format!("{wanted} was not moved with the tests");
    Err(Error::new(ErrorKind::Build, what).with(|report| {
        if let Some(path) = beside {
            report.details.push(format!("it is not at `{}`", path.display()));
        }
        report.help = Some(
            "build it where the tests are built, and move it with them, beside the directory of the test executables: \
             `cargo nextest archive` has the binaries of all packages whose integration tests it has"
                .to_owned(),
        );
    }))
}

#[cfg(test)]
mod tests {
    use seatrial_model::ServicePlan;

    use super::*;

    #[test]
    fn only_the_binaries_of_named_packages_are_asked_for_and_each_once() {
        let bin = |field: &str, binding: usize, package: Option<&str>| {
            let origin = Origin::Bin {
                name: format!("bin-{binding}"),
                binding,
                base: None,
                package: package.map(str::to_owned),
            };
            ServicePlan::new(field, origin)
        };
        let plan = Plan {
            name: "Shop".to_owned(),
            services: vec![
                bin("own", 0, None),
                bin("server", 1, Some("server")),
                bin("again", 1, Some("server")),
            ],
        };
        let Binaries(binaries) = Binaries::of(&plan);
        let [(1, binary)] = &binaries.into_iter().collect::<Vec<_>>()[..] else {
            panic!("one binary, the second")
        };
        let named = (
            &*binary.wanted.package,
            &*binary.wanted.name,
            &*binary.service,
        );
        assert_eq!(named, ("server", "bin-1", "server"));
        // Cargo has built this test.
        let layout = binary.wanted.layout.as_ref().expect("it is known");
        let own = std::env::current_exe().expect("the path of this executable");
        assert!(own.starts_with(&layout.target_directory), "{layout:?}");
    }

    #[test]
    fn tests_that_were_moved_use_what_was_moved_with_them() {
        let directory = format!("seatrial-moved-{}", std::process::id());
        let target_directory = std::env::temp_dir().join(directory);
        let wanted = Wanted {
            workspace: "/src".into(),
            package: "shop".to_owned(),
            name: "server".to_owned(),
            layout: Some(Layout {
                target_directory: target_directory.clone(),
                target: None,
                profile: "debug".to_owned(),
            }),
            cargo: None,
        };
        let path = target_directory.join("debug/server");
        let error = moved(&wanted).expect_err("it was not moved").to_string();
        for part in [
            "the binary `server` of the package `shop` was not moved with the tests",
            &format!("it is not at `{}`", path.display()),
            "help: build it where the tests are built",
        ] {
            assert!(error.contains(part), "{error}");
        }
        std::fs::create_dir_all(target_directory.join("debug")).expect("a directory");
        std::fs::write(&path, "").expect("a file");
        assert_eq!(moved(&wanted), Ok(path));
        std::fs::remove_dir_all(target_directory).expect("it is ours");
    }
}
