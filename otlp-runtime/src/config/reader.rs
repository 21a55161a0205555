//! Reads variables, by the rules that hold for all of them (spec-checklist ENV1 to ENV6).

use super::Pem;
use super::endpoint::Source;
use super::resolved::Environment;
use super::validation::MOST_RESOURCE_BYTES;
use super::variables::{PathVariable, UNREAD, Variable};

/// Reads variables, and reports those that cannot be used.
pub(super) struct Reader<'a> {
    environment: &'a Environment<'a>,
    report: &'a mut dyn FnMut(String),
    said: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: &'a Environment<'a>, report: &'a mut dyn FnMut(String)) -> Self {
        Self { environment, report, said: Vec::new() }
    }

    /// Says a line about the settings.
    pub(super) fn report(&mut self, line: String) {
        (self.report)(line);
    }

    /// Says what is wrong with entries of a list, in one line; a list of thousands is no reason for thousands of words.
    pub(super) fn report_entries(&mut self, name: &str, problems: &[String]) {
        let (shown, more) = problems.split_at(problems.len().min(3));
        if !shown.is_empty() {
            let more = if more.is_empty() { String::new() } else { format!("; and so are {} more", more.len()) };
            self.report(format!("{name}: {}{more}", shown.join("; ")));
        }
    }

    /// Whether the variable has a value, usable or not.
    pub(super) fn is_set<T>(&self, variable: &Variable<T>) -> bool {
        self.read(variable).is_some()
    }

    /// The first that is given and fits: `code`, the `variables` in their order, `default`.
    pub(super) fn choose<T>(
        &mut self,
        code: Option<T>,
        variables: &[&Variable<T>],
        default: T,
        fits: impl Fn(&T) -> Result<(), String>,
        shown: impl Fn(&T) -> String,
    ) -> (T, Source) {
        if let Some(value) = code {
            return (value, Source::Code);
        }
        let mut problems = Vec::new();
        let mut chosen = None;
        for variable in variables {
            let value = self.read(variable).map(|read| read.and_then(|value| fits(&value).map(|()| value)));
            match value {
                Some(Ok(value)) => {
                    chosen = Some((value, Source::Environment(variable.row.name)));
                    break;
                }
                Some(Err(problem)) => problems.push(format!("{}: {problem}", variable.row.name)),
                None => {}
            }
        }
        let (value, source) = chosen.unwrap_or((default, Source::Default));
        for problem in problems {
            let line = format!("{problem}; using {}", shown(&value));
            // A variable that several settings ask is told of once.
            if !self.said.contains(&line) {
                (self.report)(line.clone());
                self.said.push(line);
            }
        }
        (value, source)
    }

    /// The first of `variables` that is given, and its name.
    pub(super) fn first<T>(&mut self, variables: &[&Variable<T>]) -> Option<(T, &'static str)> {
        variables.iter().find_map(|variable| Some((self.optional(variable)?, variable.row.name)))
    }

    /// The first of `variables` that is given, as the path of a file, and its name. Whatever it holds is one: a file that is
    /// not found is no reason to go on with less than was asked for.
    pub(super) fn path(&self, variables: &[&PathVariable]) -> Option<(Pem, &'static str)> {
        variables.iter().find_map(|variable| {
            let value = (self.environment)(variable.row.name)?;
            match value.to_str().map(str::trim) {
                Some("") => None,
                Some(path) => Some((Pem::file(path), variable.row.name)),
                None => Some((Pem::file(value), variable.row.name)),
            }
        })
    }

    /// A variable without which something is left out.
    pub(super) fn optional<T>(&mut self, variable: &Variable<T>) -> Option<T> {
        match self.read(variable)? {
            Ok(value) => Some(value),
            Err(problem) => {
                (self.report)(format!("{}: {problem}; going on without it", variable.row.name));
                None
            }
        }
    }

    /// `None` if the variable is unset or empty, which is the same (spec-checklist ENV1).
    fn read<T>(&self, variable: &Variable<T>) -> Option<Result<T, String>> {
        let value = (self.environment)(variable.row.name)?;
        match value.to_str().map(str::trim) {
            Some("") => None,
            Some(value) if value.len() > MOST_RESOURCE_BYTES => {
                Some(Err(format!("it is longer than {MOST_RESOURCE_BYTES} bytes")))
            }
            Some(value) => Some((variable.parse)(value)),
            None => Some(Err("it is not UTF-8".to_owned())),
        }
    }

    pub(super) fn report_unread(&mut self) {
        let asks = |&&(name, harmless): &&(&str, &str)| {
            (self.environment)(name).is_some_and(|value| {
                let value = value.to_string_lossy();
                !value.trim().is_empty() && !value.trim().eq_ignore_ascii_case(harmless)
            })
        };
        let names: Vec<&str> = UNREAD.iter().filter(asks).map(|(name, _)| *name).collect();
        if !names.is_empty() {
            (self.report)(format!("this version of otlp does not read {}; going on without", names.join(", ")));
        }
    }
}
