//! `emit`, with `emit_otlp`.
#![allow(unused_braces, reason = "the attribute's expansion has them")]

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use super::{CHILDREN, Eight, Peer, Protocol, Recording, SERVICE, Setup, Stop, Wait};

pub(crate) struct Emit;

#[inline(never)]
#[emit::span("child", id, name)]
fn two(id: u64, name: &str) {
    black_box((id, name));
}

#[inline(never)]
#[emit::span("child")]
fn none() {
    black_box(());
}

#[inline(never)]
#[emit::span("child", a, b, c, d, e, f, g, h)]
#[allow(clippy::many_single_char_names, clippy::too_many_arguments)]
fn eight(a: u64, b: i64, c: f64, d: bool, e: &str, f: &str, g: &str, h: &str) {
    black_box((a, b, c, d, e, f, g, h));
}

#[inline(never)]
#[emit::span("child", id, name)]
async fn waiting(id: u64, name: &str, wait: Wait) {
    black_box((id, name));
    wait.done().await;
}

fn stop(limit: Duration) -> String {
    if emit::blocking_flush(limit) { String::new() } else { "not everything was flushed".to_owned() }
}

impl Peer for Emit {
    /// Without compression, as in the others: it is on by default, and costs a tenth more.
    fn start(setup: &Setup) -> Result<Stop, Box<dyn Error>> {
        let transport = match setup.protocol {
            Protocol::Grpc => emit_otlp::grpc(&setup.endpoint),
            Protocol::Http => emit_otlp::http(format!("{}/v1/traces", setup.endpoint)),
        };
        let emitter = emit_otlp::new()
            .resource(emit::props! { #[emit::key("service.name")] service_name: SERVICE })
            .traces(emit_otlp::traces_proto(transport.allow_compression(false)))
            .spawn();
        // What is returned here would flush the same pipeline.
        match setup.recording {
            Recording::Everything => {
                let _ = emit::setup().emit_to(emitter).init();
            }
            Recording::FilteredOut => {
                let others = emit::filter::from_fn(|event| *event.mdl() != emit::mdl!());
                let _ = emit::setup().emit_when(others).emit_to(emitter).init();
            }
            Recording::Unsampled => {
                let _ = emit_traceparent::setup_with_sampler(|_| false).emit_to(emitter).init();
            }
        }
        Ok(Box::new(stop))
    }

    fn two(id: u64, name: &str) {
        two(id, name);
    }

    #[emit::span("root")]
    fn root_none() {
        (0..CHILDREN).for_each(|_| none());
    }

    #[emit::span("root")]
    fn root_two(id: u64, name: &str) {
        (0..CHILDREN).for_each(|i| two(id + i, name));
    }

    #[emit::span("root")]
    fn root_eight(v: Eight) {
        (0..CHILDREN).for_each(|i| eight(v.a + i, v.b, v.c, v.d, v.e, v.f, v.g, v.h));
    }

    #[emit::span("root")]
    async fn root_async(id: u64, name: &str, wait: Wait) {
        for i in 0..CHILDREN {
            waiting(id + i, name, wait).await;
        }
    }
}
