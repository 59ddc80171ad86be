//! Each key of `#[service(..)]`, by its effect in the running container.

use std::process::Command;

use seatrial::{Composition, ErrorKind, Service};
use seatrial_tests::conversation::ask;

/// What a shell script prints in the service's container, trimmed.
#[track_caller]
fn sh(service: &Service, script: &str) -> String {
    let output = service
        .exec(["sh", "-c", script])
        .wait()
        .expect("the container runs");
    assert!(output.success(), "{script}: {output:?}");
    output.stdout.trim().to_owned()
}

/// A file of words that end with a NUL each.
fn words(service: &Service, path: &str) -> Vec<String> {
    let text = sh(service, &format!("tr '\\0' '\\n' <{path}"));
    text.lines().map(str::to_owned).collect()
}

#[derive(Composition)]
struct Ship {
    #[service(
        image = "debian:bookworm-slim",
        ports(4000, gauge = 4001),
        env(NAME = "engine room"),
        command = "{source}/tests/fixtures/serve.pl 4000 4001"
    )]
    engine_room: Service,

    #[service(
        image = "debian:bookworm-slim",
        port = 4100,
        env(NAME = "galley"),
        files("/usr/bin/serve" = include_file!("fixtures/serve.pl")),
        command = ["serve", "4100"],
    )]
    galley: Service,

    #[service(
        image = "debian:bookworm-slim",
        command = "perl -e sleep 'two words' plain \"\"",
        needs(galley),
        env(
            GAUGE = "{engine_room.host}:{engine_room.port.gauge}",
            ENGINE = "{engine_room.host} {engine_room.port.4000}",
            GALLEY = "http://{galley}/menu",
            GALLEY_PORT = "{galley.port}",
            BRACES = "{{galley}}",
            SPACES = " two  words ",
            TREE = "{source}/tests",
            DECK = 7,
        ),
        user = "1234:5678",
        workdir = "/var/tmp",
        ready(running)
    )]
    bridge: Service,

    #[service(
        image = "debian:bookworm-slim",
        entrypoint = ["perl", "-e"],
        command = ["sleep", "{galley}", "{{}}"],
        source(none),
        ready(running),
    )]
    lookout: Service,

    #[service(
        image = "debian:bookworm-slim",
        entrypoint = "sleep infinity",
        ready(running)
    )]
    stowaway: Service,
}

#[seatrial::test]
fn processes_and_placeholders(ship: Ship) {
    let Ship {
        engine_room,
        galley,
        bridge,
        lookout,
        stowaway,
    } = ship;

    // One text is split into words; a list is taken as it is.
    let text = words(&bridge, "/proc/1/cmdline");
    assert_eq!(text, ["perl", "-e", "sleep", "two words", "plain", ""][..5]);
    let list = words(&lookout, "/proc/1/cmdline");
    assert_eq!(list, ["perl", "-e", "sleep", "galley:4100", "{}"]);
    let entrypoint = words(&stowaway, "/proc/1/cmdline");
    assert_eq!(entrypoint, ["sleep", "infinity"]);

    let env = words(&bridge, "/proc/1/environ");
    for variable in [
        "GAUGE=engine-room:4001",
        "ENGINE=engine-room 4000",
        "GALLEY=http://galley:4100/menu",
        "GALLEY_PORT=4100",
        "BRACES={galley}",
        "SPACES= two  words ",
        "TREE=/workspace/tests",
        "DECK=7",
    ] {
        assert!(
            env.iter().any(|line| line == variable),
            "{variable}: {env:?}"
        );
    }
    assert_eq!(sh(&bridge, "stat -c %u:%g /proc/1"), "1234:5678");
    assert_eq!(sh(&bridge, "id -u; id -g"), "1234\n5678");
    assert_eq!(sh(&bridge, "readlink /proc/1/cwd"), "/var/tmp");
    assert_eq!(sh(&bridge, "pwd"), "/var/tmp");

    // The names that a service declared lead to the services; others lead nowhere.
    let reach = "perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(PeerAddr => shift, Timeout => 5) \
                 or die; print $s \"hello\\n\"; print scalar <$s>' ";
    assert_eq!(
        sh(&bridge, &format!("{reach} \"$GAUGE\"")),
        "hello from engine room"
    );
    assert_eq!(
        sh(&bridge, &format!("{reach} galley:\"$GALLEY_PORT\"")),
        "hello from galley"
    );
    assert_eq!(
        sh(&stowaway, "getent hosts galley || echo unknown"),
        "unknown"
    );
    let bridge_itself = sh(&bridge, "getent ahostsv4 bridge | cut -d' ' -f1 | uniq");
    assert_eq!(bridge_itself, bridge.network_address().to_string());

    // And this machine reaches each port by number or name.
    let gauge = engine_room.addr_of("gauge");
    assert_eq!(engine_room.port("gauge"), engine_room.port(4001));
    assert_ne!(engine_room.port("gauge"), engine_room.port(4000));
    assert_eq!(
        ask(gauge, "hello").expect("an answer"),
        "hello from engine room"
    );
    assert_eq!(
        ask(galley.addr(), "hello").expect("an answer"),
        "hello from galley"
    );
}

