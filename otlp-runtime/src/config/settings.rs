//! What the program itself sets.

use std::fmt;
use std::time::Duration;

use super::delivery::DeliverySettings;
use super::{
    EndpointKind, LogLevel, ResourceDetector, ResourceDetectors, Sampler, SpanLimits, TracesExporter, TracesExporters,
    TransportProtocol,
};
use crate::data::{AttributeValue, Resource, Schema};
use crate::error::without_secrets;

/// How telemetry is recorded and where it goes. A new one sets nothing: then the environment decides, and then the
/// defaults, which are written at each method.
///
/// What is set here wins over the environment. A value that cannot be used is an error of `validate` and of `init`,
/// before any thread starts. `Debug` shows no secret.
///
#[doc = include_str!("variables.md")]
#[derive(Clone, Default)]
#[must_use = "a configuration does nothing until it is used"]
pub struct OtlpConfig {
    pub(super) endpoint: Option<(String, EndpointKind)>,
    pub(super) protocol: Option<TransportProtocol>,
    pub(super) service: Option<Service>,
    pub(super) attributes: Vec<(String, AttributeValue)>,
    pub(super) schemas: Vec<Schema>,
    pub(super) detectors: Option<ResourceDetectors>,
    pub(super) sampler: Option<Sampler>,
    pub(super) filter: Option<String>,
    pub(super) span_limits: SpanLimits,
    pub(super) exporters: Option<TracesExporters>,
    pub(super) log_level: Option<LogLevel>,
    pub(super) batch_size: Option<usize>,
    pub(super) batch_bytes: Option<usize>,
    pub(super) queue_size: Option<usize>,
    pub(super) schedule_delay: Option<Duration>,
    pub(super) export_timeout: Option<Duration>,
    pub(super) timeout: Option<Duration>,
    pub(super) memory_limit: Option<usize>,
    pub(super) shutdown_timeout: Option<Duration>,
    pub(super) flush_on_sigterm: bool,
    pub(super) concurrency: Option<usize>,
    pub(super) delivery: DeliverySettings,
    pub(super) disabled: Option<bool>,
    pub(super) no_env: bool,
}

/// The name and version given to `with_service`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) version: String,
}

