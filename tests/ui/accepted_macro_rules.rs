//! Declarations by a user's macro, with fragments of every kind.

use seatrial::{Composition, Service};

macro_rules! shop {
    (
        $(#[$attribute:meta])* $visibility:vis $name:ident, $test:ident, $field:ident: $ty:ty,
        $image:literal, $port:expr, $hook:path, $scope:ident, $time:literal, $text:expr, $settings:tt
    ) => {
        $(#[$attribute])*
        #[derive(Composition)]
        #[composition(scope = $scope)]
        $visibility struct $name {
            #[service(
                image = $image,
                port = $port,
                ports(admin = 81, 82),
                env($field = $text, A = $image, N = $port),
                command = [$text, $image],
                files("/etc/app.conf" = $text),
                labels("a" = $text),
                ready(with = $hook, tcp($port, admin), timeout = $time),
                setup(with = $hook, key = $text),
                setup(exec = $text, key = $image),
            )]
            db: Service,
            #[service(image = $image, env(DATABASE = "{db.host}:{db.port.admin}"), needs(db), ready(running))]
            pub(crate) $field: $ty,
            #[service $settings]
            service: $ty,
        }

        #[seatrial::test(timeout = $time)]
        fn $test(shop: $name, #[service(image = $image, port = $port)] $field: $ty) {
            drop((shop.db, shop.$field, shop.service, $field));
        }
    };
}

async fn service(_: &Service) -> Result<(), String> {
    Ok(())
}

shop!(
    /// Documented.
    pub(crate) Shop, works, app: Service,
    "redis:7", 80, self::service, binary, "1s", "text", (image = "a", ready(running))
);
