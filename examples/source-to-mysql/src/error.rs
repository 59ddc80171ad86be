//! What can go wrong, in the order book's own terms: callers match on these, never on the client's errors.

use crate::CustomerId;

/// What the order book's operations return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation failed. Whatever it was, nothing of it was stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another customer has this address.
    #[error("the address `{0}` is taken")]
    EmailTaken(String),
    /// There is no such customer.
    #[error("there is no customer {0}")]
    UnknownCustomer(CustomerId),
    /// There is no such product.
    #[error("there is no product `{0}`")]
    UnknownProduct(String),
    /// An order needs at least one line, and each line at least one piece.
    #[error("the order is empty")]
    EmptyOrder,
    /// There is less in stock than was ordered.
    #[error("only {left} of `{sku}` left, {wanted} wanted")]
    OutOfStock {
        /// The product.
        sku: String,
        /// How many were ordered.
        wanted: u32,
        /// How many there are.
        left: u32,
    },
    /// The database does not hold the tables this library works with.
    #[error("the database has schema version {found:?}, this library works with {expected}")]
    Schema {
        /// The version this library works with.
        expected: u32,
        /// The version that is there; `None` for no tables at all.
        found: Option<u32>,
    },
    /// Anything else that the database or the connection to it says.
    #[error("the database failed")]
    Database(#[from] mysql_async::Error),
}

impl From<mysql_async::UrlError> for Error {
    fn from(error: mysql_async::UrlError) -> Self {
        Self::Database(error.into())
    }
}

/// `ER_DUP_ENTRY`: a row with this unique key is there already.
pub(crate) const DUPLICATE: u16 = 1062;
/// `ER_NO_SUCH_TABLE`
pub(crate) const NO_SUCH_TABLE: u16 = 1146;
/// `ER_NO_REFERENCED_ROW_2`: the row that a foreign key names is not there.
pub(crate) const NO_REFERENCED_ROW: u16 = 1452;

/// The server's number for an error, where it is the server that speaks.
pub(crate) fn code(error: &mysql_async::Error) -> Option<u16> {
    match error {
        mysql_async::Error::Server(server) => Some(server.code),
        _ => None,
    }
}
