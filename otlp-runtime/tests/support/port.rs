//! A port that nobody listens on, and that nobody else is given.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fmt;
use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// A socket that is bound and does not listen: a connection to it is refused, and the system chooses its port for nobody as long
/// as this lives, neither for a listener nor for an outgoing connection.
pub(crate) struct UnusedPort {
    socket: TcpSocket,
    address: SocketAddr,
}

impl UnusedPort {
    pub(crate) fn reserve() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // With it Linux lets a listener that names the port, and asks for the same, have it too (ip(7), tcp(7)).
        socket.set_reuseaddr(true).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        Self { socket, address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens at last. Every listener of std and tokio sets `SO_REUSEADDR` on Unix.
    pub(crate) fn listen<L>(self, listen: impl FnOnce(SocketAddr) -> L) -> L {
        let Self { socket, address } = self;
        // Elsewhere the port has to be free.
        let socket = cfg!(target_os = "linux").then_some(socket);
        let listener = listen(address);
        drop(socket);
        listener
    }
}

/// `127.0.0.1:PORT`.
impl fmt::Display for UnusedPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}
