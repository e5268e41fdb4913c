//! Writes documents in one canonical form: keys in the specification's order, sets sorted, texts quoted.
//!
//! libmodulemd reads back the same content, and a YAML 1.1 reader every name as the same text. What is empty is left out.

use std::collections::{BTreeMap, BTreeSet};

use super::packager::{Configuration, PackagerV3};
use super::stream::{
    BuildOpts, Dependencies, ModuleComponent, ModuleStream, Profile, References, RpmComponent, RpmMapEntry,
};
use super::xmd::Xmd;
use super::yaml::Writer;

impl ModuleStream {
    /// Writes the stream as a `modulemd` document, version 2, from `---` to `...`.
    pub fn to_yaml(&self) -> String {
        let mut writer = Writer::document("modulemd", 2);
        writer.map(|out| stream(self, out));
        writer.finish()
    }
}

impl PackagerV3 {
    /// Writes a `modulemd-packager` document, version 3, from `---` to `...`.
    pub fn to_yaml(&self) -> String {
        let mut writer = Writer::document("modulemd-packager", 3);
        writer.map(|out| packager(self, out));
        writer.finish()
    }
}

fn stream(stream: &ModuleStream, out: &mut Writer) {
    out.some_text("name", stream.name.as_deref());
    out.some_text("stream", stream.stream.as_deref());
    if let Some(version) = stream.version {
        out.plain("version", version);
    }
    flag(out, "static_context", stream.static_context);
    out.some_text("context", stream.context.as_deref());
    out.some_text("arch", stream.arch.as_deref());
    out.text("summary", &stream.summary);
    out.text("description", &stream.description);
    out.some_map_under("servicelevels", |out| {
        for (name, eol) in &stream.servicelevels {
            out.map_under(name, |out| {
                if let Some(eol) = eol {
                    out.plain("eol", eol);
                }
            });
        }
    });
    out.map_under("license", |out| {
        out.list("module", &stream.module_licenses);
        out.some_list("content", &stream.content_licenses);
    });
    free_form(&stream.xmd, out);
    if !stream.dependencies.is_empty() {
        out.sequence_under("dependencies", &stream.dependencies, pair);
    }
    references(&stream.references, out);
    profiles(&stream.profiles, out);
    rpm_names("api", &stream.api, out);
    rpm_names("filter", &stream.filter, out);
    rpm_names("demodularized", &stream.demodularized, out);
    if stream.buildopts != BuildOpts::default() {
        out.map_under("buildopts", |out| buildopts(&stream.buildopts, out));
    }
    components(&stream.rpms, &stream.modules, out);
    out.some_map_under("artifacts", |out| {
        out.some_list("rpms", &stream.artifacts);
        out.some_map_under("rpm-map", |out| rpm_map(&stream.rpm_map, out));
    });
}

fn packager(packager: &PackagerV3, out: &mut Writer) {
    out.some_text("name", packager.name.as_deref());
    out.some_text("stream", packager.stream.as_deref());
    out.text("summary", &packager.summary);
    out.text("description", &packager.description);
    out.some_list("license", &packager.module_licenses);
    free_form(&packager.xmd, out);
    out.sequence_under("configurations", &packager.configurations, configuration);
    references(&packager.references, out);
    profiles(&packager.profiles, out);
    rpm_names("api", &packager.api, out);
    rpm_names("filter", &packager.filter, out);
    rpm_names("demodularized", &packager.demodularized, out);
    components(&packager.rpms, &packager.modules, out);
}

fn configuration(out: &mut Writer, configuration: &Configuration) {
    out.map(|out| {
        out.text("context", &configuration.context);
        out.text("platform", &configuration.platform);
        for (key, modules) in
            [("buildrequires", &configuration.buildrequires), ("requires", &configuration.requires)]
        {
            out.some_map_under(key, |out| {
                modules.iter().for_each(|(module, stream)| out.short_list(module, [stream]));
            });
        }
        if let Some(opts) = &configuration.buildopts {
            out.map_under("buildopts", |out| buildopts(opts, out));
        }
    });
}

fn flag(out: &mut Writer, key: &str, value: bool) {
    if value {
        out.plain(key, true);
    }
}

fn free_form(xmd: &Xmd, out: &mut Writer) {
    if *xmd != Xmd::default() {
        out.open_key("xmd");
        any(xmd, out);
    }
}

