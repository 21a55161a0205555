//! Readable text on stdout, for looking at while developing. Its format is not stable (spec-checklist LOG10).

#[cfg(test)]
mod tests;
mod text;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::sync::Mutex;

use super::{Accepted, Attempt, Hop, Payload, SendFuture, Transport, TransportError, TransportFactory};
use crate::os::stdout::{self, PIECE, State};

/// How long stdout may take nothing at all until an attempt is given up.
const PATIENCE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(10);

/// The factory of the console.
pub(crate) fn build() -> TransportFactory {
    Box::new(|| Arc::new(Console::to(Stdout)))
}

/// Where text goes. Neither waits.
trait Out: Send + Sync + 'static {
    fn state(&self) -> State;

    /// Writes some of `bytes`, at most [`PIECE`] of them.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;
}

struct Stdout;

impl Out for Stdout {
    fn state(&self) -> State {
        stdout::state()
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        stdout::write(bytes)
    }
}

/// Prints each span once, and whole: an attempt goes on where the one before stopped. One at a time, else their texts
/// would mix.
struct Console<O> {
    out: O,
    begun: Mutex<Vec<Begun>>,
}

/// A batch that has been printed in part.
struct Begun {
    /// By its place in memory the batch is known again, so that is kept.
    body: Bytes,
    /// Spans that were printed.
    printed: u64,
    /// What is left of the text of the next one.
    rest: Bytes,
    /// Some of that text was printed. One text at most is cut at a time.
    is_cut: bool,
}

impl Begun {
    fn new(body: &Bytes) -> Self {
        Self { body: body.clone(), printed: 0, rest: Bytes::new(), is_cut: false }
    }

    fn is_of(&self, body: &Bytes) -> bool {
        (self.body.as_ptr(), self.body.len()) == (body.as_ptr(), body.len())
    }

    /// It may come again, or its end has to come before other texts.
    fn is_wanted(&self) -> bool {
        self.is_cut || !self.body.is_unique()
    }
}

impl<O: Out> Transport for Console<O> {
    fn send(&self, payload: Payload, _: Attempt) -> SendFuture<'_> {
        Box::pin(self.print(payload))
    }

    fn endpoint(&self) -> &str {
        "stdout"
    }
}

/// Why a text was not taken.
enum Refusal {
    /// Nobody reads.
    Full,
    Closed(String),
}

impl<O: Out> Console<O> {
    fn to(out: O) -> Self {
        Self { out, begun: Mutex::default() }
    }

    /// Prints what has not been printed of a batch. What has is kept until the batch is over, or is given up by all others.
    async fn print(&self, payload: Payload) -> Result<Accepted, TransportError> {
        let (body, mut begun) = (&payload.body, self.begun.lock().await);
        begun.retain(Begun::is_wanted);
        if !begun.iter().any(|begun| begun.is_of(body)) {
            begun.push(Begun::new(body));
        }
        let ended = self.go_on(&mut begun, body).await;
        let this = begun.iter().find(|begun| begun.is_of(body));
        let (printed, is_cut) = this.map_or((0, false), |this| (this.printed, this.is_cut));
        let answer = match ended {
            Ok(()) => Ok(Accepted::default()),
            Err(Refusal::Full) => Err(TransportError::Retryable {
                cause: "nobody reads what is written".to_owned(),
                after: None,
                may_have_arrived: printed > 0 || is_cut,
                at: Hop::Receiver,
            }),
            Err(Refusal::Closed(cause)) if printed == 0 => Err(TransportError::Permanent { cause }),
            Err(Refusal::Closed(cause)) => {
                Ok(Accepted { rejected: payload.items.saturating_sub(printed), message: Some(cause) })
            }
        };
        let may_go_on = matches!(answer, Err(TransportError::Retryable { may_have_arrived: true, .. }));
        begun.retain(|begun| may_go_on || !begun.is_of(body));
        answer
    }

    /// Prints the rest of a text that was cut, whosever it is, and then what is left of the batch.
    async fn go_on(&self, begun: &mut [Begun], body: &Bytes) -> Result<(), Refusal> {
        for cut in begun.iter_mut().filter(|begun| begun.is_cut) {
            self.finish(cut).await?;
        }
        for this in begun.iter_mut().filter(|begun| begun.is_of(body)) {
            let printed = usize::try_from(this.printed).unwrap_or(usize::MAX);
            for text in text::spans(body).skip(printed) {
                this.rest = text.into();
                self.finish(this).await?;
            }
        }
        Ok(())
    }

    /// Prints the rest of a text, piece by piece.
    async fn finish(&self, begun: &mut Begun) -> Result<(), Refusal> {
        let mut waited = Duration::ZERO;
        while let Some(piece) = begun.rest.get(..begun.rest.len().min(PIECE)).filter(|piece| !piece.is_empty()) {
            let written = match self.out.state() {
                State::Ready => self.out.write(piece),
                State::Full => Err(io::ErrorKind::WouldBlock.into()),
                State::Closed => return Err(Refusal::Closed("it is closed".to_owned())),
            };
            match written {
                Ok(0) => return Err(Refusal::Closed("it takes nothing".to_owned())),
                Ok(written) => {
                    begun.rest.advance(written);
                    begun.is_cut = true;
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
        begun.printed += 1;
        begun.is_cut = false;
        Ok(())
    }
}
