#![forbid(unsafe_code)]
#![deny(warnings, unused, missing_docs, unreachable_pub)]
//! A crate that denies much.
use otlp::traced;

#[traced(fields(n))]
fn sync(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[traced(fields(n))]
async fn later(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[traced]
async fn never() -> ! {
    loop {
        std::future::ready(()).await;
    }
}

#[rustfmt::skip]
mod one_line {
    #[otlp::traced]
    pub(crate) fn value(n: u32) -> u32 { n + 1 }

    #[otlp::traced]
    pub(crate) fn unit(n: u32) { if n == 1 { println!() } }

    #[otlp::traced]
    pub(crate) fn result(n: u32) -> Result<u32, String> { Ok(n) }

    #[otlp::traced]
    pub(crate) fn diverges(n: u32) -> ! { loop { if n > 1 { std::process::exit(0) } } }

    #[otlp::traced]
    pub(crate) async fn later(n: u32) -> u32 { n + 1 }

    #[otlp::traced]
    pub(crate) async fn later_result(n: u32) -> Result<u32, String> { Ok(n) }

    #[otlp::traced]
    pub(crate) fn returned(n: u32) -> impl Future<Output = u32> { async move { n } }
}

fn main() {
    drop((sync(1), later(1), never()));
    one_line::unit(one_line::value(1));
    drop((one_line::result(1), one_line::later(1), one_line::later_result(1), one_line::returned(1)));
    one_line::diverges(2);
}
