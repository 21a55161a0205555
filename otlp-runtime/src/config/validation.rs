//! Which values that are set in code cannot be used.

use std::fmt::Debug;
use std::time::Duration;

use super::endpoint::{self, EndpointKind, Problem};
use super::{Filter, OtlpConfig, TransportProtocol};
use crate::data::Schema;
use crate::error::OtlpError;

/// The least that the engine can work with.
const LEAST_MEMORY: usize = 1 << 20;
/// The specification's limit for a request (spec-checklist EXP9); a batch may not be larger.
const MOST_BATCH_BYTES: usize = 64 << 20;
/// The resource is sent with every request, and paid for with every record.
pub(super) const MOST_RESOURCE_BYTES: usize = 64 << 10;
/// Far beyond any use, and small enough that a request's bookkeeping stays so too.
const MOST_CONCURRENCY: usize = 1024;

pub(super) fn invalid(
    setting: &'static str,
    value: impl Debug,
    problem: &'static str,
    remedy: &'static str,
) -> OtlpError {
    OtlpError::InvalidConfig { setting, value: format!("{value:?}"), problem, remedy }
}

impl OtlpConfig {
    /// Looks at everything that was set in code, without reading the environment. `init` does the same first.
    pub fn validate(&self) -> Result<(), OtlpError> {
        if let Some(protocol) = self.protocol {
            require(protocol, &TransportProtocol::is_available)?;
        }
        if self.endpoint.is_some() {
            self.check_endpoint(self.protocol)?;
        }
        self.check_rest()
    }

    /// The endpoint, once the protocol is known.
    pub(super) fn check_endpoint(&self, protocol: Option<TransportProtocol>) -> Result<(), OtlpError> {
        let Some((url, kind)) = &self.endpoint else { return Ok(()) };
        let setting = match kind {
            EndpointKind::Base => "endpoint",
            EndpointKind::Signal => "traces_endpoint",
        };
        let parsed = endpoint::parse(url, *kind, protocol).map_err(|problem| problem.into_error(setting, url))?;
        if parsed.secure.is_some() {
            endpoint::require_tls(parsed.secure)?;
        }
        if *kind == EndpointKind::Base && endpoint::repeats_signal_path(url) {
            let problem = Problem {
                what: "ends in the path of a signal, which is added to it",
                remedy: "leave that path out, or use `with_traces_endpoint`",
            };
            return Err(problem.into_error(setting, url));
        }
        Ok(())
    }

    /// The filter that was set.
    pub(super) fn parsed_filter(&self) -> Result<Option<Filter>, OtlpError> {
        self.filter.as_deref().map(str::parse).transpose()
    }

    /// The schema that the attributes set in code follow.
    pub(super) fn chosen_schema(&self) -> Result<Schema, OtlpError> {
        let mut chosen = Schema::default();
        for schema in &self.schemas {
            schema.validate()?;
            chosen.merge(schema.clone())?;
        }
        Ok(chosen)
    }

    /// Everything but protocol and endpoint.
    pub(super) fn check_rest(&self) -> Result<(), OtlpError> {
        if self.service.as_ref().is_some_and(|service| service.name.trim().is_empty()) {
            return Err(invalid("service", "", "is empty", "write the service's name, or do not set it"));
        }
        if self.attributes.iter().any(|(key, _)| key.is_empty()) {
            return Err(invalid("resource_attribute", "", "is no key", "give every attribute a name"));
        }
        let attributes = self.attributes.iter().map(|(key, value)| key.len() + value.size());
        let service = self.service.as_ref().map_or(0, |service| service.name.len() + service.version.len());
        let resource = attributes.sum::<usize>() + service;
        if resource > MOST_RESOURCE_BYTES {
            let problem = "bytes of resource attributes are more than the 65536 that every request can carry";
            return Err(invalid("resource_attribute", resource, problem, "leave the large ones out"));
        }
        self.chosen_schema()?;
        if let Some(sampler) = &self.sampler {
            sampler.validate()?;
        }
        self.check_delivery()?;
        self.parsed_filter()?;
        self.span_limits.validate()?;
        count("batch_size", self.batch_size, 1, usize::MAX)?;
        count("queue_size", self.queue_size, 1, usize::MAX)?;
        count("batch_bytes", self.batch_bytes, 1, MOST_BATCH_BYTES)?;
        count("memory_limit", self.memory_limit, LEAST_MEMORY, usize::MAX)?;
        count("concurrency", self.concurrency, 1, MOST_CONCURRENCY)?;
        if let (Some(batch), Some(memory)) = (self.batch_bytes, self.memory_limit)
            && batch > memory / 2
        {
            return Err(invalid("batch_bytes", batch, "is more than half of `memory_limit`", "make batches smaller"));
        }
        time("schedule_delay", self.schedule_delay, "write at least a millisecond")?;
        time("export_timeout", self.export_timeout, "write at least a millisecond")?;
        time("timeout", self.timeout, "write at least a millisecond")?;
        time(
            "shutdown_timeout",
            self.shutdown_timeout,
            "call `otlp::shutdown(Duration::ZERO)` to leave without waiting",
        )
    }
}

/// The protocol's feature has to be on.
pub(super) fn require(
    protocol: TransportProtocol,
    available: &dyn Fn(TransportProtocol) -> bool,
) -> Result<(), OtlpError> {
    if available(protocol) {
        return Ok(());
    }
    let wanted = match protocol {
        TransportProtocol::Grpc => "the protocol `grpc`",
        TransportProtocol::HttpProtobuf => "the protocol `http/protobuf`",
        TransportProtocol::Stdout => "the console",
    };
    Err(OtlpError::FeatureDisabled { wanted, feature: protocol.feature() })
}

