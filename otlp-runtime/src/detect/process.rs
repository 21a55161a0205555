//! The process. Its arguments are not looked at: they may hold secrets.

use super::plain;
use crate::data::Resource;

pub(super) fn detect(found: &mut Resource) {
    found.set("process.pid", i64::from(std::process::id()));
    found.set("process.runtime.name", "rustc");
    let Ok(path) = std::env::current_exe() else { return };
    if let Some(name) = path.file_name().and_then(|name| plain(&name.to_string_lossy())) {
        found.set("process.executable.name", name);
    }
    if let Some(path) = plain(&path.to_string_lossy()) {
        found.set("process.executable.path", path);
    }
}
