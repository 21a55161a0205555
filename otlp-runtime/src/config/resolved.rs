//! The configuration with every question answered: code, then environment, then default.

use std::ffi::OsString;
use std::fmt;
use std::time::Duration;

use super::delivery_variables;
use super::endpoint::{self, EndpointKind, EndpointSetting, Source};
use super::parse::LONGEST;
use super::reader::Reader;
use super::resource::{self, Parts};
use super::validation::require;
use super::variables;
use super::{
    Delivery, Filter, LogLevel, OtlpConfig, ResolvedLimits, ResourceDetector, ResourceDetectors, Sampler,
    TracesExporters, TransportProtocol,
};
use crate::data::Resource;
use crate::error::{OtlpError, without_secrets};

/// Where variables come from: gives the value of the one that it is asked for.
pub type Environment<'a> = dyn Fn(&str) -> Option<OsString> + 'a;

/// The environment of this process.
pub fn process_environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

const BATCH_BYTES: usize = 1 << 20;
const TIMEOUT: Duration = Duration::from_secs(10);
const MEMORY_LIMIT: usize = 32 << 20;
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
const CONCURRENCY: usize = 8;

/// A configuration in which nothing is left open.
#[derive(Clone)]
pub struct Resolved {
    /// Nothing is to be started.
    pub disabled: bool,
    /// Which of its own lines otlp writes.
    pub log_level: LogLevel,
    /// Where traces go; if that is nowhere, nothing is to be started.
    pub exporters: TracesExporters,
    /// How telemetry travels; its feature is on.
    pub protocol: TransportProtocol,
    /// Where traces go to.
    pub endpoint: EndpointSetting,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// Which traces are recorded.
    pub sampler: Sampler,
    /// Which callsites are recorded.
    pub filter: Filter,
    /// Who set the filter.
    pub filter_source: Source,
    /// How much of one span is exported.
    pub limits: ResolvedLimits,
    /// Most items of a batch.
    pub batch_size: usize,
    /// Most items in closed batches, waiting or under way.
    pub queue_size: usize,
    /// Encoded bytes at which a batch is sent.
    pub batch_bytes: usize,
    /// Longest wait of an item for its batch.
    pub schedule_delay: Duration,
    /// Longest time from a batch's first attempt to its last; zero means no end.
    pub export_timeout: Duration,
    /// Bytes that recorded and unsent telemetry may take in all.
    pub memory_limit: usize,
    /// Longest wait of the guard's drop.
    pub shutdown_timeout: Duration,
    /// Whether SIGTERM waits for telemetry.
    pub flush_on_sigterm: bool,
    /// Most requests under way at once.
    pub concurrency: usize,
    /// How requests look and how they are secured.
    pub delivery: Delivery,
    /// Why nothing may be sent.
    pub withheld: Option<&'static str>,
    /// Who makes the telemetry, as far as it is known at once.
    pub resource: Resource,
    /// What else is found out about that.
    pub detectors: ResourceDetectors,
}

impl OtlpConfig {
    /// Answers what the code left open from `environment`, and then from the defaults.
    ///
    /// An error is always about a value that was set in code, or about a feature that is off. What is wrong with a variable
    /// is said to `report`, one line each, and the variable is ignored.
    pub fn resolve(
        &self,
        environment: &Environment<'_>,
        report: &mut dyn FnMut(String),
    ) -> Result<Resolved, OtlpError> {
        self.resolve_with(environment, report, &TransportProtocol::is_available)
    }

