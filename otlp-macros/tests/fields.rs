//! The field grammar, from the text to the recorded values.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::cell::Cell;

use otlp_macros::traced;
use support::__private::{Attributes, calls, disabled};

macro_rules! span {
    ($($tokens:tt)*) => { $crate::support::__private::__span!([$crate::support] $($tokens)*) };
}

/// The fields that a span is made with, as `key=value`.
macro_rules! fields {
    ($($fields:tt)*) => {{
        let (span, mut calls) = calls(|| drop(span!("test", $($fields)*)));
        let () = span;
        calls.remove(0).fields.into_iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>()
    }};
}

struct Customer {
    id: u64,
    name: String,
    r#type: &'static str,
    pair: (u32, (u32, u32)),
}

fn customer() -> Customer {
    Customer { id: 7, name: "Ada".to_owned(), r#type: "new", pair: (1, (2, 3)) }
}

const KEY: &str = "from.constant";

struct Labels(&'static [(&'static str, u32)]);
impl Attributes for Labels {
    fn each(&self, f: &mut dyn FnMut(&str, String)) {
        self.0.iter().for_each(|(k, v)| f(k, v.to_string()));
    }
}

#[test]
fn values_name_themselves() {
    let (customer, r#type, n) = (customer(), 5, 1);
    assert_eq!(fields!(n), ["n=1"]);
    assert_eq!(fields!(n,), ["n=1"]);
    assert_eq!(
        fields!(customer.id, %customer.name, ?customer.r#type),
        ["customer.id=7", "customer.name=%Ada", "customer.type=?\"new\""]
    );
    assert_eq!(fields!(r#type), ["type=5"]);
    assert_eq!(fields!(customer.pair.0, customer.pair.1.1), ["customer.pair.0=1", "customer.pair.1.1=3"]);
}

#[test]
fn keys() {
    assert_eq!(fields!(n = 1, http.request.method = "GET", r#fn = 2), ["n=1", "http.request.method=GET", "fn=2"]);
    assert_eq!(
        fields!(type = 1, thing.type = 2, self = 3, crate.mod.async = 4),
        ["type=1", "thing.type=2", "self=3", "crate.mod.async=4"]
    );
    assert_eq!(
        fields!("any key, ünïcode" = 1, { KEY } = 2, { Self_::KEY } = 3),
        ["any key, ünïcode=1", "from.constant=2", "associated=3"]
    );
}

struct Self_;
impl Self_ {
    const KEY: &'static str = "associated";
}

#[test]
fn any_expression_may_stand_behind_a_key() {
    let (a, b, name) = (1, 2, Some("x"));
    assert_eq!(
        fields!(sum = a + b, less = a < b, none = None::<u32>, neg = -a),
        ["sum=3", "less=true", "none=", "neg=-1"]
    );
    assert_eq!(
        fields!(d = %format!("{a}-{b}"), e = ?name.map(str::len), c = if a > b { a } else { b }),
        ["d=%1-2", "e=?Some(1)", "c=2"]
    );
    assert_eq!(
        fields!(
            m = match a {
                1 => "one",
                _ => "many",
            },
            t = (5)
        ),
        ["m=one", "t=5"]
    );
    assert_eq!(fields!(g = "1,2".parse::<u32>().is_ok(), v = Vec::<u32>::new().len()), ["g=false", "v=0"]);
}

#[test]
fn spread() {
    let labels = Labels(&[("a", 1), ("b", 2)]);
    assert_eq!(fields!(n = 0, ..labels, last = 3), ["n=0", "a=1", "b=2", "last=3"]);
    assert_eq!(fields!(..Labels(&[("c", 1)]), ..&labels.0.len().pipe()), ["c=1", "count=2"]);
}

trait Pipe: Sized {
    fn pipe(self) -> Labels;
}
impl Pipe for usize {
    fn pipe(self) -> Labels {
        assert_eq!(self, 2);
        Labels(&[("count", 2)])
    }
}

#[test]
fn no_fields() {
    assert!(fields!().is_empty());
    let (_, calls) = calls(|| drop(span!("bare")));
    assert_eq!((calls[0].name, calls[0].path), ("bare", "fields"));
}

#[test]
fn borrowed_and_evaluated_once() {
    let (count, owned) = (Cell::new(0), "owned".to_owned());
    let next = || {
        count.set(count.get() + 1);
        count.get()
    };
    assert_eq!(fields!(n = next(), owned), ["n=1", "owned=owned"]);
    assert_eq!((count.get(), owned.as_str()), (1, "owned"));
    let (span, _) = calls(|| disabled(|| span!("off", n = next())));
    assert!(!span.is_recording());
    assert_eq!(count.get(), 1);
}

impl Customer {
    #[traced(crate = crate::support, fields(self.id, %self.name, self.r#type, self.pair.1.0, kind = "customer"))]
    fn greet(self) -> String {
        self.name
    }

    #[traced(crate = crate::support, fields(..Labels(&[("a", 1)]), n, order = ?order))]
    async fn order(&self, order: Vec<u32>, n: usize) -> usize {
        let taken = order;
        taken.len() + n
    }
}

#[test]
fn of_an_annotated_method() {
    let (name, done) = calls(|| customer().greet());
    assert_eq!(name, "Ada");
    let seen: Vec<_> = done[0].fields.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(seen, ["id=7", "name=%Ada", "type=new", "pair.1.0=2", "kind=customer"]);
    let (n, done) = calls(|| {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(customer().order(vec![1, 2], 3))
    });
    assert_eq!(n, 5);
    assert_eq!(done[0].fields.len(), 3);
    assert_eq!(done[0].field("order"), Some("?[1, 2]"));
}
