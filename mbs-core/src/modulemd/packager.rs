//! The packager's document, version 3, and the streams it stands for.

use std::collections::{BTreeMap, BTreeSet};

use super::stream::{
    BuildOpts, Dependencies, ModuleComponent, ModuleStream, Profile, References, RpmComponent,
};
use super::xmd::Xmd;

/// The content of a `modulemd-packager` document, version 3. Source: `modulemd_packager_v3.yaml`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PackagerV3 {
    /// The module's name; `None` until the repository's name is filled in.
    pub name: Option<String>,
    /// The stream; `None` until the branch is filled in.
    pub stream: Option<String>,
    /// One line that says what the module is.
    pub summary: String,
    /// What the module is, at length.
    pub description: String,
    /// Licences of the metadata; empty: MIT.
    pub module_licenses: BTreeSet<String>,
    /// Free-form block.
    pub xmd: Xmd,
    /// What to build against, in the order written; contexts are distinct.
    pub configurations: Vec<Configuration>,
    /// Links for people.
    pub references: References,
    /// Installation profiles.
    pub profiles: BTreeMap<String, Profile>,
    /// Names of the RPMs that are the module's interface.
    pub api: BTreeSet<String>,
    /// Names of RPMs left out of the module.
    pub filter: BTreeSet<String>,
    /// Names of RPMs that are no longer modular.
    pub demodularized: BTreeSet<String>,
    /// Packages to build, by key.
    pub rpms: BTreeMap<String, RpmComponent>,
    /// Included modules, by key.
    pub modules: BTreeMap<String, ModuleComponent>,
}

/// One build of the stream: against one platform, and one stream of each module it depends on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Configuration {
    /// The context, 1 to 10 letters and digits.
    pub context: String,
    /// The stream of `platform` to build on and run with.
    pub platform: String,
    /// What must be there when building: module name → stream.
    pub buildrequires: BTreeMap<String, String>,
    /// What must be there when running: module name → stream.
    pub requires: BTreeMap<String, String>,
    /// Options of this build; `None` if none are given.
    pub buildopts: Option<BuildOpts>,
}

impl PackagerV3 {
    /// Makes one stream of each configuration, sorted by context.
    ///
    /// Each has its context, marked static, and one dependency pair. The mark of default profiles is dropped.
    /// Source: libmodulemd, `modulemd_packager_v3_to_stream_v2_ext`.
    pub fn into_streams(self) -> Vec<ModuleStream> {
        let mut configurations = self.configurations;
        configurations.sort_by(|a, b| a.context.cmp(&b.context));
        let mut licenses = self.module_licenses;
        if licenses.is_empty() {
            licenses.insert("MIT".to_owned());
        }
        let mut profiles = self.profiles;
        profiles.values_mut().for_each(|profile| profile.is_default = false);
        let common = ModuleStream {
            name: self.name,
            stream: self.stream,
            static_context: true,
            summary: self.summary,
            description: self.description,
            module_licenses: licenses,
            xmd: self.xmd,
            references: self.references,
            profiles,
            api: self.api,
            filter: self.filter,
            demodularized: self.demodularized,
            rpms: self.rpms,
            modules: self.modules,
            ..ModuleStream::default()
        };
        configurations.into_iter().map(|configuration| configuration.applied_to(common.clone())).collect()
    }
}

impl Configuration {
    fn applied_to(self, common: ModuleStream) -> ModuleStream {
        let with_platform = |modules: BTreeMap<String, String>| {
            let single = |(module, stream)| (module, BTreeSet::from([stream]));
            let mut streams: BTreeMap<_, _> = modules.into_iter().map(single).collect();
            streams.entry("platform".to_owned()).or_default().insert(self.platform.clone());
            streams
        };
        let pair = Dependencies {
            buildrequires: with_platform(self.buildrequires),
            requires: with_platform(self.requires),
        };
        ModuleStream {
            context: Some(self.context),
            dependencies: vec![pair],
            buildopts: self.buildopts.unwrap_or_default(),
            ..common
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(context: &str, platform: &str) -> Configuration {
        Configuration { context: context.into(), platform: platform.into(), ..Configuration::default() }
    }

    fn names(streams: &[(&str, &str)]) -> BTreeMap<String, BTreeSet<String>> {
        streams.iter().map(|(name, stream)| ((*name).into(), BTreeSet::from([(*stream).into()]))).collect()
    }

    #[test]
    fn streams_come_sorted_by_context_and_are_static() {
        let packager = PackagerV3 {
            configurations: vec![configuration("B", "f33"), configuration("A", "f32")],
            ..PackagerV3::default()
        };
        let streams = packager.into_streams();
        let contexts: Vec<_> = streams.iter().map(|stream| stream.context.as_deref()).collect();
        assert_eq!(contexts, [Some("A"), Some("B")]);
        assert!(streams.iter().all(|stream| stream.static_context));
        assert_eq!(streams[0].module_licenses, BTreeSet::from(["MIT".to_owned()]));
    }

    #[test]
    fn platform_is_added_to_both_sides_of_the_only_pair() {
        let mut one = configuration("A", "f32");
        one.buildrequires.insert("gcc".into(), "10".into());
        one.requires.insert("perl".into(), "5.30".into());
        let packager = PackagerV3 { configurations: vec![one], ..PackagerV3::default() };
        let streams = packager.into_streams();
        let [pair] = &streams[0].dependencies[..] else { panic!("one pair") };
        assert_eq!(pair.buildrequires, names(&[("gcc", "10"), ("platform", "f32")]));
        assert_eq!(pair.requires, names(&[("perl", "5.30"), ("platform", "f32")]));
    }

    #[test]
    fn build_options_belong_to_their_configuration() {
        let opts = BuildOpts { macros: Some("%a 1\n".into()), ..BuildOpts::default() };
        let mut one = configuration("A", "f32");
        one.buildopts = Some(opts.clone());
        let packager =
            PackagerV3 { configurations: vec![one, configuration("B", "f33")], ..PackagerV3::default() };
        let streams = packager.into_streams();
        assert_eq!(streams[0].buildopts, opts);
        assert_eq!(streams[1].buildopts, BuildOpts::default());
    }

    #[test]
    fn default_marks_of_profiles_are_dropped() {
        let default = Profile { is_default: true, ..Profile::default() };
        let packager = PackagerV3 {
            configurations: vec![configuration("A", "f32")],
            profiles: BTreeMap::from([("minimal".to_owned(), default)]),
            ..PackagerV3::default()
        };
        assert!(!packager.into_streams()[0].profiles["minimal"].is_default);
    }
}
