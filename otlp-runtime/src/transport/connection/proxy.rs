//! A way through an HTTP proxy: `CONNECT`, for every endpoint.

use std::io;

use tokio::net::TcpStream;

use crate::config::Proxy;
use crate::transport::classify::text;

/// No proxy's answer is longer.
const MOST: usize = 8 << 10;

/// Asks for a connection to `authority` (`host:port`). Afterwards the bytes on `stream` are the receiver's.
pub(super) async fn tunnel(stream: &TcpStream, proxy: &Proxy, authority: &str) -> Result<(), String> {
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    if let Some(credentials) = &proxy.credentials {
        request.push_str("Proxy-Authorization: Basic ");
        base64(credentials.reveal().as_bytes(), &mut request);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    let answer = exchange(stream, request.as_bytes()).await.map_err(|error| format!("the proxy: {error}"))?;
    let line = answer.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut words = line.split(|&byte| byte == b' ');
    let is_http = words.next().is_some_and(|version| version.starts_with(b"HTTP/1."));
    match words.next() {
        Some([b'2', _, _]) if is_http => Ok(()),
        Some(b"407") if is_http => {
            Err("the proxy wants other credentials: `http://user:password@host:port`".to_owned())
        }
        _ if is_http => Err(format!("the proxy refuses: {}", text(line))),
        _ => Err("what is set as the proxy does not answer as one".to_owned()),
    }
}

async fn exchange(stream: &TcpStream, mut request: &[u8]) -> io::Result<Vec<u8>> {
    while !request.is_empty() {
        stream.writable().await?;
        match stream.try_write(request) {
            Ok(written) => request = request.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    let mut answer = Vec::new();
    // Byte by byte: what follows the answer belongs to the receiver.
    while !answer.ends_with(b"\r\n\r\n") {
        stream.readable().await?;
        let mut byte = [0];
        match stream.try_read(&mut byte) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) if answer.len() >= MOST => return Err(io::Error::other("its answer does not end")),
            Ok(_) => answer.extend_from_slice(&byte),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(answer)
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) & 63;
            let shown = if digit <= chunk.len() { DIGITS.get(value as usize).copied() } else { None };
            out.push(shown.map_or('=', char::from));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_rfc_4648() {
        for (plain, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("\u{fc}~?", "w7x+Pw==")]
        {
            let mut out = String::new();
            base64(plain.as_bytes(), &mut out);
            assert_eq!(out, encoded);
        }
    }
}
