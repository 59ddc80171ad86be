//! Protocols that a readiness check can speak, and the images whose servers speak them. By this table a service is checked
//! in its own protocol without a declaration.

use serde::{Deserialize, Serialize};

use crate::ImageTemplate;

/// A protocol in which a readiness check can ask a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// That of PostgreSQL, version 3.
    Postgres,
    /// That of MySQL and MariaDB.
    Mysql,
    /// That of Redis and its kin.
    Redis,
    /// AMQP 0-9-1, which RabbitMQ speaks.
    Amqp,
    /// That of NATS.
    Nats,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 5] = [
        Self::Postgres,
        Self::Mysql,
        Self::Redis,
        Self::Amqp,
        Self::Nats,
    ];

    /// Its word in a declaration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Redis => "redis",
            Self::Amqp => "amqp",
            Self::Nats => "nats",
        }
    }

    /// The protocol of a declaration's word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.as_str() == word)
    }

    /// The name of its servers in messages.
    pub fn title(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
            Self::Redis => "Redis",
            Self::Amqp => "AMQP",
            Self::Nats => "NATS",
        }
    }

    /// The default port of its servers.
    pub fn port(self) -> u16 {
        match self {
            Self::Postgres => 5432,
            Self::Mysql => 3306,
            Self::Redis => 6379,
            Self::Amqp => 5672,
            Self::Nats => 4222,
        }
    }

    /// The images whose servers speak it, by the last part of their names. Other publishers and mirrors keep that part:
    /// `bitnami/redis`, `registry.example/hub/library/redis`.
    pub fn images(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &[
                "postgres",
                "postgresql",
                "postgis",
                "pgvector",
                "timescaledb",
                "timescaledb-ha",
            ],
            Self::Mysql => &[
                "mysql",
                "mysql-server",
                "mariadb",
                "percona",
                "percona-server",
            ],
            Self::Redis => &[
                "redis",
                "redis-stack",
                "redis-stack-server",
                "valkey",
                "valkey-bundle",
                "keydb",
            ],
            Self::Amqp => &["rabbitmq"],
            Self::Nats => &["nats"],
        }
    }

    /// The protocol that containers of this image speak, if the image's name tells it.
    ///
    /// ```
    /// use seatrial_model::Protocol;
    ///
    /// let of = |image: &str| Ok::<_, seatrial_model::image::ImageTemplateError>(Protocol::of_image(&image.parse()?));
    /// assert_eq!(of("postgis/postgis:16-3.4")?, Some(Protocol::Postgres));
    /// assert_eq!(of("registry.example:5000/hub/library/redis")?, Some(Protocol::Redis));
    /// assert_eq!(of("postgres:{$POSTGRES_VERSION:-17}")?, Some(Protocol::Postgres));
    /// assert_eq!(of("team/shop:redis")?, None);
    /// # Ok::<(), seatrial_model::image::ImageTemplateError>(())
    /// ```
    pub fn of_image(image: &ImageTemplate) -> Option<Self> {
        let name = image.literal_name()?;
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.images().contains(&&*name))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_image_is_known_by_the_last_part_of_its_name() {
        let of = |image: &str| Protocol::of_image(&image.parse().expect("a reference"));
        let digest = format!("redis@sha256:{}", "a".repeat(64));
        for (protocol, images) in [
            (
                Protocol::Postgres,
                &[
                    "postgres:15",
                    "docker.io/library/postgres",
                    "bitnami/postgresql:16",
                    "pgvector/pgvector:pg17",
                    "timescale/timescaledb:2.17.2-pg16",
                    "mirror.example:5000/hub/postgis/postgis",
                    "{$MIRROR:-mirror.example}/postgres:{$POSTGRES_VERSION}",
                    "{$MIRROR:-mirror.example}/postgres",
                ][..],
            ),
            (
                Protocol::Mysql,
                &["mysql:8", "mariadb:10.11", "percona/percona-server:8.0"],
            ),
            (
                Protocol::Redis,
                &[
                    "redis/redis-stack-server",
                    "valkey/valkey:8",
                    "eqalpha/keydb",
                    &digest,
                ],
            ),
            (Protocol::Amqp, &["rabbitmq:3-management"]),
            (Protocol::Nats, &["nats:2.10-alpine"]),
        ] {
            for image in images {
                assert_eq!(of(image), Some(protocol), "{image}");
            }
        }
        for other in [
            "debian:bookworm-slim",
            "postgres/exporter",
            "redis-exporter:1",
            "natsio/nats-box",
            "team/shop:postgres",
            "redis.example/shop",
            "postgrest/postgrest",
            "postgres{$FLAVOUR}:17",
            "team/{$IMAGE:-postgres}:17",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn each_image_and_each_port_has_one_protocol() {
        let mut images = HashSet::new();
        let mut ports = HashSet::new();
        for protocol in Protocol::ALL {
            assert_eq!(Protocol::from_word(protocol.as_str()), Some(protocol));
            assert!(ports.insert(protocol.port()));
            for image in protocol.images() {
                assert!(images.insert(image), "`{image}` is in two places");
            }
        }
        assert_eq!(Protocol::from_word("PostgreSQL"), None);
    }
}
