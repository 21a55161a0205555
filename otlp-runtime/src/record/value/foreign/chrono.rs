//! `chrono`: RFC 3339 text, and seconds.

use std::fmt::{self, Debug, Display};

use ::chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};

use crate::record::value::{Value, ValueWriter};

plain! {
    NaiveDate => |v, w| w.debug(v);
    NaiveTime => |v, w| w.debug(v);
    NaiveDateTime => |v, w| w.debug(v);
    TimeDelta => |v, w| w.f64(v.num_seconds() as f64 + f64::from(v.subsec_nanos()) / 1e9);
}

/// As RFC 3339 text, `Z` in UTC: `2026-01-02T03:04:05.678+01:00`. An offset with seconds, which RFC 3339 does not have, is
/// recorded in UTC.
impl<Zone: TimeZone> Value for DateTime<Zone> {
    fn record(&self, writer: &mut ValueWriter<'_>) {
        writer.display(&Rfc3339(self));
    }
}

/// A zone may be the user's code, so it is asked while the text is written, where its panics are caught.
struct Rfc3339<'t, Zone: TimeZone>(&'t DateTime<Zone>);

impl<Zone: TimeZone> Display for Rfc3339<'_, Zone> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.0.fixed_offset();
        match time.offset().local_minus_utc() {
            seconds if seconds == 0 || seconds % 60 != 0 => {
                Debug::fmt(&time.naive_utc(), f)?;
                f.write_str("Z")
            }
            _ => Debug::fmt(&time, f),
        }
    }
}