impl OtlpConfig {
    /// Where to send to: `https://host:port` or `http://host:port`, for gRPC also `host:port`, which means TLS. Over HTTP, `/v1/traces` is added to the path.
    ///
    /// Default: `http://localhost:4318`, for gRPC `http://localhost:4317`.
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some((url.into(), EndpointKind::Base));
        self
    }

    /// Where to send traces to, instead of [`with_endpoint`](Self::with_endpoint): the path is used as it is.
    pub fn with_traces_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some((url.into(), EndpointKind::Signal));
        self
    }

    /// How telemetry travels. Default: [`TransportProtocol::HttpProtobuf`].
    pub fn with_protocol(mut self, protocol: TransportProtocol) -> Self {
        self.protocol = Some(protocol);
        self
    }

    /// The attributes `service.name` and `service.version`; an empty version is left out. Wins over
    /// [`with_resource_attribute`](Self::with_resource_attribute).
    ///
    /// Default: `unknown_service:` and the name of the executable.
    pub fn with_service(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.service = Some(Service { name: name.into(), version: version.into() });
        self
    }

    /// One attribute of the program, over an earlier value of the same key. `telemetry.sdk.*` always name otlp.
    pub fn with_resource_attribute(mut self, key: impl Into<String>, value: impl Into<AttributeValue>) -> Self {
        self.attributes.push((key.into(), value.into()));
        self
    }

    /// Attributes of the program, each as by [`with_resource_attribute`](Self::with_resource_attribute), and the schema that they
    /// follow, if the resource has a [schema URL](Resource::with_schema_url). Two resources with different ones are an error.
    ///
    /// Default of the schema: [`SCHEMA_URL`](crate::data::SCHEMA_URL), which is that of what
    /// [is found out](Self::with_resource_detectors). Where you set another one and something is found out, no schema
    /// describes all attributes: they are sent without a schema URL from then on, and a line on stderr says so. What otlp
    /// itself knows (`service.*`, `telemetry.sdk.*`) is stable, the same in every version, and follows yours.
    ///
    /// ```
    /// # use otlp_runtime as otlp;
    /// # use otlp::{config::OtlpConfig, data::Resource};
    /// let mut resource = Resource::new().with_schema_url("https://example.com/schemas/1.0.0");
    /// resource.set("example.team", "checkout");
    /// let config = OtlpConfig::default().with_resource(resource).with_resource_detectors([]);
    /// ```
    pub fn with_resource(mut self, resource: Resource) -> Self {
        self.attributes.extend(resource.iter().map(|(key, value)| (key.to_owned(), value.clone())));
        self.schemas.push(resource.schema().clone());
        self
    }

    /// Which attributes of the program are found out. That happens in the background: `init` does not wait for it, and the
    /// first batch at most 2 s; one that is full goes without, and so does one for which a flush or shutdown has waited half
    /// of its time. What is set otherwise, in code or by the environment, wins. Default: all; an empty list: none.
    ///
    /// ```
    /// # use otlp_runtime as otlp;
    /// # use otlp::config::{OtlpConfig, ResourceDetector};
    /// let config = OtlpConfig::default().with_resource_detectors([ResourceDetector::Service, ResourceDetector::Host]);
    /// ```
    pub fn with_resource_detectors(mut self, detectors: impl IntoIterator<Item = ResourceDetector>) -> Self {
        self.detectors = Some(detectors.into_iter().collect());
        self
    }

    /// Which traces are recorded. Default: as the parent says, and every trace that starts here.
    pub fn with_sampler(mut self, sampler: impl Into<Sampler>) -> Self {
        self.sampler = Some(sampler.into());
        self
    }

    /// Which callsites are recorded: directives with commas between, each a level (`off`, `error`, `warn`, `info`, `debug`,
    /// `trace`) or `path=level`, as in `info,shop::db=debug,hyper=off`. Default: everything is.
    ///
    /// It holds until `otlp::set_filter` sets another; what the directives mean is said there.
    pub fn with_filter(mut self, directives: impl Into<String>) -> Self {
        self.filter = Some(directives.into());
        self
    }

    /// How much of one span is exported: attributes, events, links, and the length of values. Default: the
    /// specification's, which are written at each limit.
    pub fn with_span_limits(mut self, limits: SpanLimits) -> Self {
        self.span_limits = limits;
        self
    }

    /// How many items a batch holds at most. Default: 8192.
    pub fn with_batch_size(mut self, items: usize) -> Self {
        self.batch_size = Some(items);
        self
    }

    /// At which size in encoded bytes a batch is sent. Default: 1 MiB, or an eighth of the memory limit if that is less.
    pub fn with_batch_bytes(mut self, bytes: usize) -> Self {
        self.batch_bytes = Some(bytes);
        self
    }

    /// How many items may wait in closed batches or be under way, beside the limit in bytes
    /// ([`with_memory_limit`](Self::with_memory_limit)); what does not fit is dropped and counted. Batches then hold at most
    /// a quarter of it, unless their size is set too, and never more than all of it. Default: no limit but that in bytes.
    pub fn with_queue_size(mut self, items: usize) -> Self {
        self.queue_size = Some(items);
        self
    }

    /// How long an item waits at most for its batch to fill. Default: 1 s.
    pub fn with_schedule_delay(mut self, delay: Duration) -> Self {
        self.schedule_delay = Some(delay);
        self
    }

    /// How long one attempt to send may take; retries have time of their own. Default: 10 s.
    pub fn with_timeout(mut self, per_attempt: Duration) -> Self {
        self.timeout = Some(per_attempt);
        self
    }

    /// How long sending a batch may take, all retries included, from its first attempt; afterwards it is dropped and
    /// counted. Default: 300 s.
    pub fn with_export_timeout(mut self, per_batch: Duration) -> Self {
        self.export_timeout = Some(per_batch);
        self
    }

    /// Where traces go. An empty list: nowhere, and then nothing is recorded. Default: [`TracesExporter::Otlp`] alone, or
    /// the console with the protocol [`TransportProtocol::Stdout`].
    ///
    /// ```
    /// # use otlp_runtime as otlp;
    /// # use otlp::config::{OtlpConfig, TracesExporter};
    /// let config = OtlpConfig::default().with_traces_exporters([TracesExporter::Otlp, TracesExporter::Console]);
    /// ```
    pub fn with_traces_exporters(mut self, exporters: impl IntoIterator<Item = TracesExporter>) -> Self {
        self.exporters = Some(exporters.into_iter().collect());
        self
    }

    /// Which of its own lines otlp writes to stderr. It holds for the whole process, from `init` on. Default:
    /// [`LogLevel::Info`], which is all of them.
    pub fn with_log_level(mut self, level: LogLevel) -> Self {
        self.log_level = Some(level);
        self
    }

    /// How many bytes recorded and unsent telemetry may take in all; what does not fit is dropped and counted.
    /// Default: 32 MiB; the least is 1 MiB.
    pub fn with_memory_limit(mut self, bytes: usize) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// How long dropping the guard of `init` may wait for the last telemetry to arrive. Default: 5 s.
    pub fn with_shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = Some(timeout);
        self
    }

    /// `true`: SIGTERM is held up until what was recorded has arrived, for the
    /// [shutdown time-out](Self::with_shutdown_timeout) at most, and then takes its course: it ends the process, or goes to
    /// the handler that the program had at the time of `init`. A second one does so at once. Default: `false`.
    ///
    /// For programs that do not handle SIGTERM themselves. Those that do, with tokio's `signal` for example, return from
    /// `main` then, which drops the guard; a handler that is installed after `init` replaces this one. A SIGTERM that the
    /// process ignores stays ignored. It holds from `init` on for as long as the process lives. On Linux and macOS;
    /// elsewhere it does nothing.
    pub fn with_flush_on_sigterm(mut self, hold: bool) -> Self {
        self.flush_on_sigterm = hold;
        self
    }

    /// How many requests may be under way at once. Default: 8.
    pub fn with_concurrency(mut self, requests: usize) -> Self {
        self.concurrency = Some(requests);
        self
    }

    /// `true`: `init` starts nothing, so that nothing is recorded or sent. Default: `false`.
    pub fn with_disabled(mut self, disabled: bool) -> Self {
        self.disabled = Some(disabled);
        self
    }

    /// Whether the environment is read. Default: `true`.
    pub fn with_env(mut self, read: bool) -> Self {
        self.no_env = !read;
        self
    }
}

