//! Packing this machine's files for a container, and unpacking what comes back, both as `cp -a` copies: links stay links,
//! modes and times are kept. Every entry is either copied or named in an error.

mod content;
mod left_out;
mod mounted;
mod pack;
mod path;
mod pieces;
#[cfg(test)]
mod tests;
mod unpack;

pub(crate) use self::content::{check_readable, check_writable, pack_content, unpack_content};
pub(crate) use self::left_out::LeftOut;
pub(crate) use self::mounted::{Place, check_mounts, check_place};
pub(crate) use self::pack::{pack, pack_texts};
pub(crate) use self::path::check;
pub(crate) use self::pieces::read_pieces;
pub(crate) use self::unpack::{unpack, unpack_noting};
