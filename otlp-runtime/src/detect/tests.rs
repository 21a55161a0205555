#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use opentelemetry_semantic_conventions::{self as conventions, resource as names};

use super::*;
use crate::config::OtlpConfig;
use crate::data::AttributeValue;

/// A root of its own, gone with the test.
struct Scene(PathBuf);

impl Scene {
    fn new(name: &str, files: &[(&str, &[u8])]) -> Self {
        let path = std::env::temp_dir().join(format!("otlp-detect-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        for (file, content) in files {
            let file = path.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A host that says all of itself, and a container on it.
    fn host(name: &str) -> Self {
        let group = format!("0::/docker/{ID}");
        let files: &[(&str, &[u8])] = &[
            ("etc/machine-id", b"0123456789abcdef0123456789abcdef\n"),
            ("proc/sys/kernel/hostname", b"web-7\n"),
            ("etc/os-release", b"NAME=Debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12 (bookworm)\"\n"),
            ("proc/self/cgroup", group.as_bytes()),
        ];
        Self::new(name, files)
    }

    fn detect(&self, detectors: ResourceDetectors) -> Resource {
        detect(detectors, &Root::at(&self.0))
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(resource: &Resource, key: &str) -> Option<String> {
    match resource.get(key)? {
        AttributeValue::String(text) => Some(text.clone()),
        other => panic!("{key}: {other:?}"),
    }
}

const ID: &str = "dc579f8a8319c8cf7d38e1adf263bc08d23dc579f8a8319c8cf7d38e1adf263b";

/// RES5: the schema URL holds for every name that otlp gives; the constants of that version are the judge.
#[test]
fn res5_every_name_is_one_of_the_schema() {
    assert_eq!(SCHEMA_URL, conventions::SCHEMA_URL);
    let known = [
        names::CONTAINER_ID,
        names::HOST_ARCH,
        names::HOST_ID,
        names::HOST_NAME,
        names::OS_DESCRIPTION,
        names::OS_NAME,
        names::OS_TYPE,
        names::OS_VERSION,
        names::PROCESS_EXECUTABLE_NAME,
        names::PROCESS_EXECUTABLE_PATH,
        names::PROCESS_PID,
        names::PROCESS_RUNTIME_NAME,
        names::SERVICE_INSTANCE_ID,
        names::SERVICE_NAME,
        names::SERVICE_VERSION,
        names::TELEMETRY_SDK_LANGUAGE,
        names::TELEMETRY_SDK_NAME,
        names::TELEMETRY_SDK_VERSION,
    ];
    let mut resource = Scene::host("names").detect(ResourceDetectors::ALL);
    assert_eq!(resource.schema_url(), Some(SCHEMA_URL));
    let config = OtlpConfig::default().with_disabled(true).with_service("shop", "1");
    resource.merge(config.resolve(&|_| None, &mut |line| panic!("{line}")).unwrap().resource).unwrap();
    let mut keys: Vec<&str> = resource.iter().map(|(key, _)| key).collect();
    keys.sort_unstable();
    assert_eq!(keys, known);
    assert_eq!(resource.schema_url(), Some(SCHEMA_URL));
}

/// RES5, U46: `host.id` is the machine's and not its name.
#[test]
fn u46_a_host_in_full() {
    let found = Scene::host("full").detect(ResourceDetectors::ALL);
    for (key, expected) in [
        ("host.id", "0123456789abcdef0123456789abcdef"),
        ("host.name", "web-7"),
        ("os.type", std::env::consts::OS),
        ("os.description", "Debian 12 (bookworm)"),
        ("os.name", "Debian"),
        ("os.version", "12"),
        ("container.id", ID),
    ] {
        assert_eq!(text(&found, key).as_deref(), Some(expected), "{key}");
    }
    assert_eq!(found.get("process.pid"), Some(&AttributeValue::I64(std::process::id().into())));
    assert!(text(&found, "process.executable.path").unwrap().starts_with('/'));
    assert!(!found.iter().any(|(key, _)| key.contains("command") || key.contains("owner") || key.contains("args")));
}

/// RES6: each by its name alone.
#[test]
fn res6_only_what_was_asked_for_is_looked_at() {
    let scene = Scene::new("some", &[("etc/hostname", b"web"), ("proc/self/cgroup", ID.as_bytes())]);
    for detector in ResourceDetector::ALL {
        let found = scene.detect([detector].into_iter().collect());
        let prefixes: &[&str] = match detector {
            ResourceDetector::Host => &["host.", "os."],
            ResourceDetector::Process => &["process."],
            _ => &[],
        };
        assert!(found.iter().all(|(key, _)| prefixes.iter().any(|prefix| key.starts_with(prefix))), "{found:?}");
        assert_eq!(found.iter().count() > 0, !prefixes.is_empty());
        // RES5: nothing found has no schema.
        assert_eq!(found.schema_url(), Some(SCHEMA_URL).filter(|_| !found.is_empty()));
    }
}

/// RES5: nothing found is no error, and hostile files do no harm.
#[cfg(unix)]
#[test]
fn res5_hostile_files_are_left_out() {
    let endless = vec![b'x'; 1 << 20];
    let scene = Scene::new(
        "hostile",
        &[
            ("proc/sys/kernel/hostname", b"a\0b\x1b[2J"),
            ("etc/machine-id", &endless),
            ("etc/os-release", &[0xff; 5000]),
            ("proc/self/cgroup", &endless),
        ],
    );
    // A pipe that nobody writes to, a folder, and a device that never ends.
    let pipe = scene.0.join("etc/hostname");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    fs::create_dir_all(scene.0.join("var/lib/dbus/machine-id")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", scene.0.join("proc/self/mountinfo")).unwrap();
    let found = scene.detect(ResourceDetectors::ALL);
    for key in ["host.name", "host.id", "os.name", "os.description", "container.id"] {
        assert_eq!(found.get(key), None, "{key}");
    }
    assert_eq!(Scene::new("empty", &[]).detect(ResourceDetectors::NONE), Resource::new());
}
