//! BuildKit's reports about a build, in the binary format of Protocol Buffers: `StatusResponse` in `moby/buildkit`,
//! `api/services/control/control.proto`.
//!
//! Knows the fields that are shown and skips all others. A report that is not in this format gives `None`.

/// A report.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) vertexes: Vec<Vertex>,
    pub(super) statuses: Vec<Status>,
    pub(super) logs: Vec<Log>,
}

/// The state of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Vertex {
    /// It identifies the step.
    pub(super) digest: String,
    /// `[2/3] RUN make`.
    pub(super) name: String,
    pub(super) is_cached: bool,
    pub(super) is_started: bool,
    pub(super) is_completed: bool,
    /// Empty unless it failed.
    pub(super) error: String,
}

/// The state of a part of a step that has no output, such as a layer that is unpacked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) current: u64,
    pub(super) total: u64,
}

/// A piece of a step's output.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Log {
    /// The digest of the step.
    pub(super) vertex: String,
    /// 1 for standard output, 2 for standard error.
    pub(super) stream: u64,
    pub(super) message: Vec<u8>,
}

impl Trace {
    pub(super) fn decode(message: &[u8]) -> Option<Self> {
        let mut trace = Self::default();
        for field in fields(message)? {
            match field {
                (1, Value::Bytes(inner)) => trace.vertexes.push(Vertex::decode(inner)?),
                (2, Value::Bytes(inner)) => trace.statuses.push(Status::decode(inner)?),
                (3, Value::Bytes(inner)) => trace.logs.push(Log::decode(inner)?),
                _ => {}
            }
        }
        Some(trace)
    }
}

impl Vertex {
    fn decode(message: &[u8]) -> Option<Self> {
        let mut vertex = Self::default();
        for field in fields(message)? {
            match field {
                (1, Value::Bytes(digest)) => vertex.digest = text(digest),
                (3, Value::Bytes(name)) => vertex.name = text(name),
                (4, Value::Number(is_cached)) => vertex.is_cached = is_cached != 0,
                // Times. A step that has not begun, or not ended, has none.
                (5, Value::Bytes(_)) => vertex.is_started = true,
                (6, Value::Bytes(_)) => vertex.is_completed = true,
                (7, Value::Bytes(error)) => vertex.error = text(error),
                _ => {}
            }
        }
        Some(vertex)
    }
}

impl Status {
    fn decode(message: &[u8]) -> Option<Self> {
        let mut status = Self::default();
        for field in fields(message)? {
            match field {
                (1, Value::Bytes(id)) => status.id = text(id),
                (3, Value::Bytes(name)) => status.name = text(name),
                (4, Value::Number(current)) => status.current = current,
                (5, Value::Number(total)) => status.total = total,
                _ => {}
            }
        }
        Some(status)
    }
}

impl Log {
    fn decode(message: &[u8]) -> Option<Self> {
        let mut log = Self::default();
        for field in fields(message)? {
            match field {
                (1, Value::Bytes(vertex)) => log.vertex = text(vertex),
                (3, Value::Number(stream)) => log.stream = stream,
                (4, Value::Bytes(message)) => log.message = message.to_vec(),
                _ => {}
            }
        }
        Some(log)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The value of a field.
#[derive(Clone, Copy, Debug)]
enum Value<'m> {
    Number(u64),
    /// A text, bytes or an inner message.
    Bytes(&'m [u8]),
    /// A number of a fixed size. No field that is known has one.
    Fixed,
}

/// The fields of a message, by number.
fn fields(mut message: &[u8]) -> Option<Vec<(u64, Value<'_>)>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = number(&mut message)?;
        let value = match key & 7 {
            0 => Value::Number(number(&mut message)?),
            1 => bytes(&mut message, 8).map(|_| Value::Fixed)?,
            2 => {
                let length = number(&mut message)?;
                Value::Bytes(bytes(&mut message, length)?)
            }
            5 => bytes(&mut message, 4).map(|_| Value::Fixed)?,
            _ => return None,
        };
        fields.push((key >> 3, value));
    }
    Some(fields)
}

/// Takes a number: seven bits in each byte, the lowest first. The last byte has no eighth bit.
fn number(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Takes this many bytes.
fn bytes<'m>(message: &mut &'m [u8], length: u64) -> Option<&'m [u8]> {
    let (taken, rest) = message.split_at_checked(usize::try_from(length).ok()?)?;
    *message = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field whose value is bytes of less than 128.
    fn field(number: u8, value: &[u8]) -> Vec<u8> {
        let length = u8::try_from(value.len()).expect("a short value");
        assert!(length < 128);
        [&[number << 3 | 2, length], value].concat()
    }

