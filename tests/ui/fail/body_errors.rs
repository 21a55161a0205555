use otlp::traced;

use std::fmt::Display;

pub struct Refused;

impl From<std::fmt::Error> for Refused {
    fn from(_: std::fmt::Error) -> Self {
        Self
    }
}

#[traced]
fn mismatched() -> u32 {
    "text"
}

#[traced]
fn mismatched_result() -> Result<u32, String> {
    Ok("text")
}

#[traced]
fn no_value() -> Result<u32, String> {
    mismatched();
}

#[traced]
fn wrong_return(n: u32) -> Result<u32, String> {
    if n > 1 {
        return "text";
    }
    Ok(n)
}

#[traced]
fn wrong_question(n: &str) -> Result<u32, Refused> {
    let n: u32 = n.parse()?;
    Ok(n)
}

#[traced]
async fn later() -> u32 {
    "text"
}

#[traced]
async fn later_unit() {
    1
}

#[traced]
async fn later_no_value() -> Result<u32, String> {
    later().await;
}

#[traced]
async fn later_question(n: &str) -> Result<u32, Refused> {
    let n: u32 = n.parse()?;
    Ok(n)
}

#[traced]
async fn later_never() -> ! {
    later().await;
}

#[traced]
async fn later_dyn(n: u32) -> Box<dyn Display> {
    if n > 1 {
        return Box::new(());
    }
    Box::new(n)
}

fn main() {}
