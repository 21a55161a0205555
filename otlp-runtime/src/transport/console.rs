//! Readable text on stdout, for looking at while developing. Its format is not stable (spec-checklist LOG10).

mod text;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::{Accepted, Hop, Payload, SendFuture, Transport, TransportError, TransportFactory};
use crate::os::stdout::{self, PIECE, State};

/// How long stdout may take nothing at all until what is left is given up.
const PATIENCE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(10);

/// The factory of the console.
pub(crate) fn build() -> TransportFactory {
    Box::new(|| Arc::new(Console))
}

/// Prints each batch once. It never waits in a system call; one send at a time, else their texts would mix.
struct Console;

impl Transport for Console {
    fn send(&self, payload: Payload) -> SendFuture<'_> {
        Box::pin(print(payload))
    }

    fn endpoint(&self) -> &str {
        "stdout"
    }
}

/// Why stdout did not take a text.
enum Refusal {
    /// Nobody reads.
    Full,
    Closed(String),
}

async fn print(payload: Payload) -> Result<Accepted, TransportError> {
    let mut printed = 0;
    for text in text::spans(&payload.body) {
        let refusal = match write(&text).await {
            Ok(()) => {
                printed += 1;
                continue;
            }
            Err(refusal) => refusal,
        };
        return match refusal {
            Refusal::Full if printed == 0 => Err(TransportError::Retryable {
                cause: "nobody reads what is written".to_owned(),
                after: None,
                may_have_arrived: false,
                at: Hop::Receiver,
            }),
            Refusal::Closed(cause) if printed == 0 => Err(TransportError::Permanent { cause }),
            Refusal::Full => Ok(partly(&payload, printed, "nobody reads what is written".to_owned())),
            Refusal::Closed(cause) => Ok(partly(&payload, printed, cause)),
        };
    }
    Ok(Accepted::default())
}

fn partly(payload: &Payload, printed: u64, cause: String) -> Accepted {
    Accepted { rejected: payload.items.saturating_sub(printed), message: Some(cause) }
}

/// Writes all of `text`, piece by piece.
async fn write(text: &str) -> Result<(), Refusal> {
    let mut rest = text.as_bytes();
    let mut waited = Duration::ZERO;
    while let Some(piece) = rest.get(..rest.len().min(PIECE)).filter(|piece| !piece.is_empty()) {
        let written = match stdout::state() {
            State::Ready => stdout::write(piece),
            State::Full => Err(io::ErrorKind::WouldBlock.into()),
            State::Closed => return Err(Refusal::Closed("it is closed".to_owned())),
        };
        match written {
            Ok(written) => {
                rest = rest.get(written..).unwrap_or_default();
                waited = Duration::ZERO;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if waited >= PATIENCE {
                    return Err(Refusal::Full);
                }
                tokio::time::sleep(LOOK).await;
                waited += LOOK;
            }
            Err(error) => return Err(Refusal::Closed(format!("it cannot be written: {error}"))),
        }
    }
    Ok(())
}
