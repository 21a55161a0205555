//! What stands in the parentheses of `#[traced(...)]`, as written.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Lit, LitStr, Path, Result, Token, parenthesized, token};

use crate::fields::{Fields, Form, stays};
use crate::keyword::{KIND, LEVEL};

/// The options, each at most once.
#[derive(Default)]
pub(super) struct Options {
    pub(super) name: Option<LitStr>,
    pub(super) kind: Option<&'static str>,
    pub(super) level: Option<&'static str>,
    pub(super) fields: Option<Fields>,
    pub(super) root: Option<()>,
    pub(super) err: Option<Err>,
    pub(super) args: Option<Ident>,
    pub(super) skip: Option<Vec<Ident>>,
    pub(super) ret: Option<Ret>,
    pub(super) parent: Option<Expr>,
    pub(super) links: Option<Expr>,
    pub(super) sample: Option<f64>,
    pub(super) future: Option<IsFuture>,
    pub(super) krate: Option<Path>,
    /// The words that were written.
    words: Vec<Ident>,
    /// The type or trait in whose block the function stands, if it has a name.
    pub(super) owner: Option<String>,
}

/// How the returned value is recorded, and the word that asks for it.
#[derive(Clone)]
pub(super) struct Ret {
    pub(super) form: Form,
    pub(super) word: Ident,
}

/// Whether the returned value is a future, where the type does not tell.
#[derive(Clone)]
pub(super) struct IsFuture {
    pub(super) yes: bool,
    pub(super) word: Ident,
}

/// What becomes of an error that the function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Err {
    /// The span fails, and an event tells of the error.
    Record,
    /// The span fails.
    Status,
    /// Nothing.
    Off,
}

const OPTIONS: [&str; 14] = [
    "name", "kind", "level", "fields", "args", "skip", "ret", "err", "root", "parent", "links", "sample", "future",
    "crate",
];

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            options.option(input)?;
            if !input.is_empty() && !input.peek(Token![,]) {
                return Err(input.error("expected `,` between options"));
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(options)
    }
}

impl Options {
    fn option(&mut self, input: ParseStream<'_>) -> Result<()> {
        if input.peek(LitStr) {
            let name: LitStr = input.parse()?;
            return Err(Error::new(name.span(), format!("write `name = {}`", name.token())));
        }
        if input.peek(Token![%]) || input.peek(Token![?]) {
            let form = Form::parse(input)?;
            let ahead = input.fork();
            return match input.call(Ident::parse_any) {
                Ok(word) if word == "ret" => {
                    flag(&word, input)?;
                    self.words.push(word.clone());
                    set(&mut self.ret, &word, Ret { form, word: word.clone() })
                }
                _ => Err(at_rest(&ahead, "fields are listed in parentheses: `fields(%value)`")),
            };
        }
        let Ok(word) = input.call(Ident::parse_any) else {
            return Err(input.error(format!("expected an option: {}", list())));
        };
        self.words.push(word.clone());
        match word.to_string().as_str() {
            "name" => set(&mut self.name, &word, name(&word, input)?),
            "kind" => {
                set(&mut self.kind, &word, value(&word, "kind = server", input).and_then(|()| KIND.parse(input))?)
            }
            "level" => {
                set(&mut self.level, &word, value(&word, "level = debug", input).and_then(|()| LEVEL.parse(input))?)
            }
            "fields" => set(&mut self.fields, &word, fields(&word, input)?),
            "root" => set(&mut self.root, &word, flag(&word, input)?),
            "err" => set(&mut self.err, &word, err(input)?),
            "args" => {
                flag(&word, input)?;
                set(&mut self.args, &word, word.clone())
            }
            "skip" => set(&mut self.skip, &word, skip(&word, input)?),
            "ret" => {
                ret(&word, input)?;
                set(&mut self.ret, &word, Ret { form: Form::Value, word: word.clone() })
            }
            "parent" => set(&mut self.parent, &word, parent(&word, input)?),
            "links" => set(&mut self.links, &word, expression(&word, "links = [&context]", input)?),
            "sample" => set(&mut self.sample, &word, sample(&word, input)?),
            "future" => set(&mut self.future, &word, future(&word, input)?),
            "crate" => {
                value(&word, "crate = path::to::otlp", input)?;
                set(&mut self.krate, &word, input.call(Path::parse_mod_style)?)
            }
            other => Err(Error::new(word.span(), unknown(other))),
        }
    }
}