fn count(setting: &'static str, value: Option<usize>, least: usize, most: usize) -> Result<(), OtlpError> {
    match value {
        Some(0) => {
            Err(invalid(setting, 0, "means that nothing is ever sent", "use `with_disabled(true)` to send nothing"))
        }
        Some(value) if value < least => {
            Err(invalid(setting, value, "is too little to work with", "give it 1 MiB or more"))
        }
        Some(value) if value > most && setting == "concurrency" => {
            Err(invalid(setting, value, "is too many", "allow 1024 at most"))
        }
        Some(value) if value > most => Err(invalid(setting, value, "is too large for a request", "stay below 64 MiB")),
        _ => Ok(()),
    }
}

fn time(setting: &'static str, value: Option<Duration>, remedy: &'static str) -> Result<(), OtlpError> {
    match value {
        Some(Duration::ZERO) => Err(invalid(setting, Duration::ZERO, "is no time at all", remedy)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::Sampler;
    use crate::data::{Resource, SCHEMA_URL};

    fn new() -> OtlpConfig {
        OtlpConfig::default()
    }

    #[test]
    fn what_was_not_set_cannot_be_wrong() {
        new().validate().unwrap();
        new().with_endpoint("http://h:4318").with_timeout(Duration::MAX).with_concurrency(1).validate().unwrap();
        new().with_endpoint("h:4317").validate().unwrap();
        new().with_traces_endpoint("http://h/v1/traces?key=1").validate().unwrap();
    }

    #[test]
    fn each_bad_value_is_a_typed_error_that_names_its_setting() {
        for (config, expected) in [
            (new().with_endpoint(""), "endpoint"),
            (new().with_endpoint("not a url"), "endpoint"),
            (new().with_header("a b", "c"), "header"),
            (new().with_header("", "c"), "header"),
            (new().with_header("content-type", "c"), "header"),
            (new().with_header("User-Agent", "c"), "header"),
            (new().with_header("a", "b\nc"), "header"),
            (new().with_header("a", "\u{fc}"), "header"),
            (new().with_header("a-bin", "c"), "header"),
            (new().with_header("a", "x".repeat(10_000)), "header"),
            (new().with_user_agent_prefix("a\r\nb: c"), "user_agent_prefix"),
            (new().with_user_agent_prefix(""), "user_agent_prefix"),
            (new().with_proxy(""), "proxy"),
            (new().with_proxy("socks5://h:1"), "proxy"),
            (new().with_proxy("http://h:1/path"), "proxy"),
            (new().with_max_request_bytes(1), "max_request_bytes"),
            (new().with_max_request_bytes(65 << 20), "max_request_bytes"),
            (new().with_endpoint("http://h:4318/v1/traces"), "endpoint"),
            (new().with_traces_endpoint("http://"), "traces_endpoint"),
            (new().with_service(" ", "1"), "service"),
            (new().with_resource_attribute("", 1), "resource_attribute"),
            (new().with_resource(Resource::new().with_schema_url("")), "schema_url"),
            (new().with_resource(Resource::new().with_schema_url("1.42.0")), "schema_url"),
            (new().with_resource(Resource::new().with_schema_url("https://h/1\n")), "schema_url"),
            (new().with_sampler(Sampler::trace_id_ratio(2.0)), "sampler"),
            (new().with_filter("info,shop=loud"), "filter"),
            (new().with_batch_size(0), "batch_size"),
            (new().with_queue_size(0), "queue_size"),
            (new().with_export_timeout(Duration::ZERO), "export_timeout"),
            (new().with_batch_bytes(0), "batch_bytes"),
            (new().with_batch_bytes(usize::MAX), "batch_bytes"),
            (new().with_memory_limit(0), "memory_limit"),
            (new().with_memory_limit(1000), "memory_limit"),
            (new().with_batch_bytes(1 << 20).with_memory_limit(1 << 20), "batch_bytes"),
            (new().with_concurrency(0), "concurrency"),
            (new().with_concurrency(usize::MAX), "concurrency"),
            (new().with_schedule_delay(Duration::ZERO), "schedule_delay"),
            (new().with_timeout(Duration::ZERO), "timeout"),
            (new().with_shutdown_timeout(Duration::ZERO), "shutdown_timeout"),
        ] {
            match config.validate() {
                Err(OtlpError::InvalidConfig { setting, .. }) => assert_eq!(setting, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }

    /// RES5: what code says has to agree with itself.
    #[test]
    fn res5_resources_of_different_schemas_are_an_error_that_names_both() {
        let of = |url: &str| Resource::new().with_schema_url(url);
        let same = new().with_resource(of(SCHEMA_URL)).with_resource(Resource::new()).with_resource(of(SCHEMA_URL));
        same.validate().unwrap();
        let other = "https://example.com/schemas/1.0.0";
        let error = new().with_resource(of(SCHEMA_URL)).with_resource(of(other)).validate().unwrap_err();
        assert!(matches!(error, OtlpError::SchemaConflict { .. }), "{error:?}");
        assert!([SCHEMA_URL, other].iter().all(|url| error.to_string().contains(url)), "{error}");
    }

    #[test]
    fn errors_hold_no_secret() {
        let error = new()
            .with_endpoint("https://user:hunter2@h?key=hunter2")
            .with_header("k", "hunter2\n2")
            .validate()
            .unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }

    #[test]
    fn a_protocol_that_is_compiled_out_names_its_feature() {
        let error = require(TransportProtocol::Grpc, &|_| false).unwrap_err();
        assert!(matches!(error, OtlpError::FeatureDisabled { feature: "grpc", .. }), "{error}");
        for protocol in TransportProtocol::ALL {
            assert_eq!(new().with_protocol(protocol).validate().is_ok(), protocol.is_available());
        }
    }
}
