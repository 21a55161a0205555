//! `otlp`.

use std::error::Error;
use std::hint::black_box;

use otlp::{OtlpConfig, Sampler, TransportProtocol, traced};

use super::{CHILDREN, Eight, Peer, Protocol, Recording, SERVICE, Setup, Stop, Wait, said};

pub(crate) struct Otlp;

#[traced(name = "child", fields(id, name))]
#[inline(never)]
fn two(id: u64, name: &str) {
    black_box((id, name));
}

#[traced(name = "child")]
#[inline(never)]
fn none() {
    black_box(());
}

#[traced(name = "child", fields(a, b, c, d, e, f, g, h))]
#[inline(never)]
#[allow(clippy::many_single_char_names, clippy::too_many_arguments)]
fn eight(a: u64, b: i64, c: f64, d: bool, e: &str, f: &str, g: &str, h: &str) {
    black_box((a, b, c, d, e, f, g, h));
}

#[traced(name = "child", fields(id, name))]
#[inline(never)]
async fn waiting(id: u64, name: &str, wait: Wait) {
    black_box((id, name));
    wait.done().await;
}

impl Peer for Otlp {
    /// The defaults are large enough for every workload.
    fn start(setup: &Setup) -> Result<Stop, Box<dyn Error>> {
        let protocol = match setup.protocol {
            Protocol::Grpc => TransportProtocol::Grpc,
            Protocol::Http => TransportProtocol::HttpProtobuf,
        };
        let config = OtlpConfig::default()
            .with_env(false)
            .with_endpoint(&setup.endpoint)
            .with_protocol(protocol)
            .with_service(SERVICE, "1");
        let config = match setup.recording {
            Recording::Everything => config,
            Recording::FilteredOut => config.with_filter("info,otlp_bench::peers::otlp=off"),
            Recording::Unsampled => config.with_sampler(Sampler::always_off()),
        };
        let guard = config.init()?;
        Ok(Box::new(move |limit| {
            let result = otlp::shutdown(limit);
            drop(guard);
            match said(&result) {
                all_well if all_well.is_empty() => all_well,
                _ => otlp::status().to_string(),
            }
        }))
    }

    fn two(id: u64, name: &str) {
        two(id, name);
    }

    #[traced(name = "root")]
    fn root_none() {
        (0..CHILDREN).for_each(|_| none());
    }

    #[traced(name = "root")]
    fn root_two(id: u64, name: &str) {
        (0..CHILDREN).for_each(|i| two(id + i, name));
    }

    #[traced(name = "root")]
    fn root_eight(v: Eight) {
        (0..CHILDREN).for_each(|i| eight(v.a + i, v.b, v.c, v.d, v.e, v.f, v.g, v.h));
    }

    #[traced(name = "root")]
    async fn root_async(id: u64, name: &str, wait: Wait) {
        for i in 0..CHILDREN {
            waiting(id + i, name, wait).await;
        }
    }
}
