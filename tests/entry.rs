//! `#[otlp::main]`.
#![allow(clippy::unwrap_used)]

#[path = "support/process.rs"]
mod process;

use std::process::ExitCode;
use std::sync::OnceLock;

use otlp::testing::Collector;
use otlp::{OtlpConfig, traced};
use process::{alone, balanced, config, is_child, own_process};

static COLLECTOR: OnceLock<Collector> = OnceLock::new();

fn collector() -> &'static Collector {
    COLLECTOR.get_or_init(|| Collector::start().unwrap())
}

fn here() -> OtlpConfig {
    config(collector().endpoint())
}

#[traced]
fn work() {}

mod plain {
    #[otlp::main(config = super::here())]
    pub(super) fn main() -> Result<u8, String> {
        #![allow(clippy::needless_return)]
        super::work();
        return Err("broken".to_owned());
    }
}

mod panics {
    #[otlp::main(config = super::here())]
    pub(super) fn main() {
        super::work();
        std::panic::resume_unwind(Box::new(()));
    }
}

mod above {
    #[otlp::main(config = super::here(), crate = ::otlp)]
    #[tokio::main(flavor = "current_thread")]
    pub(super) async fn main() -> u8 {
        tokio::task::yield_now().await;
        super::work();
        7
    }
}

mod below {
    #[tokio::main]
    #[otlp::main(config = super::here())]
    pub(super) async fn main() {
        tokio::spawn(async { super::work() }).await.unwrap();
    }
}

mod second {
    #[otlp::main(config = super::here())]
    pub(super) fn main() {
        // One runs already: that is said, and the program goes on.
        super::plain::main().unwrap_err();
        super::work();
    }
}

#[test]
fn what_is_recorded_has_arrived_when_main_is_over() {
    let _alone = alone();
    for (run, spans) in [
        ((|| drop(plain::main().unwrap_err())) as fn(), 1),
        (|| drop(std::panic::catch_unwind(panics::main).unwrap_err()), 1),
        (|| assert_eq!(above::main(), 7), 1),
        (below::main, 1),
        (second::main, 2),
    ] {
        let before = collector().span_count();
        run();
        assert_eq!((balanced().recorded, collector().span_count() - before), (spans, spans));
    }
}

mod environment {
    #[otlp::main]
    pub(super) fn main() -> std::process::ExitCode {
        super::work();
        std::process::ExitCode::SUCCESS
    }
}

#[test]
fn it_starts_as_the_environment_says() {
    let name = "it_starts_as_the_environment_says";
    if is_child(name) {
        assert_eq!(format!("{:?}", environment::main()), format!("{:?}", ExitCode::SUCCESS));
        return;
    }
    let collector = Collector::start().unwrap();
    let status = own_process(name).env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint()).status().unwrap();
    assert!(status.success());
    assert_eq!(collector.span_count(), 1);
}
