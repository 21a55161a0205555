//! Which traces are recorded, as plain data; the decision itself is made where spans start.

use std::fmt;
use std::sync::Arc;

use super::should_sample::ShouldSample;
use super::validation::invalid;
use crate::error::OtlpError;

/// Which traces are recorded. The default is `parent_based(always_on())` (spec-checklist SMP1).
///
/// `Display` gives OpenTelemetry's description of the sampler.
///
/// ```
/// # use otlp_runtime as otlp;
/// # use otlp::config::{OtlpConfig, Sampler};
/// let config = OtlpConfig::default().with_sampler(Sampler::parent_based(Sampler::trace_id_ratio(0.1)));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    One(Decider),
    ParentBased(ParentBased),
}

/// What decides in one case.
#[derive(Clone)]
pub(crate) enum Decider {
    /// Every trace.
    AlwaysOn,
    /// No trace.
    AlwaysOff,
    /// This share of all traces, from 0 to 1, chosen by the trace id alone.
    TraceIdRatio(f64),
    /// The program's own code.
    Custom(Arc<dyn ShouldSample>),
}

/// Who is above a span that is about to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Branch {
    /// Nobody.
    Root = 0,
    /// A span of another process, that is sampled.
    RemoteSampled = 1,
    /// A span of another process, that is not.
    RemoteNotSampled = 2,
    /// A span of this process, that is sampled.
    LocalSampled = 3,
    /// A span of this process, that is not.
    LocalNotSampled = 4,
}

impl Branch {
    pub(crate) const COUNT: usize = 5;
    pub(crate) const ALL: [Self; Self::COUNT] =
        [Self::Root, Self::RemoteSampled, Self::RemoteNotSampled, Self::LocalSampled, Self::LocalNotSampled];
}

impl Sampler {
    /// Records everything, whatever a caller in another process decided.
    pub const fn always_on() -> Self {
        Self(Kind::One(Decider::AlwaysOn))
    }

    /// Records nothing.
    pub const fn always_off() -> Self {
        Self(Kind::One(Decider::AlwaysOff))
    }

    /// Records this share of all traces, chosen by the trace id: every process with the same ratio chooses the same traces,
    /// and one with a greater ratio those and more.
    ///
    /// A ratio that is not from 0 to 1 is an error when the configuration is validated.
    pub const fn trace_id_ratio(ratio: f64) -> Self {
        Self(Kind::One(Decider::TraceIdRatio(ratio)))
    }

    /// Does what the parent span did; `root` decides for spans that have no parent. [`ParentBased`] can say more.
    pub fn parent_based(root: Self) -> Self {
        ParentBased::new(root).into()
    }

    /// Asks the program's own code, for every span. Below [`parent_based`](Self::parent_based) it is asked for spans
    /// without a parent alone, which is cheaper and keeps traces whole.
    pub fn custom(sampler: impl ShouldSample) -> Self {
        Self(Kind::One(Decider::Custom(Arc::new(sampler))))
    }

    /// Whether a parent's decision counts.
    pub const fn is_parent_based(&self) -> bool {
        matches!(self.0, Kind::ParentBased(_))
    }

    /// What decides in this case.
    pub(crate) fn decider(&self, branch: Branch) -> &Decider {
        match &self.0 {
            Kind::One(one) => one,
            Kind::ParentBased(branches) => branches.get(branch),
        }
    }

    /// Whether a span's children may be decided differently from the span itself.
    pub(crate) fn asks_children(&self) -> bool {
        match &self.0 {
            Kind::One(one) => matches!(one, Decider::Custom(_)),
            Kind::ParentBased(branches) => {
                branches.local_sampled != Decider::AlwaysOn || branches.local_not_sampled != Decider::AlwaysOff
            }
        }
    }

    /// Whether a ratio decides where there is a parent, whose own decision it then overrules (spec-checklist SMP3).
    pub(super) fn has_ratio_below_parents(&self) -> bool {
        let is_ratio = |branch: &Branch| matches!(self.decider(*branch), Decider::TraceIdRatio(_));
        self.is_parent_based() && Branch::ALL[1..].iter().any(is_ratio)
    }