#[seatrial::test]
fn a_tmpfs_can_be_written_to_before_and_after_a_restart(
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        stop_signal = "SIGKILL",
        user = "1234:1234",
        tmpfs("/srv/new/deep", "/var/mail", "/var/run", "/odd" = "1000000b"),
        ready(running)
    )]
    user: Service,
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        stop_signal = "SIGKILL",
        tmpfs("/srv/new", "/root"),
        ready(running)
    )]
    root: Service,
) -> Result<(), seatrial::Error> {
    for restarted in [false, true] {
        if restarted {
            user.restart().wait()?;
            root.restart().wait()?;
        }
        let script = "for at in /srv/new/deep /var/mail /odd; do test ! -e $at/x && touch $at/x && stat -c %a $at; done";
        assert_eq!(sh(&user, script), "1777\n1777\n1777");
        assert_eq!(
            sh(&user, "stat -f -c %T /srv/new/deep /var/mail"),
            "tmpfs\ntmpfs"
        );
        // Whole pages of memory.
        let size = sh(&user, "df -B1 --output=size /odd | tail -1");
        assert_eq!(size.parse(), Ok(1_000_000_u64.next_multiple_of(4096)));
        // Where root runs the service, those that it becomes may write to what the image does not have.
        assert_eq!(sh(&root, "touch /root/x && stat -c %a /srv/new"), "1777");
    }
    // A link in the image stays one.
    assert_eq!(sh(&user, "readlink /var/run"), "/run");
    let runs = "printf '#!/bin/sh\n' >/odd/run && chmod +x /odd/run && /odd/run";
    let ran = user.exec(["sh", "-c", runs]).wait()?;
    assert_eq!(ran.code, 126, "{ran:?}");
    Ok(())
}

#[derive(Composition)]
struct Store {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        tmpfs("/scratch", "/small" = "1m"),
        volume("/own", shared = "/shared"),
        mount("fixtures/tree" = "/tree", "fixtures/included.txt" = "/included"),
        mount("fixtures/writable" = "/writable", mode = rw),
        files(
            "/etc/store/plain.conf" = "peer = {other.host}\nbraces = {{}}\n",
            "/usr/local/bin/hail" = "#!/bin/sh\necho hailing {other.host}\n",
            "/etc/store/included" = include_file!("fixtures/included.txt"),
            "/own/seeded" = "before the start",
        ),
        ready(running),
    )]
    writer: Service,

    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        volume("/own", shared = "/mnt/shared"),
        ready(running)
    )]
    other: Service,
}

