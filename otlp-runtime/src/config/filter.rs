//! Which callsites are recorded, as text and as data.

use std::fmt;
use std::str::FromStr;

use super::parse::shown;
use crate::data::Level;
use crate::error::OtlpError;

/// Which callsites are recorded, by their paths and levels: `info,shop::db=debug,hyper=off`.
///
/// The directive with the longest path that a callsite's begins with decides, a level alone stands for every path, and what
/// no directive speaks of is recorded. Of two directives for one path the later counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The longest paths first.
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// The path's segments; none: every path.
    path: Vec<String>,
    /// The least level that is recorded; `None`: none is.
    least: Option<Level>,
}

const LEVELS: &str = "write `off`, `error`, `warn`, `info`, `debug` or `trace`";
const PATH: &str = "write the path of a crate, a module or a function, as in `shop::db=debug`";

/// What is wrong with a directive, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    directive: String,
    what: &'static str,
    remedy: &'static str,
}

impl Problem {
    fn into_error(self) -> OtlpError {
        OtlpError::InvalidConfig { setting: "filter", value: self.directive, problem: self.what, remedy: self.remedy }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}; {}", self.directive, self.what, self.remedy)
    }
}

impl Filter {
    /// No filter: everything is recorded.
    pub const fn new() -> Self {
        Self { rules: Vec::new() }
    }

    /// Whether a callsite with this path and level is recorded.
    pub fn admits(&self, path: &str, level: Level) -> bool {
        let rule = self.rules.iter().find(|rule| rule.covers(path));
        rule.is_none_or(|rule| rule.least.is_some_and(|least| level >= least))
    }

    /// Directives, separated by commas; empty ones are passed over.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let mut filter = Self::new();
        for directive in text.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
            let problem = |(what, remedy)| Problem { directive: shown(directive), what, remedy };
            filter.put(Rule::parse(directive).map_err(problem)?);
        }
        filter.rules.sort_by(|a, b| (b.path.len(), &b.path).cmp(&(a.path.len(), &a.path)));
        Ok(filter)
    }

    fn put(&mut self, rule: Rule) {
        match self.rules.iter_mut().find(|other| other.path == rule.path) {
            Some(other) => *other = rule,
            None => self.rules.push(rule),
        }
    }
}

/// What is wrong, and the remedy.
type Wrong = (&'static str, &'static str);

impl Rule {
    fn parse(directive: &str) -> Result<Self, Wrong> {
        if let Some(least) = level(directive) {
            return Ok(Self { path: Vec::new(), least });
        }
        if directive.contains(['[', '{', '/']) {
            return Err(("asks for more than a path and a level", PATH));
        }
        let Some((path, word)) = directive.split_once('=') else {
            return Err((
                "is neither a level nor `path=level`",
                "write `off`, `error`, `warn`, `info`, `debug` or `trace`, alone or behind a path, as in `shop::db=debug`",
            ));
        };
        let path = path.trim();
        if path.is_empty() {
            return Err(("has no path in front of its `=`", PATH));
        }
        if path.contains('-') {
            return Err(("holds a `-`, which the path of a crate does not", "write `_` for it"));
        }
        let path: Vec<String> = path.split("::").map(|segment| unraw(segment).to_owned()).collect();
        if !path.iter().all(|segment| is_identifier(segment)) {
            return Err(("has no path of Rust in front of its `=`", PATH));
        }
        let least = level(word.trim()).ok_or(("has no level behind its `=`", LEVELS))?;
        Ok(Self { path, least })
    }

    fn covers(&self, path: &str) -> bool {
        let mut segments = path.split("::").map(unraw);
        self.path.iter().all(|own| segments.next() == Some(own))
    }
}

fn level(word: &str) -> Option<Option<Level>> {
    if word.eq_ignore_ascii_case("off") { Some(None) } else { word.parse().ok().map(Some) }
}

/// `module_path!` has raw identifiers as they are written, and nobody should need to know where.
fn unraw(segment: &str) -> &str {
    segment.strip_prefix("r#").unwrap_or(segment)
}

fn is_identifier(segment: &str) -> bool {
    !segment.is_empty() && segment.chars().all(|c| c.is_alphanumeric() || c == '_')
}

impl FromStr for Filter {
    type Err = OtlpError;

    fn from_str(text: &str) -> Result<Self, OtlpError> {
        Self::parse(text).map_err(Problem::into_error)
    }
}

