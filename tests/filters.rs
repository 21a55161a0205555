//! Which callsites there are, and which of them are recorded: what filters leave of what a program does.
#![allow(clippy::unwrap_used)]

#[path = "support/process.rs"]
mod process;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use otlp::testing::{Captured, Collector, capture, capture_async};
use otlp::{CallsiteInfo, Context, Level, OtlpConfig, OtlpError, SpanKind, callsites, set_filter, traced};
use process::*;

mod shop {
    use otlp::traced;

    #[traced]
    pub(crate) fn order() {
        db::query();
        db::pool::connect();
        dbs();
    }

    #[traced(level = debug)]
    fn dbs() {}

    pub(crate) mod db {
        use otlp::traced;

        #[traced(level = debug, kind = client)]
        pub(crate) fn query() {
            rows();
        }

        #[traced(level = trace)]
        fn rows() {
            drop(otlp::span!("row"));
        }

        pub(crate) mod pool {
            use otlp::traced;

            #[traced(level = error)]
            pub(crate) fn connect() {}
        }
    }
}

#[traced]
fn work() {}

/// What a receiver gets of what `f` does, the pipeline being opened by `config`.
fn received(config: impl FnOnce(OtlpConfig) -> OtlpConfig, f: impl FnOnce()) -> Captured {
    let collector = Collector::start().unwrap();
    let guard = config(process::config(collector.endpoint())).init().unwrap();
    f();
    drop(guard);
    let counts = balanced();
    assert_eq!((counts.recorded, counts.exported), (collector.span_count(), collector.span_count()), "{counts:?}");
    collector.captured()
}

fn names(captured: &Captured) -> Vec<&str> {
    let mut names: Vec<&str> = captured.spans().iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    names
}

fn callsite(path: &str) -> CallsiteInfo {
    let path = format!("filters::{path}");
    callsites().find(|callsite| callsite.path() == path).unwrap()
}

const ALL: [&str; 6] = ["connect", "dbs", "order", "query", "row", "rows"];

#[test]
fn a_filter_admits_by_level_module_and_function() {
    let _alone = alone();
    for (filter, expected) in [
        ("", &ALL[..]),
        ("trace", &ALL),
        ("debug", &["connect", "dbs", "order", "query", "row"]),
        ("info", &["connect", "order", "row"]),
        ("warn", &["connect"]),
        ("OFF", &[]),
        ("info,filters::shop::db=debug", &["connect", "order", "query", "row"]),
        ("info,filters::shop::db::rows=trace", &["connect", "order", "row", "rows"]),
        ("filters::shop::db=off", &["dbs", "order"]),
        ("filters::shop::db=off,filters::shop::db::pool=error", &["connect", "dbs", "order"]),
        ("off,filters::shop::order=info", &["order"]),
        ("filters=off", &[]),
        ("filter=off,ilters=off,shop=off,filters::shop::d=off", &ALL),
    ] {
        let captured = received(|config| config.with_filter(filter), shop::order);
        assert_eq!(names(&captured), expected, "{filter}");
    }
}

#[test]
fn the_children_of_a_span_that_is_left_out_belong_to_the_next_one_above() {
    let _alone = alone();
    let captured = received(
        |config| config.with_filter("filters::shop::db=off,filters::shop::db::rows=trace"),
        || {
            // The `span!` in it goes by the module, and is left out too.
            shop::order();
        },
    );
    assert_eq!(captured.one("rows").parent_span_id, Some(captured.one("order").span_id));

    // Without one above, each begins a trace.
    let captured = received(|config| config.with_filter("filters::shop::order=off"), shop::order);
    let mut roots: Vec<&str> = captured.roots().into_iter().map(|span| span.name.as_str()).collect();
    roots.sort_unstable();
    assert_eq!(roots, ["connect", "dbs", "query"]);
}

#[test]
fn futures_are_left_out_as_functions_are() {
    #[traced(level = debug)]
    async fn inner() {
        work();
    }
    #[traced]
    async fn outer() {
        inner().await;
        tokio::task::yield_now().await;
        inner().await;
    }

    let _alone = alone();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let captured = received(|config| config.with_filter("info"), || runtime.block_on(outer()));
    assert_eq!(names(&captured), ["outer", "work", "work"]);
    assert_eq!(captured.children_of(captured.one("outer")).len(), 2);
}