#[seatrial::test]
fn file_systems_and_files(store: Store) {
    let Store { writer, other } = store;
    let kind = |path: &str| sh(&writer, &format!("stat -f -c %T {path}"));
    assert_eq!(kind("/scratch"), "tmpfs");
    assert_eq!(
        sh(&writer, "df -B1 --output=size /small | tail -1"),
        "1048576"
    );
    sh(&writer, "echo kept >/scratch/a && echo kept >/small/a");

    // A volume with a name is one for both, each where it wants it; one without is each one's own.
    sh(&writer, "echo common >/shared/a && echo mine >/own/a");
    assert_eq!(sh(&writer, "cat /own/seeded"), "before the start");
    assert_eq!(sh(&other, "cat /mnt/shared/a; ls /own"), "common");
    assert_ne!(kind("/own"), "overlayfs");

    assert_eq!(
        sh(&writer, "cat /tree/leaf"),
        "a file of a mounted directory"
    );
    assert_eq!(
        sh(&writer, "cat /included"),
        "included, with {braces} as they are"
    );
    let refused = "touch /tree/new 2>&1 && echo written";
    let refused = writer.exec(["sh", "-c", refused]).wait().expect("it runs");
    assert!(
        refused.stdout.contains("Read-only file system"),
        "{refused:?}"
    );
    let name = format!("written-{}", std::process::id());
    let on_this_machine = format!("{}/fixtures/writable/{name}", env!("CARGO_MANIFEST_DIR"));
    sh(&writer, &format!("echo through >/writable/{name}"));
    let through = std::fs::read_to_string(&on_this_machine);
    std::fs::remove_file(&on_this_machine).expect("the file is here");
    assert_eq!(through.expect("the file is here"), "through\n");

    assert_eq!(
        sh(&writer, "cat /etc/store/plain.conf"),
        "peer = other\nbraces = {}"
    );
    assert_eq!(sh(&writer, "hail"), "hailing other");
    assert_eq!(
        sh(
            &writer,
            "stat -c '%a %u' /etc/store/plain.conf /usr/local/bin/hail"
        ),
        "644 0\n755 0"
    );
    assert_eq!(
        sh(&writer, "cat /etc/store/included"),
        "included, with {braces} as they are"
    );
}

#[seatrial::test]
fn limits_rights_and_labels(
    #[service(
        image = "debian:bookworm-slim",
        env(NAME = "engine"),
        port = 4000,
        command = "{source}/tests/fixtures/serve.pl 4000",
        memory = "96m",
        shm_size = "8m",
        ulimits(nofile = "100:200", core = 0),
        sysctls("net.core.somaxconn" = 1234, "net.ipv4.ip_local_port_range" = "20000 30000", "kernel.msgmax" = 4321),
        cap_add("NET_ADMIN"),
        labels("com.example.team" = "shop", "com.example.number" = 3),
        hosts("legacy.example" = "192.0.2.7", "machine" = "host-gateway"),
        stop_signal = "SIGINT",
        pull = never,
    )]
    engine: Service,
    #[service(image = "debian:bookworm-slim", command = "sleep infinity", pull = missing, ready(running))]
    plain: Service,
) {
    let memory = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || true";
    assert_eq!(sh(&engine, memory), (96 << 20).to_string());
    let shm = "df -B1 --output=size /dev/shm | tail -1";
    assert_eq!(sh(&engine, shm), (8 << 20).to_string());
    let limits = "perl -lane 'print qq{@F[-3,-2]} if m{open files|core file}' /proc/1/limits";
    assert_eq!(sh(&engine, limits), "0 0\n100 200");

    let parameters = |service: &Service| {
        let files = "net/core/somaxconn net/ipv4/ip_local_port_range kernel/msgmax";
        let values = sh(service, &format!("cd /proc/sys && cat {files}"));
        values.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(parameters(&engine), "1234 20000 30000 4321");
    assert_ne!(parameters(&plain), parameters(&engine));

    // NET_ADMIN is bit 12 (capabilities(7)).
    let capabilities = |service: &Service| {
        let set = sh(service, "sed -n 's/^CapEff:\\s*//p' /proc/1/status");
        u64::from_str_radix(&set, 16).expect("a set of bits")
    };
    assert_eq!(capabilities(&engine), capabilities(&plain) | 1 << 12);
    assert_ne!(capabilities(&engine), capabilities(&plain));

    let names = sh(
        &engine,
        "getent ahostsv4 legacy.example machine | cut -d' ' -f1 | uniq",
    );
    let names: Vec<&str> = names.lines().collect();
    assert!(matches!(names[..], ["192.0.2.7", _]), "{names:?}");
    assert_ne!(names[1], "");

    let inspected = Command::new("docker")
        .args([
            "inspect",
            "--format",
            "{{json .Config.Labels}}",
            engine.id(),
        ])
        .output()
        .expect("docker's command line is here");
    let labels = String::from_utf8_lossy(&inspected.stdout);
    for label in [
        r#""com.example.team":"shop""#,
        r#""com.example.number":"3""#,
        r#""dev.seatrial.service":"engine""#,
        r#""dev.seatrial.scope":"test""#,
        r#""dev.seatrial.composition":"limits_rights_and_labels""#,
        r#""dev.seatrial.run":""#,
        r#""dev.seatrial.owner":""#,
    ] {
        assert!(labels.contains(label), "{label}: {labels}");
    }

    engine.stop().wait().expect("it stops");
    let log = engine.logs().wait().expect("its log stays");
    assert!(log.ends_with("ended by INT\n"), "{log}");
}

#[derive(Composition)]
struct Privileged {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        privileged,
        ready(running)
    )]
    captain: Service,
}

