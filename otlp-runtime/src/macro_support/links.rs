//! What may stand behind `links = `.

use crate::trace::Context;

/// Anything that can be iterated and gives contexts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of contexts",
    label = "not a list of contexts",
    note = "write `links = [&context]`: anything that can be iterated and gives `Into<otlp::Context>`"
)]
pub trait Links {
    /// The contexts to link to.
    fn contexts(self) -> impl Iterator<Item = Context>;
}

#[diagnostic::do_not_recommend]
impl<L> Links for L
where
    L: IntoIterator,
    L::Item: Into<Context>,
{
    fn contexts(self) -> impl Iterator<Item = Context> {
        self.into_iter().map(Into::into)
    }
}