#[test]
fn the_fields_of_a_span_that_is_left_out_are_not_evaluated() {
    static EVALUATED: AtomicU64 = AtomicU64::new(0);
    fn evaluated() -> u64 {
        EVALUATED.fetch_add(1, Ordering::Relaxed)
    }
    #[traced(fields(n = evaluated()))]
    fn counting() {
        drop(otlp::span!("inner", n = evaluated()));
    }

    let _alone = alone();
    received(
        |config| config.with_filter("off"),
        || {
            counting();
            // Nor where they are on for a capture, which this thread is not part of.
            let ((), captured) = capture(|| thread::spawn(counting).join().unwrap());
            assert!(captured.spans().is_empty());
        },
    );
    assert_eq!(EVALUATED.load(Ordering::Relaxed), 0);
}

#[test]
fn captures_have_everything_and_the_pipeline_what_the_filter_admits() {
    let _alone = alone();
    let received = received(
        |config| config.with_filter("info"),
        || {
            let outer = Context::current();
            let ((), captured) = capture(|| {
                shop::order();
                // Back in the pipeline, while the capture is open.
                outer.run(|| {
                    let _above = otlp::span!("above").entered();
                    shop::order();
                });
            });
            assert_eq!(names(&captured), ALL);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let ((), captured) = runtime.block_on(capture_async(async { shop::order() }));
            assert_eq!(names(&captured), ALL);
        },
    );
    assert_eq!(names(&received), ["above", "connect", "order", "row"]);
    // `row` stands two levels below what was left out.
    assert_eq!(received.children_of(received.one("order")).len(), 2);
}

#[test]
fn callsites_say_where_they_are_and_whether_they_are_recorded() {
    let _alone = alone();
    let query = callsite("shop::db::query");
    assert_eq!((query.name(), query.level(), query.kind()), ("query", Level::Debug, SpanKind::Client));
    assert!(query.file().ends_with("filters.rs") && query.line() > 0, "{query:?}");
    assert_eq!((query.scope_name(), query.scope_version()), ("otlp", env!("CARGO_PKG_VERSION")));
    let row = callsites().find(|callsite| callsite.name() == "row").unwrap();
    assert_eq!((row.path(), row.level(), row.kind()), ("filters::shop::db", Level::Info, SpanKind::Internal));
    assert!(format!("{query:?}").contains("path: \"filters::shop::db::query\""));

    assert!(callsites().all(|callsite| !callsite.is_enabled()));
    let ((), _) = capture(|| assert!(!query.is_enabled()));
    received(
        |config| config.with_filter("info"),
        || {
            assert!(!query.is_enabled() && row.is_enabled());
            set_filter("info,filters::shop::db=debug").unwrap();
            assert!(query.is_enabled() && row.is_enabled());
            for callsite in callsites().filter(|callsite| callsite.path() != "filters::shop::db::query") {
                assert_eq!(callsite.is_enabled(), callsite.level() >= Level::Info, "{callsite:?}");
            }
            set_filter("").unwrap();
            assert!(callsites().all(|callsite| callsite.is_enabled()));
        },
    );
    assert!(callsites().all(|callsite| !callsite.is_enabled()));
}

#[test]
fn a_change_holds_on_all_threads() {
    const THREADS: u64 = 4;
    const PHASES: u64 = 40;
    const CALLS: u64 = 50;
    let _alone = alone();
    let barrier = Barrier::new(THREADS as usize + 1);
    let captured = received(
        |config| config,
        || {
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        for _ in 0..PHASES {
                            barrier.wait();
                            (0..CALLS).for_each(|_| work());
                            barrier.wait();
                        }
                    });
                }
                for phase in 0..PHASES {
                    set_filter(["filters::work=off", "info", "off", ""][phase as usize % 4]).unwrap();
                    barrier.wait();
                    barrier.wait();
                }
            });
        },
    );
    assert_eq!(captured.spans().len() as u64, THREADS * PHASES / 2 * CALLS);
}

#[test]
fn threads_record_while_filters_change_and_captures_open_and_close() {
    let _alone = alone();
    let done = AtomicBool::new(false);
    let made = AtomicU64::new(0);
    let captured = received(
        |config| config.with_filter("info"),
        || {
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        while !done.load(Ordering::Relaxed) {
                            shop::order();
                            made.fetch_add(6, Ordering::Relaxed);
                            // Not more than the buffers hold: nothing may be dropped.
                            thread::sleep(Duration::from_micros(50));
                        }
                    });
                }
                for round in 0..60 {
                    set_filter(["filters::shop::db=off", "off", "debug"][round % 3]).unwrap();
                    let ((), captured) = capture(shop::order);
                    assert_eq!(names(&captured), ALL);
                }
                set_filter("off").unwrap();
                done.store(true, Ordering::Relaxed);
            });
            set_filter("").unwrap();
        },
    );
    assert!(captured.spans().len() as u64 <= made.load(Ordering::Relaxed));
    assert!(captured.named("rows").next().is_none(), "no filter has ever admitted it");
}

