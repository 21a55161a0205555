//! From a configuration to recording that arrives somewhere, and back.

#[cfg(feature = "export")]
mod ending;
#[cfg(feature = "export")]
mod sigterm;

#[cfg(feature = "export")]
use std::sync::Arc;
use std::time::Duration;
#[cfg(feature = "export")]
use std::time::Instant;

use crate::account::{Severity, Voice};
#[cfg(feature = "export")]
use crate::collector::{self, Pipe};
#[cfg(feature = "export")]
use crate::config::{EndpointKind, EndpointSetting, Source, TransportProtocol};
use crate::config::{LogLevel, OtlpConfig, Resolved, TracesExporters, process_environment};
use crate::error::OtlpError;
#[cfg(feature = "export")]
use crate::os::fork::OfProcess;
#[cfg(feature = "export")]
use crate::transport::{self, Endpoint, Options, TransportFactory, Unusable};

/// A guard that goes within this time was probably not meant to.
#[cfg(feature = "export")]
const AT_ONCE: Duration = Duration::from_millis(10);

/// Starts recording and exporting, as the environment says (see [`OtlpConfig`]): one line at the start of `main`.
///
/// ```no_run
/// # use otlp_runtime as otlp;
/// # use otlp_runtime::error::OtlpError;
/// fn main() -> Result<(), OtlpError> {
///     let _otlp = otlp::init::init()?; // exports in the background; flushes when dropped
///     Ok(())
/// }
/// ```
///
/// # Errors
/// If a pipeline runs already, or no transport is compiled in. What is wrong with the environment is a line on stderr: the
/// program runs, if need be without telemetry.
pub fn init() -> Result<OtlpGuard, OtlpError> {
    OtlpConfig::default().init()
}

/// Starts as `config` says; what is wrong is a line on stderr. For `#[otlp::main]`.
#[doc(hidden)]
pub fn init_or_say(config: OtlpConfig) -> OtlpGuard {
    let (voice, guard) = config.begin();
    guard.unwrap_or_else(|error| {
        voice.say(Severity::Error, &format!("{error}; going on without telemetry"));
        OtlpGuard::inert()
    })
}

impl OtlpConfig {
    /// Starts recording and exporting as this configuration says, and the environment where it says nothing.
    ///
    /// Returns in well under a millisecond: connecting happens in the background, in threads of its own. No runtime is
    /// needed, and one that is there is left alone.
    ///
    /// # Errors
    /// If a value that was set in code cannot be used, if a pipeline runs already, or if the transport is compiled out.
    pub fn init(self) -> Result<OtlpGuard, OtlpError> {
        self.begin().1
    }

    /// The same, and what may be said about it.
    fn begin(self) -> (Voice, Result<OtlpGuard, OtlpError>) {
        if cfg!(otlp_off) {
            return (Voice::of_process(), self.validate().map(|()| OtlpGuard::inert()));
        }
        // Before anything belongs to this process alone.
        crate::record::fork::watch();
        // What they say may also be whether they are to appear.
        let mut lines = Vec::new();
        let resolved = self.resolve(&process_environment, &mut |line| lines.push(line));
        let level = |settings: &Resolved| Voice::up_to(severity(settings.log_level));
        let voice = resolved.as_ref().map_or_else(|_| Voice::of_process(), level);
        lines.iter().for_each(|line| voice.say(Severity::Warn, line));
        (voice, resolved.and_then(|settings| start(&settings, voice)))
    }
}

fn severity(level: LogLevel) -> Option<Severity> {
    match level {
        LogLevel::Off => None,
        LogLevel::Error => Some(Severity::Error),
        LogLevel::Warn => Some(Severity::Warn),
        LogLevel::Info => Some(Severity::Info),
    }
}

fn start(settings: &Resolved, voice: Voice) -> Result<OtlpGuard, OtlpError> {
    if settings.disabled || settings.exporters == TracesExporters::NONE {
        return Ok(OtlpGuard::inert());
    }
    #[cfg(feature = "export")]
    return open(settings, voice);
    #[cfg(not(feature = "export"))]
    {
        let _ = voice;
        Err(OtlpError::FeatureDisabled { wanted: "exporting", feature: settings.protocol.feature() })
    }
}

#[cfg(feature = "export")]
fn transport_of(settings: &Resolved, voice: Voice) -> Result<TransportFactory, OtlpError> {
    let protocol = settings.protocol;
    if !settings.exporters.otlp || protocol == TransportProtocol::Stdout {
        return Ok(transport::console::build());
    }
    let EndpointSetting { url, kind, .. } = &settings.endpoint;
    let name = match kind {
        EndpointKind::Base => "endpoint",
        EndpointKind::Signal => "traces_endpoint",
    };
    let endpoint = Endpoint::parse(name, url, protocol, *kind)?;
    if let Some(withheld) = settings.withheld {
        voice.say(Severity::Warn, &format!("{withheld}; nothing is sent"));
        return Ok(transport::unusable(&endpoint, withheld.to_owned()));
    }
    match Options::new(&settings.delivery, endpoint.is_secure()) {
        Ok(options) => transport::build(protocol, endpoint, options),
        Err(Unusable { error, source: Source::Environment(_) }) => {
            let line = format!("{error}; nothing is sent: put that right and start the program again");
            voice.say(Severity::Warn, &line);
            Ok(transport::unusable(&endpoint, error.to_string()))
        }
        Err(Unusable { error, .. }) => Err(error),
    }
}

