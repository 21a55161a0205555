use otlp::traced;

pub struct Order(pub u32);

#[traced(fields(%order))]
fn display(order: &Order) {
    let _ = order;
}

#[traced(fields(order = ?order))]
fn debug(order: &Order) {
    let _ = order;
}

fn main() {
    let order = Order(1);
    display(&order);
    debug(&order);
}
