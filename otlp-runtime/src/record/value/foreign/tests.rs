//! What arrives.
#![allow(clippy::unwrap_used)]
#![cfg_attr(not(any(feature = "chrono", feature = "http-types", feature = "url", feature = "uuid")), allow(dead_code))]

use crate::data::{AttributeValue, Level, Scope, SpanKind};
use crate::macro_support::span;
use crate::record::callsite::{Callsite, Metadata, Registered};
use crate::record::value::Value;
use crate::testing::capture;

static CALLSITE: Callsite = Callsite::new(Metadata {
    name: "test",
    path: "test",
    file: "tests.rs",
    line: 1,
    level: Level::Info,
    kind: SpanKind::Internal,
    keys: &["value"],
    scope: Scope { name: "test", version: "" },
    root: false,
    sample: None,
});

inventory::submit! { Registered(&CALLSITE) }

/// The attribute that arrives, if one does; never one that was dropped.
fn recorded(value: &impl Value) -> Option<AttributeValue> {
    let (_, captured) = capture(|| drop(span(&CALLSITE, |fields| fields.value(0, value))));
    let span = captured.one("test");
    assert_eq!(span.dropped_attributes, 0);
    span.attribute("value").cloned()
}

#[track_caller]
fn text(value: &impl Value, expected: &str) {
    assert_eq!(recorded(value), Some(AttributeValue::String(expected.into())));
}

#[cfg(feature = "uuid")]
#[test]
fn uuids_are_hyphenated() {
    text(&uuid::Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8), "67e55044-10b1-426f-9247-bb680e5fe0c8");
    text(&uuid::Uuid::nil(), "00000000-0000-0000-0000-000000000000");
}

#[cfg(feature = "chrono")]
mod times {
    use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};

    use super::*;

    fn time() -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2026, 1, 2).unwrap().and_hms_milli_opt(3, 4, 5, 678).unwrap()
    }

    fn at(seconds: i32) -> DateTime<FixedOffset> {
        time().and_utc().with_timezone(&FixedOffset::east_opt(seconds).unwrap())
    }

    #[test]
    fn are_rfc_3339() {
        text(&time().and_utc(), "2026-01-02T03:04:05.678Z");
        text(&at(0), "2026-01-02T03:04:05.678Z");
        text(&at(3600), "2026-01-02T04:04:05.678+01:00");
        text(&at(-16_200), "2026-01-01T22:34:05.678-04:30");
        text(&at(75), "2026-01-02T03:04:05.678Z");
        text(&DateTime::<Utc>::from_timestamp(0, 1).unwrap(), "1970-01-01T00:00:00.000000001Z");
        for time in [at(0), at(3600), at(-16_200), at(75)] {
            let Some(AttributeValue::String(text)) = recorded(&time) else { panic!("no text") };
            assert_eq!(DateTime::parse_from_rfc3339(&text).unwrap(), time);
        }
    }

    #[test]
    fn without_a_zone() {
        text(&time(), "2026-01-02T03:04:05.678");
        text(&time().date(), "2026-01-02");
        text(&time().time(), "03:04:05.678");
    }

    #[test]
    fn the_ends_of_time_are_no_panic() {
        for time in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            assert!(recorded(&time).is_some());
            let far = time.with_timezone(&FixedOffset::east_opt(3600).unwrap());
            let (_, captured) = capture(|| drop(span(&CALLSITE, |fields| fields.value(0, &far))));
            let span = captured.one("test");
            assert_eq!(span.attributes.len() + span.dropped_attributes as usize, 1);
        }
    }

    #[test]
    fn differences_are_seconds() {
        for (difference, expected) in [
            (TimeDelta::milliseconds(1500), 1.5),
            (TimeDelta::milliseconds(-1500), -1.5),
            (TimeDelta::nanoseconds(-1), -1e-9),
            (TimeDelta::zero(), 0.0),
            (TimeDelta::MAX, i64::MAX as f64 / 1e3),
        ] {
            assert_eq!(recorded(&difference), Some(AttributeValue::F64(expected)));
        }
    }

    #[derive(Clone, Debug)]
    struct Broken;
    impl Offset for Broken {
        fn fix(&self) -> FixedOffset {
            panic!("the user's")
        }
    }
    impl TimeZone for Broken {
        type Offset = Self;
        fn from_offset(_: &Self) -> Self {
            Self
        }
        fn offset_from_local_date(&self, _: &NaiveDate) -> MappedLocalTime<Self> {
            MappedLocalTime::Single(Self)
        }
        fn offset_from_local_datetime(&self, _: &NaiveDateTime) -> MappedLocalTime<Self> {
            MappedLocalTime::Single(Self)
        }
        fn offset_from_utc_date(&self, _: &NaiveDate) -> Self {
            Self
        }
        fn offset_from_utc_datetime(&self, _: &NaiveDateTime) -> Self {
            Self
        }
    }

    #[test]
    fn a_zone_that_panics_leaves_it_out() {
        let time = Broken.from_utc_datetime(&time());
        let (_, captured) = capture(|| drop(span(&CALLSITE, |fields| fields.value(0, &time))));
        let span = captured.one("test");
        assert_eq!((span.attributes.len(), span.dropped_attributes), (0, 1));
    }
}

