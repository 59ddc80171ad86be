//! As much of Redis's protocol as a lock needs.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a node answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Text(String),
    Number(i64),
    Nothing,
}

/// Sends one command on a connection of its own.
pub(crate) fn command(node: SocketAddr, words: &[&str]) -> io::Result<Reply> {
    let mut stream = TcpStream::connect_timeout(&node, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request += &format!("${}\r\n{word}\r\n", word.len());
    }
    stream.write_all(request.as_bytes())?;
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line)?;
    let (kind, rest) = line.trim_end().split_at_checked(1).unwrap_or_default();
    let number = || rest.parse::<i64>().map_err(io::Error::other);
    match kind {
        "+" => Ok(Reply::Text(rest.to_owned())),
        ":" => Ok(Reply::Number(number()?)),
        "$" => match usize::try_from(number()?) {
            Err(_) => Ok(Reply::Nothing),
            Ok(length) => {
                let mut text = vec![0; length];
                answer.read_exact(&mut text)?;
                String::from_utf8(text)
                    .map(Reply::Text)
                    .map_err(io::Error::other)
            }
        },
        "" => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Err(io::Error::other(rest.to_owned())),
    }
}
