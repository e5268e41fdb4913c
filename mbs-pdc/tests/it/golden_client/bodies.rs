//! Bodies of recorded requests, as far as ours could be the same.

use mbs_pdc::api::{Change, Dependency, Face, NewEntry, NewPackage};
use serde_json::{Map, Value};

/// Takes fields out of a body; what is left over, or is of another kind, makes it none of ours.
struct Fields(Map<String, Value>);

impl Fields {
    fn of(body: &Value) -> Option<Self> {
        body.as_object().map(|fields| Self(fields.clone()))
    }

    fn text(&mut self, key: &str) -> Option<String> {
        self.0.remove(key)?.as_str().map(str::to_owned)
    }

    /// Returns a field that may be missing; `None`: it is of another kind.
    fn optional<T>(&mut self, key: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<Option<T>> {
        self.0.remove(key).map_or(Some(None), |value| read(&value).map(Some))
    }
}

/// Returns the new entry that a body describes; `None`: ours could not describe it so.
pub(super) fn new_entry(face: Face, body: &Value) -> Option<NewEntry> {
    let mut fields = Fields::of(body)?;
    let is_variant = face == Face::Variants;
    let [name, stream, version, context] = match face {
        Face::Variants => ["variant_id", "variant_version", "variant_release", "variant_context"],
        Face::Modules => ["name", "stream", "version", "context"],
    };
    let entry = NewEntry {
        uid: if is_variant { fields.text("variant_uid")? } else { String::new() },
        name: fields.text(name)?,
        stream: fields.text(stream)?,
        version: fields.text(version)?,
        context: fields.optional(context, text)?,
        koji_tag: fields.text("koji_tag")?,
        modulemd: fields.text("modulemd")?,
        active: fields.optional("active", Value::as_bool)?,
        runtime_deps: fields.optional("runtime_deps", dependencies)?,
        build_deps: fields.optional("build_deps", dependencies)?,
        rpms: fields.optional("rpms", packages)?,
    };
    let is_ours = !is_variant
        || (fields.text("variant_name")? == entry.name && fields.text("variant_type")? == "module");
    (is_ours && fields.0.is_empty()).then_some(entry)
}

/// Returns the change that a body describes; `None`: ours could not describe it so.
pub(super) fn change(body: &Value) -> Option<Change> {
    let mut fields = Fields::of(body)?;
    let change = Change {
        active: fields.optional("active", Value::as_bool)?,
        koji_tag: fields.optional("koji_tag", text)?,
        modulemd: fields.optional("modulemd", text)?,
        rpms: fields.optional("rpms", packages)?,
    };
    (fields.0.is_empty() && !change.is_empty()).then_some(change)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn dependencies(value: &Value) -> Option<Vec<Dependency>> {
    let read = |value: &Value| {
        let mut fields = Fields::of(value)?;
        let read = Dependency { dependency: fields.text("dependency")?, stream: fields.text("stream")? };
        fields.0.is_empty().then_some(read)
    };
    value.as_array()?.iter().map(read).collect()
}

fn packages(value: &Value) -> Option<Vec<NewPackage>> {
    let read = |value: &Value| {
        let mut fields = Fields::of(value)?;
        let read = NewPackage {
            name: fields.text("name")?,
            epoch: fields.0.remove("epoch")?.as_u64()?,
            version: fields.text("version")?,
            release: fields.text("release")?,
            arch: fields.text("arch")?,
            srpm_name: fields.text("srpm_name")?,
            srpm_nevra: fields.optional("srpm_nevra", text)?,
            srpm_commit_hash: fields.optional("srpm_commit_hash", text)?,
            srpm_commit_branch: fields.optional("srpm_commit_branch", text)?,
            filename: fields.optional("filename", text)?,
        };
        fields.0.is_empty().then_some(read)
    };
    value.as_array()?.iter().map(read).collect()
}
