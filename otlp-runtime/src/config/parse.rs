//! Reads the values of variables. Each function's error says what is wrong; only values that hold no secret are shown.

use std::time::Duration;

use super::endpoint::{self, EndpointKind};
use super::limits::MOST;
use super::{Filter, LogLevel, Sampler, TransportProtocol};

/// The longest time that a setting means; longer ones, and "no limit", are this: 2^31-1 ms, nearly 25 days.
pub(super) const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// `value` in a message: escaped, and not endless.
pub(super) fn shown(value: &str) -> String {
    const MOST: usize = 60;
    match value.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &value[..end]),
        None => value.to_owned(),
    }
}

/// Any text.
pub(super) fn text(value: &str) -> Result<String, String> {
    Ok(value.to_owned())
}

/// `true` or `false` of either case (spec-checklist ENV3).
pub(super) fn boolean(value: &str) -> Result<bool, String> {
    match value {
        v if v.eq_ignore_ascii_case("true") => Ok(true),
        v if v.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(format!("{:?} is neither `true` nor `false`", shown(value))),
    }
}

/// Milliseconds, 0 to 2^31-1, where 0 means no limit (spec-checklist ENV4, ENV5).
pub(super) fn timeout(value: &str) -> Result<Duration, String> {
    match value.parse::<i64>() {
        Ok(0) => Ok(LONGEST),
        Ok(ms) if ms < 0 => Err(format!("{ms} is negative")),
        Ok(ms) if ms <= i64::from(i32::MAX) => Ok(Duration::from_millis(ms.unsigned_abs())),
        _ => Err(format!("{:?} is not a whole number of milliseconds up to {}", shown(value), i32::MAX)),
    }
}

/// Milliseconds, 0 to 2^31-1 (spec-checklist ENV5).
pub(super) fn duration(value: &str) -> Result<Duration, String> {
    match value.parse::<i64>() {
        Ok(0) => Ok(Duration::ZERO),
        _ => timeout(value),
    }
}

/// How many of something of which there is at least one: 1 to 2^31-1 (spec-checklist ENV4).
pub(super) fn positive(value: &str) -> Result<usize, String> {
    match whole(value)? {
        0 => Err("0 means that nothing is ever sent".to_owned()),
        number if number > i32::MAX as usize => Err(format!("{number} is more than {}", i32::MAX)),
        number => Ok(number),
    }
}

/// A share, 0 to 1.
pub(super) fn ratio(value: &str) -> Result<f64, String> {
    match value.parse::<f64>() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        _ => Err(format!("{:?} is not a number from 0 to 1", shown(value))),
    }
}

/// A sampler's name, of either case (spec-checklist ENV6); one that has a ratio records everything.
pub(super) fn sampler(value: &str) -> Result<Sampler, String> {
    let samplers = [
        ("always_on", Sampler::always_on()),
        ("always_off", Sampler::always_off()),
        ("traceidratio", Sampler::trace_id_ratio(1.0)),
        ("parentbased_always_on", Sampler::parent_based(Sampler::always_on())),
        ("parentbased_always_off", Sampler::parent_based(Sampler::always_off())),
        ("parentbased_traceidratio", Sampler::parent_based(Sampler::trace_id_ratio(1.0))),
    ];
    let found = samplers.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(value));
    found.map(|(_, sampler)| sampler).ok_or_else(|| {
        format!(
            "{:?} is not a sampler of otlp (`always_on`, `always_off`, `traceidratio`, `parentbased_*`)",
            shown(value)
        )
    })
}

/// A level's name.
pub(super) fn log_level(value: &str) -> Result<LogLevel, String> {
    LogLevel::find(value).ok_or_else(|| format!("{:?} is not a level (`none`, `error`, `warn`, `info`)", shown(value)))
}

/// Names with commas between, in lower case; empty ones are passed over.
pub(super) fn names(value: &str) -> Result<Vec<String>, String> {
    Ok(value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_ascii_lowercase).collect())
}

/// How many of something: 0 to the most that one span can carry.
pub(super) fn count(value: &str) -> Result<usize, String> {
    match whole(value)? {
        count if count > MOST => Err(format!("{count} is more than the {MOST} that one span can carry")),
        count => Ok(count),
    }
}

/// A length without an upper bound.
pub(super) fn length(value: &str) -> Result<usize, String> {
    whole(value)
}

fn whole(value: &str) -> Result<usize, String> {
    match value.parse::<i64>() {
        Ok(number) if number < 0 => Err(format!("{number} is negative")),
        Ok(number) => Ok(usize::try_from(number).unwrap_or(usize::MAX)),
        Err(_) => Err(format!("{:?} is not a whole number", shown(value))),
    }
}

