#[path = "../../support/mod.rs"]
mod support;

use otlp_macros::traced;

pub struct Order(pub u32);

#[traced(crate = crate::support, fields(%order))]
fn display(order: &Order) {
    let _ = order;
}

#[traced(crate = crate::support, fields(order = ?order))]
fn debug(order: &Order) {
    let _ = order;
}

fn main() {
    let order = Order(1);
    display(&order);
    debug(&order);
}
