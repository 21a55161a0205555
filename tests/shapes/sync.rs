//! Functions that do their work in the call.

use super::*;

#[traced]
fn plain() -> u32 {
    7
}

#[traced]
fn unit() {}

#[test]
fn metadata() {
    let (result, call) = one(plain);
    assert_eq!(result, 7);
    assert_eq!((call.name.as_str(), call.kind, call.parent()), ("plain", SpanKind::Internal, None));
    assert_eq!((call.scope.name.as_str(), call.scope.version.as_str()), ("otlp", env!("CARGO_PKG_VERSION")));
    assert_eq!((call.status, call.error()), (StatusCode::Unset, None));
    assert!(call.attributes.is_empty());
    assert_eq!(one(unit).1.name, "unit");
}

#[traced(name = "other name", kind = server, level = debug, root, err)]
fn options() {}

#[test]
fn options_reach_the_callsite() {
    let (_, spans) = spans(|| {
        span!("outer").in_scope(|| {
            options();
            plain();
        });
    });
    let call = named(&spans, "other name");
    assert_eq!((call.kind, call.parent()), (SpanKind::Server, None));
    assert_ne!(call.trace_id, named(&spans, "outer").trace_id);
    assert_eq!(named(&spans, "plain").parent(), Some("outer"));
}

#[traced]
fn fails(deep: bool) -> Result<u32, Broken> {
    if deep {
        inner()?;
    }
    Ok(1)
}

#[traced]
fn inner() -> Result<u32, Broken> {
    return Err(Broken);
}

#[traced(err = off)]
fn silent() -> Result<(), Broken> {
    Err(Broken)
}

type Fallible<T> = std::result::Result<T, Broken>;

#[traced]
fn aliased() -> Fallible<()> {
    Err(Broken)
}

#[traced]
fn erased() -> anyhow::Result<()> {
    anyhow::bail!("lost")
}

#[traced]
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
    assert_eq!(one(|| fails(false)).1.error(), None);
    let (_, nested) = spans(|| fails(true));
    assert_eq!(
        nested.iter().map(|span| (span.name.as_str(), span.parent())).collect::<Vec<_>>(),
        [("inner", Some("fails")), ("fails", None)]
    );
    assert_eq!(nested[0].error(), broken());
    assert_eq!(nested[1].error(), broken());
    assert_eq!(one(silent).1.error(), None);
    assert_eq!(one(aliased).1.error(), broken());
    assert_eq!(one(erased).1.error(), Some(("_OTHER".to_owned(), Some("lost".to_owned()))));
    assert_eq!(one(|| boxed(0)).1.error(), Some(("_OTHER".to_owned(), Some("broken".to_owned()))));
    assert!(one(|| boxed(1)).1.error().is_some());
}

#[traced]
fn panics() {
    panic!("on purpose");
}

#[traced]
fn diverges() -> ! {
    panic!("on purpose")
}

#[test]
fn unwinding() {
    let (result, call) = one(|| std::panic::catch_unwind(panics));
    assert!(result.is_err() && call.panicked());
    let (result, call) = one(|| std::panic::catch_unwind(|| diverges()));
    assert!(result.is_err() && call.panicked());
}

#[test]
fn disabled_does_nothing() {
    #[traced(fields(n = never()))]
    fn quiet(n: u32) -> Result<u32, Broken> {
        assert!(!Span::current().span_id().is_valid());
        Ok(n)
    }
    fn never() -> u32 {
        unreachable!("fields are evaluated when recorded")
    }
    // Neither `init` nor a capture.
    assert_eq!(quiet(3).unwrap(), 3);
}

struct Tree {
    value: u32,
    children: Vec<Self>,
}

impl Tree {
    #[traced(fields(self.value))]
    fn by_ref(&self) -> u32 {
        self.value
    }
    #[traced]
    fn by_mut(&mut self, by: u32) -> Result<&mut u32, Broken> {
        self.value += by;
        Ok(&mut self.value)
    }
    #[traced]
    fn by_value(self) -> Result<Vec<Self>, Broken> {
        Ok(self.children)
    }
    #[traced]
    fn by_mut_value(mut self) -> Result<Self, Broken> {
        self.value = 0;
        Ok(self)
    }
    #[traced]
    fn boxed(self: Box<Self>) -> Result<Box<Self>, Broken> {
        Ok(self)
    }
    #[traced]
    fn counted(self: &Rc<Self>) -> Result<Rc<Self>, Broken> {
        Ok(Rc::clone(self))
    }
    #[traced]
    fn shared(self: Arc<Self>) -> u32 {
        self.value
    }
    #[traced]
    fn pinned(self: Pin<&mut Self>) -> Result<u32, Broken> {
        let this = self.get_mut();
        this.value += 1;
        Ok(this.value)
    }
    #[traced]
    fn associated() -> Self {
        Self { value: 1, children: vec![] }
    }
    #[traced]
    fn fallible_new() -> Result<Self, Broken> {
        Ok(Self::associated())
    }
    #[traced]
    fn sum(&self) -> u32 {
        self.value + self.children.iter().map(Self::sum).sum::<u32>()
    }
}

#[test]
fn methods() {
    let (mut tree, made) = spans(|| Tree::fallible_new().unwrap());
    assert_eq!(names(&made), ["associated", "fallible_new"]);
    assert_eq!(attributes(&one(|| tree.by_ref()).1), ["value=1"]);
    *one(|| tree.by_mut(2)).0.unwrap() += 1;
    assert_eq!(tree.value, 4);
    assert_eq!(one(|| Pin::new(&mut tree).pinned()).0.unwrap(), 5);
    tree.children.push(Tree { value: 10, children: vec![] });
    let (sum, nested) = spans(|| tree.sum());
    assert_eq!((sum, nested.len(), nested[0].parent()), (15, 2, Some("sum")));
    let tree = one(|| Box::new(tree).boxed()).0.unwrap();
    let tree = one(|| tree.by_mut_value()).0.unwrap();
    assert_eq!(one(|| tree.by_value()).0.unwrap().len(), 1);
    let shared = Rc::new(Tree { value: 2, children: vec![] });
    assert_eq!(one(|| shared.counted()).0.unwrap().value, 2);
    assert_eq!(one(|| Arc::new(Tree { value: 3, children: vec![] }).shared()).0, 3);
}

