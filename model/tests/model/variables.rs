//! Variables of the environment in a plan: their places, their values, and what is printed of them.

use std::ffi::OsString;

use seatrial_model::{
    Build, Check, CheckKind, File, FileContent, Origin, Plan, ServicePlan, Setup, SetupKind,
};

use crate::plan::{bare, resolved, variable};

fn filled(
    service: ServicePlan,
    read: impl Fn(&str) -> Option<OsString>,
) -> Result<ServicePlan, Vec<String>> {
    let mut plan = Plan {
        name: "Shop".to_owned(),
        services: vec![service],
    };
    match plan.fill(read) {
        Ok(()) => Ok(plan.services.remove(0)),
        Err(errors) => Err(errors
            .iter()
            .map(|error| format!("{}: {error}; {}", error.service, error.help()))
            .collect()),
    }
}

fn of_image(image: &str, value: Option<&str>) -> Result<String, Vec<String>> {
    let mut db = bare("db");
    db.origin = Origin::Image(image.parse().unwrap());
    let db = filled(db, |_| value.map(OsString::from))?;
    let Origin::Image(image) = db.origin else {
        panic!("it was an image")
    };
    assert_eq!(image.reference().to_string(), image.to_string());
    Ok(image.to_string())
}

/// A service that reads a variable wherever it may.
fn everywhere() -> ServicePlan {
    let text = |name: &str| resolved(&format!("{{${name}}}"));
    let words = |name: &str| vec![text(name), resolved("plain")];
    let mut service = bare("app");
    service.origin = Origin::Bin {
        name: "app".to_owned(),
        binding: 0,
        base: Some("a:{$BASE}".parse().unwrap()),
        package: None,
    };
    service.env = vec![variable("A", "{$ENV}")];
    service.command = Some(words("COMMAND"));
    service.entrypoint = Some(words("ENTRYPOINT"));
    service.files = vec![File {
        at: "/a".to_owned(),
        content: FileContent::Text(text("FILE")),
    }];
    let checks = [
        CheckKind::Exec {
            command: words("EXEC"),
        },
        CheckKind::Probe {
            image: "a:{$PROBE}".parse().unwrap(),
            command: words("RUN"),
        },
    ];
    service.ready = checks.map(|kind| Check { kind }).to_vec();
    let setups = [
        SetupKind::Exec {
            command: words("SETUP_EXEC"),
            env: vec![variable("A", "{$SETUP_EXEC_ENV}")],
        },
        SetupKind::Container {
            image: "a:{$SETUP_IMAGE}".parse().unwrap(),
            command: words("SETUP_RUN"),
            env: vec![variable("A", "{$SETUP_ENV}")],
        },
    ];
    let setup = |kind| Setup {
        name: None,
        kind,
        timeout: None,
        key: None,
    };
    service.setups = setups.map(setup).to_vec();
    service
}

/// Each place, and the variable that [`everywhere`] has there.
const PLACES: [(&str, &str); 13] = [
    ("base", "BASE"),
    ("env(A)", "ENV"),
    ("command", "COMMAND"),
    ("entrypoint", "ENTRYPOINT"),
    ("files(\"/a\")", "FILE"),
    ("ready(exec)", "EXEC"),
    ("ready(image)", "PROBE"),
    ("ready(run)", "RUN"),
    ("setup(exec)", "SETUP_EXEC"),
    ("setup(env(A))", "SETUP_EXEC_ENV"),
    ("setup(image)", "SETUP_IMAGE"),
    ("setup(run)", "SETUP_RUN"),
    ("setup(env(A))", "SETUP_ENV"),
];

#[test]
fn every_place_is_filled() {
    let filled = filled(everywhere(), |name| Some(format!("v-{name}").into())).unwrap();
    let variables = filled.read_variables();
    assert_eq!(variables.len(), PLACES.len());
    for variable in &variables {
        let expected = format!("v-{}", variable.name());
        assert_eq!(variable.value(), Some(expected.as_str()));
    }
    let Some(command) = &filled.command else {
        panic!("it had one")
    };
    assert_eq!(command[0].render(|_| unreachable!()), "v-COMMAND");
    let CheckKind::Probe { image, .. } = &filled.ready[1].kind else {
        panic!("it had one")
    };
    assert_eq!(image.reference().to_string(), "a:v-PROBE");
}

#[test]
fn every_unset_variable_is_reported_with_its_place() {
    let errors = filled(everywhere(), |_| None).unwrap_err();
    let expected: Vec<String> = PLACES
        .iter()
        .map(|(place, name)| {
            format!(
                "app: `{place}` reads the environment variable `{name}`, which is not set; \
                 set `{name}` where the tests are started, or declare a default: `{{${name}:-..}}`"
            )
        })
        .collect();
    assert_eq!(errors, expected);
}