    /// Whether every trace that starts here is recorded.
    #[cfg(feature = "export")]
    pub(crate) fn takes_every_root(&self) -> bool {
        *self.decider(Branch::Root) == Decider::AlwaysOn
    }

    /// Whether a ratio decides where there is no parent.
    pub(super) fn has_ratio_at_root(&self) -> bool {
        matches!(self.decider(Branch::Root), Decider::TraceIdRatio(_))
    }

    /// The same with this ratio, if it has one at its root.
    pub(super) fn with_ratio(mut self, ratio: f64) -> Self {
        let root = match &mut self.0 {
            Kind::One(one) => one,
            Kind::ParentBased(branches) => &mut branches.root,
        };
        if let Decider::TraceIdRatio(place) = root {
            *place = ratio;
        }
        self
    }

    pub(super) fn validate(&self) -> Result<(), OtlpError> {
        for branch in Branch::ALL {
            if let Decider::TraceIdRatio(ratio) = *self.decider(branch)
                && !(0.0..=1.0).contains(&ratio)
            {
                return Err(invalid("sampler", ratio, "is not a ratio", "write a number from 0 to 1"));
            }
        }
        Ok(())
    }
}

/// A sampler that does what the parent span did, unless told otherwise for one of the four kinds of parents.
///
/// ```
/// # use otlp_runtime as otlp;
/// # use otlp::config::{OtlpConfig, ParentBased, Sampler};
/// // A caller that does not sample does not keep this service from recording a hundredth of its calls.
/// let sampler = ParentBased::new(Sampler::always_on()).with_remote_parent_not_sampled(Sampler::trace_id_ratio(0.01));
/// let config = OtlpConfig::default().with_sampler(sampler);
/// ```
/// A parent-based sampler within it is asked for the same kind of parent.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a sampler does nothing until `with_sampler` is given it"]
pub struct ParentBased {
    root: Decider,
    remote_sampled: Decider,
    remote_not_sampled: Decider,
    local_sampled: Decider,
    local_not_sampled: Decider,
}

impl ParentBased {
    /// `root` decides for spans that have no parent.
    pub fn new(root: Sampler) -> Self {
        Self {
            root: root.decider(Branch::Root).clone(),
            remote_sampled: Decider::AlwaysOn,
            remote_not_sampled: Decider::AlwaysOff,
            local_sampled: Decider::AlwaysOn,
            local_not_sampled: Decider::AlwaysOff,
        }
    }

    /// Decides below a span of another process that is sampled. Default: [`Sampler::always_on`].
    pub fn with_remote_parent_sampled(mut self, sampler: impl Into<Sampler>) -> Self {
        self.remote_sampled = sampler.into().decider(Branch::RemoteSampled).clone();
        self
    }

    /// Decides below a span of another process that is not sampled. Default: [`Sampler::always_off`].
    pub fn with_remote_parent_not_sampled(mut self, sampler: impl Into<Sampler>) -> Self {
        self.remote_not_sampled = sampler.into().decider(Branch::RemoteNotSampled).clone();
        self
    }

    /// Decides below a span of this process that is sampled. Default: [`Sampler::always_on`].
    pub fn with_local_parent_sampled(mut self, sampler: impl Into<Sampler>) -> Self {
        self.local_sampled = sampler.into().decider(Branch::LocalSampled).clone();
        self
    }

    /// Decides below a span of this process that is not sampled. Default: [`Sampler::always_off`].
    pub fn with_local_parent_not_sampled(mut self, sampler: impl Into<Sampler>) -> Self {
        self.local_not_sampled = sampler.into().decider(Branch::LocalNotSampled).clone();
        self
    }

    fn get(&self, branch: Branch) -> &Decider {
        match branch {
            Branch::Root => &self.root,
            Branch::RemoteSampled => &self.remote_sampled,
            Branch::RemoteNotSampled => &self.remote_not_sampled,
            Branch::LocalSampled => &self.local_sampled,
            Branch::LocalNotSampled => &self.local_not_sampled,
        }
    }
}

impl From<ParentBased> for Sampler {
    fn from(branches: ParentBased) -> Self {
        Self(Kind::ParentBased(branches))
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::parent_based(Self::always_on())
    }
}

