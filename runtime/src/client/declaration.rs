//! Turns a declaration into the launch that the supervisor is asked for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use seatrial_model::{Origin, Plan, Scope, VariableError};
use serde_bytes::ByteBuf;

use super::kept;
use crate::config::Keep;
use crate::declaration::Declaration;
use crate::fingerprint::Fingerprint;
use crate::protocol::{Kept, Launch};
use crate::{Error, ErrorKind, workspace};

/// Which instances a launch asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instances {
    /// For each service, the instance of its declared scope.
    AsDeclared,
    /// For each service, an instance of the launch's own.
    Own,
}

/// A launch, with its services that outlive the run.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) launch: Launch,
    /// The services that outlive the run, by position.
    pub(super) kept: BTreeMap<usize, Kept>,
    /// The identity of the kept services.
    pub(super) kept_identity: String,
}

/// The plan of a declaration, with the values of its variables.
///
/// # Errors
///
/// The plan is of another version, or reads a variable that has no value.
pub(super) fn plan(
    declaration: Declaration,
    instances: Instances,
    keep: Keep,
) -> Result<Plan, Error> {
    let mut plan: Plan = serde_json::from_str(declaration.plan).map_err(|error| {
        Error::new(
            ErrorKind::Configuration,
            format!(
                "cannot read the declaration of `{}`: {error}",
                declaration.module
            ),
        )
        .with(|report| {
            report.help = Some(
                "build the tests again; `seatrial` and `seatrial-macros` must be of the same version"
                    .to_owned(),
            );
        })
    })?;
    plan.fill(|name| std::env::var_os(name))
        .map_err(|errors| unfilled(&plan.name, errors))?;
    if instances == Instances::Own {
        for service in &mut plan.services {
            service.scope = Scope::Test;
            service.keep = None;
        }
    }
    if !matches!(keep, Keep::For(_)) || !cfg!(target_os = "linux") {
        kept::nothing(&mut plan);
    }
    Ok(plan)
}

/// Adds to the plan of a declaration what else only this process knows. `built` has the binaries of named packages, by binding.
///
/// # Errors
///
/// A binary of the package is not there.
pub(super) fn prepare(
    declaration: Declaration,
    plan: Plan,
    built: BTreeMap<usize, PathBuf>,
    test: Option<String>,
    keep: Keep,
) -> Result<Prepared, Error> {
    let binaries = binaries(&declaration, &plan, built)?;
    let mut launch = Launch {
        identity: String::new(),
        plan,
        test,
        package_dir: workspace::directory_of(declaration.package),
        workspace: workspace::of_process(),
        binaries,
        files: declaration
            .files
            .iter()
            .map(|content| ByteBuf::from(*content))
            .collect(),
        user: workspace::user(),
        kept: BTreeMap::new(),
    };
    launch.identity = identity(&declaration, &launch);
    let kept = match keep {
        Keep::For(stays) => kept::wanted(&declaration, &launch, stays),
        Keep::Off | Keep::Drop => BTreeMap::new(),
    };
    let kept_identity = kept::identity(&declaration, &kept);
    Ok(Prepared {
        launch,
        kept,
        kept_identity,
    })
}

/// The error of variables that have no valid value: the first one, with the others in its details.
fn unfilled(composition: &str, errors: Vec<VariableError>) -> Error {
    let mut errors = errors.into_iter();
    let Some(first) = errors.next() else {
        unreachable!("there is at least one error")
    };
    Error::new(ErrorKind::Configuration, first.to_string()).with(|report| {
        report.help = Some(first.help());
        report.composition = Some(composition.to_owned());
        report.service = Some(first.service);
        report.also = errors
            .map(|error| (error.service.clone(), format!("{error}; {}", error.help())))
            .collect();
    })
}

/// The present paths of the binaries, by binding.
fn binaries(
    declaration: &Declaration,
    plan: &Plan,
    built: BTreeMap<usize, PathBuf>,
) -> Result<Vec<PathBuf>, Error> {
    let mut binaries: Vec<PathBuf> = declaration.binaries.iter().map(PathBuf::from).collect();
    for (binding, path) in built {
        binaries[binding] = path;
    }
    for service in &plan.services {
        if let Origin::Bin {
            name,
            binding,
            package: None,
            ..
        } = &service.origin
        {
            let found = workspace::binary(declaration.package, name, &binaries[*binding]);
            binaries[*binding] = found.map_err(|error| {
                error.with(|report| {
                    report.composition = Some(plan.name.clone());
                    report.service = Some(service.field.clone());
                })
            })?;
        }
    }
    Ok(binaries)
}

/// A text that identifies a declaration together with the values of its variables: the source file, the name, and a hash of
/// everything that the services are made from. It is the same in every test executable that the declaration is compiled into.
/// The module's path is not a part of it: a module that several executables include has another path in each, and two structs in
/// two functions can have the same path.
fn identity(declaration: &Declaration, launch: &Launch) -> String {
    let mut content = Fingerprint::new();
    content.add(declaration.plan.as_bytes());
    for service in &launch.plan.services {
        for variable in service.read_variables() {
            content.add(variable.value().unwrap_or_default().as_bytes());
        }
    }
    for path in [&launch.package_dir, &launch.workspace]
        .into_iter()
        .chain(&launch.binaries)
    {
        content.add(path.as_os_str().as_encoded_bytes());
    }
    for file in &launch.files {
        content.add(file);
    }
    for key in declaration.keys {
        content.add(key.as_bytes());
    }
    if !declaration.hooks.is_empty() {
        // A plan does not distinguish two functions of the same name. The place of the declaration does.
        let (line, column) = declaration.position;
        content.add(&line.to_le_bytes()).add(&column.to_le_bytes());
    }
    let hash = content.finish();
    format!("{}:{}:{hash}", declaration.file, launch.plan.name)
}

