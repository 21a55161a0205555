//! What code and environment decide together: exporters, sampler, batches, lines.

use std::time::Duration;

use super::endpoint::Source;
use super::parse::{LONGEST, shown};
use super::reader::Reader;
use super::{
    LogLevel, OtlpConfig, ResourceDetector, ResourceDetectors, Sampler, TracesExporter, TracesExporters,
    TransportProtocol, variables,
};

const BATCH_SIZE: usize = 8192;
const SCHEDULE_DELAY: Duration = Duration::from_secs(1);
const EXPORT_TIMEOUT: Duration = Duration::from_secs(300);
/// `Sampler::default()` by the name that the environment has for it.
const DEFAULT_SAMPLER: &str = "parentbased_always_on";
/// Batches that fit into a queue whose size is set, as in the specification's defaults (2048 and 512).
const BATCHES_IN_QUEUE: usize = 4;

/// How items are batched and how long batches live.
pub(super) struct Batches {
    pub(super) size: usize,
    pub(super) queue: usize,
    pub(super) delay: Duration,
    /// Zero means no end.
    pub(super) timeout: Duration,
}

impl OtlpConfig {
    pub(super) fn choose_log_level(&self, reader: &mut Reader<'_>) -> LogLevel {
        let default = LogLevel::default();
        reader.choose(self.log_level, &[&variables::LOG_LEVEL], default, |_| Ok(()), LogLevel::to_string).0
    }

    pub(super) fn choose_exporters(&self, reader: &mut Reader<'_>) -> TracesExporters {
        let console = (self.protocol == Some(TransportProtocol::Stdout)).then_some([TracesExporter::Console]);
        if let Some(exporters) = self.exporters.or_else(|| console.map(TracesExporters::from_iter)) {
            return exporters;
        }
        let name = variables::TRACES_EXPORTER.row.name;
        let Some(names) = reader.optional(&variables::TRACES_EXPORTER) else { return TracesExporters::OTLP };
        let find = |name: &str| TracesExporter::ALL.into_iter().find(|exporter| exporter.as_str() == name);
        let known: TracesExporters = names.iter().filter_map(|name| find(name)).collect();
        let (nowhere, says_none) = (known == TracesExporters::NONE, names.iter().any(|name| name == "none"));
        let used = if nowhere && !says_none { TracesExporters::OTLP } else { known };
        let unknown: Vec<_> = names.iter().filter(|name| *name != "none" && find(name).is_none()).collect();
        if !unknown.is_empty() {
            let unknown: Vec<_> = unknown.into_iter().map(|name| format!("{:?}", shown(name))).collect();
            reader.report(format!(
                "{name}: {} is no exporter of otlp (`otlp`, `console`, `none`); using {used}",
                shown(&unknown.join(", "))
            ));
        }
        if says_none && !nowhere {
            reader.report(format!("{name}: `none` stands beside others, and is ignored; using {used}"));
        }
        used
    }

    pub(super) fn choose_detectors(&self, reader: &mut Reader<'_>) -> ResourceDetectors {
        let variables = [&variables::RESOURCE_DETECTORS, &variables::EXPERIMENTAL_RESOURCE_DETECTORS];
        if let Some(detectors) = self.detectors {
            return detectors;
        }
        let Some((variable, names)) =
            variables.into_iter().find_map(|variable| Some((variable, reader.optional(variable)?)))
        else {
            return ResourceDetectors::ALL;
        };
        let find = |name: &String| ResourceDetector::ALL.into_iter().find(|detector| detector.as_str() == *name);
        let all = names.iter().any(|name| name == "all");
        let used = if all { ResourceDetectors::ALL } else { names.iter().filter_map(find).collect() };
        let is_known = |name: &String| name == "all" || name == "none" || find(name).is_some();
        let unknown: Vec<_> =
            names.iter().filter(|name| !is_known(name)).map(|name| format!("{:?}", shown(name))).collect();
        if !unknown.is_empty() {
            let (name, unknown) = (variable.row.name, shown(&unknown.join(", ")));
            reader.report(format!(
                "{name}: {unknown} is no detector of otlp (`container`, `host`, `process`, `service`); using {used}"
            ));
        }
        used
    }

    pub(super) fn choose_sampler(&self, reader: &mut Reader<'_>) -> Sampler {
        let (default, variable) = (Sampler::default(), &variables::TRACES_SAMPLER);
        let (sampler, source) =
            reader.choose(self.sampler.clone(), &[variable], default, |_| Ok(()), |_| DEFAULT_SAMPLER.to_owned());
        let argument = &variables::TRACES_SAMPLER_ARG;
        match source {
            Source::Environment(_) if sampler.has_ratio_at_root() => {
                let ratio = reader.choose(None, &[argument], 1.0, |_| Ok(()), f64::to_string).0;
                return sampler.with_ratio(ratio);
            }
            Source::Default if !reader.is_set(variable) && reader.is_set(argument) => {
                let (argument, variable) = (argument.row.name, variable.row.name);
                reader.report(format!("{argument} is ignored: {variable} is not set, and says what it would mean"));
            }
            _ => {}
        }
        if sampler.has_ratio_below_parents() {
            let line = "with_sampler: a ratio decides below parents, so that traces may have holes; \
                        mostly the ratio belongs to the root";
            reader.report(line.to_owned());
        }
        sampler
    }

    pub(super) fn choose_batches(&self, reader: &mut Reader<'_>) -> Batches {
        use variables as v;
        let ms = |time: &Duration| format!("{} ms", time.as_millis());
        let delay = reader.choose(self.schedule_delay, &[&v::BSP_SCHEDULE_DELAY], SCHEDULE_DELAY, |_| Ok(()), ms).0;
        let timeout = reader.choose(self.export_timeout, &[&v::BSP_EXPORT_TIMEOUT], EXPORT_TIMEOUT, |_| Ok(()), ms).0;
        let number = |n: &usize| if *n == usize::MAX { "no limit but that in bytes".to_owned() } else { n.to_string() };
        let queue = reader.choose(self.queue_size, &[&v::BSP_MAX_QUEUE_SIZE], usize::MAX, |_| Ok(()), number).0;
        let default = BATCH_SIZE.min(queue / BATCHES_IN_QUEUE).max(1);
        let (size, source) =
            reader.choose(self.batch_size, &[&v::BSP_MAX_EXPORT_BATCH_SIZE], default, |_| Ok(()), number);
        if size > queue {
            let setting = match source {
                Source::Environment(name) => name,
                _ => "with_batch_size",
            };
            reader.report(format!("{setting}: {size} is more than the queue holds; using {queue}"));
        }
        Batches {
            size: size.min(queue),
            queue,
            delay: delay.min(LONGEST),
            // What "no limit" is read as.
            timeout: if timeout >= LONGEST { Duration::ZERO } else { timeout },
        }
    }
}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;