    pub(super) fn resolve_with(
        &self,
        environment: &Environment<'_>,
        report: &mut dyn FnMut(String),
        available: &dyn Fn(TransportProtocol) -> bool,
    ) -> Result<Resolved, OtlpError> {
        self.check_rest()?;
        let none: &Environment<'_> = &|_| None;
        let environment = if self.no_env { none } else { environment };
        let mut reader = Reader::new(environment, report);

        let disabled = reader.choose(self.disabled, &[&variables::SDK_DISABLED], false, |_| Ok(()), bool::to_string).0;
        let log_level = self.choose_log_level(&mut reader);
        let exporters = self.choose_exporters(&mut reader);
        let protocol = self.choose_protocol(&mut reader, available, disabled || !exporters.otlp)?;
        let endpoint = self.choose_endpoint(&mut reader, protocol)?;
        let variables = [&variables::TRACES_TIMEOUT, &variables::TIMEOUT];
        let shown = |timeout: &Duration| format!("{} ms", timeout.as_millis());
        let timeout = reader.choose(self.timeout, &variables, TIMEOUT, |_| Ok(()), shown).0;

        let shown = |_: &Filter| "no filter".to_owned();
        let (filter, filter_source) =
            reader.choose(self.parsed_filter()?, &[&variables::FILTER], Filter::new(), |_| Ok(()), shown);

        let detectors = self.choose_detectors(&mut reader);
        let service_name = reader.optional(&variables::SERVICE_NAME);
        let attributes = reader.optional(&variables::RESOURCE_ATTRIBUTES);
        let resource = resource::build(Parts {
            instance_id: detectors.has(ResourceDetector::Service),
            environment: attributes.unwrap_or_default(),
            service_name,
            attributes: &self.attributes,
            service: self.service.as_ref(),
            schema: self.chosen_schema()?,
        });
        let sampler = self.choose_sampler(&mut reader);
        let batches = self.choose_batches(&mut reader);
        let limits = self.choose_limits(&mut reader);
        let delivery = self.choose_delivery(&mut reader, &endpoint.url);
        let is_lost = endpoint.source == Source::Default
            && (reader.is_set(&variables::ENDPOINT) || reader.is_set(&variables::TRACES_ENDPOINT));
        // Whoever listens at the default endpoint is not who they are meant for.
        let withheld = (is_lost && (!delivery.headers.is_empty() || delivery.wants_tls()))
            .then_some("the endpoint cannot be used, and the headers or certificates that are set are for it alone");
        if !disabled && delivery.wants_tls() && !is_secure(&endpoint.url) {
            reader.report(
                "a certificate is set, which the endpoint's `http://` has no use for; write `https://`".to_owned(),
            );
        }
        if !disabled {
            reader.report_unread();
        }

        let memory_limit = self.memory_limit.unwrap_or(MEMORY_LIMIT);
        Ok(Resolved {
            disabled,
            log_level,
            exporters,
            protocol,
            endpoint,
            timeout: timeout.min(LONGEST),
            sampler,
            filter,
            filter_source,
            limits,
            batch_size: batches.size,
            queue_size: batches.queue,
            batch_bytes: self.batch_bytes.unwrap_or(BATCH_BYTES.min(memory_limit / 8)),
            schedule_delay: batches.delay,
            export_timeout: batches.timeout,
            // Batches set in code to more than the default holds take their room along.
            memory_limit: memory_limit.max(self.batch_bytes.unwrap_or(0).saturating_mul(2)),
            shutdown_timeout: self.shutdown_timeout.unwrap_or(SHUTDOWN_TIMEOUT).min(LONGEST),
            flush_on_sigterm: self.flush_on_sigterm,
            concurrency: self.concurrency.unwrap_or(CONCURRENCY),
            delivery,
            withheld,
            resource,
            detectors,
        })
    }

    /// The limit of the model, then the general one, then the default (spec-checklist LIM4).
    fn choose_limits(&self, reader: &mut Reader<'_>) -> ResolvedLimits {
        use variables as v;
        let (code, default) = (&self.span_limits, ResolvedLimits::default());
        let mut choose = |code, own, general: Option<_>, default| {
            let shown = |limit: &usize| if *limit == usize::MAX { "no limit".to_owned() } else { limit.to_string() };
            let variables: Vec<_> = [Some(own), general].into_iter().flatten().collect();
            reader.choose(code, &variables, default, |_| Ok(()), shown).0
        };
        let (count, length) = (Some(&v::ATTRIBUTE_COUNT), Some(&v::ATTRIBUTE_VALUE_LENGTH));
        ResolvedLimits {
            attributes: choose(code.attributes, &v::SPAN_ATTRIBUTE_COUNT, count, default.attributes),
            value_length: choose(code.value_length, &v::SPAN_ATTRIBUTE_VALUE_LENGTH, length, default.value_length),
            value_depth: code.value_depth.unwrap_or(default.value_depth),
            events: choose(code.events, &v::SPAN_EVENT_COUNT, None, default.events),
            links: choose(code.links, &v::SPAN_LINK_COUNT, None, default.links),
            attributes_per_event: choose(
                code.attributes_per_event,
                &v::EVENT_ATTRIBUTE_COUNT,
                count,
                default.attributes_per_event,
            ),
            attributes_per_link: choose(
                code.attributes_per_link,
                &v::LINK_ATTRIBUTE_COUNT,
                count,
                default.attributes_per_link,
            ),
        }
    }

