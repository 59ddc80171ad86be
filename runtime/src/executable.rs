//! The first bytes of an executable: the machine that it is for, and the interpreter or loader that it needs.

/// How many bytes are enough. The name of an ELF file's loader is near its headers.
pub(crate) const HEAD: usize = 64 << 10;

/// The kind of an executable file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Executable {
    /// A program for one kind of machine.
    Elf {
        /// The architecture in Go's terms, as images name it. `None` for an unknown one.
        arch: Option<&'static str>,
        /// The loader that links its libraries when it starts. `None` if it is linked statically.
        loader: Option<String>,
    },
    /// A script whose first line names its interpreter.
    Script {
        /// The interpreter, as it is written: with the carriage return, if the line has one.
        interpreter: String,
        /// The text after the interpreter.
        argument: Option<String>,
    },
    /// Neither a program nor a script.
    Unknown,
}

impl Executable {
    /// Reads the beginning of a file.
    pub(crate) fn read(head: &[u8]) -> Self {
        if let Some(line) = head.strip_prefix(b"#!") {
            return Self::script(line);
        }
        if head.starts_with(b"\x7fELF") {
            return Self::elf(head).unwrap_or(Self::Unknown);
        }
        Self::Unknown
    }

    fn script(line: &[u8]) -> Self {
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        // To the kernel, a carriage return is a part of the name.
        let line = line.trim_matches([' ', '\t']);
        let (interpreter, argument) = match line.split_once([' ', '\t']) {
            Some((interpreter, argument)) => (interpreter, Some(argument.trim_start().to_owned())),
            None => (line, None),
        };
        Self::Script {
            interpreter: interpreter.to_owned(),
            argument,
        }
    }

    fn elf(head: &[u8]) -> Option<Self> {
        let wide = *head.get(4)? == 2;
        let fields = Fields {
            head,
            big_endian: *head.get(5)? == 2,
        };
        let arch = arch(fields.number(18, 2)?, wide, fields.big_endian);
        // The offset of the table of program headers, the size of a header, and their count.
        let (table, length, count) = match wide {
            true => (32, 54, 56),
            false => (28, 42, 44),
        };
        let word = if wide { 8 } else { 4 };
        let table = fields.number(table, word)?;
        let (length, count) = (fields.number(length, 2)?, fields.number(count, 2)?);
        let mut loader = None;
        for number in 0..count {
            let header = table.checked_add(number * length)?;
            const INTERPRETER: u64 = 3;
            if fields.number(header, 4)? != INTERPRETER {
                continue;
            }
            let (offset, size) = match wide {
                true => (8, 32),
                false => (4, 16),
            };
            let offset = usize::try_from(fields.number(header + offset, word)?).ok()?;
            let size = usize::try_from(fields.number(header + size, word)?).ok()?;
            let name = head.get(offset..offset.checked_add(size)?)?;
            let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
            loader = Some(String::from_utf8_lossy(name).into_owned());
        }
        Some(Self::Elf { arch, loader })
    }
}

/// Numbers of an ELF file.
struct Fields<'a> {
    head: &'a [u8],
    big_endian: bool,
}

impl Fields<'_> {
    fn number(&self, at: u64, size: usize) -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let bytes = self.head.get(at..at.checked_add(size)?)?;
        let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(match self.big_endian {
            true => bytes.iter().fold(0, add),
            false => bytes.iter().rev().fold(0, add),
        })
    }
}

fn arch(machine: u64, wide: bool, big_endian: bool) -> Option<&'static str> {
    Some(match (machine, wide, big_endian) {
        (3, ..) => "386",
        (40, ..) => "arm",
        (62, ..) => "amd64",
        (183, ..) => "arm64",
        (243, true, _) => "riscv64",
        (21, true, false) => "ppc64le",
        (22, true, _) => "s390x",
        (258, true, _) => "loong64",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(interpreter: &str, argument: Option<&str>) -> Executable {
        Executable::Script {
            interpreter: interpreter.to_owned(),
            argument: argument.map(str::to_owned),
        }
    }

    #[test]
    fn this_executable_is_for_this_machine() {
        let own = std::fs::read(std::env::current_exe().expect("its path")).expect("its content");
        let read = Executable::read(&own[..HEAD.min(own.len())]);
        let Executable::Elf { arch, loader } = read else {
            panic!("{read:?}")
        };
        let expected = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        assert_eq!(arch, Some(expected));
        if cfg!(target_env = "gnu") {
            let loader = loader.expect("it is linked to the C library");
            assert!(loader.contains("/ld-linux"), "{loader}");
        }
    }

    #[test]
    fn a_script_says_who_runs_it() {
        for (text, expected) in [
            ("#!/bin/sh\necho", script("/bin/sh", None)),
            ("#! /bin/sh -e\n", script("/bin/sh", Some("-e"))),
            (
                "#!/usr/bin/env  node --x",
                script("/usr/bin/env", Some("node --x")),
            ),
            ("#!/bin/sh\r\necho\r\n", script("/bin/sh\r", None)),
            ("#!", script("", None)),
            ("echo", Executable::Unknown),
            ("", Executable::Unknown),
        ] {
            assert_eq!(Executable::read(text.as_bytes()), expected, "{text:?}");
        }
    }

    /// A big-endian file of 32 bits, which begins with its program headers.
    fn of_another_machine() -> Vec<u8> {
        let mut file = vec![0; 52 + 32];
        file[..7].copy_from_slice(b"\x7fELF\x01\x02\x01");
        file[19] = 40;
        file[31] = 52;
        file[43] = 32;
        file[45] = 1;
        file[55] = 3;
        file[59] = 84;
        file[71] = 15;
        file.extend(b"/lib/ld-musl.so\0");
        file
    }

    #[test]
    fn headers_are_read_by_the_files_own_order() {
        assert_eq!(
            Executable::read(&of_another_machine()),
            Executable::Elf {
                arch: Some("arm"),
                loader: Some("/lib/ld-musl.so".to_owned()),
            }
        );
    }

    #[test]
    fn what_is_cut_off_or_lies_is_not_known() {
        let file = of_another_machine();
        for end in 0..84 {
            assert_eq!(Executable::read(&file[..end]), Executable::Unknown);
        }
        for at in 4..84 {
            let mut wrong = file.clone();
            wrong[at] = 0xff;
            // Whatever it says, it is an answer.
            let _ = Executable::read(&wrong);
        }
    }
}