/// A protocol's name (spec-checklist ENV6, EXP6).
pub(super) fn protocol(value: &str) -> Result<TransportProtocol, String> {
    TransportProtocol::find(value)
        .ok_or_else(|| format!("{:?} is not a protocol that otlp speaks (`grpc`, `http/protobuf`)", shown(value)))
}

/// A list of directives.
pub(super) fn filter(value: &str) -> Result<Filter, String> {
    Filter::parse(value).map_err(|problem| problem.to_string())
}

/// A URL; what a protocol says to it is looked at when that is known.
pub(super) fn base_endpoint(value: &str) -> Result<String, String> {
    url(value, EndpointKind::Base)
}

/// The same for one signal.
pub(super) fn signal_endpoint(value: &str) -> Result<String, String> {
    url(value, EndpointKind::Signal)
}

fn url(value: &str, kind: EndpointKind) -> Result<String, String> {
    match endpoint::parse(value, kind, None) {
        Ok(_) => Ok(value.to_owned()),
        Err(problem) => Err(format!("the URL {}; {}", problem.what, problem.remedy)),
    }
}

/// `key=value,key=value` with percent-encoding; any error is the whole value's (spec-checklist RES4).
pub(super) fn attributes(value: &str) -> Result<Vec<(String, String)>, String> {
    let mut attributes = Vec::new();
    // Lists of HTTP, whose grammar this is, may have empty members: a comma at the end is no error.
    for (i, member) in value.split(',').enumerate().filter(|(_, member)| !member.trim().is_empty()) {
        let at = |problem: &str| format!("entry {} {problem}", i + 1);
        let (key, value) = member.split_once('=').ok_or_else(|| at("has no `=`"))?;
        if value.contains('=') {
            return Err(at("has a second `=`, which must be written %3D"));
        }
        let key = percent_decoded(key.trim()).map_err(&at)?;
        if key.is_empty() {
            return Err(at("has no key"));
        }
        attributes.push((key, percent_decoded(value.trim()).map_err(&at)?));
    }
    Ok(attributes)
}

pub(crate) fn percent_decoded(text: &str) -> Result<String, &'static str> {
    const BAD: &str = "has a `%` that two hexadecimal digits do not follow";
    let digit =
        |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok()).ok_or(BAD);
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => digit(bytes.next())? * 16 + digit(bytes.next())?,
            other => other,
        });
    }
    String::from_utf8(decoded).map_err(|_| "is not UTF-8 once it is decoded")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn env3_booleans() {
        assert_eq!((boolean("TRUE"), boolean("true"), boolean("False")), (Ok(true), Ok(true), Ok(false)));
        for bad in ["1", "yes", "0", "truee"] {
            assert!(boolean(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn env4_env5_timeouts_are_whole_milliseconds_and_0_means_no_limit() {
        assert_eq!(timeout("2500"), Ok(Duration::from_millis(2500)));
        assert_eq!(timeout("0"), Ok(LONGEST));
        assert_eq!(timeout("2147483647"), Ok(LONGEST));
        for bad in ["-1", "10s", "1.5", "", "2147483648", "99999999999999999999999"] {
            assert!(timeout(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn env4_counts_and_lengths_are_whole_numbers() {
        assert_eq!(
            (count("0"), count("10000"), length("0"), length("4000000000")),
            (Ok(0), Ok(10_000), Ok(0), Ok(4_000_000_000))
        );
        for bad in ["-1", "1.5", "many", "0x10", "99999999999999999999999"] {
            assert!(count(bad).is_err() && length(bad).is_err(), "{bad}");
        }
        assert!(count("10001").unwrap_err().contains("10000"));
    }

    #[test]
    fn res4_attributes_are_decoded() {
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        assert_eq!(
            attributes("a=1, b.c = x y ,d%2Ce=%3D%2c,f=,g=\u{fc}%C3%BC,").unwrap(),
            [pair("a", "1"), pair("b.c", "x y"), pair("d,e", "=,"), pair("f", ""), pair("g", "\u{fc}\u{fc}")]
        );
        assert_eq!(attributes(" , ").unwrap(), []);
    }

    #[test]
    fn res4_one_error_spoils_the_whole_value_and_shows_none_of_it() {
        for bad in
            ["a=1,hunter2", "a=1,=hunter2", "a=hunter2%", "a=hunter2%4", "a=%zz", "a=%+1", "a=%ff", "a=hunter2=2"]
        {
            let error = attributes(bad).unwrap_err();
            assert!(error.contains("entry ") && !error.contains("hunter2"), "{bad}: {error}");
        }
        assert!(attributes("a=1,b").unwrap_err().contains("entry 2 has no `=`"));
    }

    #[test]
    fn messages_stay_short_and_on_one_line() {
        let error = boolean(&"x\n".repeat(1000)).unwrap_err();
        assert!(error.len() < 250 && !error.contains('\n'), "{error}");
    }
}
