//! A way through an HTTP proxy: `CONNECT`, for every endpoint.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpStream;

use crate::config::ProxyServer;
use crate::transport::classify::text;

/// No proxy's answer is longer, with all that it says on the way. It also bounds how long one that never stops keeps the export
/// thread from looking at the time.
const MOST: usize = 8 << 10;

/// Asks for a connection to `authority` (`host:port`). Afterwards the bytes on `stream` are the receiver's.
pub(super) async fn tunnel(stream: &TcpStream, proxy: &ProxyServer, authority: &str) -> Result<(), String> {
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    if let Some(credentials) = &proxy.credentials {
        request.push_str("Proxy-Authorization: Basic ");
        STANDARD.encode_string(credentials.reveal(), &mut request);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    send(stream, request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut left = MOST;
    let mut answer = head(stream, &mut left).await.map_err(|error| error.to_string())?;
    // What is said on the way is no answer yet (RFC 9110, section 15.2).
    while answer.starts_with(b"HTTP/1.1 1") {
        answer = head(stream, &mut left).await.map_err(|error| error.to_string())?;
    }
    let line = answer.split(|&byte| byte == b'\n').next().unwrap_or_default();
    // The reason phrase may be left out, and the space before it (RFC 9112, section 4).
    let mut words = line.trim_ascii_end().split(|&byte| byte == b' ');
    let is_http = words.next().is_some_and(|version| version.starts_with(b"HTTP/1."));
    match words.next() {
        Some([b'2', _, _]) if is_http => Ok(()),
        Some(b"407") if is_http => Err("it wants other credentials: `http://user:password@host:port`".to_owned()),
        _ if is_http => Err(format!("it refuses: {}", text(line))),
        _ => Err("it does not answer as a proxy".to_owned()),
    }
}

async fn send(stream: &TcpStream, mut request: &[u8]) -> io::Result<()> {
    while !request.is_empty() {
        stream.writable().await?;
        match stream.try_write(request) {
            Ok(written) => request = request.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// One head of an answer, which takes its bytes from those that are `left`.
async fn head(stream: &TcpStream, left: &mut usize) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    // Byte by byte: what follows the answer belongs to the receiver.
    while !answer.ends_with(b"\r\n\r\n") {
        stream.readable().await?;
        let mut byte = [0];
        match stream.try_read(&mut byte) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                *left = left.checked_sub(read).ok_or_else(|| io::Error::other("its answer does not end"))?;
                answer.extend_from_slice(&byte);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(answer)
}
