//! Every shape of function: it compiles as it would without the attribute, and its span is right.
#![forbid(unsafe_op_in_unsafe_fn)]
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use otlp_macros::traced;
use support::__private::{Level, SpanKind, calls, disabled};
use support::Call;

/// The one span that `f` makes.
fn one<R>(f: impl FnOnce() -> R) -> (R, Call) {
    let (result, mut calls) = calls(f);
    assert_eq!(calls.len(), 1, "{calls:?}");
    (result, calls.remove(0))
}

/// The spans of a future that is driven to its end, in order of their end.
fn wait<F: Future>(future: F) -> (F::Output, Vec<Call>) {
    calls(|| tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future))
}

#[derive(Debug)]
struct Broken;
impl Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}
impl Error for Broken {}

fn broken() -> Option<(String, Option<String>)> {
    Some(("shapes::Broken".to_owned(), Some("broken".to_owned())))
}

mod sync {
    use super::*;

    #[traced(crate = crate::support)]
    fn plain() -> u32 {
        7
    }

    #[traced(crate = crate::support)]
    fn unit() {}

    #[test]
    fn metadata() {
        let (result, call) = one(plain);
        assert_eq!(result, 7);
        assert_eq!((call.name, call.path), ("plain", "shapes::sync::plain"));
        assert_eq!((call.level, call.kind, call.root), (Level::Info, SpanKind::Internal, false));
        assert_eq!((call.scope, call.parent, call.error.as_ref()), ("otlp-macros", None, None));
        assert!(call.line > 0);
        assert_eq!(one(unit).1.name, "unit");
    }

    #[traced(crate = crate::support, name = "other name", kind = server, level = debug, root, err)]
    fn options() {}

    #[test]
    fn options_reach_the_callsite() {
        let call = one(options).1;
        assert_eq!((call.name, call.path), ("other name", "shapes::sync::options"));
        assert_eq!((call.level, call.kind, call.root), (Level::Debug, SpanKind::Server, true));
    }

    #[traced(crate = crate::support)]
    fn fails(deep: bool) -> Result<u32, Broken> {
        if deep {
            inner()?;
        }
        Ok(1)
    }

    #[traced(crate = crate::support)]
    fn inner() -> Result<u32, Broken> {
        return Err(Broken);
    }

    #[traced(crate = crate::support, err = off)]
    fn silent() -> Result<(), Broken> {
        Err(Broken)
    }

    type Fallible<T> = std::result::Result<T, Broken>;

    #[traced(crate = crate::support)]
    fn aliased() -> Fallible<()> {
        Err(Broken)
    }

    #[traced(crate = crate::support)]
    fn erased() -> anyhow::Result<()> {
        anyhow::bail!("lost")
    }

    #[traced(crate = crate::support)]
    fn boxed(n: u8) -> Result<u8, Box<dyn Error>> {
        if n == 0 {
            return Err(Box::new(Broken));
        }
        let n: u8 = "256".parse()?;
        Err(format!("{n}"))?;
        Ok(n)
    }

    #[test]
    fn errors() {
        assert_eq!(one(|| fails(false)).1.error, None);
        let (_, nested) = calls(|| fails(true));
        assert_eq!(
            nested.iter().map(|c| (c.name, c.parent)).collect::<Vec<_>>(),
            [("inner", Some("fails")), ("fails", None)]
        );
        assert_eq!(nested[0].error, broken());
        assert_eq!(nested[1].error, broken());
        assert_eq!(one(silent).1.error, None);
        assert_eq!(one(aliased).1.error, broken());
        assert_eq!(one(erased).1.error, Some(("_OTHER".to_owned(), Some("lost".to_owned()))));
        assert_eq!(one(|| boxed(0)).1.error, Some(("_OTHER".to_owned(), Some("broken".to_owned()))));
        assert!(one(|| boxed(1)).1.error.is_some());
    }

