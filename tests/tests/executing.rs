//! Executables that cannot be run where they are to be: the error names the file that is missing, or of the wrong kind, and
//! what to do.

use seatrial::{Composition, Error, Operation, Service};

#[track_caller]
fn assert_says<C: Composition>(launch: Operation<C>, parts: &[&str]) {
    let error: Error = launch.wait().map(drop).expect_err("it cannot be run");
    assert_eq!(error.service(), Some("server"), "{error}");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}

macro_rules! composition {
    ($name:ident: $($key:tt)*) => {
        #[derive(Composition)]
        struct $name {
            #[service(ready(log = "aboard"), $($key)*)]
            server: Service,
        }
    };
}

composition!(NoLoader: bin = "station", base = "localhost/seatrial/bare:1");
composition!(LoaderGone:
    image = "debian:bookworm-slim",
    command = ["sh", "-c", "rm /lib64/ld-linux*; exec /bin/true"],
);

#[test]
fn the_loader_is_not_in_the_image() {
    let launches = (NoLoader::launch(), LoaderGone::launch());
    assert_says(
        launches.0,
        &[
            "the image `localhost/seatrial/bare:1` has no `/lib",
            "/ld-linux-",
            "for which the binary `station` is linked",
            "help: choose a base with glibc, such as `base = \"debian:bookworm-slim\"`, or build for a musl target",
        ],
    );
    assert_says(
        launches.1,
        &[
            "the image `debian:bookworm-slim` has no `/lib64/ld-linux-",
            "for which `/bin/true` is linked",
            "help: use an image with glibc",
        ],
    );
}

composition!(NoInterpreter:
    image = "debian:bookworm-slim",
    command = "/serve",
    files("/serve" = "#!/nowhere/perl -w\nprint 1\n"),
);
composition!(CarriageReturn:
    image = "debian:bookworm-slim",
    command = "/serve",
    files("/serve" = "#!/bin/sh\r\nsleep infinity\r\n"),
);
composition!(CarriageReturnBehindEnv:
    image = "debian:bookworm-slim",
    command = "/serve",
    files("/serve" = "#!/usr/bin/env perl\r\nsleep\r\n"),
);

#[test]
fn the_interpreter_of_a_script_is_not_in_the_image() {
    let launches = (
        NoInterpreter::launch(),
        CarriageReturn::launch(),
        CarriageReturnBehindEnv::launch(),
    );
    assert_says(
        launches.0,
        &[
            "the image `debian:bookworm-slim` has no `/nowhere/perl`, which the first line of `/serve` names",
            "help: name an interpreter that the image has in that line",
        ],
    );
    let unix = "help: write the script with the line ends of Unix: `\\n`, not `\\r\\n`";
    let begins = "the first line of `/serve` ends with a carriage return";
    assert_says(launches.1, &[begins, unix]);
    let begins = "the first line of a script ends with a carriage return";
    assert_says(launches.2, &[begins, unix]);
}

composition!(OtherMachine:
    image = "debian:bookworm-slim",
    // The head of a program for a mainframe.
    command = ["bash", "-c", r"printf '\177ELF\2\2\1%057d' 0 | tr 0 '\0' >/app; printf '\0\26' | dd of=/app bs=1 seek=18 conv=notrunc 2>/dev/null; chmod +x /app; exec /app"],
);
composition!(NoProgram:
    image = "debian:bookworm-slim",
    entrypoint = ["/app"],
    mount("fixtures/neither" = "/app"),
);

#[test]
fn the_executable_is_of_another_kind() {
    let launches = (OtherMachine::launch(), NoProgram::launch());
    assert_says(
        launches.0,
        &[
            "`/app` is for linux/s390x, and this engine runs linux/",
            "help: use an image for linux/",
            "emulate linux/s390x",
        ],
    );
    assert_says(
        launches.1,
        &[
            "`/app` is neither a program for Linux nor a script that names its interpreter",
            "help: begin a script with `#!/bin/sh`, or name what runs it: `entrypoint = \"sh /app\"`",
        ],
    );
}

composition!(OldLibrary:
    image = "debian:bookworm-slim",
    command = ["sh", "-c", "sed 's/GLIBC_2.34/GLIBC_9.99/' /bin/true >/app; chmod +x /app; exec /app"],
);
composition!(OldBase:
    bin = "station",
    entrypoint = ["sh", "-c", "sed 's/GLIBC_2.34/GLIBC_9.99/' /seatrial/bin/station >/app; chmod +x /app; exec /app"],
);
composition!(NoLibrary:
    image = "debian:bookworm-slim",
    command = ["sh", "-c", "rm /lib/*/libselinux.so.1; exec ls"],
);
composition!(NoLibraryInBase:
    bin = "station",
    entrypoint = ["sh", "-c", "rm /lib/*/libgcc_s.so.1; exec /seatrial/bin/station"],
);

