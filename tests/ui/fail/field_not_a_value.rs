use otlp::traced;

pub struct Order {
    pub id: Id,
}
pub struct Id(pub u32);

#[traced(fields(order.id))]
fn path(order: &Order) {
    let _ = order;
}

#[traced(fields(n = 1, order = order.clone_of(1)))]
async fn call(order: Order) {
    drop(order);
}

impl Order {
    fn clone_of(&self, _: u32) -> Id {
        Id(self.id.0)
    }
}

fn main() {
    let order = Order { id: Id(1) };
    path(&order);
    drop(call(order));
}
