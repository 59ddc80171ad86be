//! The program of a holder, and the image that has nothing else.
//!
//! The program waits, and on request writes the host names of the service that is about to join. It is written in machine
//! code, so that the image is made in memory, in milliseconds and without a compiler, on every engine of a known
//! architecture.

use std::collections::BTreeMap;

use crate::engine::{Engine, EngineError, EngineErrorKind, all_of};
use crate::fingerprint::Fingerprint;
use crate::supervisor::identity::LABEL;

/// The path of the program in its image.
pub(super) const PATH: &str = "/hold";

/// The size of a record: four bytes with the length of the text, least significant first, then the text, then zeros.
/// Records have one size, since a pipe may deliver one in several pieces, or several at once.
const RECORD: usize = 16 * 1024;

/// A record for the program, or `None` if the text is too long for one. The program replaces the content of `/etc/hosts`
/// with the text, and then writes one byte to its output. If it cannot, it ends.
pub(super) fn record(hosts: &str) -> Option<Vec<u8>> {
    let length = u32::try_from(hosts.len()).ok()?;
    let mut record = Vec::with_capacity(RECORD);
    record.extend(length.to_le_bytes());
    record.extend(hosts.as_bytes());
    record.resize((record.len() <= RECORD).then_some(RECORD)?, 0);
    Some(record)
}

/// The reference of the image for an engine, or `None` for an engine of another architecture.
pub(super) fn image_name(arch: &str) -> Option<String> {
    let content = Fingerprint::new().add(&executable(arch)?).finish();
    Some(format!(
        "seatrial/network-namespace:{arch}-{}",
        &content[..12]
    ))
}

/// Makes the image, unless the engine has it. It stays, like every other image.
pub(super) async fn image(engine: &Engine) -> Result<String, EngineError> {
    let arch = &engine.info().arch;
    let (Some(name), Some(executable)) = (image_name(arch), executable(arch)) else {
        return Err(EngineError {
            kind: EngineErrorKind::Platform,
            attempt: "prepare a network namespace".to_owned(),
            message: format!("there is no program for the architecture `{arch}`"),
        });
    };
    if engine.image(&name).await?.is_none() {
        let labels = BTreeMap::from([(format!("{LABEL}.image"), "network-namespace".to_owned())]);
        engine
            .import(all_of(archive(&executable)), &name, &labels)
            .await?;
    }
    Ok(name)
}

/// A root file system that has only the program.
fn archive(executable: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_size(executable.len() as u64);
    header.set_mode(0o755);
    let mut archive = tar::Builder::new(Vec::new());
    let added = archive.append_data(&mut header, &PATH[1..], executable);
    added
        .and_then(|()| archive.into_inner())
        .expect("writing to memory succeeds")
}

/// The executable for an architecture in Go's terms: the header of an ELF file, one segment that is loaded, the note that the stack is not
/// executable (elf(5)), and the code.
fn executable(arch: &str) -> Option<Vec<u8>> {
    /// `EM_X86_64` and `EM_AARCH64`.
    const X86_64: u16 = 62;
    const AARCH64: u16 = 183;
    const BASE: u64 = 0x40_0000;
    const HEADER: u64 = 64;
    const SEGMENT: u64 = 56;
    const PAGE: u64 = 0x1_0000;
    const LOAD: u32 = 1;
    const STACK: u32 = 0x6474_e551;
    let (machine, code) = match arch {
        "amd64" => (X86_64, &CODE_X86_64[..]),
        "arm64" => (AARCH64, &CODE_AARCH64[..]),
        _ => return None,
    };
    let before = HEADER + 2 * SEGMENT;
    let size = before + (code.len() + HOSTS.len()) as u64;
    let mut elf = Vec::new();
    // 64 bits, least significant byte first, version 1.
    elf.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    let halves = |elf: &mut Vec<u8>, halves: &[u16]| {
        elf.extend(halves.iter().flat_map(|half| half.to_le_bytes()));
    };
    let words = |elf: &mut Vec<u8>, words: &[u32]| {
        elf.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    };
    let longs = |elf: &mut Vec<u8>, longs: &[u64]| {
        elf.extend(longs.iter().flat_map(|long| long.to_le_bytes()));
    };
    // An executable; its entry is the code.
    halves(&mut elf, &[2, machine]);
    words(&mut elf, &[1]);
    longs(&mut elf, &[BASE + before, HEADER, 0]);
    words(&mut elf, &[0]);
    halves(&mut elf, &[HEADER as u16, SEGMENT as u16, 2, 64, 0, 0]);
    // Readable and executable.
    words(&mut elf, &[LOAD, 5]);
    longs(&mut elf, &[0, BASE, BASE, size, size, PAGE]);
    // Readable and writable.
    words(&mut elf, &[STACK, 6]);
    longs(&mut elf, &[0, 0, 0, 0, 0, 16]);
    elf.extend(code);
    elf.extend(HOSTS);
    Some(elf)
}

