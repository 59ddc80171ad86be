//! A service of this package's own: listens on the port that `PORT` says, and tells every connection where it is.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};

fn main() -> anyhow::Result<()> {
    let port: u16 = std::env::var("PORT")?.parse()?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    println!("on station");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let directory = std::env::current_dir()?;
    for connection in listener.incoming() {
        // Who only looks whether somebody listens is gone before there is an answer.
        let _ = writeln!(
            connection?,
            "{} {}",
            directory.display(),
            arguments.join(" ")
        );
    }
    Ok(())
}
