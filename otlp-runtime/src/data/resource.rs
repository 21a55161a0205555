//! Who makes the telemetry (spec-checklist 2.8).

use super::AttributeValue;

/// The attributes of the process that makes the telemetry; keys are unique, and a later one wins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    attributes: Vec<(String, AttributeValue)>,
}

impl Resource {
    /// No attributes.
    pub fn new() -> Self {
        Self::default()
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

    /// Takes over every attribute of `updating`, which wins (spec-checklist RES3).
    pub fn merge(&mut self, updating: Resource) {
        for (key, value) in updating.attributes {
            self.set(key, value);
        }
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
