//! The least of HTTP/2 that a gRPC client believes in, to misbehave within it (RFC 9113).

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

const PREFACE: usize = 24;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
/// `END_STREAM` of data and headers, `ACK` of settings.
const END: u8 = 1;
const END_HEADERS: u8 = 4;

/// A frame of any kind.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Fields that are written out, as HPACK has them; a `:status` of 200 first, if it is a head.
fn fields(head: bool, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = if head { vec![0x88] } else { Vec::new() };
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend(text.as_bytes());
        }
    }
    block
}

/// The head of a gRPC answer, with more fields.
pub(crate) fn head(stream: u32, more: &[(&str, &str)]) -> Vec<u8> {
    let mut block = fields(true, &[("content-type", "application/grpc")]);
    block.extend(fields(false, more));
    frame(HEADERS, END_HEADERS, stream, &block)
}

pub(crate) fn trailers(stream: u32, status: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END, stream, &fields(false, &[("grpc-status", status)]))
}

/// Part of a message, in frames of the least size that every client takes.
pub(crate) fn data(stream: u32, bytes: &[u8]) -> Vec<u8> {
    bytes.chunks(16_384).flat_map(|part| frame(DATA, 0, stream, part)).collect()
}

pub(crate) fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

/// No stream was handled.
pub(crate) fn go_away(code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[[0; 4], code.to_be_bytes()].concat())
}

/// A head that does not end.
pub(crate) fn endless_head(stream: u32) -> Vec<u8> {
    let long = "x".repeat(100);
    let more: Vec<_> = (0..100).map(|_| ("x-more", long.as_str())).collect();
    let mut frames = frame(HEADERS, 0, stream, &fields(true, &[("content-type", "application/grpc")]));
    for _ in 0..400 {
        frames.extend(frame(CONTINUATION, 0, stream, &fields(false, &more)));
    }
    frames
}

/// Speaks HTTP/2 on `stream` and answers each request with what `answer` makes for it.
pub(crate) fn serve(mut stream: TcpStream, answer: impl Fn(u32) -> Vec<u8>) {
    let _ = talk(&mut stream, answer);
}

fn talk(stream: &mut TcpStream, answer: impl Fn(u32) -> Vec<u8>) -> std::io::Result<()> {
    stream.read_exact(&mut [0; PREFACE])?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[]))?;
    loop {
        let mut start = [0; 9];
        stream.read_exact(&mut start)?;
        let [a, b, c, kind, flags, id @ ..] = start;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut payload)?;
        match kind {
            SETTINGS if flags & END == 0 => stream.write_all(&frame(SETTINGS, END, 0, &[]))?,
            DATA | HEADERS if flags & END != 0 => stream.write_all(&answer(u32::from_be_bytes(id)))?,
            _ => {}
        }
    }
}
