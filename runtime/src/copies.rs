//! Copying files between this machine and a service's container, a piece at a time.
//!
//! To pack files and to unpack them blocks, so each copy has a thread of its own. It waits for whoever is slower: the disk,
//! the supervisor or the engine. Nothing is held but what is under way, see [`flow`](crate::flow).

use std::path::Path;
use std::sync::Arc;

use crate::client::Lease;
use crate::files::LeftOut;
use crate::pieces::{self, PieceReader, PieceWriter};
use crate::protocol::{Action, ServiceInfo};
use crate::{Operation, files};

/// Begins to copy the file, directory or link `from` of this machine to the path `to` in a container.
pub(crate) fn copy_in(
    lease: &Arc<Lease>,
    service: &ServiceInfo,
    from: &Path,
    to: &str,
) -> Operation<()> {
    let checked = files::check(from, to);
    let checked = checked.and_then(|()| files::check_mounts(from, to, &service.mounted));
    if let Err(error) = checked {
        return Operation::failed(service.attribute(error));
    }
    let (lease, from, to) = (lease.clone(), from.to_owned(), to.to_owned());
    let (client, owner) = (lease.client(), service.owner);
    let copy = client.act_sending(
        service.instance,
        Action::CopyIn {
            to: to.clone(),
            is_file: !from.is_dir() || from.is_symlink(),
        },
        lease.caller(),
    );
    let mut writer = PieceWriter::new(client, &copy);
    let answer = copy.answer;
    let packed = pieces::spawn(move || {
        let packed = files::pack(&from, &to, owner, &mut writer);
        let packed = writer.end(packed);
        // The service must not be removed while something is being copied.
        drop(lease);
        packed
    });
    let service = service.clone();
    Operation::new(async move {
        // Also where the files could not be read: nothing goes on then that the caller does not know of.
        let answered = answer.await.unwrap_or_else(|_| Err(pieces::ending()));
        let answered = answered.map_err(|error| service.with_composition(error));
        let left_out = match packed.await {
            Ok(packed) => packed.map_err(|error| service.attribute(error))?,
            Err(_) => LeftOut::default(),
        };
        answered?;
        left_out
            .into_result()
            .map_err(|error| service.attribute(error))
    })
}

/// Begins to copy the file, directory or link `from` of a container to the path `to` on this machine.
pub(crate) fn copy_out(
    lease: &Arc<Lease>,
    service: &ServiceInfo,
    from: &str,
    to: &Path,
) -> Operation<()> {
    let (lease, from, to) = (lease.clone(), from.to_owned(), to.to_owned());
    let client = lease.client();
    let (copy, received) = client.copy_out(service.instance, from.clone(), false, lease.caller());
    let mut reader = PieceReader::new(client, copy, received);
    let info = service.clone();
    let unpacked = pieces::spawn(move || {
        let unpacked = files::unpack(&mut reader, &from, &to).and_then(LeftOut::into_result);
        drop(lease);
        reader.end(unpacked.map_err(|error| info.attribute(error)))
    });
    let service = service.clone();
    Operation::new(async move {
        let unpacked = unpacked.await.unwrap_or_else(|_| Err(pieces::ending()));
        unpacked.map_err(|error| service.with_composition(error))
    })
}

/// Begins to write a file with this content to the path `to` in a container.
pub(crate) fn write(
    lease: &Arc<Lease>,
    service: &ServiceInfo,
    to: &str,
    content: Vec<u8>,
) -> Operation<()> {
    if let Err(error) = files::check_writable(to, &service.mounted) {
        return Operation::failed(service.attribute(error));
    }
    let (lease, to, owner) = (lease.clone(), to.to_owned(), service.owner);
    let client = lease.client();
    let action = Action::CopyIn {
        to: to.clone(),
        is_file: true,
    };
    let sending = client.act_sending(service.instance, action, lease.caller());
    let mut writer = PieceWriter::new(client, &sending);
    drop(pieces::spawn(move || {
        // What is not taken any more, the answer tells of.
        if files::pack_content(&content, &to, owner, &mut writer).is_ok() {
            let _ = writer.end(Ok(()));
        }
        // The service must not be removed while something is being copied.
        drop(lease);
    }));
    let service = service.clone();
    Operation::new(async move {
        let answered = sending.answer.await;
        let done = answered.unwrap_or_else(|_| Err(pieces::ending()));
        done.map(drop)
            .map_err(|error| service.with_composition(error))
    })
}

/// Begins to read the content of the file `from` of a container.
pub(crate) fn read(lease: &Arc<Lease>, service: &ServiceInfo, from: &str) -> Operation<Vec<u8>> {
    if let Err(error) = files::check_readable(from, &service.mounted) {
        return Operation::failed(service.attribute(error));
    }
    let (lease, from) = (lease.clone(), from.to_owned());
    let client = lease.client();
    let (copy, received) = client.copy_out(service.instance, from.clone(), true, lease.caller());
    let mut reader = PieceReader::new(client, copy, received);
    let info = service.clone();
    let content = pieces::spawn(move || {
        let content = files::unpack_content(&mut reader, &from);
        drop(lease);
        reader.end(content.map_err(|error| info.attribute(error)))
    });
    let service = service.clone();
    Operation::new(async move {
        let content = content.await.unwrap_or_else(|_| Err(pieces::ending()));
        content.map_err(|error| service.with_composition(error))
    })
}
