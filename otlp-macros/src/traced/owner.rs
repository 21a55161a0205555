//! The name of what a block is of, as it stands before the `::` of a span's name.

use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{Expr, Path, ReturnType, Type, TypeParamBound};

use super::returns::strip;

/// A path by its last segment, without generics; a reference or pointer by what it leads to; `None` if a part has no name,
/// such as what a macro makes.
pub(super) fn name(ty: &Type) -> Option<String> {
    Some(match strip(ty) {
        Type::Path(path) => last(&path.path)?,
        Type::Reference(reference) => name(&reference.elem)?,
        Type::Ptr(pointer) => name(&pointer.elem)?,
        Type::Slice(slice) => format!("[{}]", name(&slice.elem)?),
        Type::Array(array) => format!("[{}; {}]", name(&array.elem)?, length(&array.len)),
        Type::Tuple(tuple) => {
            let comma = if tuple.elems.len() == 1 { "," } else { "" };
            format!("({}{comma})", names(&tuple.elems)?)
        }
        Type::TraitObject(object) => {
            let first = object.bounds.iter().find_map(|bound| match bound {
                TypeParamBound::Trait(bound) => last(&bound.path),
                _ => None,
            });
            format!("dyn {}", first?)
        }
        Type::FnPtr(function) => {
            let returned = match &function.output {
                ReturnType::Default => String::new(),
                ReturnType::Type(_, ty) => format!(" -> {}", name(ty)?),
            };
            format!("fn({}){returned}", names(function.inputs.iter().map(|input| &input.ty))?)
        }
        Type::Never(_) => "!".to_owned(),
        _ => return None,
    })
}

fn names<'t>(types: impl IntoIterator<Item = &'t Type>) -> Option<String> {
    Some(types.into_iter().map(name).collect::<Option<Vec<_>>>()?.join(", "))
}

fn last(path: &Path) -> Option<String> {
    path.segments.last().map(|segment| segment.ident.unraw().to_string())
}

/// A number or a constant as it is; anything else has no short name.
fn length(length: &Expr) -> String {
    match length {
        Expr::Lit(literal) => literal.to_token_stream().to_string(),
        Expr::Path(path) => last(&path.path).unwrap_or_default(),
        Expr::Group(group) => self::length(&group.expr),
        _ => "_".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn stable_and_readable() {
        for (written, expected) in [
            ("Shop", Some("Shop")),
            ("crate::shop::Shop<'a, T, 3>", Some("Shop")),
            ("::std::vec::Vec<u8>", Some("Vec")),
            ("r#type", Some("type")),
            ("<u8 as Add>::Output", Some("Output")),
            ("(Shop)", Some("Shop")),
            ("&'static [u8]", Some("[u8]")),
            ("&'a mut Shop<T>", Some("Shop")),
            ("*const T", Some("T")),
            ("[Vec<u8>; 3]", Some("[Vec; 3]")),
            ("[u8; LEN]", Some("[u8; LEN]")),
            ("[u8; { 1 + 2 }]", Some("[u8; _]")),
            ("()", Some("()")),
            ("(u8,)", Some("(u8,)")),
            ("(u8, String)", Some("(u8, String)")),
            ("dyn Trait", Some("dyn Trait")),
            ("dyn 'a + for<'b> my::Trait<'b, u8> + Send", Some("dyn Trait")),
            ("dyn Fn(u8) -> u8 + Send", Some("dyn Fn")),
            ("fn()", Some("fn()")),
            ("for<'a> unsafe extern \"C\" fn(a: &'a u8, Vec<u8>) -> u8", Some("fn(u8, Vec) -> u8")),
            ("!", Some("!")),
            ("ty!()", None),
            ("(u8, ty!())", None),
        ] {
            assert_eq!(name(&syn::parse_str(written).unwrap()).as_deref(), expected, "{written}");
        }
    }
}