/// Not every engine may give what is asked for.
#[seatrial::test]
fn privileges_are_given_or_the_error_says_who_refuses() {
    match Privileged::launch().wait() {
        Ok(ship) => assert_eq!(
            sh(&ship.captain, "test -e /dev/kmsg && echo every device"),
            "every device"
        ),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Start);
            assert_eq!(error.service(), Some("captain"));
            let text = error.to_string();
            assert!(text.contains("privileged"), "{text}");
        }
    }
}

#[derive(Composition)]
struct OwnPlatform {
    #[cfg_attr(
        target_arch = "x86_64",
        service(
            image = "debian:bookworm-slim",
            command = "sleep infinity",
            platform = "linux/amd64",
            ready(running)
        )
    )]
    #[cfg_attr(
        target_arch = "aarch64",
        service(
            image = "debian:bookworm-slim",
            command = "sleep infinity",
            platform = "linux/arm64",
            ready(running)
        )
    )]
    native: Service,
}

#[derive(Composition)]
struct ForeignPlatform {
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        platform = "linux/s390x",
        pull = never,
        ready(running)
    )]
    mainframe: Service,
}

#[seatrial::test]
fn the_image_is_of_the_platform_that_is_asked_for(own: OwnPlatform) {
    assert_eq!(sh(&own.native, "uname -m"), std::env::consts::ARCH);

    let error = ForeignPlatform::launch()
        .wait()
        .map(drop)
        .expect_err("no such machine");
    assert_eq!(error.kind(), ErrorKind::Image);
    assert_eq!(error.service(), Some("mainframe"));
    let text = error.to_string();
    for part in ["linux/s390x", "linux/amd64", "platform"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[derive(Composition)]
struct NeverPulled {
    #[service(image = "localhost/seatrial/nobody-has-this:1", pull = never, ready(running))]
    absent: Service,
}

#[seatrial::test]
fn an_image_that_is_never_pulled_must_be_there() {
    let error = NeverPulled::launch()
        .wait()
        .map(drop)
        .expect_err("no such image");
    assert_eq!(error.kind(), ErrorKind::Image);
    assert_eq!(error.service(), Some("absent"));
    let text = error.to_string();
    for part in [
        "localhost/seatrial/nobody-has-this:1",
        "docker pull",
        "pull = missing",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[seatrial::test]
fn parameters_of_conditions_that_hold_are_there(
    #[cfg(not(test))]
    #[service(image = "registry.invalid/never:1", pull = never, ready(running))]
    absent: Service,
    #[cfg(test)]
    #[service(
        image = "debian:bookworm-slim",
        command = "sleep infinity",
        hosts("a.1.example" = "192.0.2.1"),
        ready(running)
    )]
    first: Service,
    #[cfg_attr(
        test,
        service(
            image = "debian:bookworm-slim",
            command = "sleep infinity",
            ready(running)
        )
    )]
    second: Service,
) {
    assert!(sh(&first, "getent hosts a.1.example").starts_with("192.0.2.1"));
    assert_ne!(first.id(), second.id());
    let own = sh(&second, "getent hosts second | tr -s ' ' | cut -d ' ' -f 2");
    assert_eq!(own, "second");
}
