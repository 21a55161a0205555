//! The callsites of the program, as its users see and filter them.

use std::fmt;

use super::callsite::{self, Callsite};
use super::route;
use crate::config::Filter;
use crate::data::{Level, SpanKind};
use crate::error::OtlpError;

/// A place in the program that makes spans: an annotated function, or a `span!`. [`callsites`] gives them all.
#[derive(Clone, Copy)]
pub struct CallsiteInfo(&'static Callsite);

impl CallsiteInfo {
    /// The name of its spans.
    pub fn name(&self) -> &'static str {
        self.0.metadata().name
    }

    /// What filters go by: the module's path, and for an annotated function the function.
    pub fn path(&self) -> &'static str {
        self.0.metadata().path
    }

    /// The source file.
    pub fn file(&self) -> &'static str {
        self.0.metadata().file
    }

    /// The line in it.
    pub fn line(&self) -> u32 {
        self.0.metadata().line
    }

    /// Its level.
    pub fn level(&self) -> Level {
        self.0.metadata().level
    }

    /// The kind of its spans.
    pub fn kind(&self) -> SpanKind {
        self.0.metadata().kind
    }

    /// The crate that it stands in, which is the scope of its spans.
    pub fn scope_name(&self) -> &'static str {
        self.0.metadata().scope.name
    }

    /// The version of that crate.
    pub fn scope_version(&self) -> &'static str {
        self.0.metadata().scope.version
    }

    /// Whether its spans are recorded now: `init` was called, and the filter admits them. Captures of tests, which have
    /// everything, do not count here, and sampling comes later.
    pub fn is_enabled(&self) -> bool {
        let settled = !self.0.is_unseen() || self.0.settle();
        settled && self.0.is_wanted(route::GLOBAL_CONSUMER)
    }
}

impl fmt::Debug for CallsiteInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallsiteInfo")
            .field("name", &self.name())
            .field("path", &self.path())
            .field("file", &self.file())
            .field("line", &self.line())
            .field("level", &self.level())
            .field("kind", &self.kind())
            .field("scope_name", &self.scope_name())
            .field("scope_version", &self.scope_version())
            .field("is_enabled", &self.is_enabled())
            .finish()
    }
}

/// Every callsite of the program, its dependencies' too, in no particular order.
///
/// ```
/// # use otlp_runtime::record::registry as otlp;
/// for callsite in otlp::callsites() {
///     println!("{}={} ({}:{})", callsite.path(), callsite.level(), callsite.file(), callsite.line());
/// }
/// ```
pub fn callsites() -> impl Iterator<Item = CallsiteInfo> {
    callsite::all().map(CallsiteInfo)
}

/// Sets which callsites are recorded, from now on and on all threads.
///
/// The directives stand in a row with commas between. Each is a level (`off`, `error`, `warn`, `info`, `debug`, `trace`: it
/// records what is that important or more), or a path and a level:
///
/// | directive | records |
/// |---|---|
/// | `info` | of every path that no other directive names, `info`, `warn` and `error` |
/// | `shop::db=debug` | of the module `shop::db` and all below it, everything but `trace` |
/// | `shop::db::query=trace` | everything of the function `query`, and of a module of that name |
/// | `hyper=off` | nothing of the crate `hyper` |
///
/// The longest path that a callsite's own begins with decides, segment by segment: `shop::db` does not name `shop::dbs`.
/// What no directive speaks of is recorded, and without a filter that is everything; so `hyper=off` leaves `hyper` out and
/// nothing else, and what leaves out all the rest is `off,shop=debug`. An empty text takes the filter away.
///
/// Spans of `Span::builder` have one path for all, `otlp::Span::builder`, and the level `info`: `otlp=info` keeps them where
/// `off` or `warn` stands for the rest.
///
/// A span that is filtered out costs what one costs before `init`, and its children belong to the next span above. Spans
/// that are open stay so. [`callsites`] shows all paths, and which are recorded.
///
/// The filter belongs to the process: it can be set before `init` and stays through `shutdown`, until it is set again, by
/// this or by `OtlpConfig::with_filter`. The variable `OTLP_FILTER` counts where neither is used. Captures of
/// `otlp::testing` are not filtered.
///
/// ```
/// # use otlp_runtime::record::registry as otlp;
/// otlp::set_filter("info,shop::db=debug,hyper=off")?;
/// assert!(otlp::set_filter("shop::db=loud").is_err());
/// otlp::set_filter("")?;
/// # Ok::<(), otlp_runtime::error::OtlpError>(())
/// ```
///
/// # Errors
/// [`OtlpError::InvalidConfig`] with the directive that cannot be used, what is wrong with it, and what to write. The filter
/// then stays what it was.
pub fn set_filter(directives: impl AsRef<str>) -> Result<(), OtlpError> {
    let filter: Filter = directives.as_ref().parse()?;
    route::set_filter(filter);
    Ok(())
}
