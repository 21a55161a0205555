//! How figures are written.

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Nanoseconds,
    /// Of which a difference to 0 matters, and no ratio.
    AddedNanoseconds,
    Milliseconds,
    PerSecond,
    MiB,
    KiB,
    Percent,
    Bytes,
    /// So many times another figure.
    Times,
}

impl Unit {
    /// Whether one value can be so many times another.
    pub(crate) fn has_ratios(self) -> bool {
        !matches!(self, Self::AddedNanoseconds | Self::Percent | Self::Times)
    }

    pub(crate) fn show(self, value: f64) -> String {
        let (value, name) = match self {
            Self::Nanoseconds => (value, "ns"),
            Self::AddedNanoseconds => (value, "ns more"),
            Self::Milliseconds if value.abs() >= 1000.0 => (value / 1000.0, "s"),
            Self::Milliseconds if value.abs() < 0.1 => (value * 1000.0, "us"),
            Self::Milliseconds => (value, "ms"),
            Self::PerSecond if value >= 1e6 => (value / 1e6, "M/s"),
            Self::PerSecond => (value / 1e3, "k/s"),
            Self::MiB => (value, "MiB"),
            Self::KiB => (value, "KiB"),
            Self::Percent => (value, "%"),
            Self::Bytes => (value, "B"),
            Self::Times => return format!("{} x", factor(value)),
        };
        format!("{} {name}", digits(value))
    }

    /// What `otlp` is, if it is better, or worse.
    pub(crate) fn comparative(self, better: bool) -> &'static str {
        match (self, better) {
            (Self::Nanoseconds | Self::AddedNanoseconds | Self::Milliseconds, true) => "faster",
            (Self::Nanoseconds | Self::AddedNanoseconds | Self::Milliseconds, false) => "slower",
            (Self::PerSecond, true) => "more",
            (Self::MiB | Self::KiB | Self::Percent | Self::Bytes | Self::Times, true) | (Self::PerSecond, false) => {
                "less"
            }
            (Self::MiB | Self::KiB | Self::Percent | Self::Bytes | Self::Times, false) => "more",
        }
    }
}

/// Three digits or so.
pub(crate) fn digits(value: f64) -> String {
    match value.abs() {
        99.95.. => thousands(value.round() as i64),
        9.995.. => format!("{value:.1}"),
        // No sign before a zero.
        0.005.. => format!("{value:.2}"),
        _ => "0.00".to_owned(),
    }
}

pub(crate) fn thousands(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0 { format!("-{text}") } else { text }
}

/// How many times.
pub(crate) fn factor(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}") } else { digits(ratio) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_enough_and_units_fit_their_figures() {
        for (unit, value, expected) in [
            (Unit::Nanoseconds, 1234.4, "1,234 ns"),
            (Unit::Nanoseconds, 54.32, "54.3 ns"),
            (Unit::AddedNanoseconds, -0.004, "0.00 ns more"),
            (Unit::Milliseconds, 0.0142, "14.2 us"),
            (Unit::Milliseconds, 1004.0, "1.00 s"),
            (Unit::PerSecond, 1_150_000.0, "1.15 M/s"),
            (Unit::PerSecond, 697_000.0, "697 k/s"),
            (Unit::Percent, 71.0, "71.0 %"),
            (Unit::Times, 6.25, "6.25 x"),
            (Unit::Times, 44.96, "45.0 x"),
        ] {
            assert_eq!(unit.show(value), expected);
        }
        assert_eq!(thousands(-1_234_567), "-1,234,567");
        assert_eq!(thousands(123), "123");
    }
}