/// The path, right after the code.
const HOSTS: &[u8] = b"/etc/hosts\0";

// Both programs do the same: read a record onto the stack, `openat` or `open` the path with `O_WRONLY | O_TRUNC`, `write` the text,
// `close`, `write` a byte to the output, and again. They wait for ever when nothing more can be read, and `exit` when the
// text was not written.

#[rustfmt::skip]
const CODE_X86_64: [u8; 139] = [
    // start:
    0x48, 0x81, 0xec, 0x00, 0x40, 0x00, 0x00, // sub $0x4000,%rsp
    // record:
    0x31, 0xdb, // xor %ebx,%ebx
    // fill:
    0x31, 0xff, // xor %edi,%edi
    0x48, 0x8d, 0x34, 0x1c, // lea (%rsp,%rbx,1),%rsi
    0xba, 0x00, 0x40, 0x00, 0x00, // mov $0x4000,%edx
    0x29, 0xda, // sub %ebx,%edx
    0x31, 0xc0, // xor %eax,%eax
    0x0f, 0x05, // syscall
    0x85, 0xc0, // test %eax,%eax
    0x7e, 0x58, // jle idle
    0x01, 0xc3, // add %eax,%ebx
    0x81, 0xfb, 0x00, 0x40, 0x00, 0x00, // cmp $0x4000,%ebx
    0x72, 0xe1, // jb fill
    0x48, 0x8d, 0x3d, 0x5c, 0x00, 0x00, 0x00, // lea 0x5c(%rip),%rdi
    0xbe, 0x01, 0x02, 0x00, 0x00, // mov $0x201,%esi
    0xb8, 0x02, 0x00, 0x00, 0x00, // mov $0x2,%eax
    0x0f, 0x05, // syscall
    0x89, 0xc3, // mov %eax,%ebx
    0x89, 0xc7, // mov %eax,%edi
    0x48, 0x8d, 0x74, 0x24, 0x04, // lea 0x4(%rsp),%rsi
    0x8b, 0x14, 0x24, // mov (%rsp),%edx
    0xb8, 0x01, 0x00, 0x00, 0x00, // mov $0x1,%eax
    0x0f, 0x05, // syscall
    0x39, 0x04, 0x24, // cmp %eax,(%rsp)
    0x75, 0x2c, // jne fail
    0x89, 0xdf, // mov %ebx,%edi
    0xb8, 0x03, 0x00, 0x00, 0x00, // mov $0x3,%eax
    0x0f, 0x05, // syscall
    0xbf, 0x01, 0x00, 0x00, 0x00, // mov $0x1,%edi
    0x48, 0x8d, 0x35, 0x23, 0x00, 0x00, 0x00, // lea 0x23(%rip),%rsi
    0xba, 0x01, 0x00, 0x00, 0x00, // mov $0x1,%edx
    0xb8, 0x01, 0x00, 0x00, 0x00, // mov $0x1,%eax
    0x0f, 0x05, // syscall
    0xeb, 0x91, // jmp record
    // idle:
    0xb8, 0x22, 0x00, 0x00, 0x00, // mov $0x22,%eax
    0x0f, 0x05, // syscall
    0xeb, 0xf7, // jmp idle
    // fail:
    0xbf, 0x01, 0x00, 0x00, 0x00, // mov $0x1,%edi
    0xb8, 0x3c, 0x00, 0x00, 0x00, // mov $0x3c,%eax
    0x0f, 0x05, // syscall
];

