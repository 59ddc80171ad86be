//! //! Networks, and the addresses of containers on them.

use super::*;
use crate::engine::{ExecSpec, PublishedPort};

#[tokio::test]
async fn a_container_has_the_address_given() {
    let rig = Rig::new().await;
    let (network, subnet) = rig.network().await;
    assert!(has_subnet(&rig, subnet).await);

    let place = attached(&network, subnet, 77);
    let mut spec = rig.spec(&["sleep", "1000"]);
    spec.attachment = Some(place.clone());
    let id = rig.engine.create(&spec).await.unwrap();
    rig.engine.start(&id).await.unwrap();
    assert_eq!(addresses(&rig, &id).await, place.address.to_string());

    rig.engine.disconnect(&id, &network).await.unwrap();
    assert_eq!(addresses(&rig, &id).await, "");
    let error = rig
        .engine
        .disconnect(&id, &network)
        .await
        .expect_err("it is not connected");
    assert_eq!(error.kind, EngineErrorKind::Conflict, "{error}");

    rig.engine.connect(&id, &place).await.unwrap();
    assert_eq!(
        addresses(&rig, &id).await,
        place.address.to_string(),
        "the same as before"
    );
    let error = rig
        .engine
        .connect(&id, &place)
        .await
        .expect_err("it is connected");
    assert_eq!(error.kind, EngineErrorKind::Conflict, "{error}");

    let error = rig
        .engine
        .remove_network(&network)
        .await
        .expect_err("it is in use");
    assert_eq!(error.kind, EngineErrorKind::Conflict, "{error}");
    rig.engine.remove(&id).await.unwrap();
    rig.engine.remove_network(&network).await.unwrap();
    rig.engine
        .remove_network(&network)
        .await
        .expect("removing what is gone is no error");
    assert!(!has_subnet(&rig, subnet).await);
}

#[tokio::test]
async fn an_overlapping_subnet_is_a_conflict() {
    let rig = Rig::new().await;
    let (_, subnet) = rig.network().await;
    let spec = NetworkSpec {
        name: unique(),
        subnet,
        labels: labels(),
    };
    let error = rig
        .engine
        .create_network(&spec)
        .await
        .expect_err("the subnet is taken");
    assert_eq!(error.kind, EngineErrorKind::Conflict, "{error}");
}

#[tokio::test]
async fn a_taken_address_is_a_conflict_and_no_taken_port() {
    let rig = Rig::new().await;
    let (network, subnet) = rig.network().await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut spec = rig.spec(&["sleep", "1000"]);
        spec.attachment = Some(attached(&network, subnet, 5));
        ids.push(rig.engine.create(&spec).await.unwrap());
    }
    rig.engine.start(&ids[0]).await.unwrap();
    let error = rig
        .engine
        .start(&ids[1])
        .await
        .expect_err("the address is taken");
    assert_eq!(error.kind, EngineErrorKind::Conflict, "{error}");
}

#[tokio::test]
async fn ports_are_published_where_it_was_said() {
    let rig = Rig::new().await;
    let (network, subnet) = rig.network().await;
    let loopback = Ipv4Addr::LOCALHOST.into();
    let port = |container| PublishedPort {
        container,
        host_ip: loopback,
        host: 0,
    };
    let mut spec = rig.spec(&["sleep", "1000"]);
    spec.attachment = Some(attached(&network, subnet, 2));
    spec.ports = vec![port(9000), port(80)];
    let id = rig.engine.create(&spec).await.unwrap();
    assert_eq!(rig.inspect(&id).await.ports, [], "none before the start");
    rig.engine.start(&id).await.unwrap();
    let ports = rig.inspect(&id).await.ports;
    assert_eq!(
        ports.iter().map(|port| port.container).collect::<Vec<_>>(),
        [80, 9000]
    );
    assert!(
        ports
            .iter()
            .all(|port| port.host_ip == loopback && port.host != 0),
        "{ports:?}"
    );
    assert_ne!(ports[0].host, ports[1].host);
}

#[tokio::test]
async fn a_missing_container_or_network_is_reported() {
    let rig = Rig::new().await;
    let (network, subnet) = rig.network().await;
    let error = rig
        .engine
        .connect("seatrial-none", &attached(&network, subnet, 2))
        .await;
    let error = error.expect_err("there is no such container");
    assert_eq!(error.kind, EngineErrorKind::NotFound, "{error}");

    let id = rig.idle().await;
    let error = rig.engine.disconnect(&id, "seatrial-none").await;
    let error = error.expect_err("there is no such network");
    assert_eq!(error.kind, EngineErrorKind::NotFound, "{error}");
}

/// A container's addresses as the container sees them, without loopback.
async fn addresses(rig: &Rig, id: &str) -> String {
    let exec = ExecSpec {
        command: words(&["hostname", "-I"]),
        ..ExecSpec::default()
    };
    let result = rig.engine.exec(id, &exec).await.unwrap();
    String::from_utf8(result.stdout).unwrap().trim().to_owned()
}

async fn has_subnet(rig: &Rig, subnet: Subnet) -> bool {
    let networks = rig.engine.networks().await.unwrap();
    let mut subnets = networks.iter().flat_map(|network| &network.subnets);
    subnets.any(|known| *known == subnet)
}
