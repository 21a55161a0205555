//! The environment variables: one table, which the parsers and the documentation share.

use std::time::Duration;

use super::delivery_variables as delivery;
use super::{Filter, TransportProtocol, parse};

mod proxy;
mod sdk;

pub(super) use proxy::*;
pub(super) use sdk::*;

/// One variable, for the documentation.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub takes: &'static str,
    /// What holds if neither it nor the code says anything.
    pub default: &'static str,
    /// How the same is said in code.
    pub code: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// One variable that holds the path of a file: whatever it holds is one, UTF-8 or not, so that there is nothing to parse.
pub(super) struct PathVariable {
    pub(super) row: Row,
}

/// One variable that is read.
pub(super) struct Variable<T: 'static> {
    pub(super) row: Row,
    pub(super) parse: fn(&str) -> Result<T, String>,
}

pub(super) const SDK_DISABLED: Variable<bool> = Variable {
    row: Row {
        name: "OTEL_SDK_DISABLED",
        takes: "`true`, `false`",
        default: "`false`",
        code: "`with_disabled`",
        doc: "`true`: nothing is recorded and nothing is sent.",
    },
    parse: parse::boolean,
};

pub(super) const ENDPOINT: Variable<String> = Variable {
    row: Row {
        name: "OTEL_EXPORTER_OTLP_ENDPOINT",
        takes: "URL",
        default: "`http://localhost:4318`, for gRPC `http://localhost:4317`",
        code: "`with_endpoint`",
        doc: "Where to send to, with TLS if it begins with `https://`, or, for gRPC, has no scheme. Over HTTP, `/v1/traces` is added to the path.",
    },
    parse: parse::base_endpoint,
};

pub(super) const TRACES_ENDPOINT: Variable<String> = Variable {
    row: Row {
        name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        takes: "URL",
        default: "the endpoint above",
        code: "`with_traces_endpoint`",
        doc: "Where to send traces to. The path is used as it is: over HTTP, nothing is added.",
    },
    parse: parse::signal_endpoint,
};

pub(super) const PROTOCOL: Variable<TransportProtocol> = Variable {
    row: Row {
        name: "OTEL_EXPORTER_OTLP_PROTOCOL",
        takes: "`grpc`, `http/protobuf`",
        default: "`http/protobuf`",
        code: "`with_protocol`",
        doc: "How telemetry travels.",
    },
    parse: parse::protocol,
};

pub(super) const TRACES_PROTOCOL: Variable<TransportProtocol> = Variable {
    row: Row {
        name: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        takes: "`grpc`, `http/protobuf`",
        default: "the protocol above",
        code: "`with_protocol`",
        doc: "How traces travel.",
    },
    parse: parse::protocol,
};

pub(super) const TIMEOUT: Variable<Duration> = Variable {
    row: Row {
        name: "OTEL_EXPORTER_OTLP_TIMEOUT",
        takes: "milliseconds",
        default: "`10000`",
        code: "`with_timeout`",
        doc: "How long one attempt to send may take; 0 means no limit.",
    },
    parse: parse::timeout,
};

pub(super) const TRACES_TIMEOUT: Variable<Duration> = Variable {
    row: Row {
        name: "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
        takes: "milliseconds",
        default: "the time-out above",
        code: "`with_timeout`",
        doc: "The same for traces.",
    },
    parse: parse::timeout,
};

pub(super) const SERVICE_NAME: Variable<String> = Variable {
    row: Row {
        name: "OTEL_SERVICE_NAME",
        takes: "text",
        default: "`unknown_service:` and the name of the executable",
        code: "`with_service`",
        doc: "The attribute `service.name`; wins over the one in `OTEL_RESOURCE_ATTRIBUTES`.",
    },
    parse: parse::text,
};

pub(super) const RESOURCE_ATTRIBUTES: Variable<Vec<(String, String)>> = Variable {
    row: Row {
        name: "OTEL_RESOURCE_ATTRIBUTES",
        takes: "`key=value,key=value`",
        default: "none",
        code: "`with_resource_attribute`, `with_resource`",
        doc: "Attributes of the program. `,`, `=` and `%` inside of a key or a value are written `%2C`, `%3D` and `%25`. \
              One entry that cannot be read spoils them all.",
    },
    parse: parse::attributes,
};

pub(super) const FILTER: Variable<Filter> = Variable {
    row: Row {
        name: "OTLP_FILTER",
        takes: "`level` and `path=level`, with commas between",
        default: "everything is recorded",
        code: "`with_filter`, `otlp::set_filter`",
        doc: "Which callsites are recorded, by level and by path: `info,shop::db=debug,hyper=off`.",
    },
    parse: parse::filter,
};

pub(super) const ATTRIBUTE_COUNT: Variable<usize> = Variable {
    row: Row {
        name: "OTEL_ATTRIBUTE_COUNT_LIMIT",
        takes: "0 to 10000",
        default: "`128`",
        code: "`with_span_limits`",
        doc: "Attributes of anything that has no limit of its own below: of spans, of their events and of their links.",
    },
    parse: parse::count,
};

pub(super) const ATTRIBUTE_VALUE_LENGTH: Variable<usize> = Variable {
    row: Row {
        name: "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        takes: "a whole number",
        default: "no limit",
        code: "`with_span_limits`",
        doc: "Length of values of anything that has no limit of its own below: of text in characters, of bytes in bytes.",
    },
    parse: parse::length,
};

