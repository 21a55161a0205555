//! Which attributes of the resource are found out, by the names of OpenTelemetry (spec-checklist RES6).

use std::fmt;

/// Finds out some attributes of the program's surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResourceDetector {
    /// `container.id`, on Linux.
    Container,
    /// `host.name`, `host.id`, `host.arch`, and `os.*`.
    Host,
    /// `process.pid`, `process.executable.*`, `process.runtime.name`; never the arguments, which may hold secrets.
    Process,
    /// `service.instance.id`: a random UUID for this process.
    Service,
}

impl ResourceDetector {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Container, Self::Host, Self::Process, Self::Service];

    /// Its name in `OTLP_RESOURCE_DETECTORS`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Host => "host",
            Self::Process => "process",
            Self::Service => "service",
        }
    }
}

/// Some of the detectors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ResourceDetectors([bool; ResourceDetector::ALL.len()]);

impl ResourceDetectors {
    /// All of them, the default.
    pub const ALL: Self = Self([true; ResourceDetector::ALL.len()]);
    /// None of them.
    pub const NONE: Self = Self([false; ResourceDetector::ALL.len()]);

    /// Whether this one is among them.
    pub fn has(self, detector: ResourceDetector) -> bool {
        self.iter().any(|other| other == detector)
    }

    /// Those that are.
    pub fn iter(self) -> impl Iterator<Item = ResourceDetector> {
        ResourceDetector::ALL.into_iter().zip(self.0).filter(|(_, is)| *is).map(|(detector, _)| detector)
    }
}

impl FromIterator<ResourceDetector> for ResourceDetectors {
    fn from_iter<I: IntoIterator<Item = ResourceDetector>>(detectors: I) -> Self {
        let mut some = Self::NONE;
        for detector in detectors {
            let places = ResourceDetector::ALL.into_iter().zip(&mut some.0);
            places.filter(|(other, _)| *other == detector).for_each(|(_, place)| *place = true);
        }
        some
    }
}

/// As in `OTLP_RESOURCE_DETECTORS`.
impl fmt::Display for ResourceDetectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(ResourceDetector::as_str).collect();
        f.write_str(if names.is_empty() { "none".to_owned() } else { names.join(",") }.as_str())
    }
}

impl fmt::Debug for ResourceDetectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