fn any(xmd: &Xmd, out: &mut Writer) {
    match xmd {
        Xmd::Text(text) => out.free_text(text),
        Xmd::Bool(value) => out.loud_boolean(*value),
        Xmd::Seq(items) if items.is_empty() => out.sequence(items, |_, _| ()),
        Xmd::Seq(items) => out.deeper(|out| out.sequence(items, |out, item| any(item, out))),
        Xmd::Map(entries) => out.map(|out| {
            for (key, value) in entries {
                out.open_key(key);
                any(value, out);
            }
        }),
    }
}

fn pair(out: &mut Writer, pair: &Dependencies) {
    out.map(|out| {
        for (key, modules) in [("buildrequires", &pair.buildrequires), ("requires", &pair.requires)] {
            out.some_map_under(key, |out| {
                modules.iter().for_each(|(module, streams)| out.short_list(module, streams));
            });
        }
    });
}

fn references(references: &References, out: &mut Writer) {
    out.some_map_under("references", |out| {
        out.some_text("community", references.community.as_deref());
        out.some_text("documentation", references.documentation.as_deref());
        out.some_text("tracker", references.tracker.as_deref());
    });
}

fn profiles(profiles: &BTreeMap<String, Profile>, out: &mut Writer) {
    out.some_map_under("profiles", |out| {
        for (name, profile) in profiles {
            out.map_under(name, |out| {
                out.some_text("description", profile.description.as_deref());
                out.some_list("rpms", &profile.rpms);
                flag(out, "default", profile.is_default);
            });
        }
    });
}

fn rpm_names(key: &str, names: &BTreeSet<String>, out: &mut Writer) {
    out.some_map_under(key, |out| out.some_list("rpms", names));
}

fn buildopts(opts: &BuildOpts, out: &mut Writer) {
    out.some_map_under("rpms", |out| {
        out.some_text("macros", opts.macros.as_deref());
        out.some_list("whitelist", &opts.whitelist);
    });
    arches(out, "arches", &opts.arches);
}

fn arches(out: &mut Writer, key: &str, arches: &BTreeSet<String>) {
    if !arches.is_empty() {
        out.short_list(key, arches);
    }
}

fn components(
    rpms: &BTreeMap<String, RpmComponent>,
    modules: &BTreeMap<String, ModuleComponent>,
    out: &mut Writer,
) {
    out.some_map_under("components", |out| {
        out.some_map_under("rpms", |out| {
            rpms.iter().for_each(|(key, component)| out.map_under(key, |out| rpm(component, out)));
        });
        out.some_map_under("modules", |out| {
            modules.iter().for_each(|(key, component)| out.map_under(key, |out| module(component, out)));
        });
    });
}

fn rationale(text: &str, out: &mut Writer) {
    if !text.is_empty() {
        out.text("rationale", text);
    }
}

fn order(after: &BTreeSet<String>, order: i64, out: &mut Writer) {
    out.some_list("buildafter", after);
    if order != 0 {
        out.plain("buildorder", order);
    }
}

fn rpm(rpm: &RpmComponent, out: &mut Writer) {
    out.some_text("name", rpm.name.as_deref());
    rationale(&rpm.rationale, out);
    out.some_text("repository", rpm.repository.as_deref());
    out.some_text("cache", rpm.cache.as_deref());
    out.some_text("ref", rpm.git_ref.as_deref());
    flag(out, "buildonly", rpm.buildonly);
    flag(out, "buildroot", rpm.buildroot);
    flag(out, "srpm-buildroot", rpm.srpm_buildroot);
    order(&rpm.buildafter, rpm.buildorder, out);
    arches(out, "arches", &rpm.arches);
    arches(out, "multilib", &rpm.multilib);
}

fn module(module: &ModuleComponent, out: &mut Writer) {
    out.some_text("name", module.name.as_deref());
    rationale(&module.rationale, out);
    out.some_text("repository", module.repository.as_deref());
    out.some_text("ref", module.git_ref.as_deref());
    flag(out, "buildonly", module.buildonly);
    order(&module.buildafter, module.buildorder, out);
}

fn rpm_map(map: &BTreeMap<String, BTreeMap<String, RpmMapEntry>>, out: &mut Writer) {
    for (digest, entries) in map {
        out.map_under(digest, |out| {
            for (checksum, entry) in entries {
                out.map_under(checksum, |out| {
                    out.text("name", &entry.name);
                    out.plain("epoch", entry.epoch);
                    out.text("version", &entry.version);
                    out.text("release", &entry.release);
                    out.text("arch", &entry.arch);
                    out.text("nevra", &entry.nevra);
                });
            }
        });
    }
}
