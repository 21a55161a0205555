//! Receivers that take connections and stop reading: what an attempt leaves behind.
#![cfg(all(target_os = "linux", feature = "http", feature = "grpc"))]
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use otlp_runtime::config::TransportProtocol::{Grpc, HttpProtobuf};
use otlp_runtime::transport::Attempt;
use support::*;
use tokio::io::AsyncWriteExt as _;

/// Connections to `port` that our end has not closed (`ESTABLISHED` is 1).
fn open_connections(port: u16) -> usize {
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let is_open = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words[2].ends_with(&format!(":{port:04X}")) && words[3] == "01"
    };
    sockets.lines().skip(1).filter(is_open).count()
}

/// More than the system's buffers hold, so that a part is never written.
#[tokio::test]
async fn an_attempt_that_is_cut_off_leaves_no_connection_behind() {
    for protocol in [HttpProtobuf, Grpc] {
        let (listener, address) = listen().await;
        tokio::spawn(async move {
            let mut kept = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                if protocol == Grpc {
                    // All that HTTP/2 could wait for: a window for everything.
                    stream.write_all(&[0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]).await.unwrap();
                    stream.write_all(&[0, 0, 4, 8, 0, 0, 0, 0, 0, 0x40, 0, 0, 0]).await.unwrap();
                }
                kept.push(stream);
            }
        });
        let transport = transport(protocol, address);
        for _ in 0..3 {
            let limit = Duration::from_millis(200);
            let sending = transport.send(payload(vec![7; 32 << 20]), Attempt::new(limit));
            assert!(tokio::time::timeout(limit, sending).await.is_err(), "{protocol}");
        }
        let start = Instant::now();
        while open_connections(address.port()) > 0 {
            assert!(start.elapsed() < PATIENCE, "{protocol}: {} are left", open_connections(address.port()));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
