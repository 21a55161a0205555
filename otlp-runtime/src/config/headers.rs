//! Headers of requests: which a program may set, and how a variable lists them.

use super::Secret;
use super::parse::percent_decoded;
use super::validation::invalid;
use crate::error::OtlpError;

/// All headers together; common servers refuse more than twice as much.
const MOST_BYTES: usize = 8 << 10;

/// Names that the transports set themselves, or that would break a connection.
const RESERVED: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A header's name in lower case, and its value.
pub type Header = (String, Secret);

/// Headers that a variable lists, and what is wrong with the entries that are left out.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) headers: Vec<Header>,
    pub(super) problems: Vec<String>,
}

/// What is wrong with a header, and what to do instead.
type Problem = (&'static str, &'static str);

/// The rules are those of both protocols, so that changing the protocol never makes a header wrong.
fn check(name: &str, value: &str) -> Result<(), Problem> {
    if !is_token(name) {
        return Err(("has a name that is no HTTP token", "write letters, digits and `-` only"));
    }
    let lower = name.to_ascii_lowercase();
    if lower == "user-agent" {
        return Err(("is set by otlp", "use `with_user_agent_prefix`"));
    }
    if RESERVED.contains(&lower.as_str()) || lower.starts_with("grpc-") {
        return Err(("is set by otlp", "leave it out"));
    }
    if lower.ends_with("-bin") {
        return Err(("would be binary in gRPC, which is not supported", "choose a name that does not end in `-bin`"));
    }
    if value.bytes().any(|byte| !(byte.is_ascii_graphic() || byte == b' ')) {
        return Err(("has a value with a character other than visible ASCII", "encode the value"));
    }
    Ok(())
}

fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Puts a header in the place of an earlier one of the same name.
pub(super) fn put(headers: &mut Vec<Header>, name: &str, value: Secret) {
    let name = name.to_ascii_lowercase();
    match headers.iter_mut().find(|(known, _)| *known == name) {
        Some((_, earlier)) => *earlier = value,
        None => headers.push((name, value)),
    }
}

fn bytes(headers: &[Header]) -> usize {
    headers.iter().map(|(name, value)| name.len() + value.reveal().len()).sum()
}

/// Looks at headers that were set in code.
pub(super) fn validate(headers: &[Header]) -> Result<(), OtlpError> {
    for (name, value) in headers {
        // What is no name may be a value in the wrong place.
        let shown = if is_token(name) { name } else { "" };
        check(name, value.reveal()).map_err(|(problem, remedy)| invalid("header", shown, problem, remedy))?;
    }
    if bytes(headers) > MOST_BYTES {
        let problem = "bytes of headers are more than the 8192 that receivers take";
        return Err(invalid("header", bytes(headers), problem, "leave the large ones out"));
    }
    Ok(())
}

/// `name=value,name=value` with percent-encoding (spec-checklist EXP7): W3C baggage without metadata. An entry that cannot
/// be used is left out alone, and what is said about it never holds its value.
pub(super) fn parse(list: &str) -> Result<Listed, String> {
    let mut listed = Listed::default();
    for (i, member) in list.split(',').enumerate().filter(|(_, member)| !member.trim().is_empty()) {
        if let Err((name, problem)) = parse_one(member, &mut listed.headers) {
            let name = name.map_or_else(String::new, |name| format!(" (`{name}`)"));
            listed.problems.push(format!("entry {}{name} {problem}; it is left out", i + 1));
        }
    }
    Ok(listed)
}

fn parse_one(member: &str, headers: &mut Vec<Header>) -> Result<(), (Option<String>, String)> {
    let (name, value) = member.split_once('=').ok_or_else(|| (None, "has no `=`".to_owned()))?;
    let name = percent_decoded(name.trim()).map_err(|problem| (None, problem.to_owned()))?;
    let shown = || Some(name.clone()).filter(|name| is_token(name) && name.len() <= 64);
    if value.contains(';') {
        return Err((shown(), "has a `;`, which must be written %3B".to_owned()));
    }
    let value = percent_decoded(value.trim()).map_err(|problem| (shown(), problem.to_owned()))?;
    check(&name, &value).map_err(|(problem, remedy)| (shown(), format!("{problem} ({remedy})")))?;
    if bytes(headers) + name.len() + value.len() > MOST_BYTES {
        return Err((shown(), format!("makes the headers larger than {MOST_BYTES} bytes")));
    }
    put(headers, &name, Secret::new(value.trim()));
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn pairs(list: &str) -> Vec<(String, String)> {
        let listed = parse(list).unwrap();
        assert_eq!(listed.problems, [""; 0], "{list}");
        listed.headers.into_iter().map(|(name, value)| (name, value.reveal().to_owned())).collect()
    }

    #[test]
    fn exp7_a_list_of_headers() {
        let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        assert_eq!(pairs("api-key=k"), [pair("api-key", "k")]);
        assert_eq!(pairs("Authorization=Basic%20dXNlcg==,"), [pair("authorization", "Basic dXNlcg==")]);
        assert_eq!(pairs(" a = 1 , b=%2C%3b,c="), [pair("a", "1"), pair("b", ",;"), pair("c", "")]);
        assert_eq!(pairs("a=1,A=2"), [pair("a", "2")]);
        assert_eq!(pairs(""), []);
    }

    #[test]
    fn exp7_a_bad_entry_is_left_out_alone_and_its_value_is_not_told() {
        for (entry, says) in [
            ("hunter2", "entry 2 has no `=`"),
            ("=hunter2", "entry 2 has a name that is no HTTP token"),
            ("a b=hunter2", "entry 2 has a name that is no HTTP token"),
            ("k=hunter2%", "entry 2 (`k`) has a `%`"),
            ("k=hunter2;p=1", "entry 2 (`k`) has a `;`"),
            ("k=hunter2%0A", "entry 2 (`k`) has a value with a character"),
            ("k=hunter2\u{fc}", "entry 2 (`k`) has a value with a character"),
            ("Host=hunter2", "entry 2 (`Host`) is set by otlp"),
            ("grpc-timeout=hunter2", "is set by otlp"),
            ("te=hunter2", "is set by otlp"),
            ("user-agent=hunter2", "with_user_agent_prefix"),
            ("k-bin=hunter2", "binary"),
        ] {
            let listed = parse(&format!("a=1,{entry},b=2")).unwrap();
            let names: Vec<_> = listed.headers.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["a", "b"], "{entry}");
            let [problem] = &listed.problems[..] else { panic!("{listed:?}") };
            assert!(problem.contains(says) && !problem.contains("hunter2"), "{problem}");
        }
        let large = parse(&format!("a=1,b={}", "x".repeat(MOST_BYTES))).unwrap();
        assert_eq!((large.headers.len(), large.problems.len()), (1, 1));
    }

    proptest! {
        #[test]
        fn what_is_taken_is_a_header_and_what_is_not_is_told(list in "[a-c=,;% 0-9A\u{fc}\n-]{0,40}") {
            let listed = parse(&list).unwrap();
            prop_assert!(validate(&listed.headers).is_ok());
            let members = list.split(',').filter(|member| !member.trim().is_empty()).count();
            prop_assert!(listed.headers.len() + listed.problems.len() <= members);
            prop_assert!(members == 0 || listed.headers.len() + listed.problems.len() > 0);
        }
    }
}
