//! What a return type tells without knowing what its names mean.

use syn::visit_mut::{self, VisitMut};
use syn::{GenericParam, Generics, PathArguments, ReturnType, Type, TypePath, parse_quote};

use super::model::Returns;

/// Types of the language and the prelude that are no `Result`, whatever is behind an alias of another name. Looking into
/// them would find nothing, at the price of a closure around the body.
const NEVER_A_RESULT: [&str; 29] = [
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
    "f32", "f64", "Self", "String", "Vec", "Option", "Box", "Rc", "Arc", "HashMap", "HashSet", "BTreeMap", "BTreeSet",
    "Duration",
];

impl Returns {
    pub(super) fn of(output: &ReturnType) -> Self {
        match output {
            ReturnType::Default => Self::Unit,
            ReturnType::Type(_, ty) => Self::of_type(ty),
        }
    }

    pub(super) fn of_type(ty: &Type) -> Self {
        match strip(ty) {
            Type::Tuple(tuple) if tuple.elems.is_empty() => Self::Unit,
            Type::Never(_) => Self::Never,
            Type::ImplTrait(_) => Self::Opaque,
            _ => Self::Type(Box::new(repeatable(ty))),
        }
    }

    /// Whether the type could be a future behind an alias: one that calls itself a `Result` is none.
    pub(super) fn may_be_future(&self) -> bool {
        let Self::Type(ty) = self else { return false };
        match strip(ty) {
            Type::Path(path) => {
                !path.path.segments.last().is_some_and(|last| last.ident.to_string().ends_with("Result"))
            }
            _ => false,
        }
    }

    /// Whether the type could be a `Result`, perhaps behind an alias.
    pub(super) fn may_fail(&self, generics: &Generics) -> bool {
        let Self::Type(ty) = self else { return false };
        match strip(ty) {
            Type::Path(path) => !is_known(path, generics),
            Type::Macro(_) | Type::Verbatim(_) => true,
            _ => false,
        }
    }
}

/// A path that surely names something else than a `Result`: a type parameter, or a type that everybody knows.
fn is_known(path: &TypePath, generics: &Generics) -> bool {
    if path.qself.is_some() || path.path.leading_colon.is_some() {
        return false;
    }
    let mut segments = path.path.segments.iter();
    let (Some(only), None) = (segments.next(), segments.next()) else { return false };
    let parameter = matches!(only.arguments, PathArguments::None)
        && generics.params.iter().any(|p| matches!(p, GenericParam::Type(t) if t.ident == only.ident));
    parameter || NEVER_A_RESULT.iter().any(|known| only.ident == known)
}

/// A type of the language or the prelude, and no pointer: whatever it is, it is no future.
pub(super) fn is_plain(ty: &Type) -> bool {
    match strip(ty) {
        Type::Path(path) => path.path.get_ident().is_some_and(|only| NEVER_A_RESULT.iter().any(|known| only == known)),
        Type::Tuple(_) | Type::Array(_) | Type::Slice(_) => true,
        _ => false,
    }
}

/// The type inside parentheses and invisible groups.
pub(super) fn strip(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Paren(paren) => &paren.elem,
            Type::Group(group) => &group.elem,
            other => return other,
        }
    }
}

/// The type as it can be written again inside the function.
pub(super) fn repeatable(ty: &Type) -> Type {
    let mut ty = ty.clone();
    Erase { found: false }.visit_type_mut(&mut ty);
    ty
}

/// Whether a part of the type is `impl Trait`.
pub(super) fn has_impl(ty: &Type) -> bool {
    let mut erase = Erase { found: false };
    erase.visit_type_mut(&mut ty.clone());
    erase.found
}

/// `impl Trait` cannot be written inside a function; `_` stands for it.
struct Erase {
    found: bool,
}

impl VisitMut for Erase {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::ImplTrait(_) = ty {
            self.found = true;
            *ty = parse_quote!(_);
        } else {
            visit_mut::visit_type_mut(self, ty);
        }
    }
}
