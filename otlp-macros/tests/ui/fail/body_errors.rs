#[path = "../../support/mod.rs"]
mod support;

use otlp_macros::traced;

use std::fmt::Display;

#[traced(crate = crate::support)]
fn mismatched() -> u32 {
    "text"
}

#[traced(crate = crate::support)]
fn mismatched_result() -> Result<u32, String> {
    Ok("text")
}

#[traced(crate = crate::support)]
fn no_value() -> Result<u32, String> {
    mismatched();
}

#[traced(crate = crate::support)]
fn wrong_return(n: u32) -> Result<u32, String> {
    if n > 1 {
        return "text";
    }
    Ok(n)
}

#[traced(crate = crate::support)]
fn wrong_question(n: &str) -> Result<u32, String> {
    let n: u32 = n.parse()?;
    Ok(n)
}

#[traced(crate = crate::support)]
async fn later() -> u32 {
    "text"
}

#[traced(crate = crate::support)]
async fn later_unit() {
    1
}

#[traced(crate = crate::support)]
async fn later_no_value() -> Result<u32, String> {
    later().await;
}

#[traced(crate = crate::support)]
async fn later_question(n: &str) -> Result<u32, String> {
    let n: u32 = n.parse()?;
    Ok(n)
}

#[traced(crate = crate::support)]
async fn later_never() -> ! {
    later().await;
}

#[traced(crate = crate::support)]
async fn later_dyn(n: u32) -> Box<dyn Display> {
    if n > 1 {
        return Box::new(());
    }
    Box::new(n)
}

fn main() {}