    #[traced(crate = crate::support)]
    fn panics() {
        panic!("on purpose");
    }

    #[traced(crate = crate::support)]
    fn diverges() -> ! {
        panic!("on purpose")
    }

    #[test]
    fn unwinding() {
        let (result, call) = one(|| std::panic::catch_unwind(panics));
        assert!(result.is_err() && call.panicked);
        let (result, call) = one(|| std::panic::catch_unwind(|| diverges()));
        assert!(result.is_err() && call.panicked);
    }

    #[test]
    fn disabled_does_nothing() {
        #[traced(crate = crate::support, fields(n = never()))]
        fn quiet(n: u32) -> Result<u32, Broken> {
            Ok(n)
        }
        fn never() -> u32 {
            unreachable!("fields are evaluated when recorded")
        }
        let (result, calls) = calls(|| disabled(|| quiet(3)));
        assert_eq!(result.unwrap(), 3);
        assert_eq!(calls, []);
    }

    struct Tree {
        value: u32,
        children: Vec<Self>,
    }

    impl Tree {
        #[traced(crate = crate::support, fields(self.value))]
        fn by_ref(&self) -> u32 {
            self.value
        }
        #[traced(crate = crate::support)]
        fn by_mut(&mut self, by: u32) -> Result<&mut u32, Broken> {
            self.value += by;
            Ok(&mut self.value)
        }
        #[traced(crate = crate::support)]
        fn by_value(self) -> Result<Vec<Self>, Broken> {
            Ok(self.children)
        }
        #[traced(crate = crate::support)]
        fn by_mut_value(mut self) -> Result<Self, Broken> {
            self.value = 0;
            Ok(self)
        }
        #[traced(crate = crate::support)]
        fn boxed(self: Box<Self>) -> Result<Box<Self>, Broken> {
            Ok(self)
        }
        #[traced(crate = crate::support)]
        fn counted(self: &Rc<Self>) -> Result<Rc<Self>, Broken> {
            Ok(Rc::clone(self))
        }
        #[traced(crate = crate::support)]
        fn shared(self: Arc<Self>) -> u32 {
            self.value
        }
        #[traced(crate = crate::support)]
        fn pinned(self: Pin<&mut Self>) -> Result<u32, Broken> {
            let this = self.get_mut();
            this.value += 1;
            Ok(this.value)
        }
        #[traced(crate = crate::support)]
        fn associated() -> Self {
            Self { value: 1, children: vec![] }
        }
        #[traced(crate = crate::support)]
        fn fallible_new() -> Result<Self, Broken> {
            Ok(Self::associated())
        }
        #[traced(crate = crate::support)]
        fn sum(&self) -> u32 {
            self.value + self.children.iter().map(Self::sum).sum::<u32>()
        }
    }

    #[test]
    fn methods() {
        let (mut tree, spans) = calls(|| Tree::fallible_new().unwrap());
        assert_eq!(spans.len(), 2);
        assert_eq!(one(|| tree.by_ref()).1.fields, [("value".to_owned(), "1".to_owned())]);
        *one(|| tree.by_mut(2)).0.unwrap() += 1;
        assert_eq!(tree.value, 4);
        assert_eq!(one(|| Pin::new(&mut tree).pinned()).0.unwrap(), 5);
        tree.children.push(Tree { value: 10, children: vec![] });
        let (sum, spans) = calls(|| tree.sum());
        assert_eq!((sum, spans.len(), spans[0].parent), (15, 2, Some("sum")));
        let tree = one(|| Box::new(tree).boxed()).0.unwrap();
        let tree = one(|| tree.by_mut_value()).0.unwrap();
        assert_eq!(one(|| tree.by_value()).0.unwrap().len(), 1);
        let shared = Rc::new(Tree { value: 2, children: vec![] });
        assert_eq!(one(|| shared.counted()).0.unwrap().value, 2);
        assert_eq!(one(|| Arc::new(Tree { value: 3, children: vec![] }).shared()).0, 3);
    }