#[cfg(test)]
pub(super) mod tests {
    use seatrial_model::ServicePlan;
    use seatrial_model::placeholder::{Names, RawTemplate};

    use super::*;
    use crate::package::Package;

    const PACKAGE: Package = Package {
        name: "shop",
        directory: "/nowhere/shop",
        in_workspace: "shop",
    };
    const PLAN: &str = r#"{"name":"Shop","services":[]}"#;

    /// One that declares nothing.
    pub(in crate::client) fn declaration() -> Declaration {
        Declaration {
            plan: PLAN,
            module: "shop::tests",
            file: "shop/tests/common/mod.rs",
            position: (3, 10),
            package: PACKAGE,
            binaries: &[],
            files: &[],
            hooks: &[],
            keys: &[],
        }
    }

    fn launch_of(
        declaration: Declaration,
        instances: Instances,
        test: Option<String>,
    ) -> Result<Launch, Error> {
        let plan = plan(declaration, instances, Keep::Off)?;
        let prepared = prepare(declaration, plan, BTreeMap::new(), test, Keep::Off)?;
        Ok(prepared.launch)
    }

    fn identity_of(declaration: Declaration) -> String {
        let launch = launch_of(declaration, Instances::AsDeclared, None);
        launch.expect("the plan is of this version").identity
    }

    #[test]
    fn a_declaration_is_one_in_every_module_that_includes_it() {
        let there = Declaration {
            module: "other::tests",
            position: (9, 9),
            ..declaration()
        };
        assert_eq!(identity_of(there), identity_of(declaration()));
        let test = Some("a test".to_owned());
        let own = launch_of(declaration(), Instances::Own, test);
        let own = own.expect("the plan is of this version");
        assert_eq!(own.identity, identity_of(declaration()));
    }

    /// A declaration that reads a variable which every process of a test has.
    fn reading(variable: &str) -> Declaration {
        let mut db = ServicePlan::new(
            "db",
            Origin::Image(
                "postgres:{$SEATRIAL_TEST_NEVER_SET:-17}"
                    .parse()
                    .expect("an image"),
            ),
        );
        db.command = Some(vec![
            RawTemplate::parse(variable)
                .expect("a placeholder")
                .resolve(Names {
                    services: &[],
                    own: 0,
                    own_allowed: false,
                    source_mounted: false,
                })
                .expect("a variable"),
        ]);
        let plan = Plan {
            name: "Shop".to_owned(),
            services: vec![db],
        };
        let plan = serde_json::to_string(&plan).expect("a plan is data");
        Declaration {
            plan: plan.leak(),
            ..declaration()
        }
    }

    #[test]
    fn the_value_of_a_variable_is_in_the_plan() {
        let declaration = reading("{$CARGO_PKG_NAME}");
        let launch = launch_of(declaration, Instances::AsDeclared, None);
        let launch = launch.expect("cargo sets it");
        let db = &launch.plan.services[0];
        let words = db.command.iter().flatten();
        let words: Vec<String> = words.map(|word| word.render(|_| unreachable!())).collect();
        assert_eq!(words, ["seatrial"]);
        let Origin::Image(image) = &db.origin else {
            panic!("it has an image")
        };
        assert_eq!(image.reference().to_string(), "postgres:17");
    }

    #[test]
    fn a_variable_that_is_not_set_is_an_error_of_its_service() {
        let declaration = reading("{$SEATRIAL_TEST_NEVER_SET}");
        let launch = launch_of(declaration, Instances::AsDeclared, None);
        let error = launch.expect_err("nobody sets it");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert_eq!(
            error.to_string(),
            "service `db` of `Shop`: `command` reads the environment variable `SEATRIAL_TEST_NEVER_SET`, which is not set\n\
             \x20 help: set `SEATRIAL_TEST_NEVER_SET` where the tests are started, or declare a default: `{$SEATRIAL_TEST_NEVER_SET:-..}`"
        );
    }

    #[test]
    fn file_name_content_and_functions_tell_declarations_apart() {
        let hooked = Declaration {
            hooks: &[|_| Box::pin(async { Ok(()) })],
            ..declaration()
        };
        let others = [
            Declaration {
                file: "shop/tests/other.rs",
                ..declaration()
            },
            Declaration {
                plan: r#"{"name":"Shed","services":[]}"#,
                ..declaration()
            },
            Declaration {
                package: Package {
                    directory: "/nowhere/else",
                    ..PACKAGE
                },
                ..declaration()
            },
            Declaration {
                binaries: &["/target/shop"],
                ..declaration()
            },
            Declaration {
                files: &[b"a"],
                ..declaration()
            },
            Declaration {
                keys: &["v2"],
                ..declaration()
            },
            hooked,
            Declaration {
                position: (30, 10),
                ..hooked
            },
        ];
        let mut seen = vec![identity_of(declaration())];
        for other in others {
            let identity = identity_of(other);
            assert!(!seen.contains(&identity), "{other:?}");
            seen.push(identity);
        }
    }
}
