//! What the public types promise beside their methods: they are not serializable, so that they can grow.

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, ExecOutput, KeptService, LogLine, LogLines, Operation, Service};

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
    assert_not_implemented!(Serialize: Service, LogLines, Operation<()>);
    assert_not_implemented!(Serialize: Error, ErrorKind, LogLine, ExecOutput, KeptService);
    assert_not_implemented!(Deserialize<'static>: Error, ErrorKind, LogLine, ExecOutput);
    assert_not_implemented!(Deserialize<'static>: KeptService);
}