trait Shape {
    #[traced(fields(kind = self.name()))]
    fn checked(&self) -> Result<f64, Broken> {
        self.area()
    }
    #[traced]
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
    #[traced]
    fn area(&self) -> Result<f64, Broken> {
        Ok(self * self)
    }
    #[traced]
    fn name(&self) -> &str {
        "square"
    }
}

#[test]
fn trait_methods() {
    assert_eq!(one(|| 2.0.area()).0.unwrap(), 4.0);
    assert_eq!(one(|| 2.0.name()).0, "square");
    let shape: &dyn Shape = &3.0;
    let (_, spans) = spans(|| shape.checked().unwrap());
    assert_eq!(names(&spans), ["name", "area", "checked"]);
    assert_eq!(attributes(&spans[2]), ["kind=\"square\""]);
    assert_eq!(one(|| 2.0.sized()).0.unwrap(), 2.0);
}

#[traced(fields(N, ?value, len = items.as_ref().len()))]
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
    assert_eq!(attributes(&call), ["N=3", "value=\"\\\"x\\\"\"", "len=3"]);
}

struct Wrapper<T>(T);
impl<'w, T: Clone + 'w> Wrapper<T> {
    #[traced]
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
    assert_eq!(one(|| Wrapper(1).get_or(Some(Broken)).is_err()).1.error(), Some(("shapes::Broken".to_owned(), None)));
}

#[traced(fields(a, c, rest.0))]
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
    assert_eq!(attributes(&call), ["a=1", "c=10", "rest.0=5"]);
}

#[traced]
fn impl_in(value: impl Display, f: impl FnOnce() -> u32) -> Result<String, Broken> {
    Ok(format!("{value}{}", f()))
}

#[traced]
fn impl_out<'a>(text: &'a str) -> impl Iterator<Item = char> + 'a {
    text.chars().rev()
}

#[traced]
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
    assert_eq!(one(|| impl_inside("ab", false).is_err()).1.error(), broken());
}

#[traced]
fn dyn_returns(n: u8) -> Box<dyn Display> {
    if n == 0 {
        return Box::new("zero");
    }
    match n {
        1 => Box::new(1),
        _ => Box::new(String::new()),
    }
}

#[traced]
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
    assert_eq!(one(|| dyn_results(2)).1.error(), Some(("_OTHER".to_owned(), Some("many".to_owned()))));
}

struct Node {
    next: Option<Box<Self>>,
    value: u32,
}

#[traced]
fn last(node: &mut Node) -> Result<&mut u32, Broken> {
    match node.next {
        Some(ref mut next) => last(next),
        None => Ok(&mut node.value),
    }
}

#[traced]
fn walk(mut node: &mut Node, mut steps: u32) -> Result<&mut Node, Broken> {
    while steps > 0 {
        steps -= 1;
        node = node.next.as_deref_mut().ok_or(Broken)?;
    }
    Ok(node)
}

#[traced]
fn split<'a>(items: &'a mut [u32], text: &'a str) -> Result<(&'a mut [u32], &'a str), Broken> {
    let (left, right) = items.split_at_mut(1);
    left[0] += right[0];
    Ok((right, &text[1..]))
}

#[test]
fn reborrows() {
    let mut list = Node { next: Some(Box::new(Node { next: None, value: 1 })), value: 0 };
    *spans(|| last(&mut list)).0.unwrap() = 5;
    assert_eq!(one(|| walk(&mut list, 1).map(|node| node.value)).0.unwrap(), 5);
    assert_eq!(one(|| walk(&mut list, 2).is_err()).1.error(), broken());
    let mut items = [1, 2, 3];
    assert_eq!(one(|| split(&mut items, "ab").map(|(i, t)| (i.len(), t))).0.unwrap(), (2, "b"));
}

/// # Safety
/// `p` must be valid.
#[allow(unsafe_code, clippy::undocumented_unsafe_blocks)]
#[traced]
unsafe fn raw(p: *const u32) -> Result<u32, Broken> {
    Ok(unsafe { *p })
}

#[traced]
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

#[traced]
#[track_caller]
fn located(fail: bool) -> Result<u32, Broken> {
    if fail { Err(Broken) } else { Ok(std::panic::Location::caller().line()) }
}

#[test]
fn track_caller() {
    assert_eq!(one(|| located(false)).0.unwrap(), line!());
    assert!(one(|| located(true)).0.is_err());
}

#[traced]
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

#[traced]
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
    assert_eq!(call.name, "type");
}

#[test]
fn a_span_in_a_span_of_the_same_function() {
    #[traced(name = "inner")]
    #[traced(name = "outer")]
    fn twice() -> Result<(), Broken> {
        Err(Broken)
    }
    let (_, spans) = spans(twice);
    assert_eq!(
        spans.iter().map(|span| (span.name.as_str(), span.parent(), span.error())).collect::<Vec<_>>(),
        [("inner", Some("outer"), broken()), ("outer", None, broken())]
    );
}

macro_rules! annotated {
    ($(#[$attr:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),*) -> $ret:ty $body:block) => {
        $(#[$attr])*
        #[traced(fields($($arg),*))]
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
    assert_eq!(attributes(&call), ["n=1", "text=\"abc\""]);
}