#[cfg(feature = "url")]
#[test]
fn urls_have_no_user() {
    for (written, expected) in [
        ("https://shop.example:8443/a?b=c#d", "https://shop.example:8443/a?b=c#d"),
        ("https://ada:secret@shop.example/", "https://shop.example/"),
        ("https://ada@shop.example/a@b", "https://shop.example/a@b"),
        ("https://:secret@[::1]:80/?q=x@y", "https://[::1]:80/?q=x@y"),
        ("mailto:ada@shop.example", "mailto:ada@shop.example"),
        ("postgres://ada:s%40cret@db/shop", "postgres://db/shop"),
        ("file:///etc/hosts", "file:///etc/hosts"),
    ] {
        text(&url::Url::parse(written).unwrap(), expected);
    }
    let long = format!("https://shop.example/{}", "a".repeat(1000));
    text(&url::Url::parse(&long.replace("shop", "ada:secret@shop")).unwrap(), &long);
}

#[cfg(feature = "http-types")]
mod http_types {
    use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, Version};

    use super::*;

    #[test]
    fn as_the_semantic_conventions_want_them() {
        text(&Method::GET, "GET");
        text(&Method::from_bytes(b"PURGE").unwrap(), "PURGE");
        assert_eq!(recorded(&StatusCode::NOT_FOUND), Some(AttributeValue::I64(404)));
        for (version, expected) in [
            (Version::HTTP_09, "0.9"),
            (Version::HTTP_10, "1.0"),
            (Version::HTTP_11, "1.1"),
            (Version::HTTP_2, "2"),
            (Version::HTTP_3, "3"),
        ] {
            text(&version, expected);
        }
    }

    #[test]
    fn uris_have_no_user() {
        for (written, expected) in [
            ("/a/b?c=d", "/a/b?c=d"),
            ("*", "*"),
            ("shop.example:443", "shop.example:443"),
            ("https://shop.example/a@b?c", "https://shop.example/a@b?c"),
            ("https://ada:secret@shop.example:8443/a?b=c@d", "https://shop.example:8443/a?b=c@d"),
            ("ada:secret@shop.example:443", "shop.example:443"),
        ] {
            text(&written.parse::<Uri>().unwrap(), expected);
        }
    }

    #[test]
    fn headers_that_may_be_seen() {
        text(&HeaderName::from_static("content-type"), "content-type");
        text(&HeaderValue::from_static("text/html"), "text/html");
        let mut secret = HeaderValue::from_static("Bearer x");
        secret.set_sensitive(true);
        assert_eq!(recorded(&secret), None);
        assert_eq!(recorded(&HeaderValue::from_bytes(b"caf\xe9").unwrap()), None);
    }
}
