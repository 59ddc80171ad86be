//! The conversation of each protocol: the one place that knows all protocols.

use seatrial_model::Protocol;

use super::conversation::Conversation;
use super::login::Login;
use super::{amqp, mysql, nats, postgres, redis};

pub(super) fn conversation(protocol: Protocol, login: &Login) -> Box<dyn Conversation + '_> {
    match protocol {
        Protocol::Postgres => Box::new(postgres::Postgres(login)),
        Protocol::Mysql => Box::new(mysql::Mysql::default()),
        Protocol::Redis => Box::new(redis::Redis(login)),
        Protocol::Amqp => Box::new(amqp::Amqp),
        Protocol::Nats => Box::new(nats::Nats::default()),
    }
}