/// A library that is loaded while the program runs brings callsites that no setter has seen.
#[test]
fn a_callsite_that_comes_late_is_asked_about_when_it_is_first_called() {
    use otlp::__private::{Callsite, Metadata, Scope, span};

    let late = |path| -> &'static Callsite {
        Box::leak(Box::new(Callsite::new(Metadata {
            name: "late",
            path,
            file: "late.rs",
            line: 1,
            level: Level::Info,
            kind: SpanKind::Internal,
            keys: &[],
            scope: Scope { name: "late", version: "1" },
            root: false,
            sample: None,
        })))
    };
    let _alone = alone();
    let captured = received(
        |config| config.with_filter("late::not=off"),
        || {
            drop(span(late("late::yes"), |_| {}));
            drop(span(late("late::not"), |_| {}));
            let ((), captured) = capture(|| drop(span(late("late::not"), |_| {})));
            assert_eq!(captured.spans().len(), 1);
        },
    );
    assert_eq!(captured.spans().len(), 1);
    let early = late("late");
    drop(span(early, |_| {}));
    assert!(!early.is_enabled());
}

#[test]
fn what_cannot_be_used_is_a_typed_error_and_changes_nothing() {
    let _alone = alone();
    for bad in ["inof", "filters=loud", "my-crate=debug", "filters[work]=debug", "info,filters:shop=debug"] {
        let captured = received(
            |config| config.with_filter("filters::shop=warn"),
            || {
                let directive = bad.rsplit(',').next().unwrap();
                match set_filter(bad) {
                    Err(OtlpError::InvalidConfig { setting: "filter", value, .. }) => assert_eq!(value, directive),
                    other => panic!("{bad}: {other:?}"),
                }
                shop::order();
            },
        );
        assert_eq!(names(&captured), ["connect"]);
        let config = config("http://127.0.0.1:1").with_filter(bad);
        assert!(matches!(config.validate(), Err(OtlpError::InvalidConfig { setting: "filter", .. })), "{bad}");
        assert!(matches!(config.init(), Err(OtlpError::InvalidConfig { setting: "filter", .. })), "{bad}");
    }
}

/// Code, then `OTLP_FILTER`, then no filter.
#[test]
fn the_environment_filters_where_the_code_does_not() {
    let name = "the_environment_filters_where_the_code_does_not";
    if is_child(name) {
        let recorded = |config: OtlpConfig| {
            let guard = config.init().unwrap();
            shop::order();
            drop(guard);
            balanced().exported.to_string()
        };
        let from_environment = recorded(OtlpConfig::default());
        let unread = recorded(OtlpConfig::default().with_env(false).with_endpoint(std::env::var("ENDPOINT").unwrap()));
        let set_at_init = recorded(OtlpConfig::default().with_filter("filters::shop::db=off"));
        let again = recorded(OtlpConfig::default());
        set_filter("off").unwrap();
        let set_before = recorded(OtlpConfig::default());
        let set_last = recorded(OtlpConfig::default().with_filter("filters::shop::db=off"));
        let after_it = recorded(OtlpConfig::default());
        let recorded = [from_environment, unread, set_at_init, again, set_before, set_last, after_it];
        assert_eq!(recorded.join(" "), std::env::var("EXPECTED").unwrap());
        return;
    }
    let collector = Collector::start().unwrap();
    let endpoint = collector.endpoint();
    let run = |filter: &str, expected: &str| {
        let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint), ("ENDPOINT", &endpoint), ("EXPECTED", expected)];
        in_own_process(name, &[&variables[..], &[("OTLP_FILTER", filter)]].concat())
    };
    for (filter, expected) in [("warn", "1 6 2 1 0 2 1"), ("", "6 6 2 6 0 2 6")] {
        let said = run(filter, expected);
        assert!(!said.contains("OTLP_FILTER"), "{said}");
    }
    let said = run("info,shop::db", "6 6 2 6 0 2 6");
    // One for each `init` that reads it.
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("OTLP_FILTER")).collect();
    assert_eq!(lines.len(), 4, "{said}");
    for line in lines {
        for part in ["otlp: ", "\"shop::db\"", "neither a level", "`shop::db=debug`", "using no filter"] {
            assert!(line.contains(part), "{line}");
        }
    }
}
