//! `cfg` and `cfg_attr` on fields and parameters: those whose condition does not hold are absent.

use seatrial::{Composition, Service};

#[derive(Composition)]
#[cfg_attr(all(), composition(scope = binary))]
struct Shop {
    #[cfg(any())]
    #[service(image = "Not an image", ready(running))]
    gone: Elsewhere,
    #[cfg(all())]
    #[cfg_attr(any(), service(image = "Not an image"))]
    #[cfg_attr(all(), service(image = "redis:7", port = 6379))]
    cache: Service,
}

#[seatrial::test(timeout = "30s")]
async fn parameters(
    #[cfg(any())] gone: Elsewhere,
    #[cfg(any())]
    #[service(image = "Not an image", ready(running))]
    gone_too: Service,
    #[cfg(all())] shop: Shop,
    #[cfg(all(unix, windows))] unix_and_windows: Shop,
    #[cfg(not(all(unix, windows)))] not_both: Shop,
    #[cfg_attr(all(), service(image = "redis:7", port = 6379), allow(unused))] mut cache: Service,
    #[cfg_attr(any(), service(image = "redis:7"))]
    #[cfg_attr(true, composition(scope = test))]
    own: Shop,
) -> Result<(), String> {
    #[cfg(any())]
    drop((gone, gone_too));
    drop((shop.cache, not_both, cache, own));
    Ok(())
}

#[seatrial::test]
fn nothing_is_left(#[cfg(any())] gone: Elsewhere) {}
