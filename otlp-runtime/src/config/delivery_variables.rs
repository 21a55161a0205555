//! The variables about requests: their headers, size and security.

use super::Compression;
use super::headers::{self, Listed};
use super::parse;
use super::variables::{PathVariable, Row, Variable};

const fn row(
    name: &'static str,
    takes: &'static str,
    default: &'static str,
    code: &'static str,
    doc: &'static str,
) -> Row {
    Row { name, takes, default, code, doc }
}

pub(super) const HEADERS: Variable<Listed> = Variable {
    row: row(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "`name=value,name=value`",
        "none",
        "`with_header`",
        "Headers of every request, over gRPC its metadata. `,`, `;`, `%` and what is not ASCII is percent-encoded in a value. \
         An entry that cannot be used is left out alone. A header that is set in code wins over the same one here.",
    ),
    parse: headers::parse,
};

pub(super) const TRACES_HEADERS: Variable<Listed> = Variable {
    row: row(
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
        "`name=value,name=value`",
        "the headers above",
        "`with_header`",
        "The same for traces, in the place of all headers of the variable above.",
    ),
    parse: headers::parse,
};

pub(super) const COMPRESSION: Variable<Compression> = Variable {
    row: row(
        "OTEL_EXPORTER_OTLP_COMPRESSION",
        "`gzip`, `none`",
        "`none`",
        "`with_compression`",
        "How request bodies are compressed.",
    ),
    parse: compression,
};

pub(super) const TRACES_COMPRESSION: Variable<Compression> = Variable {
    row: row(
        "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
        "`gzip`, `none`",
        "the compression above",
        "`with_compression`",
        "The same for traces.",
    ),
    parse: compression,
};

pub(super) const INSECURE: Variable<bool> = Variable {
    row: row(
        "OTEL_EXPORTER_OTLP_INSECURE",
        "`true`, `false`",
        "`false`",
        "`http://` in the endpoint",
        "`true`: a gRPC endpoint without a scheme is spoken to without TLS. A scheme always wins.",
    ),
    parse: parse::boolean,
};

pub(super) const TRACES_INSECURE: Variable<bool> = Variable {
    row: row(
        "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
        "`true`, `false`",
        "the setting above",
        "`http://` in the endpoint",
        "The same for traces.",
    ),
    parse: parse::boolean,
};

pub(super) const CERTIFICATE: PathVariable = PathVariable {
    row: row(
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        "path of a PEM file",
        "the system's certificate authorities",
        "`with_ca_certificate`",
        "Which certificate authorities are trusted, in the place of the system's. If it cannot be used, nothing is sent, here \
         and below.",
    ),
};

pub(super) const TRACES_CERTIFICATE: PathVariable = PathVariable {
    row: row(
        "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
        "path of a PEM file",
        "the file above",
        "`with_ca_certificate`",
        "The same for traces.",
    ),
};

pub(super) const CLIENT_KEY: PathVariable = PathVariable {
    row: row(
        "OTEL_EXPORTER_OTLP_CLIENT_KEY",
        "path of a PEM file",
        "none",
        "`with_client_certificate`",
        "The private key of the client certificate.",
    ),
};

pub(super) const TRACES_CLIENT_KEY: PathVariable = PathVariable {
    row: row(
        "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
        "path of a PEM file",
        "the file above",
        "`with_client_certificate`",
        "The same for traces.",
    ),
};

pub(super) const CLIENT_CERTIFICATE: PathVariable = PathVariable {
    row: row(
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
        "path of a PEM file",
        "none",
        "`with_client_certificate`",
        "The certificate, and those between it and its authority, that the program shows to the receiver.",
    ),
};

pub(super) const TRACES_CLIENT_CERTIFICATE: PathVariable = PathVariable {
    row: row(
        "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
        "path of a PEM file",
        "the file above",
        "`with_client_certificate`",
        "The same for traces.",
    ),
};

fn compression(value: &str) -> Result<Compression, String> {
    Compression::find(value)
        .ok_or_else(|| format!("{:?} is no compression that otlp knows (`gzip`, `none`)", parse::shown(value)))
}