/// The directives, the shortest paths first.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, rule) in self.rules.iter().rev().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            let equals = if rule.path.is_empty() { "" } else { "=" };
            let level = rule.least.map_or("off", Level::as_str);
            write!(f, "{comma}{}{equals}{level}", rule.path.join("::"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const ALL: [Level; 5] = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];

    fn filter(text: &str) -> Filter {
        text.parse().unwrap()
    }

    #[test]
    fn the_longest_path_decides() {
        let filter = filter("info, shop::db=debug ,hyper=off,shop::db::pool::connect=TRACE");
        for (path, least) in [
            ("shop", Some(Level::Info)),
            ("shop::db", Some(Level::Debug)),
            ("shop::db::query", Some(Level::Debug)),
            ("shop::db::pool::connect", Some(Level::Trace)),
            ("shop::db::pool::connected", Some(Level::Debug)),
            ("shop::dbs", Some(Level::Info)),
            ("hyper", None),
            ("hyper::client::conn", None),
            ("hyper_util::client", Some(Level::Info)),
        ] {
            for level in ALL {
                assert_eq!(filter.admits(path, level), least.is_some_and(|least| level >= least), "{path} {level}");
            }
        }
    }

    #[test]
    fn what_no_directive_speaks_of_is_recorded() {
        for text in ["", " , ,", "hyper=off"] {
            assert!(ALL.iter().all(|&level| filter(text).admits("shop::db", level)), "{text}");
        }
        assert!(!filter("off,shop=trace").admits("hyper", Level::Error));
    }

    #[test]
    fn the_later_of_two_for_one_path_counts() {
        assert_eq!(filter("info,a=debug,off,a=warn").to_string(), "off,a=warn");
    }

    #[test]
    fn raw_identifiers_are_what_they_name() {
        assert!(!filter("a::type=off").admits("a::r#type::f", Level::Error));
        assert!(!filter("a::r#type=off").admits("a::type::f", Level::Error));
    }

    #[test]
    fn each_mistake_says_what_to_write() {
        for (text, directive, parts) in [
            ("inof", "inof", ["neither a level nor `path=level`", "`info`"]),
            ("info,shop::db", "shop::db", ["neither a level", "`shop::db=debug`"]),
            ("shop=loud", "shop=loud", ["no level", "`warn`"]),
            ("shop=", "shop=", ["no level", "`off`"]),
            ("shop=3", "shop=3", ["no level", "`off`"]),
            ("a=b=debug", "a=b=debug", ["no level", "`off`"]),
            ("=info", "=info", ["no path", "`shop::db=debug`"]),
            ("warn,my-crate=debug", "my-crate=debug", ["holds a `-`", "`_`"]),
            ("shop:db=debug", "shop:db=debug", ["no path", "`shop::db=debug`"]),
            ("shop::=debug", "shop::=debug", ["no path", "`shop::db=debug`"]),
            ("::shop=debug", "::shop=debug", ["no path", "`shop::db=debug`"]),
            ("shop db=debug", "shop db=debug", ["no path", "`shop::db=debug`"]),
            ("shop[load]=debug", "shop[load]=debug", ["more than a path", "`shop::db=debug`"]),
            ("[{id=7}]=debug", "[{id=7}]=debug", ["more than a path", "`shop::db=debug`"]),
            ("info/load", "info/load", ["more than a path", "`shop::db=debug`"]),
        ] {
            let error = text.parse::<Filter>().unwrap_err();
            let said = error.to_string();
            assert!(parts.iter().all(|part| said.contains(part)), "{text}: {said}");
            let OtlpError::InvalidConfig { setting: "filter", value, .. } = error else { panic!("{error:?}") };
            assert_eq!(value, directive);
        }
        let long = format!("{}=loud", "a".repeat(10_000)).parse::<Filter>().unwrap_err().to_string();
        assert!(long.len() < 300, "{long}");
    }

    /// The rule as one would say it: of all directives whose text, with `::`, the path begins with, the longest, and of
    /// equals the last.
    fn naive(directives: &[(String, Option<Level>)], path: &str, level: Level) -> bool {
        let mut best: Option<&(String, Option<Level>)> = None;
        for directive in directives {
            let covers = directive.0.is_empty() || format!("{path}::").starts_with(&format!("{}::", directive.0));
            if covers && best.is_none_or(|best| directive.0.len() >= best.0.len()) {
                best = Some(directive);
            }
        }
        match best {
            None => true,
            Some((_, None)) => false,
            Some((_, Some(least))) => *least as u8 <= level as u8,
        }
    }

    fn path(least: usize) -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(vec!["a", "b", "ab", "a_b"]), least..5).prop_map(|s| s.join("::"))
    }

    fn least() -> impl Strategy<Value = Option<Level>> {
        prop::option::weighted(0.8, prop::sample::select(ALL.to_vec()))
    }

    proptest! {
        #[test]
        fn matches_as_the_naive_rule_does(
            directives in prop::collection::vec((path(0), least()), 0..8),
            paths in prop::collection::vec(path(1), 1..8),
        ) {
            let written: Vec<String> = directives.iter().map(|(path, least)| {
                let level = least.map_or("off", Level::as_str);
                if path.is_empty() { level.to_owned() } else { format!("{path}={level}") }
            }).collect();
            let parsed = filter(&written.join(","));
            for path in &paths {
                for level in ALL {
                    prop_assert_eq!(
                        parsed.admits(path, level), naive(&directives, path, level), "{} of {:?}", path, &written
                    );
                }
            }
            prop_assert_eq!(filter(&parsed.to_string()), parsed);
        }

        #[test]
        fn any_text_is_a_filter_or_a_typed_error(text in "[a-z:=,\\- \\[\\]#éoff]{0,30}") {
            match text.parse::<Filter>() {
                Ok(parsed) => prop_assert_eq!(filter(&parsed.to_string()), parsed),
                Err(OtlpError::InvalidConfig { setting, value, .. }) => {
                    prop_assert_eq!(setting, "filter");
                    prop_assert!(text.contains(value.as_str()));
                }
                Err(other) => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
