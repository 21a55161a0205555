//! A Rust source file, read just well enough to check its architecture: words, paths and lines, without what stands in
//! comments, strings and tests.

use std::path::{Path, PathBuf};

/// A source file below the folder that is checked.
pub(crate) struct Source {
    /// Its path from that folder.
    pub(crate) path: PathBuf,
    /// Its code: comments, strings and character literals are blank.
    code: String,
    /// The same without items under `cfg(test)`.
    tested: String,
}

impl Source {
    pub(crate) fn new(path: impl Into<PathBuf>, text: &str) -> Self {
        let path = path.into();
        let code = without_comments_and_strings(text);
        let is_test =
            path.file_stem().is_some_and(|stem| stem == "tests" || stem.to_string_lossy().ends_with("_tests"))
                || code.contains("#![cfg(test)]");
        let tested = if is_test { String::new() } else { without_tests(&code) };
        Self { path, code, tested }
    }

    /// Every `.rs` file below `folder`.
    pub(crate) fn all_below(folder: &Path) -> Vec<Self> {
        let mut sources = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(current) = folders.pop() {
            for entry in std::fs::read_dir(&current).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    sources.push(Self::new(path.strip_prefix(folder).unwrap(), &text));
                }
            }
        }
        sources.sort_by(|a, b| a.path.cmp(&b.path));
        sources
    }

    /// The module at the top of the crate that the file belongs to; `None` for the crate's root.
    pub(crate) fn top_module(&self) -> Option<String> {
        let first = self.path.components().next()?.as_os_str().to_str()?;
        let name = first.strip_suffix(".rs").unwrap_or(first);
        (name != "lib" && name != "main").then(|| name.to_owned())
    }

    /// How many modules deep the file's own module lies: `a.rs` and `a/mod.rs` one, `a/b.rs` two.
    fn depth(&self) -> usize {
        let components = self.path.components().count();
        if self.path.file_name().is_some_and(|name| name == "mod.rs") { components - 1 } else { components }
    }

    /// The top-level modules that the code outside of tests names: `crate::x`, `crate::{x, y::z}`, `super::x`.
    pub(crate) fn top_modules_used(&self) -> Vec<String> {
        let mut used = Vec::new();
        for after in paths_from(&self.tested, "crate") {
            used.extend(first_names(after));
        }
        for mut after in paths_from(&self.tested, "super") {
            let mut levels = 1;
            while let Some(rest) = after.trim_start().strip_prefix("super::") {
                (levels, after) = (levels + 1, rest);
            }
            if levels >= self.depth() {
                used.extend(first_names(after));
            }
        }
        used.sort_unstable();
        used.dedup();
        used
    }

    /// Whether `word` stands anywhere in the code, tests included.
    pub(crate) fn has_word(&self, word: &str) -> bool {
        words(&self.code).any(|(_, w)| w == word)
    }

    /// Whether `word` stands in the code outside of tests.
    pub(crate) fn has_word_outside_of_tests(&self, word: &str) -> bool {
        words(&self.tested).any(|(_, w)| w == word)
    }

    /// How many lines the file has, comments included, that do not belong to tests.
    pub(crate) fn lines_outside_of_tests(&self) -> usize {
        // `without_tests` keeps no line of a test, and every other.
        self.tested.lines().count()
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.split(|c| !is_word(c))
        .filter(|w| !w.is_empty())
        .map(move |w| (w.as_ptr() as usize - code.as_ptr() as usize, w))
}

/// What follows each `start::`, where `start` does not follow another `::`.
fn paths_from<'a>(code: &'a str, start: &str) -> Vec<&'a str> {
    words(code)
        .filter(|(at, word)| *word == start && !code[..*at].trim_end().ends_with("::"))
        .filter_map(|(at, word)| code[at + word.len()..].trim_start().strip_prefix("::"))
        .collect()
}

/// The first name of a path, or of each path in a group.
fn first_names(path: &str) -> Vec<String> {
    let path = path.trim_start();
    let Some(group) = path.strip_prefix('{') else {
        return path.split(|c| !is_word(c)).next().filter(|w| !w.is_empty()).map(str::to_owned).into_iter().collect();
    };
    let (mut depth, mut names, mut member) = (0, Vec::new(), String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.extend(first_names(&std::mem::take(&mut member))),
            _ => {}
        }
        if c != ',' || depth > 0 {
            member.push(c);
        }
    }
    names.extend(first_names(&member));
    names
}

/// `text` with comments, strings and characters blank; lines stay where they are.
fn without_comments_and_strings(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = literal_or_comment(rest, code.chars().next_back()).unwrap_or(0);
        if length == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            code.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        }
    }
    code
}

/// The length of the comment, string or character literal that `rest` starts with.
fn literal_or_comment(rest: &str, before: Option<char>) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    if let Some(body) = rest.strip_prefix('"') {
        return Some(1 + quoted(body, '"'));
    }
    if let Some(raw) = rest.strip_prefix('r').filter(|_| !before.is_some_and(|c| is_word(c) && c != 'b' && c != 'c')) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = &raw[hashes + 1..];
            let length = body.find(&end).map_or(body.len(), |at| at + end.len());
            return Some(1 + hashes + 1 + length);
        }
    }
    // A lifetime has no closing quote right after its first character.
    let mut chars = rest.strip_prefix('\'')?.chars();
    match (chars.next()?, chars.next()) {
        ('\\', _) => Some(1 + quoted(&rest[1..], '\'')),
        (c, Some('\'')) => Some(2 + c.len_utf8()),
        _ => None,
    }
}

/// The length up to and with the closing `quote`.
fn quoted(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    body.len()
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// `code` without the items under a `cfg` that asks for `test`.
fn without_tests(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(") {
        let attribute = &rest[at..];
        let end = attribute.find(']').map_or(attribute.len(), |end| end + 1);
        let condition: String = attribute[..end].split_whitespace().collect();
        let tests = words(&condition).any(|(_, w)| w == "test") && !condition.contains("not(test");
        kept.push_str(&rest[..at]);
        let length = if tests { end + item(&attribute[end..]) } else { end };
        if !tests {
            kept.push_str(&attribute[..end]);
        }
        rest = &attribute[length..];
    }
    kept.push_str(rest);
    kept
}

/// The length of the item that `text` starts with: up to a `;`, or to the brace that closes its first.
fn item(text: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => {
                depth = depth.saturating_sub(1);
                if c == '}' && depth == 0 {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    text.len()
}