#[test]
fn a_library_is_too_old_or_not_in_the_image() {
    let launches = (
        OldLibrary::launch(),
        OldBase::launch(),
        NoLibrary::launch(),
        NoLibraryInBase::launch(),
    );
    let old = "the C library of the image `debian:bookworm-slim` is older than the one that `/app` was built with: it has no `GLIBC_9.99`";
    assert_says(launches.0, &[old, "help: use a newer image"]);
    assert_says(
        launches.1,
        &[old, "help: choose a newer image with `base = \"..\"`"],
    );
    assert_says(
        launches.2,
        &[
            "the image `debian:bookworm-slim` has no `libselinux.so.1`, which `ls` is linked with",
            "help: install the library's package where the image is built",
        ],
    );
    assert_says(
        launches.3,
        &[
            "has no `libgcc_s.so.1`, which the binary `station` is linked with",
            "help: choose an image that has this library with `base = \"..\"`",
        ],
    );
}

composition!(NotInThePath:
    image = "debian:bookworm-slim",
    entrypoint = "no-such-server --port 80",
);
composition!(NoSuchFile: image = "debian:bookworm-slim", command = "/opt/server");
composition!(OneWord: image = "debian:bookworm-slim", command = ["sleep infinity"]);
composition!(OfAShell: image = "debian:bookworm-slim", command = "sh -c no-such-server");
composition!(NothingAtAll: image = "localhost/seatrial/bare:1", command = "sh");

#[test]
fn the_executable_is_not_in_the_image() {
    let launches = (
        NotInThePath::launch(),
        NoSuchFile::launch(),
        OneWord::launch(),
        OfAShell::launch(),
        NothingAtAll::launch(),
    );
    let has_no = |name| format!("the image `debian:bookworm-slim` has no executable `{name}`");
    assert_says(
        launches.0,
        &[
            &has_no("no-such-server"),
            "help: name an executable that the image has in `entrypoint`",
        ],
    );
    assert_says(
        launches.1,
        &[
            &has_no("/opt/server"),
            "help: name an executable that the image has in `command`",
        ],
    );
    assert_says(
        launches.2,
        &[
            &has_no("sleep infinity"),
            "help: this is read as one word; write all words as one string, `command = \"..\"`",
        ],
    );
    assert_says(
        launches.3,
        &[
            "code 127",
            &has_no("no-such-server"),
            "help: name an executable that the image has in `command`",
        ],
    );
    let bare = "the image `localhost/seatrial/bare:1` has no executable `sh`";
    assert_says(launches.4, &[bare, "help: name an executable"]);
}

composition!(NotExecutable: image = "debian:bookworm-slim", command = "/etc/passwd");
composition!(NotExecutableHere:
    image = "debian:bookworm-slim",
    command = "/serve",
    mount("fixtures/included.txt" = "/serve"),
);
composition!(NotExecutableInTheSource:
    image = "debian:bookworm-slim",
    command = "{source}/tests/fixtures/included.txt",
);
composition!(NotExecutableForAShell:
    image = "debian:bookworm-slim",
    command = "sh -c /etc/passwd",
    user = "1000:1000",
);

#[test]
fn the_file_is_not_executable() {
    let launches = (
        NotExecutable::launch(),
        NotExecutableHere::launch(),
        NotExecutableInTheSource::launch(),
        NotExecutableForAShell::launch(),
    );
    let build = "help: make it executable where the image is built (`chmod +x`)";
    assert_says(
        launches.0,
        &["`/etc/passwd` in the container is not executable", build],
    );
    assert_says(
        launches.1,
        &[
            "`/serve` in the container is not executable",
            "help: run `chmod +x /",
            "/tests/fixtures/included.txt`",
        ],
    );
    assert_says(
        launches.2,
        &[
            "`/workspace/tests/fixtures/included.txt` in the container is not executable",
            "help: run `chmod +x /",
        ],
    );
    assert_says(
        launches.3,
        &[
            "`/etc/passwd` in the container is not executable for the user `1000:1000`",
            build,
        ],
    );
}
