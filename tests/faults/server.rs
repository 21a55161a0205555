//! Servers that behave badly below HTTP.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use otlp::testing::Collector;

/// A listener that gives each connection to a thread of its own. It lives as long as the test program.
pub(crate) struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// `serve` gets each connection and its number.
    pub(crate) fn start(serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        let serve = Arc::new(serve);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                let _ = stream.set_nodelay(true);
                let (number, serve) = (counter.fetch_add(1, Ordering::Relaxed), Arc::clone(&serve));
                std::thread::spawn(move || serve(stream, number));
            }
        });
        Self { port, connections }
    }

    /// The first `times` connections get `fault`, the others are handed to `then`.
    pub(crate) fn recovering(times: usize, fault: fn(TcpStream), then: &Collector) -> Self {
        let port = then.port();
        Self::start(move |stream, number| if number < times { fault(stream) } else { pass_on(stream, port) })
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

fn pass_on(client: TcpStream, port: u16) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return };
    let _ = server.set_nodelay(true);
    let copy = |from: &TcpStream, to: &TcpStream| {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        })
    };
    let both = [copy(&client, &server), copy(&server, &client)];
    both.into_iter().for_each(|thread| drop(thread.join()));
}

/// Reads a request of HTTP/1.1 whole; whether one came.
pub(crate) fn read_request(stream: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_exact(&mut byte).is_err() {
            return false;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let mut body = vec![0; length.unwrap_or("0").trim().parse().unwrap()];
    stream.read_exact(&mut body).is_ok()
}

/// Answers every request of the connection with these bytes.
pub(crate) fn answer(mut stream: TcpStream, answer: &[u8]) {
    while read_request(&mut stream) {
        if stream.write_all(answer).is_err() {
            return;
        }
    }
}

/// Writes `bytes` one by one, slowly, until the other end has had enough.
pub(crate) fn trickle(mut stream: TcpStream, bytes: &[u8]) {
    for byte in bytes.iter().cycle() {
        if stream.write_all(std::slice::from_ref(byte)).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Takes whatever comes, without an answer, until the other end has gone.
pub(crate) fn swallow(mut stream: TcpStream) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}
