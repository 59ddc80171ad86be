//! Parameters of one test that name each other incorrectly.

use seatrial::Service;

#[seatrial::test]
async fn orders(
    #[service(image = "mariadb:10.11", port = 3306)] db: Service,
    #[service(image = "app", env(URL = "{bd}"), ready(running))] app: Service,
) {
    drop((db, app));
}
