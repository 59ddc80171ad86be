//! The numeric user and group that a container runs as, since archives have no names.

use std::io::Read as _;

use futures_util::StreamExt as _;

use crate::engine::Engine;
use crate::protocol::Owner;

/// The user and group of `user` (`name`, `1000`, `name:group` ..) according to the container's own files. An engine
/// does not start a container with an unknown user, so an unknown name counts as root.
pub(super) async fn of(engine: &Engine, container: &str, user: &str) -> Owner {
    let (user, group) = match user.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (user, None),
    };
    // Most users need no file.
    if let Some(owner) = in_numbers(user, group) {
        return owner;
    }
    let users = text(engine, container, "/etc/passwd").await;
    let groups = match group {
        Some(group) if group.parse::<u32>().is_err() => text(engine, container, "/etc/group").await,
        _ => String::new(),
    };
    named(user, group, &users, &groups)
}

fn in_numbers(user: &str, group: Option<&str>) -> Option<Owner> {
    if user.is_empty() && group.is_none() {
        return Some(Owner::default());
    }
    let (uid, gid) = (user.parse().ok()?, group?.parse().ok()?);
    Some(Owner { uid, gid })
}

fn named(user: &str, group: Option<&str>, users: &str, groups: &str) -> Owner {
    let number = user.parse::<u32>().ok();
    // name:password:uid:gid:..
    let entry = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        (name == user || Some(uid) == number).then_some(Owner { uid, gid })
    });
    let known = entry.unwrap_or(Owner {
        uid: number.unwrap_or(0),
        gid: 0,
    });
    // name:password:gid:..
    let gid_of = |group: &str| {
        group.parse().ok().or_else(|| {
            groups.lines().find_map(|line| {
                let mut fields = line.split(':');
                let name = fields.next()?;
                let gid = fields.nth(1)?.parse().ok()?;
                (name == group).then_some(gid)
            })
        })
    };
    Owner {
        uid: known.uid,
        gid: group.and_then(gid_of).unwrap_or(known.gid),
    }
}

/// The text of a file in the container. Empty if it cannot be read.
async fn text(engine: &Engine, container: &str, path: &str) -> String {
    let mut tar = Vec::new();
    let mut pieces = engine.download(container, path);
    while let Some(Ok(piece)) = pieces.next().await {
        tar.extend(piece);
    }
    let mut text = Vec::new();
    let mut archive = tar::Archive::new(&tar[..]);
    if let Ok(mut entries) = archive.entries()
        && let Some(Ok(mut entry)) = entries.next()
    {
        let _ = entry.read_to_end(&mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_by_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbroken\napp:x:1000:50::/:/bin/sh\n";
        let groups = "root:x:0:\nstaff:x:60:app\n";
        let owner = |user, group| {
            let Owner { uid, gid } =
                in_numbers(user, group).unwrap_or_else(|| named(user, group, users, groups));
            (uid, gid)
        };
        assert_eq!(owner("", None), (0, 0));
        assert_eq!(owner("7", Some("8")), (7, 8));
        assert_eq!(owner("app", None), (1000, 50));
        assert_eq!(owner("1000", None), (1000, 50));
        assert_eq!(owner("1001", None), (1001, 0));
        assert_eq!(owner("app", Some("staff")), (1000, 60));
        assert_eq!(owner("app", Some("61")), (1000, 61));
        assert_eq!(owner("7", Some("staff")), (7, 60));
        assert_eq!(owner("nobody", Some("no")), (0, 0));
    }
}