#[cfg(feature = "export")]
fn open(settings: &Resolved, voice: Voice) -> Result<OtlpGuard, OtlpError> {
    let transport = transport_of(settings, voice)?;
    match collector::open_global(settings, voice, transport) {
        Ok(pipe) => {
            ending::watch(settings.shutdown_timeout);
            if settings.flush_on_sigterm
                && let Err(error) = sigterm::watch(settings.shutdown_timeout)
            {
                let line = format!("{error}; SIGTERM ends the program as if nothing was set");
                voice.say(Severity::Warn, &line);
            }
            let running = Running {
                pipe,
                timeout: settings.shutdown_timeout,
                since: Instant::now(),
                silence_is_odd: settings.sampler.takes_every_root(),
            };
            Ok(OtlpGuard(Some(OfProcess::new(running))))
        }
        // The system's refusal is no fault of the program, which runs without telemetry.
        Err(error @ OtlpError::Thread { .. }) => {
            voice.say(Severity::Error, &format!("{error}; going on without telemetry"));
            Ok(OtlpGuard::inert())
        }
        Err(error) => Err(error),
    }
}

/// Ends recording and exporting when it is dropped: what was recorded is sent, for which it waits as long as
/// [`OtlpConfig::with_shutdown_timeout`] allows (5 s by default), from any thread and in any state.
///
/// Keep it to the end of `main`: `let _otlp = otlp::init()?;`. With `let _ =` it would be dropped at once.
///
/// If the process ends by [`std::process::exit`], or by returning from `main` while the guard is elsewhere, what was recorded
/// is sent too, for which the process waits for two seconds at most; so it does in a panic where panics abort. A process that
/// calls `_exit` or is killed sends nothing more. A forked child that inherits the guard may drop it: it is its parent's.
#[must_use = "dropping the guard ends telemetry: bind it to a name, as in `let _otlp = otlp::init()?;`"]
#[derive(Debug)]
pub struct OtlpGuard(#[cfg(feature = "export")] Option<OfProcess<Running>>);

#[cfg(feature = "export")]
#[derive(Debug)]
struct Running {
    pipe: Arc<Pipe>,
    timeout: Duration,
    since: Instant,
    /// No sampler keeps spans from being recorded.
    silence_is_odd: bool,
}

impl OtlpGuard {
    fn inert() -> Self {
        Self(
            #[cfg(feature = "export")]
            None,
        )
    }
}

#[cfg(feature = "export")]
impl Drop for OtlpGuard {
    fn drop(&mut self) {
        let Some(Running { pipe, timeout, since, silence_is_odd }) = self.0.as_ref().and_then(OfProcess::get) else {
            return;
        };
        let at_once = *silence_is_odd && since.elapsed() < AT_ONCE;
        let ended = collector::shutdown_or_say(Some(pipe), *timeout);
        if ended && at_once && pipe.counts().recorded == 0 {
            let hint =
                "the guard of `init` was dropped at once, which ends telemetry: write `let _otlp = otlp::init()?;`";
            collector::say("guard dropped at once", hint.to_owned());
        }
    }
}

/// Waits until everything recorded before the call has arrived, at most for `timeout`.
///
/// Recorded before the call is also what other threads recorded, if the program makes sure that they did it before. Works
/// from any thread, with or without a runtime, also while unwinding. Before `init`, after shutdown, and in a forked child that
/// has not called `init` itself, there is nothing to wait for. On the engine's own threads it does not wait.
///
/// # Errors
/// [`OtlpError::DeadlineExceeded`] if some of it has not arrived in time; it stays under way.
/// [`OtlpError::Lost`] if some of it was dropped or rejected.
pub fn flush(timeout: Duration) -> Result<(), OtlpError> {
    #[cfg(feature = "export")]
    return collector::flush(timeout);
    #[cfg(not(feature = "export"))]
    {
        let _ = timeout;
        Ok(())
    }
}

/// [`flush`] for async code: blocks no thread, and needs no runtime. The time runs from the first poll.
///
/// # Errors
/// As [`flush`].
pub fn flush_async(timeout: Duration) -> impl Future<Output = Result<(), OtlpError>> + Send + Sync + Unpin + 'static {
    #[cfg(feature = "export")]
    return collector::flush_async(timeout);
    #[cfg(not(feature = "export"))]
    {
        let _ = timeout;
        std::future::ready(Ok(()))
    }
}

/// Ends recording, sends what was recorded, and returns within `timeout`: what has not arrived by then is dropped and
/// counted. What waits for a retry gets one more attempt at once.
///
/// Afterwards recording does nothing, and another `init` may follow. Before `init`, after another shutdown, and in a forked
/// child that has not called `init` itself, it does nothing.
///
/// # Errors
/// [`OtlpError::DeadlineExceeded`] if the time was over before everything had arrived; [`OtlpError::Lost`] if some of it
/// was dropped or rejected before.
pub fn shutdown(timeout: Duration) -> Result<(), OtlpError> {
    #[cfg(feature = "export")]
    return collector::shutdown(None, timeout).unwrap_or(Ok(()));
    #[cfg(not(feature = "export"))]
    {
        let _ = timeout;
        Ok(())
    }
}
