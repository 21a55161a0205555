//! Who makes the telemetry (spec-checklist 2.8).

use super::AttributeValue;
use super::schema::Schema;
use crate::error::OtlpError;

/// The attributes of the process that makes the telemetry; keys are unique, and a later one wins. The URL of a schema may say
/// which version of the names they follow.
///
/// ```
/// # use otlp_runtime as otlp;
/// # use otlp::{config::OtlpConfig, data::{Resource, SCHEMA_URL}};
/// let mut resource = Resource::new().with_schema_url(SCHEMA_URL);
/// resource.set("deployment.environment.name", "staging");
/// let config = OtlpConfig::default().with_resource(resource);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    attributes: Vec<(String, AttributeValue)>,
    schema: Schema,
}

impl Resource {
    /// No attributes, and no schema.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says which schema the attributes follow, by its URL: `http[s]://server[:port]/path/version`. It is checked where the
    /// resource is used: what is no such URL, or is longer than 1024 bytes, is an error of `validate` and of `init`.
    pub fn with_schema_url(mut self, url: impl Into<String>) -> Self {
        self.schema = Schema::Url(url.into());
        self
    }

    /// The same resource, with this schema.
    pub(crate) fn with_schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// Sets one attribute, over an earlier value of the same key. An empty key is ignored.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<AttributeValue>) {
        let (key, value) = (key.into(), value.into());
        if key.is_empty() {
            return;
        }
        match self.attributes.iter_mut().find(|(k, _)| *k == key) {
            Some((_, old)) => *old = value,
            None => self.attributes.push((key, value)),
        }
    }

    /// Takes over every attribute of `updating`, which wins, also with an empty value. Its schema URL is taken over where
    /// this one has none.
    ///
    /// # Errors
    /// [`OtlpError::SchemaConflict`] if both have a schema URL and they differ. The attributes are merged then too, but no
    /// schema describes them all: from then on, whatever is merged in later, the resource has no schema URL.
    ///
    /// ```
    /// # use otlp_runtime as otlp;
    /// # use otlp::data::Resource;
    /// # fn main() -> Result<(), otlp::error::OtlpError> {
    /// let mut resource = Resource::new().with_schema_url("https://example.com/schemas/1.0.0");
    /// resource.set("team", "checkout");
    /// let mut updating = Resource::new();
    /// updating.set("team", "payments");
    /// resource.merge(updating)?;
    /// assert_eq!(resource.get("team"), Some(&"payments".into()));
    /// assert_eq!(resource.schema_url(), Some("https://example.com/schemas/1.0.0"));
    ///
    /// let other = Resource::new().with_schema_url("https://example.com/schemas/2.0.0");
    /// assert!(resource.merge(other).is_err());
    /// assert_eq!(resource.schema_url(), None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn merge(&mut self, updating: Resource) -> Result<(), OtlpError> {
        for (key, value) in updating.attributes {
            self.set(key, value);
        }
        self.schema.merge(updating.schema)
    }

    /// The URL of the schema that the attributes follow, if there is one for all of them.
    pub fn schema_url(&self) -> Option<&str> {
        self.schema.url()
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Whether it has no attributes.
    #[cfg(feature = "export")]
    pub(crate) fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// One attribute.
    pub fn get(&self, key: &str) -> Option<&AttributeValue> {
        self.attributes.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// All attributes, in the order in which their keys were first set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AttributeValue)> {
        self.attributes.iter().map(|(k, v)| (k.as_str(), v))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const A: &str = "https://example.com/schemas/1.0.0";
    const B: &str = "https://example.com/schemas/2.0.0";

    fn of(schema: Option<&str>, attributes: &[(&str, i64)]) -> Resource {
        let mut resource = Resource::new();
        attributes.iter().for_each(|(key, value)| resource.set(*key, *value));
        schema.map_or(resource.clone(), |url| resource.with_schema_url(url))
    }

    /// RES3: the specification's cases, and what is left of a conflict.
    #[test]
    fn res3_schema_urls_are_merged_by_the_rule() {
        for (old, updating, expected) in [
            (None, None, Ok(None)),
            (None, Some(A), Ok(Some(A))),
            (Some(""), Some(A), Ok(Some(A))),
            (Some(A), None, Ok(Some(A))),
            (Some(A), Some(""), Ok(Some(A))),
            (Some(A), Some(A), Ok(Some(A))),
            (Some(A), Some(B), Err((A, B))),
            (Some(B), Some(A), Err((B, A))),
        ] {
            let mut merged = of(old, &[("old", 1), ("both", 1)]);
            let result = merged.merge(of(updating, &[("both", 2), ("new", 2)]));
            let attributes = of(None, &[("old", 1), ("both", 2), ("new", 2)]);
            assert!(merged.iter().eq(attributes.iter()), "a conflict costs no attribute: {merged:?}");
            match (result, expected) {
                (Ok(()), Ok(url)) => assert_eq!(merged.schema_url(), url, "{old:?} {updating:?}"),
                (Err(OtlpError::SchemaConflict { old, updating }), Err(named)) => {
                    assert_eq!((old.as_str(), updating.as_str()), named);
                    assert_eq!(merged.schema_url(), None);
                }
                (result, _) => panic!("{old:?} {updating:?}: {result:?}"),
            }
        }
    }

    /// RES3.
    #[test]
    fn res3_the_updating_value_wins_also_if_it_is_empty() {
        let mut merged = Resource::new();
        merged.set("host.name", "web");
        let mut updating = Resource::new();
        updating.set("host.name", "");
        merged.merge(updating).unwrap();
        assert_eq!(merged.get("host.name"), Some(&"".into()));
    }

    fn resource() -> impl Strategy<Value = Resource> {
        let schema = prop::option::of(prop::sample::select(vec![A, B]));
        let attributes = prop::collection::vec(("[a-d]", any::<i64>()), 0..5);
        (schema, attributes).prop_map(|(schema, attributes)| {
            let attributes: Vec<_> = attributes.iter().map(|(key, value)| (key.as_str(), *value)).collect();
            of(schema, &attributes)
        })
    }

    proptest! {
        /// However resources are grouped, the result is the same; of a conflict too, which is told of exactly once.
        #[test]
        fn res3_merging_is_associative(a in resource(), b in resource(), c in resource()) {
            let (mut left, mut right, mut rest) = (a.clone(), a.clone(), b.clone());
            let conflicts_left = [left.merge(b.clone()), left.merge(c.clone())].iter().filter(|r| r.is_err()).count();
            let conflicts_right = [rest.merge(c.clone()), right.merge(rest)].iter().filter(|r| r.is_err()).count();
            prop_assert_eq!(&left, &right);
            let urls: std::collections::BTreeSet<_> = [&a, &b, &c].into_iter().filter_map(Resource::schema_url).collect();
            prop_assert_eq!((conflicts_left, conflicts_right), (usize::from(urls.len() > 1), usize::from(urls.len() > 1)));
            prop_assert_eq!(left.schema_url(), urls.first().copied().filter(|_| urls.len() == 1));
            let mut same = a.clone();
            prop_assert!(same.merge(Resource::new()).is_ok());
            prop_assert_eq!(same, a);
        }
    }
}