#[test]
fn empty_is_unset_if_there_is_a_default() {
    assert_eq!(of_image("a:{$X:-17}", None).unwrap(), "a:17");
    assert_eq!(of_image("a:{$X:-17}", Some("")).unwrap(), "a:17");
    assert_eq!(of_image("a:{$X:-17}", Some("16")).unwrap(), "a:16");
    assert_eq!(of_image("{$X:-}a", Some("")).unwrap(), "a");
    let mut app = bare("app");
    app.env = vec![variable("A", "<{$X}>")];
    let app = filled(app, |_| Some(OsString::new())).unwrap();
    assert_eq!(app.env[0].value.render(|_| unreachable!()), "<>");
}

#[test]
fn an_image_that_a_value_makes_invalid_is_reported_with_the_variable() {
    for (image, value, problem) in [
        ("a:{$X}", "", "`a:`: the tag is malformed"),
        ("a:{$X:-17}", "a b", "`a:a b`: the tag is malformed"),
        ("{$X}:1", "A", "has upper-case letters"),
        // It would be `x` at the registry `a:5000`.
        ("a:{$X:-17}", "5000/x", "`a:5000/x`: the tag is malformed"),
    ] {
        let errors = of_image(image, Some(value)).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        let begins = "db: `image` is not valid with the value of the environment variable `X`: ";
        assert!(errors[0].starts_with(begins), "{errors:?}");
        assert!(errors[0].contains(problem), "{errors:?}");
        assert!(
            errors[0].ends_with("; set `X` to a value that fits there"),
            "{errors:?}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_unicode_is_reported() {
    use std::os::unix::ffi::OsStringExt;
    let mut app = bare("app");
    app.env = vec![variable("A", "{$X:-17}")];
    let errors = filled(app, |_| Some(OsString::from_vec(vec![0xff]))).unwrap_err();
    assert_eq!(
        errors,
        [
            "app: `env(A)` reads the environment variable `X`, whose value is not UTF-8; set `X` to a value in UTF-8 where the tests are started"
        ]
    );
}

#[test]
fn the_arguments_of_a_build_are_variables_of_the_service() {
    let mut app = bare("app");
    app.origin = Origin::Build(Build {
        context: "docker/".to_owned(),
        dockerfile: "app/Dockerfile".to_owned(),
        target: None,
        args: vec![
            variable("VERSION", "{$VERSION:-1}"),
            variable("API_TOKEN", "paprika9"),
        ],
    });
    app.command = Some(vec![resolved("--as=paprika9")]);
    let shown = format!("{app:?}");
    assert!(!shown.contains("paprika9"), "{shown}");
    let read = filled(app, |_| Some("2".into())).unwrap();
    let names: Vec<_> = read.variables().map(|it| it.name.clone()).collect();
    assert_eq!(names, ["VERSION", "API_TOKEN"]);
    let Origin::Build(build) = read.origin else {
        panic!("it is built")
    };
    assert_eq!(build.args[0].value.render(|_| String::new()), "2");
    assert_eq!(build.file(), "docker/app/Dockerfile");

    let mut unset = bare("app");
    unset.origin = Origin::Build(Build {
        context: ".".to_owned(),
        args: vec![variable("A", "{$X}")],
        ..build
    });
    let errors = filled(unset, |_| None).unwrap_err();
    assert!(
        errors[0].starts_with("app: `build(args(A))` reads"),
        "{errors:?}"
    );
}

#[test]
fn debug_shows_no_secret_that_was_read_or_is_a_default() {
    let mut app = bare("app");
    app.origin = Origin::Image("{$REGISTRY_TOKEN:-paprika9}/a:{$TAG:-1}".parse().unwrap());
    app.env = vec![variable("A", "{$DB_PASSWORD:-saffron7}")];
    app.command = Some(vec![
        resolved("--as={$DB_PASSWORD:-saffron7}"),
        resolved("{$LEVEL:-info}"),
    ]);
    let value = |name: &str| match name {
        "DB_PASSWORD" => Some("cardamom5".into()),
        "REGISTRY_TOKEN" => Some("turmeric3".into()),
        _ => None,
    };
    let read = filled(app.clone(), value).unwrap();
    for service in [app, read] {
        for shown in [
            format!("{service:?}"),
            format!("{service:#?}"),
            format!("{:?} {:?}", service.command, service.origin),
            format!("{:?} {:?}", service.env, service.read_variables()),
        ] {
            for secret in ["paprika9", "saffron7", "cardamom5", "turmeric3"] {
                assert!(!shown.contains(secret), "{secret} is in {shown}");
            }
            assert!(shown.contains("[hidden]"), "{shown}");
        }
        assert!(format!("{service:?}").contains("info"));
    }
}
