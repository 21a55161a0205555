//! Settings: plain data, resolved from code, then `OTEL_*`, then defaults.