#[rustfmt::skip]
const CODE_AARCH64: [u8; 180] = [
    // start:
    0xff, 0x13, 0x40, 0xd1, // sub sp, sp, #0x4, lsl #12
    // record:
    0x13, 0x00, 0x80, 0xd2, // mov x19, #0x0
    // fill:
    0x00, 0x00, 0x80, 0xd2, // mov x0, #0x0
    0xe1, 0x63, 0x33, 0x8b, // add x1, sp, x19
    0x02, 0x00, 0x88, 0xd2, // mov x2, #0x4000
    0x42, 0x00, 0x13, 0xcb, // sub x2, x2, x19
    0xe8, 0x07, 0x80, 0xd2, // mov x8, #0x3f
    0x01, 0x00, 0x00, 0xd4, // svc #0x0
    0x1f, 0x00, 0x00, 0xf1, // cmp x0, #0x0
    0x4d, 0x03, 0x00, 0x54, // b.le idle
    0x73, 0x02, 0x00, 0x8b, // add x19, x19, x0
    0x7f, 0x12, 0x40, 0xf1, // cmp x19, #0x4, lsl #12
    0xc3, 0xfe, 0xff, 0x54, // b.cc fill
    0x60, 0x0c, 0x80, 0x92, // mov x0, #0xffffffffffffff9c
    0xe1, 0x03, 0x00, 0x10, // adr x1, b4 path
    0x22, 0x40, 0x80, 0xd2, // mov x2, #0x201
    0x08, 0x07, 0x80, 0xd2, // mov x8, #0x38
    0x01, 0x00, 0x00, 0xd4, // svc #0x0
    0xf4, 0x03, 0x00, 0xaa, // mov x20, x0
    0xf5, 0x03, 0x40, 0xb9, // ldr w21, [sp]
    0xe1, 0x13, 0x00, 0x91, // add x1, sp, #0x4
    0xe2, 0x03, 0x15, 0xaa, // mov x2, x21
    0x08, 0x08, 0x80, 0xd2, // mov x8, #0x40
    0x01, 0x00, 0x00, 0xd4, // svc #0x0
    0x1f, 0x00, 0x15, 0xeb, // cmp x0, x21
    0x21, 0x02, 0x00, 0x54, // b.ne fail
    0xe0, 0x03, 0x14, 0xaa, // mov x0, x20
    0x28, 0x07, 0x80, 0xd2, // mov x8, #0x39
    0x01, 0x00, 0x00, 0xd4, // svc #0x0
    0x20, 0x00, 0x80, 0xd2, // mov x0, #0x1
    0xe1, 0x01, 0x00, 0x10, // adr x1, b4 path
    0x22, 0x00, 0x80, 0xd2, // mov x2, #0x1
    0x08, 0x08, 0x80, 0xd2, // mov x8, #0x40
    0x01, 0x00, 0x00, 0xd4, // svc #0x0
    0xdf, 0xff, 0xff, 0x17, // b record
    // idle:
    0x00, 0x00, 0x80, 0xd2, // mov x0, #0x0
    0x01, 0x00, 0x80, 0xd2, // mov x1, #0x0
    0x02, 0x00, 0x80, 0xd2, // mov x2, #0x0
    0x03, 0x00, 0x80, 0xd2, // mov x3, #0x0
    0x28, 0x09, 0x80, 0xd2, // mov x8, #0x49
    0x01, 0x00, 0x00, 0xd4, // svc #0x0
    0xfa, 0xff, 0xff, 0x17, // b idle
    // fail:
    0x20, 0x00, 0x80, 0xd2, // mov x0, #0x1
    0xc8, 0x0b, 0x80, 0xd2, // mov x8, #0x5e
    0x01, 0x00, 0x00, 0xd4, // svc #0x0
];