pub(super) const SPAN_ATTRIBUTE_COUNT: Variable<usize> = Variable {
    row: Row {
        name: "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        takes: "0 to 10000",
        default: "`OTEL_ATTRIBUTE_COUNT_LIMIT`",
        code: "`with_span_limits`, `with_attribute_count`",
        doc: "Attributes of a span; what is beyond is left out and counted, here and below.",
    },
    parse: parse::count,
};

pub(super) const SPAN_ATTRIBUTE_VALUE_LENGTH: Variable<usize> = Variable {
    row: Row {
        name: "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        takes: "a whole number",
        default: "`OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`",
        code: "`with_span_limits`, `with_attribute_value_length`",
        doc: "Length of values of spans, of their events and of their links; longer ones are cut.",
    },
    parse: parse::length,
};

pub(super) const SPAN_EVENT_COUNT: Variable<usize> = Variable {
    row: Row {
        name: "OTEL_SPAN_EVENT_COUNT_LIMIT",
        takes: "0 to 10000",
        default: "`128`",
        code: "`with_span_limits`, `with_event_count`",
        doc: "Events of a span.",
    },
    parse: parse::count,
};

pub(super) const SPAN_LINK_COUNT: Variable<usize> = Variable {
    row: Row {
        name: "OTEL_SPAN_LINK_COUNT_LIMIT",
        takes: "0 to 10000",
        default: "`128`",
        code: "`with_span_limits`, `with_link_count`",
        doc: "Links of a span.",
    },
    parse: parse::count,
};

pub(super) const EVENT_ATTRIBUTE_COUNT: Variable<usize> = Variable {
    row: Row {
        name: "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
        takes: "0 to 10000",
        default: "`OTEL_ATTRIBUTE_COUNT_LIMIT`",
        code: "`with_span_limits`, `with_event_attribute_count`",
        doc: "Attributes of an event of a span.",
    },
    parse: parse::count,
};

pub(super) const LINK_ATTRIBUTE_COUNT: Variable<usize> = Variable {
    row: Row {
        name: "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
        takes: "0 to 10000",
        default: "`OTEL_ATTRIBUTE_COUNT_LIMIT`",
        code: "`with_span_limits`, `with_link_attribute_count`",
        doc: "Attributes of a link of a span.",
    },
    parse: parse::count,
};

/// Every variable that is read, in the order of the documentation.
pub const TABLE: &[Row] = &[
    SDK_DISABLED.row,
    LOG_LEVEL.row,
    TRACES_EXPORTER.row,
    ENDPOINT.row,
    TRACES_ENDPOINT.row,
    PROTOCOL.row,
    TRACES_PROTOCOL.row,
    TIMEOUT.row,
    TRACES_TIMEOUT.row,
    delivery::HEADERS.row,
    delivery::TRACES_HEADERS.row,
    delivery::COMPRESSION.row,
    delivery::TRACES_COMPRESSION.row,
    delivery::INSECURE.row,
    delivery::TRACES_INSECURE.row,
    delivery::CERTIFICATE.row,
    delivery::TRACES_CERTIFICATE.row,
    delivery::CLIENT_CERTIFICATE.row,
    delivery::TRACES_CLIENT_CERTIFICATE.row,
    delivery::CLIENT_KEY.row,
    delivery::TRACES_CLIENT_KEY.row,
    SERVICE_NAME.row,
    RESOURCE_ATTRIBUTES.row,
    RESOURCE_DETECTORS.row,
    EXPERIMENTAL_RESOURCE_DETECTORS.row,
    TRACES_SAMPLER.row,
    TRACES_SAMPLER_ARG.row,
    FILTER.row,
    BSP_SCHEDULE_DELAY.row,
    BSP_EXPORT_TIMEOUT.row,
    BSP_MAX_QUEUE_SIZE.row,
    BSP_MAX_EXPORT_BATCH_SIZE.row,
    ATTRIBUTE_COUNT.row,
    ATTRIBUTE_VALUE_LENGTH.row,
    SPAN_ATTRIBUTE_COUNT.row,
    SPAN_ATTRIBUTE_VALUE_LENGTH.row,
    SPAN_EVENT_COUNT.row,
    SPAN_LINK_COUNT.row,
    EVENT_ATTRIBUTE_COUNT.row,
    LINK_ATTRIBUTE_COUNT.row,
    HTTPS_PROXY.row,
    LOWER_HTTPS_PROXY.row,
    HTTP_PROXY.row,
    LOWER_HTTP_PROXY.row,
    NO_PROXY.row,
    LOWER_NO_PROXY.row,
    REQUEST_METHOD.row,
];

/// Variables of the specification that decide what is sent and where to, and that are not read yet, each with the value
/// that says what happens anyway. Any other is answered with a line, as silence would be taken for consent.
pub(super) const UNREAD: &[(&str, &str)] = &[
    ("OTEL_CONFIG_FILE", ""),
    ("OTEL_ENTITIES", ""),
    ("OTEL_PROPAGATORS", "tracecontext,baggage"),
    ("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", ""),
];

/// Variables that are read past this table, by the library that finds the system's certificate authorities.
#[cfg(test)]
pub(super) const OF_CERTIFICATES: &[&str] = &["SSL_CERT_FILE", "SSL_CERT_DIR"];
