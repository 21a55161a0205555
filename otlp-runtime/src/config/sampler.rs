//! Which traces are recorded, as plain data; the decision itself is made where spans start.

use std::fmt;

use crate::error::OtlpError;

/// Which traces are recorded. The default is `parent_based(always_on())` (spec-checklist SMP1).
///
/// `Display` gives OpenTelemetry's description of the sampler.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler {
    root: RootSampler,
    parent_based: bool,
}

/// What a [`Sampler`] decides by where no parent decides.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum RootSampler {
    /// Every trace.
    AlwaysOn,
    /// No trace.
    AlwaysOff,
    /// This share of all traces, from 0 to 1, chosen by the trace id alone.
    TraceIdRatio(f64),
}

impl Sampler {
    /// Records everything, whatever a caller in another process decided.
    pub const fn always_on() -> Self {
        Self { root: RootSampler::AlwaysOn, parent_based: false }
    }

    /// Records nothing.
    pub const fn always_off() -> Self {
        Self { root: RootSampler::AlwaysOff, parent_based: false }
    }

    /// Records this share of all traces, chosen by the trace id: every process with the same ratio chooses the same traces.
    ///
    /// A ratio that is not from 0 to 1 is an error when the configuration is validated.
    pub const fn trace_id_ratio(ratio: f64) -> Self {
        Self { root: RootSampler::TraceIdRatio(ratio), parent_based: false }
    }

    /// Does what the parent span did; `root` decides for spans that have no parent.
    pub const fn parent_based(root: Self) -> Self {
        Self { root: root.root, parent_based: true }
    }

    /// Whether a parent's decision counts.
    pub const fn is_parent_based(&self) -> bool {
        self.parent_based
    }

    /// What decides where no parent does.
    pub const fn root(&self) -> RootSampler {
        self.root
    }

    pub(super) fn validate(&self) -> Result<(), OtlpError> {
        match self.root {
            RootSampler::TraceIdRatio(ratio) if !(0.0..=1.0).contains(&ratio) => Err(OtlpError::InvalidConfig {
                setting: "sampler",
                value: ratio.to_string(),
                problem: "is not a ratio",
                remedy: "write a number from 0 to 1",
            }),
            _ => Ok(()),
        }
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::parent_based(Self::always_on())
    }
}

/// OpenTelemetry's description (spec-checklist SMP2).
impl fmt::Display for RootSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlwaysOn => f.write_str("AlwaysOnSampler"),
            Self::AlwaysOff => f.write_str("AlwaysOffSampler"),
            Self::TraceIdRatio(ratio) => write!(f, "TraceIdRatioBased{{{ratio}}}"),
        }
    }
}

/// OpenTelemetry's description (spec-checklist SMP2); that of a parent-based sampler names all five branches.
impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.parent_based {
            return self.root.fmt(f);
        }
        let (on, off) = (RootSampler::AlwaysOn, RootSampler::AlwaysOff);
        write!(f, "ParentBased{{root:{},remoteParentSampled:{on},remoteParentNotSampled:{off},", self.root)?;
        write!(f, "localParentSampled:{on},localParentNotSampled:{off}}}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn smp2_descriptions_are_exact() {
        assert_eq!(Sampler::always_on().to_string(), "AlwaysOnSampler");
        assert_eq!(Sampler::always_off().to_string(), "AlwaysOffSampler");
        assert_eq!(Sampler::trace_id_ratio(0.0001).to_string(), "TraceIdRatioBased{0.0001}");
        assert_eq!(
            Sampler::parent_based(Sampler::trace_id_ratio(0.5)).to_string(),
            "ParentBased{root:TraceIdRatioBased{0.5},remoteParentSampled:AlwaysOnSampler,\
             remoteParentNotSampled:AlwaysOffSampler,localParentSampled:AlwaysOnSampler,\
             localParentNotSampled:AlwaysOffSampler}"
        );
    }

    #[test]
    fn smp1_the_default_follows_the_parent_and_records_every_root() {
        let sampler = Sampler::default();
        assert!(sampler.is_parent_based());
        assert_eq!(sampler.root(), RootSampler::AlwaysOn);
        assert_eq!(Sampler::parent_based(sampler.clone()), sampler);
    }

    #[test]
    fn a_ratio_outside_of_0_to_1_is_a_typed_error() {
        for good in [0.0, -0.0, 1e-9, 0.5, 1.0] {
            Sampler::trace_id_ratio(good).validate().unwrap();
        }
        for bad in [-0.1, 1.000001, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for sampler in [Sampler::trace_id_ratio(bad), Sampler::parent_based(Sampler::trace_id_ratio(bad))] {
                let error = sampler.validate().unwrap_err();
                assert!(matches!(error, OtlpError::InvalidConfig { setting: "sampler", .. }), "{error}");
            }
        }
    }
}