    /// A report with all that is known, and with fields of every kind that are not.
    fn report() -> Vec<u8> {
        let unknown = [
            &[0x78, 0xff, 0x01][..],         // 15: a number
            &[0x79, 1, 2, 3, 4, 5, 6, 7, 8], // 15: eight bytes
            &[0x7d, 1, 2, 3, 4],             // 15: four bytes
            &field(15, b"anything"),
        ]
        .concat();
        let vertex = [
            &field(1, b"sha256:aa")[..],
            &field(2, b"sha256:bb"),
            &unknown,
            &field(3, "[2/2] RUN écho".as_bytes()),
            &[0x20, 1],
            &field(5, &[0x08, 0x89, 0x98, 0xb9, 0xd8, 0x06]),
            &field(6, &[]),
            &field(7, b"exit code: 3"),
        ];
        let status = [
            &field(1, b"extracting")[..],
            &field(3, b"extract"),
            &[0x20, 0x2a],
            &[0x28, 0x80, 0xc8, 0xaf, 0xa0, 0x25],
        ];
        let log = [
            &field(1, b"sha256:aa")[..],
            &[0x18, 2],
            &field(4, b"one\ntwo\xff"),
        ];
        [
            field(1, &vertex.concat()),
            unknown.clone(),
            field(3, &log.concat()),
            field(1, &field(1, b"sha256:bb")),
            field(2, &status.concat()),
        ]
        .concat()
    }

    #[test]
    fn what_is_shown_is_read_and_the_rest_is_skipped() {
        let expected = Trace {
            vertexes: vec![
                Vertex {
                    digest: "sha256:aa".to_owned(),
                    name: "[2/2] RUN écho".to_owned(),
                    is_cached: true,
                    is_started: true,
                    is_completed: true,
                    error: "exit code: 3".to_owned(),
                },
                Vertex {
                    digest: "sha256:bb".to_owned(),
                    ..Vertex::default()
                },
            ],
            statuses: vec![Status {
                id: "extracting".to_owned(),
                name: "extract".to_owned(),
                current: 42,
                total: 10_000_000_000,
            }],
            logs: vec![Log {
                vertex: "sha256:aa".to_owned(),
                stream: 2,
                message: b"one\ntwo\xff".to_vec(),
            }],
        };
        assert_eq!(Trace::decode(&report()), Some(expected));
        assert_eq!(Trace::decode(&[]), Some(Trace::default()));
    }

    #[test]
    fn a_field_of_another_type_is_skipped() {
        let log = [&[0x08, 7][..], &field(3, b"2"), &[0x20, 1]].concat();
        let trace = Trace::decode(&field(3, &log)).expect("a report");
        assert_eq!(trace.logs, [Log::default()]);
    }

    #[test]
    fn what_is_cut_off_is_not_a_report() {
        let vertex = field(1, &field(3, b"[2/2] RUN make"));
        for end in 1..vertex.len() {
            assert_eq!(Trace::decode(&vertex[..end]), None, "{end}");
        }
        // The outer length fits what is left, the inner one does not.
        assert_eq!(Trace::decode(&[0x0a, 3, 0x1a, 9, b'a']), None);
    }

    #[test]
    fn what_is_not_in_the_format_is_not_a_report() {
        let malformed: [&[u8]; 7] = [
            &[0x80; 11], // a number without an end
            &[
                0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
            ],
            &[
                0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
            ], // longer than memory
            &[0x0b, 0x0c], // a group
            &[0x09, 1, 2], // less than eight bytes
            &[0x0d, 1, 2], // less than four
            b"{\"id\":\"moby.image.id\"}",
        ];
        for message in malformed {
            assert_eq!(Trace::decode(message), None, "{message:?}");
        }
    }

    #[test]
    fn no_change_of_a_byte_makes_it_panic() {
        let report = report();
        for at in 0..report.len() {
            let mut changed = report.clone();
            for byte in 0..=u8::MAX {
                changed[at] = byte;
                let _ = Trace::decode(&changed);
            }
        }
    }
}
