//! The transport of settings that allow no request.

use std::sync::Arc;

use super::{Attempt, Endpoint, Payload, SendFuture, Transport, TransportError, TransportFactory};

/// A transport that sends nothing, and says why.
pub fn unusable(endpoint: &Endpoint, cause: String) -> TransportFactory {
    let transport = Inert { display: endpoint.to_string(), cause };
    Box::new(move || Arc::new(transport))
}

#[derive(Debug)]
struct Inert {
    display: String,
    cause: String,
}

impl Transport for Inert {
    fn send(&self, _: Payload, _: Attempt) -> SendFuture<'_> {
        let cause = self.cause.clone();
        Box::pin(async { Err(TransportError::Unsendable { cause }) })
    }

    fn endpoint(&self) -> &str {
        &self.display
    }
}