/// What is set; of attributes the keys only, and a URL without user information and query.
impl fmt::Debug for OtlpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn some<T: fmt::Debug>(s: &mut fmt::DebugStruct<'_, '_>, name: &str, value: Option<&T>) {
            if let Some(value) = value {
                s.field(name, value);
            }
        }
        let mut s = f.debug_struct("OtlpConfig");
        some(&mut s, "endpoint", self.endpoint.as_ref().map(|(url, kind)| (without_secrets(url), kind)).as_ref());
        some(&mut s, "protocol", self.protocol.as_ref());
        some(&mut s, "service", self.service.as_ref());
        let keys: Vec<&str> = self.attributes.iter().map(|(key, _)| key.as_str()).collect();
        some(&mut s, "resource_attributes", Some(&keys).filter(|keys| !keys.is_empty()));
        let urls: Vec<_> = self.schemas.iter().filter_map(Schema::url).map(without_secrets).collect();
        some(&mut s, "schema_urls", Some(&urls).filter(|urls| !urls.is_empty()));
        some(&mut s, "resource_detectors", self.detectors.as_ref());
        some(&mut s, "sampler", self.sampler.as_ref());
        some(&mut s, "filter", self.filter.as_ref());
        some(&mut s, "span_limits", Some(&self.span_limits).filter(|limits| **limits != SpanLimits::default()));
        some(&mut s, "traces_exporters", self.exporters.as_ref());
        some(&mut s, "log_level", self.log_level.as_ref());
        some(&mut s, "queue_size", self.queue_size.as_ref());
        some(&mut s, "batch_size", self.batch_size.as_ref());
        some(&mut s, "batch_bytes", self.batch_bytes.as_ref());
        some(&mut s, "schedule_delay", self.schedule_delay.as_ref());
        some(&mut s, "export_timeout", self.export_timeout.as_ref());
        some(&mut s, "timeout", self.timeout.as_ref());
        some(&mut s, "memory_limit", self.memory_limit.as_ref());
        some(&mut s, "shutdown_timeout", self.shutdown_timeout.as_ref());
        some(&mut s, "flush_on_sigterm", Some(&true).filter(|_| self.flush_on_sigterm));
        some(&mut s, "concurrency", self.concurrency.as_ref());
        self.delivery.show(&mut s);
        some(&mut s, "disabled", self.disabled.as_ref());
        some(&mut s, "env", Some(&false).filter(|_| self.no_env));
        s.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Pem;

    #[test]
    fn debug_shows_what_is_set_and_no_secret() {
        assert_eq!(format!("{:?}", OtlpConfig::default()), "OtlpConfig");
        let config = OtlpConfig::default()
            .with_endpoint("http://user:hunter2@h:4318/?key=hunter2")
            .with_resource_attribute("token", "hunter2")
            .with_resource(Resource::new().with_schema_url("https://user:hunter2@h/schemas/1?hunter2"))
            .with_service("shop", "1.2")
            .with_batch_size(100)
            .with_header("x-key", "hunter2")
            .with_client_certificate(Pem::file("/c.pem"), Pem::bytes("hunter2"))
            .with_env(false);
        let text = format!("{config:?}");
        assert!(!text.contains("hunter2"), "{text}");
        for part in
            ["http://***@h:4318/", "token", "h/schemas/1", "shop", "batch_size: 100", "x-key", "/c.pem", "env: false"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("timeout"), "{text}");
    }
}
