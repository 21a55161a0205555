//! `otlp` and its peers on the same work, side by side. See `PERFORMANCE.md` of the repository.
//!
//! ```text
//! cargo run --release --manifest-path bench/Cargo.toml                  # everything, in less than 15 minutes
//! cargo run --release --manifest-path bench/Cargo.toml -- sync-2        # one workload, or several
//! cargo run --release --manifest-path bench/Cargo.toml -- all --markdown  # writes the tables into PERFORMANCE.md
//! cargo run --release --manifest-path bench/Cargo.toml -- list          # the names of the workloads
//! ```
//!
//! This binary is the one that runs the others: a library under measurement, and the sink, are processes of it.

use std::error::Error;
use std::fs;

use peers::Contender;
use run::Runner;
use workload::{WORKLOADS, Workload};

mod comparison;
mod peers;
mod process;
mod run;
mod sink;
mod statistics;
mod table;
mod unit;
mod workload;

/// Where `--markdown` writes.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../PERFORMANCE.md");

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *words {
        ["sink"] => sink::serve(),
        ["child", workload, contender, endpoint] => child(workload, contender, endpoint),
        ["list"] => {
            WORKLOADS.iter().for_each(|workload| println!("{:<20} {}", workload.name, workload.title));
            Ok(())
        }
        _ => compare(&Request::parse(&words)?),
    }
}

/// What is asked for on the command line.
struct Request {
    workloads: Vec<&'static Workload>,
    /// Instead of each workload's own.
    repetitions: Option<usize>,
    /// Whether the tables go to the page.
    markdown: bool,
}

impl Request {
    fn parse(words: &[&str]) -> Result<Self, String> {
        let mut request = Self { workloads: Vec::new(), repetitions: None, markdown: false };
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            match word {
                "all" => request.workloads.extend(WORKLOADS),
                "--markdown" => request.markdown = true,
                "--repetitions" => {
                    let number = words.next().and_then(|number| number.parse().ok()).filter(|number| *number > 0);
                    request.repetitions = Some(number.ok_or("--repetitions needs a number")?);
                }
                name => {
                    let workload = workload(name).ok_or_else(|| format!("no workload {name}; `list` names them"))?;
                    request.workloads.push(workload);
                }
            }
        }
        if request.workloads.is_empty() {
            request.workloads.extend(WORKLOADS);
        }
        if request.markdown && request.workloads.len() != WORKLOADS.len() {
            return Err("--markdown writes the whole table, so it needs all workloads".to_owned());
        }
        Ok(request)
    }
}

fn workload(name: &str) -> Option<&'static Workload> {
    WORKLOADS.iter().find(|workload| workload.name == name)
}

/// Runs what is asked for, and prints the tables.
fn compare(request: &Request) -> Result<(), Box<dyn Error>> {
    let mut runner = Runner::default();
    let outcome =
        |workload: &&'static Workload| runner.outcome(workload, request.repetitions.unwrap_or(workload.repetitions));
    let outcomes: Vec<_> = request.workloads.iter().map(outcome).collect();
    let text = table::render(&outcomes);
    println!("{text}");
    if request.markdown {
        fs::write(PAGE, table::replace_generated(&fs::read_to_string(PAGE)?, &text)?)?;
    }
    Ok(())
}

/// One library in one workload; what it finds out are lines on stdout.
fn child(workload_name: &str, contender: &str, endpoint: &str) -> Result<(), Box<dyn Error>> {
    let workload = workload(workload_name).ok_or("no such workload")?;
    let contender = Contender::named(contender).ok_or("no such library")?;
    if let Err(error) = workload::run(workload.kind, contender, endpoint) {
        println!("failed={}", error.to_string().replace('\n', " "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_all_or_what_is_named() {
        let names = |words: &[&str]| {
            let request = Request::parse(words).map_err(|error| error.to_string())?;
            Ok::<_, String>(request.workloads.iter().map(|workload| workload.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).map(|names| names.len()), Ok(WORKLOADS.len()));
        assert_eq!(names(&["sync-2", "start", "--repetitions", "1"]), Ok(vec!["sync-2", "start"]));
        for wrong in [&["sinc-2"][..], &["sync-2", "--markdown"], &["--repetitions"], &["--repetitions", "0"]] {
            assert!(names(wrong).is_err(), "{wrong:?}");
        }
    }
}