/// Options that make sense for all methods of a block.
const OF_BLOCKS: [&str; 6] = ["kind", "level", "args", "err", "sample", "crate"];

impl Options {
    /// Whether they may stand on a block.
    pub(super) fn check_for_block(&self) -> Result<()> {
        let wrong = self.words.iter().find(|word| !OF_BLOCKS.iter().any(|known| word == known));
        wrong.map_or(Ok(()), |word| {
            let message = match word.to_string().as_str() {
                "skip" => "write `#[traced(skip)]` on the method that is to be left out".to_owned(),
                word => format!("`{word}` is not for a whole block: write `#[traced({word} ...)]` on the method"),
            };
            Err(Error::new(word.span(), message))
        })
    }

    /// The options of a method, which go before those of its block.
    pub(super) fn within(self, block: &Self, owner: Option<&str>) -> Self {
        Self {
            kind: self.kind.or(block.kind),
            level: self.level.or(block.level),
            args: self.args.or_else(|| block.args.clone()),
            err: self.err.or(block.err),
            sample: self.sample.or(block.sample),
            krate: self.krate.or_else(|| block.krate.clone()),
            owner: owner.map(str::to_owned),
            ..self
        }
    }
}

fn set<T>(option: &mut Option<T>, word: &Ident, value: T) -> Result<()> {
    match option.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new(word.span(), format!("the option `{word}` is there twice"))),
    }
}

/// The `=` after an option that has a value.
fn value(word: &Ident, example: &str, input: ParseStream<'_>) -> Result<()> {
    match input.parse::<Token![=]>() {
        Ok(equals) if input.is_empty() || input.peek(Token![,]) => {
            Err(Error::new(equals.span, format!("`{word}` needs a value: `{example}`")))
        }
        Ok(_) => Ok(()),
        Err(_) => Err(Error::new(word.span(), format!("`{word}` needs a value: `{example}`"))),
    }
}

fn name(word: &Ident, input: ParseStream<'_>) -> Result<LitStr> {
    value(word, "name = \"...\"", input)?;
    if !input.peek(LitStr) {
        let message = "a span's name is a string literal, the same for every call; what differs belongs in `fields(...)`, \
                       or in `otlp::Span::current().update_name(...)`";
        return Err(at_rest(input, message));
    }
    let name: LitStr = input.parse()?;
    if name.value().is_empty() {
        return Err(Error::new(name.span(), "a span's name cannot be empty"));
    }
    Ok(name)
}

fn fields(word: &Ident, input: ParseStream<'_>) -> Result<Fields> {
    if !input.peek(token::Paren) {
        return Err(Error::new(word.span(), "fields are listed in parentheses: `fields(key = value, value)`"));
    }
    let content;
    parenthesized!(content in input);
    content.parse()
}

fn flag(word: &Ident, input: ParseStream<'_>) -> Result<()> {
    if input.peek(Token![=]) || input.peek(token::Paren) {
        return Err(at_rest(input, &format!("`{word}` stands alone, without a value")));
    }
    Ok(())
}

fn expression(word: &Ident, example: &str, input: ParseStream<'_>) -> Result<Expr> {
    value(word, example, input)?;
    let value: Expr = input.parse()?;
    stays(&value)?;
    Ok(value)
}

fn parent(word: &Ident, input: ParseStream<'_>) -> Result<Expr> {
    let parent = expression(word, "parent = &context", input)?;
    match &parent {
        Expr::Path(path) if path.path.is_ident("None") => {
            Err(Error::new_spanned(&parent, "write `root` in place of `parent` for a span without one"))
        }
        _ => Ok(parent),
    }
}

/// The names of arguments that `args` leaves out.
fn skip(word: &Ident, input: ParseStream<'_>) -> Result<Vec<Ident>> {
    if !input.peek(token::Paren) && input.is_empty() {
        let message = "`skip` alone leaves a method out of a block that is `#[traced]`; with `args`, arguments to leave out are \
                       listed: `args, skip(a, b)`";
        return Err(Error::new(word.span(), message));
    }
    if !input.peek(token::Paren) {
        return Err(Error::new(word.span(), "arguments to leave out are listed in parentheses: `args, skip(a, b)`"));
    }
    let content;
    parenthesized!(content in input);
    Ok(content.parse_terminated(Ident::parse_any, Token![,])?.into_iter().collect())
}

fn ret(word: &Ident, input: ParseStream<'_>) -> Result<()> {
    if input.peek(token::Paren) {
        let message = "write `ret` for the value with its type, `%ret` for its `Display` or `?ret` for its `Debug`";
        return Err(at_rest(input, message));
    }
    flag(word, input)
}