    trait Shape {
        #[traced(crate = crate::support, fields(kind = self.name()))]
        fn checked(&self) -> Result<f64, Broken> {
            self.area()
        }
        #[traced(crate = crate::support)]
        fn sized(self) -> Result<Self, Broken>
        where
            Self: Sized,
        {
            Ok(self)
        }
        fn area(&self) -> Result<f64, Broken>;
        fn name(&self) -> &str;
    }

    impl Shape for f64 {
        #[traced(crate = crate::support)]
        fn area(&self) -> Result<f64, Broken> {
            Ok(self * self)
        }
        #[traced(crate = crate::support)]
        fn name(&self) -> &str {
            "square"
        }
    }

    #[test]
    fn trait_methods() {
        assert_eq!(one(|| 2.0.area()).0.unwrap(), 4.0);
        assert_eq!(one(|| 2.0.name()).0, "square");
        let shape: &dyn Shape = &3.0;
        let (_, spans) = calls(|| shape.checked().unwrap());
        let names: Vec<_> = spans.iter().map(|call| call.name).collect();
        assert_eq!(names, ["name", "area", "checked"]);
        assert_eq!(one(|| 2.0.sized()).0.unwrap(), 2.0);
    }

    #[traced(crate = crate::support, fields(N, ?value, len = items.as_ref().len()))]
    fn generic<'a, T: Debug, const N: usize>(value: &'a T, items: [u8; N]) -> Result<(&'a T, [u8; N]), Broken>
    where
        [u8; N]: AsRef<[u8]>,
    {
        Ok((value, items))
    }

    #[test]
    fn generics() {
        let (result, call) = one(|| generic(&"x", [1, 2, 3]));
        assert_eq!(result.unwrap(), (&"x", [1, 2, 3]));
        let fields: Vec<_> = call.fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(fields, [("N", "3"), ("value", "?\"x\""), ("len", "3")]);
    }

    struct Wrapper<T>(T);
    impl<'w, T: Clone + 'w> Wrapper<T> {
        #[traced(crate = crate::support)]
        fn get_or<E>(&'w self, other: Option<E>) -> Result<(&'w T, T), E> {
            match other {
                Some(e) => Err(e),
                None => Ok((&self.0, self.0.clone())),
            }
        }
    }

    #[test]
    fn generic_impl() {
        assert_eq!(one(|| Wrapper(1).get_or(None::<Broken>).unwrap().1).0, 1);
        assert_eq!(one(|| Wrapper(1).get_or(Some(Broken)).is_err()).1.error, Some(("shapes::Broken".to_owned(), None)));
    }

    #[traced(crate = crate::support, fields(a, c, rest.0))]
    fn patterns(
        (a, _): (u32, u32),
        Pair { left: c, .. }: Pair,
        [_, mut d]: [u32; 2],
        rest: (u8, u8),
        _: u8,
    ) -> Result<u32, Broken> {
        d += a;
        Ok(c + d + u32::from(rest.1))
    }
    struct Pair {
        left: u32,
        #[allow(dead_code)]
        right: u32,
    }

    #[test]
    fn patterns_are_arguments() {
        let (result, call) = one(|| patterns((1, 2), Pair { left: 10, right: 0 }, [0, 100], (5, 6), 0));
        assert_eq!(result.unwrap(), 117);
        assert_eq!(call.field("a"), Some("1"));
        assert_eq!(call.field("c"), Some("10"));
        assert_eq!(call.field("rest.0"), Some("5"));
    }

    #[traced(crate = crate::support)]
    fn impl_in(value: impl Display, f: impl FnOnce() -> u32) -> Result<String, Broken> {
        Ok(format!("{value}{}", f()))
    }

    #[traced(crate = crate::support)]
    fn impl_out<'a>(text: &'a str) -> impl Iterator<Item = char> + 'a {
        text.chars().rev()
    }

    #[traced(crate = crate::support)]
    fn impl_inside(text: &str, ok: bool) -> Result<impl Iterator<Item = char> + '_, Broken> {
        if !ok {
            return Err(Broken);
        }
        Ok(text.chars().rev())
    }

    #[test]
    fn impl_trait() {
        assert_eq!(one(|| impl_in(1, || 2)).0.unwrap(), "12");
        assert_eq!(one(|| impl_out("ab").collect::<String>()).0, "ba");
        assert_eq!(one(|| impl_inside("ab", true).map(Iterator::collect::<String>)).0.unwrap(), "ba");
        assert_eq!(one(|| impl_inside("ab", false).is_err()).1.error, broken());
    }

    #[traced(crate = crate::support)]
    fn dyn_returns(n: u8) -> Box<dyn Display> {
        if n == 0 {
            return Box::new("zero");
        }
        match n {
            1 => Box::new(1),
            _ => Box::new(String::new()),
        }
    }

    #[traced(crate = crate::support)]
    fn dyn_results(n: u8) -> Result<Box<dyn Display>, Box<dyn Error + Send + Sync>> {
        if n == 0 {
            return Ok(Box::new("zero"));
        }
        if n > 1 {
            return Err("many".into());
        }
        Ok(Box::new(n))
    }

    #[test]
    fn several_returns_of_trait_objects() {
        assert_eq!(one(|| dyn_returns(0)).0.to_string(), "zero");
        assert_eq!(one(|| dyn_returns(1)).0.to_string(), "1");
        assert_eq!(one(|| dyn_results(0)).0.unwrap().to_string(), "zero");
        assert_eq!(one(|| dyn_results(2)).1.error, Some(("_OTHER".to_owned(), Some("many".to_owned()))));
    }

    struct Node {
        next: Option<Box<Self>>,
        value: u32,
    }

    #[traced(crate = crate::support)]
    fn last(node: &mut Node) -> Result<&mut u32, Broken> {
        match node.next {
            Some(ref mut next) => last(next),
            None => Ok(&mut node.value),
        }
    }

    #[traced(crate = crate::support)]
    fn walk(mut node: &mut Node, mut steps: u32) -> Result<&mut Node, Broken> {
        while steps > 0 {
            steps -= 1;
            node = node.next.as_deref_mut().ok_or(Broken)?;
        }
        Ok(node)
    }

    #[traced(crate = crate::support)]
    fn split<'a>(items: &'a mut [u32], text: &'a str) -> Result<(&'a mut [u32], &'a str), Broken> {
        let (left, right) = items.split_at_mut(1);
        left[0] += right[0];
        Ok((right, &text[1..]))
    }

    #[test]
    fn reborrows() {
        let mut list = Node { next: Some(Box::new(Node { next: None, value: 1 })), value: 0 };
        *calls(|| last(&mut list)).0.unwrap() = 5;
        assert_eq!(one(|| walk(&mut list, 1).map(|node| node.value)).0.unwrap(), 5);
        assert_eq!(one(|| walk(&mut list, 2).is_err()).1.error, broken());
        let mut items = [1, 2, 3];
        assert_eq!(one(|| split(&mut items, "ab").map(|(i, t)| (i.len(), t))).0.unwrap(), (2, "b"));
    }

    /// # Safety
    /// `p` must be valid.
    #[allow(unsafe_code, clippy::undocumented_unsafe_blocks)]
    #[traced(crate = crate::support)]
    unsafe fn raw(p: *const u32) -> Result<u32, Broken> {
        Ok(unsafe { *p })
    }

    #[traced(crate = crate::support)]
    extern "C" fn foreign(n: u32) -> u32 {
        n + 1
    }

    #[test]
    #[allow(unsafe_code, clippy::undocumented_unsafe_blocks)]
    fn unsafe_and_extern() {
        let n = 3;
        assert_eq!(one(|| unsafe { raw(&raw const n) }).0.unwrap(), 3);
        assert_eq!(one(|| foreign(1)).0, 2);
        let _: extern "C" fn(u32) -> u32 = foreign;
    }

    #[traced(crate = crate::support)]
    #[track_caller]
    fn located(fail: bool) -> Result<u32, Broken> {
        if fail { Err(Broken) } else { Ok(std::panic::Location::caller().line()) }
    }

    #[test]
    fn track_caller() {
        assert_eq!(one(|| located(false)).0.unwrap(), line!());
        assert!(one(|| located(true)).0.is_err());
    }

    #[traced(crate = crate::support)]
    #[inline]
    #[must_use]
    fn control_flow(limit: u32) -> u32 {
        #![allow(clippy::needless_return)]
        let found = 'outer: loop {
            for n in 0.. {
                if n == limit {
                    break 'outer n;
                }
                if n == 1000 {
                    return 0;
                }
            }
        };
        return found;
    }

    #[test]
    fn inner_attributes_and_labels() {
        assert_eq!(one(|| control_flow(3)).0, 3);
        assert_eq!(one(|| control_flow(2000)).0, 0);
    }

    #[traced(crate = crate::support)]
    fn r#type(r#fn: u32, #[cfg(any())] missing: u32) -> Result<u32, Broken> {
        const ONE: u32 = 1;
        fn add(a: u32) -> u32 {
            a + ONE
        }
        Ok(add(r#fn))
    }

    #[test]
    fn raw_names_and_cfg() {
        let (result, call) = one(|| r#type(1));
        assert_eq!(result.unwrap(), 2);
        assert_eq!((call.name, call.path), ("type", "shapes::sync::type"));
    }

    #[test]
    fn a_span_in_a_span_of_the_same_function() {
        #[traced(crate = crate::support, name = "inner")]
        #[traced(crate = crate::support, name = "outer")]
        fn twice() -> Result<(), Broken> {
            Err(Broken)
        }
        let (_, spans) = calls(twice);
        assert_eq!(
            spans.iter().map(|c| (c.name, c.error.clone())).collect::<Vec<_>>(),
            [("inner", broken()), ("outer", broken())]
        );
    }

    macro_rules! annotated {
        ($(#[$attr:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),*) -> $ret:ty $body:block) => {
            $(#[$attr])*
            #[traced(crate = crate::support, fields($($arg),*))]
            $vis fn $name($($arg: $ty),*) -> $ret $body
        };
    }
    annotated! {
        /// Made by a macro.
        pub(super) fn made(n: u32, text: &str) -> Result<usize, Broken> {
            Ok(text.len() + n as usize)
        }
    }

    #[test]
    fn from_macro_rules() {
        let (result, call) = one(|| made(1, "abc"));
        assert_eq!(result.unwrap(), 4);
        assert_eq!((call.field("n"), call.field("text")), (Some("1"), Some("abc")));
    }
}

mod asynchronous {
    use super::*;

    #[traced(crate = crate::support, fields(n))]
    async fn plain(n: u32) -> u32 {
        tokio::task::yield_now().await;
        n + 1
    }

    #[traced(crate = crate::support)]
    async fn unit() {
        plain(1).await;
    }

    #[test]
    fn polls_within_the_span() {
        let (result, calls) = wait(plain(1));
        assert_eq!((result, calls.len(), calls[0].polls), (2, 1, 2));
        assert_eq!(calls[0].path, "shapes::asynchronous::plain");
        assert_eq!(calls[0].field("n"), Some("1"));
        let (_, calls) = wait(unit());
        assert_eq!((calls[0].parent, calls[1].parent), (Some("unit"), None));
    }

    #[test]
    fn begins_at_the_first_poll() {
        let (_, calls) = calls(|| drop(plain(1)));
        assert_eq!(calls, []);
    }

    #[traced(crate = crate::support)]
    async fn fails(how: u8) -> Result<u32, Box<dyn Error>> {
        if how == 0 {
            return Ok(0);
        }
        tokio::task::yield_now().await;
        if how == 1 {
            inner().await?;
        }
        Err("late".into())
    }

    #[traced(crate = crate::support)]
    async fn inner() -> Result<(), Broken> {
        Err(Broken)
    }

    #[traced(crate = crate::support, err = off)]
    async fn silent() -> Result<(), Broken> {
        Err(Broken)
    }

    #[test]
    fn errors() {
        assert_eq!(wait(fails(0)).1[0].error, None);
        let (_, calls) = wait(fails(1));
        assert_eq!(calls[0].error, broken());
        assert_eq!(calls[1].error, Some(("_OTHER".to_owned(), Some("broken".to_owned()))));
        assert_eq!(wait(fails(2)).1[0].error.as_ref().unwrap().1.as_deref(), Some("late"));
        assert_eq!(wait(silent()).1[0].error, None);
    }

    struct Service {
        name: String,
        seen: Vec<u32>,
    }

    impl Service {
        #[traced(crate = crate::support, fields(%self.name))]
        async fn by_ref(&self, n: &u32) -> Result<&str, Broken> {
            tokio::task::yield_now().await;
            if *n > 9 { Err(Broken) } else { Ok(&self.name) }
        }
        #[traced(crate = crate::support)]
        async fn by_mut(&mut self, n: u32) -> Result<&mut u32, Broken> {
            tokio::task::yield_now().await;
            self.seen.push(n);
            self.seen.last_mut().ok_or(Broken)
        }
        #[traced(crate = crate::support)]
        async fn by_value(mut self) -> Vec<u32> {
            self.seen.push(0);
            self.seen
        }
        #[traced(crate = crate::support)]
        async fn boxed(self: Box<Self>) -> Result<Self, Broken> {
            Ok(*self)
        }
        #[traced(crate = crate::support)]
        async fn pinned(self: Pin<&mut Self>) -> Result<usize, Broken> {
            Ok(self.seen.len())
        }
    }

    #[test]
    fn methods() {
        let mut service = Service { name: "s".to_owned(), seen: vec![] };
        let (result, calls) = wait(service.by_ref(&1));
        assert_eq!((result.unwrap(), calls[0].field("name")), ("s", Some("%s")));
        assert_eq!(wait(service.by_ref(&10)).1[0].error, broken());
        *wait(service.by_mut(3)).0.unwrap() += 1;
        assert_eq!(wait(Pin::new(&mut service).pinned()).0.unwrap(), 1);
        let service = wait(Box::new(service).boxed()).0.unwrap();
        assert_eq!(wait(service.by_value()).0, [4, 0]);
    }

    trait Load {
        fn load(&self, key: &str) -> impl Future<Output = Result<String, Broken>> + Send;
    }
    impl Load for Service {
        #[traced(crate = crate::support, fields(key))]
        async fn load(&self, key: &str) -> Result<String, Broken> {
            Ok(format!("{}{key}", self.name))
        }
    }

    #[test]
    fn trait_method() {
        let service = Service { name: "s".to_owned(), seen: vec![] };
        assert_eq!(wait(service.load("k")).0.unwrap(), "sk");
    }

    #[traced(crate = crate::support)]
    async fn dyn_returns(n: u8) -> Box<dyn Display + Send> {
        if n == 0 {
            return Box::new("zero");
        }
        tokio::task::yield_now().await;
        Box::new(n)
    }

    #[traced(crate = crate::support)]
    async fn inferred(n: u8) -> Result<Vec<u8>, Broken> {
        let mut out = Vec::new();
        if n == 0 {
            return Ok(out);
        }
        out.push(n);
        Ok(out.into_iter().collect())
    }

    #[traced(crate = crate::support)]
    async fn impl_inside(text: &str, ok: bool) -> Result<impl Iterator<Item = char>, Broken> {
        if !ok {
            return Err(Broken);
        }
        Ok(text.chars().rev())
    }

    #[traced(crate = crate::support)]
    async fn impl_out(text: &str) -> impl Iterator<Item = char> {
        text.chars().rev()
    }

    #[test]
    fn inference() {
        assert_eq!(wait(dyn_returns(0)).0.to_string(), "zero");
        assert_eq!(wait(dyn_returns(1)).0.to_string(), "1");
        assert_eq!(wait(inferred(1)).0.unwrap(), [1]);
        assert_eq!(wait(impl_inside("ab", true)).0.unwrap().collect::<String>(), "ba");
        assert_eq!(wait(impl_inside("ab", false)).1[0].error, broken());
        assert_eq!(wait(impl_out("ab")).0.collect::<String>(), "ba");
    }

    #[traced(crate = crate::support)]
    async fn never(n: u32) -> ! {
        loop {
            tokio::task::yield_now().await;
            assert!(n > 10, "on purpose");
        }
    }

    #[traced(crate = crate::support)]
    async fn factorial(n: u64) -> Result<u64, Broken> {
        if n == 0 { Ok(1) } else { Ok(n * Box::pin(factorial(n - 1)).await?) }
    }

    #[traced(crate = crate::support)]
    async fn generic<'a, T, F, const N: usize>(
        (first, _): (&'a T, u8),
        f: F,
        mut items: [u8; N],
    ) -> Result<&'a T, Broken>
    where
        T: Sync,
        F: AsyncFnOnce(&mut [u8; N]) -> bool,
    {
        if f(&mut items).await { Ok(first) } else { Err(Broken) }
    }

    /// # Safety
    /// `p` must be valid.
    #[allow(unsafe_code, clippy::undocumented_unsafe_blocks)]
    #[traced(crate = crate::support)]
    async unsafe fn raw(p: *const u32) -> Result<u32, Broken> {
        Ok(unsafe { *p })
    }

    #[test]
    #[allow(unsafe_code, clippy::undocumented_unsafe_blocks)]
    fn further_shapes() {
        let (result, calls) = calls(|| std::panic::catch_unwind(|| wait(never(1))));
        assert!(result.is_err());
        let _ = calls;
        let (result, calls) = wait(factorial(3));
        assert_eq!((result.unwrap(), calls.len(), calls[0].parent), (6, 4, Some("factorial")));
        assert_eq!(wait(generic((&"x", 1), async |_: &mut [u8; 2]| true, [1, 2])).0.unwrap(), &"x");
        let n = 4;
        assert_eq!(wait(unsafe { raw(&raw const n) }).0.unwrap(), 4);
    }

    fn is_send<T: Send>(_: &T) {}

    #[test]
    fn futures_stay_send_and_small() {
        async fn bare(a: [u64; 16], n: u32) -> Result<u32, Broken> {
            tokio::task::yield_now().await;
            Ok(n + a.len() as u32)
        }
        #[traced(crate = crate::support, fields(n))]
        async fn traced_one(a: [u64; 16], n: u32) -> Result<u32, Broken> {
            tokio::task::yield_now().await;
            Ok(n + a.len() as u32)
        }
        is_send(&factorial(1));
        let (bare, traced_one) = (bare([0; 16], 1), traced_one([0; 16], 1));
        let handle = size_of::<support::__private::SpanHandle>();
        let growth = size_of_val(&traced_one) - size_of_val(&bare);
        assert!(growth <= handle + 16, "{growth} bytes, of which the handle has {handle}");
        drop((bare, traced_one));
    }

    /// A future that was polled once ends its span when it is dropped.
    #[test]
    fn cancelled() {
        let (_, calls) = calls(|| {
            let mut future = Box::pin(plain(1));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(future.as_mut().poll(&mut context).is_pending());
        });
        assert_eq!((calls.len(), calls[0].polls, calls[0].error.as_ref()), (1, 1, None));
    }

    trait Retry {
        #[traced(crate = crate::support)]
        async fn twice(&mut self) -> Result<u32, Broken> {
            self.once().await.or(Err(Broken))
        }
        async fn once(&mut self) -> Result<u32, Broken>;
    }
    impl Retry for u32 {
        #[traced(crate = crate::support)]
        async fn once(&mut self) -> Result<u32, Broken> {
            *self += 1;
            Ok(*self)
        }
    }

    #[test]
    fn provided_method() {
        let (result, calls) = wait(async { 1.twice().await });
        assert_eq!((result.unwrap(), calls[0].parent), (2, Some("twice")));
    }

    #[tokio::test]
    #[traced(crate = crate::support)]
    async fn below_tokio_test() -> Result<(), Box<dyn Error>> {
        plain(1).await;
        Ok(())
    }

    #[traced(crate = crate::support)]
    #[tokio::test]
    async fn above_tokio_test() {
        plain(1).await;
    }
}

mod returned_futures {
    use super::*;

    type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

    #[traced(crate = crate::support, fields(n))]
    fn by_hand(n: u32) -> impl Future<Output = Result<u32, Broken>> + Send {
        let twice = n * 2;
        async move {
            tokio::task::yield_now().await;
            if twice > 10 { Err(Broken) } else { Ok(twice) }
        }
    }

    #[traced(crate = crate::support, fields(text))]
    fn boxed(text: &str) -> BoxFuture<'_, Result<Box<dyn Display + Send>, Broken>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if text.is_empty() {
                return Err(Broken);
            }
            Ok(Box::new(text.len()))
        })
    }

    struct Store {
        name: String,
    }

    #[async_trait::async_trait]
    trait Load {
        async fn load(&self, key: &str) -> Result<String, Broken>;

        #[traced(crate = crate::support, fields(key))]
        async fn load_twice(&mut self, key: String) -> usize {
            tokio::task::yield_now().await;
            self.load(&key).await.map_or(0, |text| text.len() * 2)
        }
    }

    #[async_trait::async_trait]
    impl Load for Store {
        #[traced(crate = crate::support, fields(self.name, key, len = key.len()))]
        async fn load(&self, key: &str) -> Result<String, Broken> {
            tokio::task::yield_now().await;
            if key.is_empty() {
                Err(Broken)?;
            }
            Ok(format!("{}/{key}", self.name))
        }
    }

    #[test]
    fn by_hand_and_boxed() {
        let (result, calls) = wait(by_hand(2));
        assert_eq!((result.unwrap(), calls.len(), calls[0].polls), (4, 1, 2));
        assert_eq!(wait(by_hand(6)).1[0].error, broken());
        let (result, calls) = wait(boxed("abc"));
        assert_eq!((result.unwrap().to_string(), calls[0].polls), ("3".to_owned(), 2));
        assert_eq!(wait(boxed("")).1[0].error, broken());
        let (_, calls) = calls_of(|| drop(boxed("never polled")));
        assert_eq!(calls, []);
    }

    fn calls_of<R>(f: impl FnOnce() -> R) -> (R, Vec<Call>) {
        calls(f)
    }

    #[test]
    fn below_async_trait() {
        let mut store = Store { name: "s".to_owned() };
        let (result, calls) = wait(store.load("k"));
        assert_eq!((result.unwrap().as_str(), calls.len(), calls[0].polls), ("s/k", 1, 2));
        assert_eq!((calls[0].field("name"), calls[0].field("len")), (Some("s"), Some("1")));
        assert_eq!(wait(store.load("")).1[0].error, broken());
        let (result, calls) = wait(store.load_twice("k".to_owned()));
        assert_eq!((result, calls[0].parent, calls[1].name), (6, Some("load_twice"), "load_twice"));
    }
}
