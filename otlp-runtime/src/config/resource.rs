//! Who makes the telemetry: the default resource and what is laid over it (spec-checklist 2.8).

use std::ffi::OsString;
use std::sync::OnceLock;

use super::settings::Service;
use crate::data::{AttributeValue, Resource, SCHEMA_URL, Schema};
use crate::os::fork::PerProcess;

/// What the resource is made of, each part over the one before it.
pub(super) struct Parts<'a> {
    /// Whether it has a `service.instance.id`.
    pub(super) instance_id: bool,
    /// `OTEL_RESOURCE_ATTRIBUTES`.
    pub(super) environment: Vec<(String, String)>,
    /// `OTEL_SERVICE_NAME`.
    pub(super) service_name: Option<String>,
    /// `with_resource_attribute`.
    pub(super) attributes: &'a [(String, AttributeValue)],
    /// `with_service`.
    pub(super) service: Option<&'a Service>,
    /// The schema that `attributes` follow.
    pub(super) schema: Schema,
}

/// The resource. Nothing here is slow: no file is read and nothing is asked over a network.
pub(super) fn build(parts: Parts<'_>) -> Resource {
    // What is set below by its name is stable, so that it is the same in whatever version the program's attributes follow.
    let mut resource = Resource::new().with_schema(parts.schema.or(SCHEMA_URL));
    resource.set("service.name", unknown_service(executable()));
    if let Some(id) = instance_id().filter(|_| parts.instance_id) {
        resource.set("service.instance.id", id);
    }
    for (key, value) in parts.environment {
        resource.set(key, value);
    }
    if let Some(name) = parts.service_name {
        resource.set("service.name", name);
    }
    for (key, value) in parts.attributes {
        resource.set(key.clone(), value.clone());
    }
    if let Some(service) = parts.service {
        resource.set("service.name", service.name.clone());
        if !service.version.is_empty() {
            resource.set("service.version", service.version.clone());
        }
    }
    // Last: a backend relies on them to know what it talks to (spec-checklist T2).
    resource.set("telemetry.sdk.name", "otlp");
    resource.set("telemetry.sdk.language", "rust");
    resource.set("telemetry.sdk.version", env!("CARGO_PKG_VERSION"));
    resource
}

/// The name for a service that has none (spec-checklist RES1).
fn unknown_service(executable: Option<OsString>) -> String {
    match executable {
        Some(name) if !name.is_empty() => format!("unknown_service:{}", name.to_string_lossy()),
        _ => "unknown_service".to_owned(),
    }
}

fn executable() -> Option<OsString> {
    Some(std::env::current_exe().ok()?.file_name()?.to_owned())
}

/// A random UUID, version 4 (spec-checklist RES2), the same in the whole life of a process, and another one in a child
/// that was forked; `None` if the system has no randomness to give.
fn instance_id() -> Option<String> {
    static KNOWN: PerProcess<OnceLock<String>> = PerProcess::new(OnceLock::new(), |_| OnceLock::new());
    let known = KNOWN.get();
    match known.get() {
        Some(id) => Some(id.clone()),
        // Whoever comes second takes what is there.
        None => random_id().map(|id| known.get_or_init(|| id).clone()),
    }
}

fn random_id() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(uuid_v4(bytes))
}

fn uuid_v4(random: [u8; 16]) -> String {
    const VERSION_4: u128 = 0x4 << 76;
    const RFC_VARIANT: u128 = 0b10 << 62;
    let id = u128::from_be_bytes(random) & !(0xf << 76) & !(0b11 << 62) | VERSION_4 | RFC_VARIANT;
    let hex = format!("{id:032x}");
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &hex[part]).join("-")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parts() -> Parts<'static> {
        Parts {
            instance_id: true,
            environment: Vec::new(),
            service_name: None,
            attributes: &[],
            service: None,
            schema: Schema::Unknown,
        }
    }

    fn text(resource: &Resource, key: &str) -> String {
        match resource.get(key) {
            Some(AttributeValue::String(text)) => text.clone(),
            other => panic!("{key}: {other:?}"),
        }
    }

    #[test]
    fn res1_the_default_resource_names_the_executable_and_otlp() {
        let resource = build(parts());
        let name = text(&resource, "service.name");
        assert!(name.strip_prefix("unknown_service:").is_some_and(|exe| exe.contains("otlp_runtime")), "{name}");
        assert_eq!(text(&resource, "telemetry.sdk.name"), "otlp");
        assert_eq!(text(&resource, "telemetry.sdk.language"), "rust");
        assert_eq!(text(&resource, "telemetry.sdk.version"), env!("CARGO_PKG_VERSION"));
        assert!(resource.get("service.version").is_none());
        assert_eq!(unknown_service(None), "unknown_service");
        assert_eq!(unknown_service(Some(OsString::new())), "unknown_service");
    }

    #[test]
    fn res2_the_instance_id_is_a_random_uuid_v4() {
        assert_eq!(uuid_v4([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid_v4([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert_ne!(random_id(), random_id());
        let [a, b] = [build(parts()), build(parts())].map(|r| text(&r, "service.instance.id"));
        assert_eq!((a.len(), &a), (36, &b), "one for the whole process");
        assert_eq!(build(Parts { instance_id: false, ..parts() }).get("service.instance.id"), None);
    }

    #[test]
    fn res2_all_threads_of_a_process_have_the_same_instance_id() {
        let ids = || (0..1000).map(|_| instance_id().unwrap()).collect::<Vec<_>>();
        let made: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(ids)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert!(made.iter().all(|id| *id == made[0]));
    }

    #[test]
    fn res4_code_beats_the_service_name_variable_which_beats_the_attributes_variable() {
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        let environment = || {
            vec![pair("service.name", "attributes"), pair("service.version", "1"), pair("team", "a"), pair("zone", "z")]
        };
        let resource = build(Parts { environment: environment(), ..parts() });
        assert_eq!(text(&resource, "service.name"), "attributes");

        let named = || Parts { environment: environment(), service_name: Some("name".into()), ..parts() };
        assert_eq!(text(&build(named()), "service.name"), "name");

        let attributes = [("service.name".into(), "code".into()), ("team".into(), "b".into())];
        let resource = build(Parts { attributes: &attributes, ..named() });
        assert_eq!(text(&resource, "service.name"), "code");
        assert_eq!((text(&resource, "team"), text(&resource, "zone")), ("b".into(), "z".into()));

        let service = Service { name: "service".into(), version: String::new() };
        let resource = build(Parts { attributes: &attributes, service: Some(&service), ..named() });
        assert_eq!(
            (text(&resource, "service.name"), text(&resource, "service.version")),
            ("service".into(), "1".into())
        );
    }

    /// RES5: always one, and never another than code says.
    #[test]
    fn res5_the_schema_is_that_of_the_code_or_ours() {
        let of = |schema| build(Parts { schema, ..parts() }).schema().clone();
        assert_eq!(of(Schema::Unknown), Schema::Url(SCHEMA_URL.to_owned()));
        let own = Schema::Url("https://example.com/schemas/1.0.0".to_owned());
        assert_eq!(of(own.clone()), own);
        assert_eq!(of(Schema::Several), Schema::Several);
    }

    #[test]
    fn t2_nobody_can_pretend_to_be_another_sdk() {
        let environment = vec![("telemetry.sdk.name".to_owned(), "opentelemetry".to_owned())];
        assert_eq!(text(&build(Parts { environment, ..parts() }), "telemetry.sdk.name"), "otlp");
    }
}
