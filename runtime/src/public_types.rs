//! Promises of the public types beside their methods: they can be sent to other threads, they borrow nothing, and they are not
//! serializable, so that they can grow.

use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind, Exec, ExecOutput, Job, KeptService, LogLine, LogLines, Operation, PortKey,
    Service, ServiceExit, ServiceStatus,
};

fn is_send_sync_static<T: Send + Sync + 'static>() {}

#[test]
fn handles_errors_and_values_are_for_every_thread() {
    is_send_sync_static::<Service>();
    is_send_sync_static::<Exec>();
    is_send_sync_static::<Job>();
    is_send_sync_static::<LogLines>();
    is_send_sync_static::<PortKey<'static>>();
    is_send_sync_static::<Error>();
    is_send_sync_static::<ErrorKind>();
    is_send_sync_static::<LogLine>();
    is_send_sync_static::<ExecOutput>();
    is_send_sync_static::<KeptService>();
    is_send_sync_static::<ServiceStatus>();
    is_send_sync_static::<ServiceExit>();
    // Whatever its value is: only whoever owns an operation gets that.
    is_send_sync_static::<Operation<()>>();
    is_send_sync_static::<Operation<std::cell::Cell<u8>>>();
}

/// Does not compile where a type has the trait: then it is not clear which of two implementations is meant.
macro_rules! assert_not_implemented {
    ($trait:path: $($type:ty),+ $(,)?) => {{
        trait Ambiguous<Which> {
            fn chosen() {}
        }
        struct IfImplemented;
        impl<T: ?Sized> Ambiguous<()> for T {}
        impl<T: ?Sized + $trait> Ambiguous<IfImplemented> for T {}
        $(<$type as Ambiguous<_>>::chosen();)+
    }};
}

#[test]
fn what_users_are_given_is_not_serializable() {
    assert_not_implemented!(Serialize: Service, Job, Exec, LogLines, PortKey<'static>, Operation<()>);
    assert_not_implemented!(Serialize: Error, ErrorKind, LogLine, ExecOutput, KeptService);
    assert_not_implemented!(Serialize: ServiceStatus, ServiceExit);
    assert_not_implemented!(Deserialize<'static>: Service, Job, Exec, LogLines, PortKey<'static>);
    assert_not_implemented!(Deserialize<'static>: Operation<()>, Error, ErrorKind, LogLine);
    assert_not_implemented!(Deserialize<'static>: ExecOutput, KeptService);
    assert_not_implemented!(Deserialize<'static>: ServiceStatus, ServiceExit);
}
