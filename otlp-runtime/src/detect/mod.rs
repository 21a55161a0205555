//! Finds out what the program runs on (spec-checklist RES5, RES6). It may take long, where files are on a network: so it runs
//! on a thread of its own, and nobody waits for it for ever.
//!
//! What cannot be found out is left out; that is no error. Files are read up to a bound, and only if they are regular ones.

mod container;
mod host;
mod process;
mod root;

use crate::config::{ResourceDetector, ResourceDetectors};
use crate::data::{Resource, SCHEMA_URL};
pub(crate) use root::Root;

/// What `detectors` find out below `root`, with its schema if that is anything.
pub(crate) fn detect(detectors: ResourceDetectors, root: &Root) -> Resource {
    let mut found = Resource::new();
    for detector in detectors.iter() {
        match detector {
            ResourceDetector::Container => container::detect(root, &mut found),
            ResourceDetector::Host => host::detect(root, &mut found),
            ResourceDetector::Process => process::detect(&mut found),
            // It is random, and there from the start.
            ResourceDetector::Service => {}
        }
    }
    if found.is_empty() { found } else { found.with_schema_url(SCHEMA_URL) }
}

/// `text` as a value, if it can be one: not empty, not long, and on one line.
fn plain(text: &str) -> Option<String> {
    const MOST: usize = 1024;
    let text = text.trim();
    let fits = !text.is_empty() && text.len() <= MOST && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