/// Custom samplers are equal if they are the same one.
impl PartialEq for Decider {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::AlwaysOn, Self::AlwaysOn) | (Self::AlwaysOff, Self::AlwaysOff) => true,
            (Self::TraceIdRatio(a), Self::TraceIdRatio(b)) => a == b,
            (Self::Custom(a), Self::Custom(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl fmt::Debug for Decider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// OpenTelemetry's description (spec-checklist SMP2).
impl fmt::Display for Decider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlwaysOn => f.write_str("AlwaysOnSampler"),
            Self::AlwaysOff => f.write_str("AlwaysOffSampler"),
            Self::TraceIdRatio(ratio) => write!(f, "TraceIdRatioBased{{{ratio}}}"),
            Self::Custom(custom) => f.write_str(&custom.description()),
        }
    }
}

/// OpenTelemetry's description (spec-checklist SMP2); that of a parent-based sampler names all five branches.
impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ParentBased { root, remote_sampled, remote_not_sampled, local_sampled, local_not_sampled } = match &self.0 {
            Kind::One(one) => return one.fmt(f),
            Kind::ParentBased(branches) => branches,
        };
        write!(f, "ParentBased{{root:{root},remoteParentSampled:{remote_sampled},")?;
        write!(f, "remoteParentNotSampled:{remote_not_sampled},localParentSampled:{local_sampled},")?;
        write!(f, "localParentNotSampled:{local_not_sampled}}}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::{SamplingDecision, SamplingInput};

    struct Own;

    impl ShouldSample for Own {
        fn should_sample(&self, _: &SamplingInput<'_>) -> SamplingDecision {
            SamplingDecision::drop()
        }
    }

    #[test]
    fn smp2_descriptions_are_exact() {
        assert_eq!(Sampler::always_on().to_string(), "AlwaysOnSampler");
        assert_eq!(Sampler::always_off().to_string(), "AlwaysOffSampler");
        assert_eq!(Sampler::trace_id_ratio(0.0001).to_string(), "TraceIdRatioBased{0.0001}");
        assert!(Sampler::custom(Own).to_string().ends_with("::Own"));
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
        assert!(sampler.is_parent_based() && !sampler.asks_children());
        assert_eq!(sampler.decider(Branch::Root), &Decider::AlwaysOn);
        assert_eq!(Sampler::parent_based(sampler.clone()), sampler);
    }

    #[test]
    fn smp4_each_branch_is_set_by_its_own_name_and_a_nested_one_is_asked_for_its_own() {
        let ratio = |n: u8| Sampler::trace_id_ratio(f64::from(n) / 10.0);
        let branches = ParentBased::new(ratio(0))
            .with_remote_parent_sampled(ratio(1))
            .with_remote_parent_not_sampled(ratio(2))
            .with_local_parent_sampled(ratio(3))
            .with_local_parent_not_sampled(ratio(4));
        let sampler = Sampler::from(branches.clone());
        for (branch, n) in Branch::ALL.into_iter().zip(0..) {
            assert_eq!(sampler.decider(branch).to_string(), ratio(n).to_string(), "{branch:?}");
        }
        let nested = ParentBased::new(sampler.clone())
            .with_remote_parent_sampled(branches.clone())
            .with_remote_parent_not_sampled(sampler.clone())
            .with_local_parent_sampled(sampler.clone())
            .with_local_parent_not_sampled(branches);
        assert_eq!(Sampler::from(nested), sampler);
        assert!(sampler.asks_children() && sampler.has_ratio_below_parents());
        assert!(!Sampler::parent_based(ratio(5)).has_ratio_below_parents());
    }

    #[test]
    fn a_ratio_outside_of_0_to_1_is_a_typed_error() {
        for good in [0.0, -0.0, 1e-9, 0.5, 1.0] {
            Sampler::trace_id_ratio(good).validate().unwrap();
        }
        for bad in [-0.1, 1.000001, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let bad = Sampler::trace_id_ratio(bad);
            let below = ParentBased::new(Sampler::always_on()).with_local_parent_not_sampled(bad.clone());
            for sampler in [bad.clone(), Sampler::parent_based(bad), below.into()] {
                let error = sampler.validate().unwrap_err();
                assert!(matches!(error, OtlpError::InvalidConfig { setting: "sampler", .. }), "{error}");
            }
        }
    }
}
