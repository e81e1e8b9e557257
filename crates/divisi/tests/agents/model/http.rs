//! As much HTTP as coding agents need: one request a connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A request.
pub(crate) struct Request {
    pub(crate) path: String,
    /// What it logs in with.
    pub(crate) key: String,
    pub(crate) body: Vec<u8>,
}

/// Reads one.
pub(crate) fn read(stream: &TcpStream) -> io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default().to_owned();
    let (mut length, mut is_chunked, mut key) = (0, false, String::new());
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? <= 2 {
            break;
        }
        let (name, value) = header.split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "transfer-encoding" => is_chunked = value.contains("chunked"),
            "authorization" | "x-api-key" => value.trim().clone_into(&mut key),
            "expect" => (&*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?,
            _ => {}
        }
    }
    let body = match is_chunked {
        true => read_chunks(&mut reader)?,
        false => read_exactly(&mut reader, length)?,
    };
    Ok(Request { path, key, body })
}

fn read_chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
        body.extend(read_exactly(reader, size)?);
        reader.read_line(&mut String::new())?;
        if size == 0 {
            return Ok(body);
        }
    }
}

fn read_exactly(reader: &mut impl Read, bytes: usize) -> io::Result<Vec<u8>> {
    let mut body = vec![0; bytes];
    reader.read_exact(&mut body)?;
    Ok(body)
}

/// Answers with JSON.
pub(crate) fn answer(
    mut stream: &TcpStream,
    status: u16,
    retry_after: Option<u32>,
    body: &str,
) -> io::Result<()> {
    let retry = retry_after.map_or_else(String::new, |s| format!("retry-after: {s}\r\n"));
    write!(
        stream,
        "HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n{retry}\r\n{body}",
        body.len()
    )
}

/// Answers with a whole stream of events.
pub(crate) fn stream(stream: &TcpStream, events: &[String]) -> io::Result<()> {
    send(stream, events)?;
    (&*stream).write_all(b"0\r\n\r\n")
}

/// Answers with a stream that breaks off after these events.
pub(crate) fn cut(stream: &TcpStream, events: &[String]) -> io::Result<()> {
    send(stream, events)
}

fn send(mut stream: &TcpStream, events: &[String]) -> io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    )?;
    for event in events {
        write!(stream, "{:x}\r\n{event}\r\n", event.len())?;
    }
    Ok(())
}

/// Waits until the other side goes away.
pub(crate) fn wait_for_end(mut stream: &TcpStream) -> io::Result<()> {
    let mut nothing = [0; 64];
    while stream.read(&mut nothing)? > 0 {}
    Ok(())
}
