//! As much of PostgreSQL's protocol as tests need: one connection, queries as text.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The kinds of messages that mean something in an answer.
const DATA_ROW: u8 = b'D';
const ERROR_RESPONSE: u8 = b'E';
const READY_FOR_QUERY: u8 = b'Z';

/// A connection to a server that trusts everyone.
#[derive(Debug)]
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Connects as `postgres`, on the runtime that this is awaited on: the connection works while that does.
    ///
    /// # Errors
    ///
    /// Where nothing answers, or the server refuses.
    pub async fn open(server: SocketAddr) -> io::Result<Self> {
        let stream = within_patience(TcpStream::connect(server)).await?;
        let mut connection = Self(BufReader::new(stream));
        let startup = with_length(b"\0\x03\0\0user\0postgres\0\0");
        connection.0.write_all(&startup).await?;
        connection.answer().await?;
        Ok(connection)
    }

    /// The rows that a query returns, as text.
    ///
    /// # Errors
    ///
    /// Where the server reports an error, or does not answer.
    pub async fn query(&mut self, query: &str) -> io::Result<Vec<Vec<String>>> {
        let mut request = vec![b'Q'];
        request.extend(with_length(format!("{query}\0").as_bytes()));
        self.0.write_all(&request).await?;
        self.answer().await
    }

    /// All that comes until the server is ready for the next query.
    async fn answer(&mut self) -> io::Result<Vec<Vec<String>>> {
        let mut rows = Vec::new();
        let mut failed = None;
        loop {
            let (kind, body) = within_patience(self.message()).await?;
            match kind {
                DATA_ROW => rows.push(row(&body)?),
                ERROR_RESPONSE => failed = Some(error(&body)),
                READY_FOR_QUERY => return failed.map_or(Ok(rows), Err),
                _ => {}
            }
        }
    }

    async fn message(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let kind = match self.0.read_u8().await {
            // The server has said why before.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(io::Error::new(
                    error.kind(),
                    "the server has closed the connection",
                ));
            }
            other => other?,
        };
        // The length counts itself.
        let length = self.0.read_u32().await?.saturating_sub(4);
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok((kind, body))
    }
}

/// A text as it is written in a query.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

async fn within_patience<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let outcome = timeout(PATIENCE, work).await;
    outcome.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// The body of a message, behind the length that it has on the wire.
fn with_length(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a short message");
    [&length.to_be_bytes(), body].concat()
}

fn row(body: &[u8]) -> io::Result<Vec<String>> {
    let malformed = || io::Error::from(io::ErrorKind::InvalidData);
    let (_count, mut rest) = body.split_at_checked(2).ok_or_else(malformed)?;
    let mut fields = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        // A negative length is that of nothing.
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
        let (field, after) = after.split_at_checked(length).ok_or_else(malformed)?;
        fields.push(String::from_utf8_lossy(field).into_owned());
        rest = after;
    }
    Ok(fields)
}

fn error(body: &[u8]) -> io::Error {
    let fields = body.split(|byte| *byte == 0).filter_map(|field| {
        let (kind, text) = field.split_first()?;
        Some((*kind, String::from_utf8_lossy(text)))
    });
    let fields: HashMap<u8, _> = fields.collect();
    io::Error::other(
        fields
            .get(&b'M')
            .map_or("an error without a text", |text| text)
            .to_owned(),
    )
}