fn sample(word: &Ident, input: ParseStream<'_>) -> Result<f64> {
    value(word, "sample = 0.1", input)?;
    let ratio = match input.fork().parse::<Lit>() {
        Ok(Lit::Float(ratio)) => ratio.base10_parse::<f64>().ok(),
        Ok(Lit::Int(ratio)) => ratio.base10_parse::<f64>().ok(),
        _ => None,
    };
    let Some(ratio) = ratio.filter(|ratio| (0.0..=1.0).contains(ratio)) else {
        return Err(at_rest(input, "the share of traces that is sampled is a number from 0.0 to 1.0"));
    };
    input.parse::<Lit>()?;
    Ok(ratio)
}

fn future(word: &Ident, input: ParseStream<'_>) -> Result<IsFuture> {
    const MESSAGE: &str = "write `future` if the function returns a future under another name, `future = off` if not";
    let yes = |yes| Ok(IsFuture { yes, word: word.clone() });
    if input.peek(token::Paren) {
        return Err(at_rest(input, MESSAGE));
    }
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return yes(true);
    }
    match input.fork().call(Ident::parse_any) {
        Ok(off) if off == "off" => {
            input.call(Ident::parse_any)?;
            yes(false)
        }
        _ => Err(at_rest(input, MESSAGE)),
    }
}

fn err(input: ParseStream<'_>) -> Result<Err> {
    const OFF: &str = "write `err = status` for the status alone, or `err = off` to leave errors out; without it, an error \
                       makes an event too";
    if input.peek(token::Paren) {
        let message = "an error is recorded by its type and its `Display` text, never by `Debug`, so `err` takes no \
                       parentheses";
        return Err(at_rest(input, message));
    }
    let Some(equals) = input.parse::<Option<Token![=]>>()? else { return Ok(Err::Record) };
    if input.is_empty() {
        return Err(Error::new(equals.span, OFF));
    }
    match input.fork().call(Ident::parse_any) {
        Ok(word) if word == "off" => {
            input.call(Ident::parse_any)?;
            Ok(Err::Off)
        }
        Ok(word) if word == "status" => {
            input.call(Ident::parse_any)?;
            Ok(Err::Status)
        }
        _ => Err(at_rest(input, OFF)),
    }
}

/// An error at the next value, whatever it is.
fn at_rest(input: ParseStream<'_>, message: &str) -> Error {
    let ahead = input.fork();
    match ahead.parse::<Expr>() {
        Ok(value) => Error::new_spanned(value.to_token_stream(), message),
        Err(_) => Error::new(input.span(), message),
    }
}

fn list() -> String {
    OPTIONS.map(|option| format!("`{option}`")).join(", ")
}

/// Why `word` is no option, and what to write instead if it is one elsewhere.
fn unknown(word: &str) -> String {
    let remedy = match word {
        "skip_all" => {
            "nothing is recorded but what `fields(...)` or `args` name, so there is nothing to skip: remove `{}`"
        }
        "target" => "a span is known by its module and function: remove `target`",
        "follows_from" => "write `links = [...]`",
        "properties" | "attributes" | "attrs" => "attributes are written `fields(key = value)`",
        "short_name" | "enter_on_poll" => {
            "the name is the function's own, and an async function has one span: remove `{}`"
        }
        "server" | "client" | "producer" | "consumer" | "internal" => "write `kind = {}`",
        "trace" | "debug" | "info" | "warn" | "error" => "write `level = {}`",
        _ => {
            let near = OPTIONS.iter().find(|option| close(option, word));
            let hint = near.map_or_else(|| ".".to_owned(), |option| format!("; did you mean `{option}`?"));
            return format!("`#[traced]` has no option `{word}`{hint} The options are {}", list());
        }
    };
    remedy.replace("{}", word)
}

/// One letter too many, too few, other, or the next one before.
fn close(known: &str, written: &str) -> bool {
    let (known, written) = (known.as_bytes(), written.as_bytes());
    let same = known.iter().zip(written).take_while(|(a, b)| a == b).count();
    let (k, w) = (&known[same..], &written[same..]);
    let rest = |a: usize, b: usize| k.get(a..).is_some_and(|k| w.get(b..) == Some(k));
    rest(1, 1) || rest(1, 0) || rest(0, 1) || (k.len() > 1 && w.len() > 1 && k[0] == w[1] && k[1] == w[0] && rest(2, 2))
}