    fn choose_protocol(
        &self,
        reader: &mut Reader<'_>,
        available: &dyn Fn(TransportProtocol) -> bool,
        disabled: bool,
    ) -> Result<TransportProtocol, OtlpError> {
        if self.protocol == Some(TransportProtocol::Stdout) {
            // Then it is the console's part to say what is missing.
            return Ok(TransportProtocol::Stdout);
        }
        let default = TransportProtocol::default();
        // A variable must not break what works without it: an endpoint set in code decides which protocols it may name.
        let fits = |protocol: &TransportProtocol| match self.check_endpoint(Some(*protocol)) {
            _ if !available(*protocol) => {
                Err(format!("`{protocol}` needs the cargo feature `{}` of the crate `otlp`", protocol.feature()))
            }
            Err(_) if self.check_endpoint(Some(default)).is_ok() => {
                Err(format!("`{protocol}` cannot be used with the endpoint that is set in code"))
            }
            _ => Ok(()),
        };
        let variables = [&variables::TRACES_PROTOCOL, &variables::PROTOCOL];
        let (protocol, _) = reader.choose(self.protocol, &variables, default, fits, ToString::to_string);
        if !disabled {
            require(protocol, available)?;
        }
        Ok(protocol)
    }

    fn choose_endpoint(
        &self,
        reader: &mut Reader<'_>,
        protocol: TransportProtocol,
    ) -> Result<EndpointSetting, OtlpError> {
        self.check_endpoint(Some(protocol))?;
        let default = protocol.default_endpoint().to_owned();
        let kind = |source| match source {
            Source::Environment(name) if name == variables::TRACES_ENDPOINT.row.name => EndpointKind::Signal,
            _ => EndpointKind::Base,
        };
        let variables = [&delivery_variables::TRACES_INSECURE, &delivery_variables::INSECURE];
        let insecure = reader.choose(None, &variables, false, |_| Ok(()), bool::to_string).0;
        if let Some((url, kind)) = &self.endpoint {
            let url = with_scheme(url.trim(), insecure);
            endpoint::require_tls(Some(is_secure(&url)))?;
            return Ok(EndpointSetting { url, kind: *kind, source: Source::Code });
        }
        let variables = [&variables::TRACES_ENDPOINT, &variables::ENDPOINT];
        let fits = |url: &String| {
            // The kind matters only for a query, which the parser of each variable has already looked at.
            endpoint::parse(url, EndpointKind::Signal, Some(protocol))
                .map_err(|problem| format!("the URL {}; {}", problem.what, problem.remedy))?;
            endpoint::require_tls(Some(is_secure(&with_scheme(url, insecure)))).map_err(|error| error.to_string())
        };
        let (url, source) = reader.choose(None, &variables, default, fits, |url| without_secrets(url));
        let kind = kind(source);
        if kind == EndpointKind::Base
            && protocol == TransportProtocol::HttpProtobuf
            && endpoint::repeats_signal_path(&url)
        {
            reader.report(format!(
                "{} ends in the path of a signal, which is added once more; leave it out, or use {} for the whole URL",
                variables::ENDPOINT.row.name,
                variables::TRACES_ENDPOINT.row.name
            ));
        }
        Ok(EndpointSetting { url: with_scheme(&url, insecure), kind, source })
    }
}

/// An endpoint without a scheme, which gRPC may have, means TLS unless it was said otherwise (spec-checklist EXP3).
fn with_scheme(url: &str, insecure: bool) -> String {
    match (url.contains("://"), insecure) {
        (true, _) => url.to_owned(),
        (false, true) => format!("http://{url}"),
        (false, false) => format!("https://{url}"),
    }
}

fn is_secure(url: &str) -> bool {
    url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}

/// Of attributes the keys only, and a URL without user information and query.
impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolved")
            .field("disabled", &self.disabled)
            .field("protocol", &self.protocol)
            .field("endpoint", &self.endpoint)
            .field("timeout", &self.timeout)
            .field("sampler", &self.sampler)
            .field("filter", &format_args!("{}", self.filter))
            .field("filter_source", &self.filter_source)
            .field("limits", &self.limits)
            .field("log_level", &self.log_level)
            .field("exporters", &self.exporters)
            .field("batch_size", &self.batch_size)
            .field("queue_size", &self.queue_size)
            .field("export_timeout", &self.export_timeout)
            .field("batch_bytes", &self.batch_bytes)
            .field("schedule_delay", &self.schedule_delay)
            .field("memory_limit", &self.memory_limit)
            .field("shutdown_timeout", &self.shutdown_timeout)
            .field("flush_on_sigterm", &self.flush_on_sigterm)
            .field("concurrency", &self.concurrency)
            .field("detectors", &self.detectors)
            .field("delivery", &self.delivery)
            .field("withheld", &self.withheld)
            .field("resource", &self.resource.iter().map(|(key, _)| key).collect::<Vec<_>>())
            .finish()
    }
}

#[cfg(test)]
#[path = "resolved_tests.rs"]
mod tests;
