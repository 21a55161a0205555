//! `url`: the text, without the name and the password of a user.

use std::fmt::{self, Display};

use ::url::{Position, Url};

use crate::record::value::{Value, ValueWriter};

plain! {
    Url => |v, w| {
        if v.username().is_empty() && v.password().is_none() {
            w.str(v.as_str());
        } else {
            w.display(&WithoutUser(v));
        }
    };
}

struct WithoutUser<'u>(&'u Url);

impl Display for WithoutUser<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0[..Position::BeforeUsername])?;
        f.write_str(&self.0[Position::BeforeHost..])
    }
}
