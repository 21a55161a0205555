//! `#[traced]` on whole blocks.
#![allow(clippy::unwrap_used)]
#![deny(warnings)]

mod support;

use std::fmt::Debug;

use async_trait::async_trait;
use otlp::{SpanKind, StatusCode, traced};
use support::{attributes, named, names, pause, spans, wait};

struct Shop<T> {
    id: u64,
    stock: Vec<T>,
}

#[traced(args, kind = server)]
impl<T: Debug + Clone> Shop<T>
where
    T: Send,
{
    #![allow(clippy::missing_const_for_fn)]

    const LIMIT: usize = 10;

    const fn empty(id: u64) -> Self {
        Self { id, stock: Vec::new() }
    }

    /// Its documentation stays.
    #[must_use]
    pub(crate) fn new(id: u64) -> Self {
        Self::empty(id)
    }

    #[rustfmt::skip]
    fn id(&self) -> u64 { self.id }

    #[traced(skip)]
    fn left_out(&self) -> u64 {
        self.id()
    }

    #[otlp::traced(name = "take", kind = client, level = debug, fields(self.id), ret)]
    async fn take(mut self, count: usize) -> Result<usize, String> {
        pause().await;
        if count > Self::LIMIT {
            return Err("too many".to_owned());
        }
        self.stock.truncate(count);
        Ok(self.stock.len())
    }
}

#[test]
fn every_method_but_those_left_out() {
    let (id, seen) = spans(|| Shop::<u8>::new(7).left_out());
    assert_eq!((id, names(&seen)), (7, vec!["Shop::new", "Shop::id"]));
    assert_eq!((attributes(&seen[0]), seen[0].kind), (vec!["id=7".to_owned()], SpanKind::Server));
    let (taken, seen) = wait(async { Shop { id: 3, stock: vec![1_u8, 2] }.take(1).await });
    let span = named(&seen, "take");
    assert_eq!(taken, Ok(1));
    assert_eq!(
        (attributes(span), span.kind),
        (["id=3", "count=1", "return=1"].map(str::to_owned).to_vec(), SpanKind::Client)
    );
    let (taken, seen) = wait(async { Shop { id: 3, stock: vec![1_u8, 2] }.take(11).await });
    assert!(taken.is_err() && named(&seen, "take").is_error());
}

#[traced(err = off)]
trait Greets {
    type Name: Debug;
    const LOUD: bool;

    fn name(&self) -> Self::Name;

    fn greet(&self) -> Result<String, String> {
        Err(format!("{:?}{}", self.name(), Self::LOUD))
    }

    #[traced(err)]
    fn greet_loudly(&self) -> Result<String, String> {
        self.greet()
    }
}

#[traced]
impl Greets for str {
    type Name = String;
    const LOUD: bool = true;

    fn name(&self) -> String {
        self.to_owned()
    }
}

#[test]
fn provided_methods_of_a_trait_and_a_trait_s_implementation() {
    let (_, seen) = spans(|| "Ada".greet_loudly());
    assert_eq!(names(&seen), ["str::name", "Greets::greet", "Greets::greet_loudly"]);
    assert_eq!(named(&seen, "Greets::greet").status, StatusCode::Unset);
    assert!(named(&seen, "Greets::greet_loudly").is_error());
}

#[async_trait]
trait Stores {
    async fn store(&self, value: u8) -> Result<u8, String>;
    async fn twice(&self, value: u8) -> Result<u8, String>;
}

struct Above;
struct Below;

#[traced(args)]
#[async_trait]
impl Stores for Above {
    async fn store(&self, value: u8) -> Result<u8, String> {
        pause().await;
        value.checked_add(1).ok_or_else(|| "full".to_owned())
    }
    #[traced(skip)]
    async fn twice(&self, value: u8) -> Result<u8, String> {
        self.store(value).await?;
        self.store(value).await
    }
}

#[async_trait]
#[traced]
impl Stores for Below {
    async fn store(&self, value: u8) -> Result<u8, String> {
        pause().await;
        value.checked_add(1).ok_or_else(|| "full".to_owned())
    }
    async fn twice(&self, value: u8) -> Result<u8, String> {
        self.store(value).await?;
        self.store(value).await
    }
}

#[test]
fn with_async_trait_in_both_orders() {
    let (_, seen) = wait(async { Above.twice(255).await });
    let span = named(&seen, "Above::store");
    assert!(span.is_error() && attributes(span).contains(&"value=255".to_owned()));
    let (_, seen) = wait(async { Below.twice(1).await });
    assert_eq!(seen.iter().filter(|span| span.name == "Below::store").count(), 2);
    assert!(seen.iter().filter(|span| span.name == "Below::store").all(|span| span.parent() == Some("Below::twice")));
    assert_eq!(seen.iter().filter(|span| span.name == "poll" && span.parent() == Some("Below::store")).count(), 4);
}

struct Conditional;

#[traced(args)]
impl Conditional {
    #[cfg_attr(all(), traced(level = debug, name = "holds"))]
    fn holds(&self, n: u8) -> u8 {
        n
    }

    #[cfg_attr(any(), traced(name = "never"))]
    fn holds_not(&self, n: u8) -> u8 {
        n
    }

    #[cfg_attr(all(), otlp::traced(skip))]
    fn left_out(&self) {}

    #[cfg_attr(any(), otlp::traced(skip))]
    fn not_left_out(&self) {}

    #[cfg_attr(all(), inline, otlp::traced(ret), must_use)]
    fn among_others(&self, n: u8) -> u8 {
        n
    }

    #[cfg_attr(any(), traced(name = "wrong"))]
    #[cfg_attr(not(any()), cfg_attr(all(), traced(name = "nested"), must_use))]
    fn in_two(&self, n: u8) -> u8 {
        n
    }
}

#[test]
fn options_under_a_condition() {
    let (_, seen) = spans(|| {
        Conditional.holds(1);
        Conditional.holds_not(2);
        Conditional.left_out();
        Conditional.not_left_out();
        assert_eq!((Conditional.among_others(3), Conditional.in_two(4)), (3, 4));
    });
    let recorded: Vec<_> = seen.iter().map(|span| (span.name.as_str(), attributes(span).join(" "))).collect();
    let expected = [
        ("holds", "n=1"),
        ("Conditional::holds_not", "n=2"),
        ("Conditional::not_left_out", ""),
        ("Conditional::among_others", "n=3 return=3"),
        ("nested", "n=4"),
    ];
    assert_eq!(recorded, expected.map(|(name, text)| (name, text.to_owned())));
}

trait Shown {
    fn show(&self) {}
}

macro_rules! made {
    () => {
        u8
    };
}

#[traced]
impl Shown for &'static [u8] {
    fn show(&self) {}
}
#[traced]
impl Shown for (u8, Vec<Shop<u8>>) {
    fn show(&self) {}
}
#[traced]
impl Shown for dyn Debug + Send {
    fn show(&self) {}
}
#[traced]
impl Shown for made!() {
    fn show(&self) {}
}

#[test]
fn names_of_types_that_have_none() {
    let debug: &(dyn Debug + Send) = &1;
    let (_, seen) = spans(|| {
        (&[0_u8][..]).show();
        (1, Vec::new()).show();
        debug.show();
        1_u8.show();
    });
    assert_eq!(names(&seen), ["[u8]::show", "(u8, Vec)::show", "dyn Debug::show", "show"]);
}
