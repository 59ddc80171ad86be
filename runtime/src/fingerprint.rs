//! A short name for content. The same content has the same name, in every process and every version of Seatrial.
//!
//! The hash is FNV-1a with 128 bits. It takes a dozen lines, and never changes, which the standard library's hasher does not
//! promise. It withstands chance, not an attacker, so it must never stand for content that an attacker writes. An attacker who
//! could write an image's context with a collision could change the image just as well.

use std::io;

/// The hash of the parts that were added, in order. The boundaries between parts count, too.
pub(crate) struct Fingerprint(u128);

impl Fingerprint {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

    pub(crate) fn new() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    pub(crate) fn add(&mut self, part: &[u8]) -> &mut Self {
        self.bytes(&(part.len() as u64).to_le_bytes());
        self.bytes(part);
        self
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(Self::PRIME);
        }
    }

    /// 32 hex digits.
    pub(crate) fn finish(&self) -> String {
        format!("{:032x}", self.0)
    }
}

/// What is written is one part, so it must be the only one.
impl io::Write for Fingerprint {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_test_vectors_come_out() {
        let hash = |text: &str| {
            let mut fingerprint = Fingerprint::new();
            fingerprint.bytes(text.as_bytes());
            fingerprint.finish()
        };
        assert_eq!(hash(""), "6c62272e07bb014262b821756295c58d");
        assert_eq!(hash("a"), "d228cb696f1a8caf78912b704e4a8964");
        assert_eq!(hash("foobar"), "343e1662793c64bf6f0d3597ba446f18");
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let hash = |parts: [&str; 2]| {
            let mut fingerprint = Fingerprint::new();
            fingerprint
                .add(parts[0].as_bytes())
                .add(parts[1].as_bytes());
            fingerprint.finish()
        };
        assert_ne!(hash(["a", "bc"]), hash(["ab", "c"]));
    }
}
