//! The user with whose name a server is asked, from the declaration of the service.

use std::fmt;

use seatrial_model::secret::HIDDEN;
use seatrial_model::{Protocol, ServicePlan, Template, command};

/// The user, database and password for servers that ask for them. A server answers unknown users as well. But the right
/// name keeps its log quiet, and Redis does not tell an unknown user whether it is ready.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: Option<String>,
    pub(crate) database: Option<String>,
    pub(crate) password: Option<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .field("database", &self.database)
            .field("password", &self.password.as_ref().map(|_| HIDDEN))
            .finish()
    }
}

impl Login {
    /// The login of a service, from its variables and its command, by the names that the images of these servers use.
    pub(crate) fn of(
        protocol: Protocol,
        service: &ServicePlan,
        mut render: impl FnMut(&Template) -> String,
    ) -> Self {
        let mut variable = |names: &[&str]| {
            let of_name = |name: &&str| service.env.iter().find(|variable| variable.name == *name);
            let variable = names.iter().find_map(of_name)?;
            Some(render(&variable.value)).filter(|value| !value.is_empty())
        };
        match protocol {
            Protocol::Postgres => Self {
                user: variable(&["POSTGRES_USER", "POSTGRESQL_USERNAME"]),
                database: variable(&["POSTGRES_DB", "POSTGRESQL_DATABASE"]),
                password: None,
            },
            Protocol::Redis => {
                let password = variable(&["REDIS_PASSWORD", "VALKEY_PASSWORD", "KEYDB_PASSWORD"]);
                let arguments = variable(&["REDIS_ARGS"]).unwrap_or_default();
                let arguments = command::split(&arguments).unwrap_or_default();
                let words = service.command.iter().flatten().map(render);
                Self {
                    password: required(words.chain(arguments)).or(password),
                    ..Self::default()
                }
            }
            Protocol::Mysql | Protocol::Amqp | Protocol::Nats => Self::default(),
        }
    }
}

/// The password of Redis's option `--requirepass`.
fn required(words: impl Iterator<Item = String>) -> Option<String> {
    let mut words = words.skip_while(|word| !word.eq_ignore_ascii_case("--requirepass"));
    words.nth(1).filter(|password| !password.is_empty())
}

#[cfg(test)]
mod tests {
    use seatrial_model::{EnvVar, Origin};

    use super::*;

    fn login(protocol: Protocol, env: &[(&str, &str)], command: &[&str]) -> Login {
        let image = "postgres".parse().expect("a reference");
        let mut service = ServicePlan::new("db", Origin::Image(image));
        let variables = env.iter().map(|(name, value)| EnvVar {
            name: (*name).to_owned(),
            value: Template::literal(*value),
        });
        service.env = variables.collect();
        let words = command.iter().map(|word| Template::literal(*word));
        service.command = (!command.is_empty()).then(|| words.collect());
        Login::of(protocol, &service, |text| text.render(|_| String::new()))
    }

    #[test]
    fn the_user_is_the_one_of_the_declaration() {
        let env = [("POSTGRES_USER", "ann"), ("POSTGRES_DB", "shop")];
        let found = login(Protocol::Postgres, &env, &[]);
        assert_eq!(found.user.as_deref(), Some("ann"));
        assert_eq!(found.database.as_deref(), Some("shop"));
        let bitnami = login(Protocol::Postgres, &[("POSTGRESQL_USERNAME", "ann")], &[]);
        assert_eq!(bitnami.user.as_deref(), Some("ann"));
        assert_eq!(login(Protocol::Mysql, &env, &[]), Login::default());
    }

    #[test]
    fn the_password_of_redis_is_where_its_images_look_for_it() {
        let password = |env: &[_], command: &[_]| login(Protocol::Redis, env, command).password;
        let command = ["redis-server", "--requirepass", "salt sea", "--save", ""];
        assert_eq!(password(&[], &command).as_deref(), Some("salt sea"));
        let env = [("REDIS_PASSWORD", "pepper")];
        assert_eq!(password(&env, &[]).as_deref(), Some("pepper"));
        assert_eq!(password(&env, &command).as_deref(), Some("salt sea"));
        let arguments = [("REDIS_ARGS", "--save '' --requirepass 'salt sea'")];
        assert_eq!(password(&arguments, &[]).as_deref(), Some("salt sea"));
        for none in [&["redis-server", "--requirepass"][..], &["redis-server"]] {
            assert_eq!(password(&[("REDIS_PASSWORD", "")], none), None);
        }
    }

    #[test]
    fn a_password_is_not_printed() {
        let login = login(Protocol::Redis, &[("REDIS_PASSWORD", "albatross-17")], &[]);
        let shown = format!("{login:?}");
        assert!(
            !shown.contains("albatross") && shown.contains(HIDDEN),
            "{shown}"
        );
    }
}
