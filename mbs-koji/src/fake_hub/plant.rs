//! Set-up by hand: tags, builds and all that hangs on them, without permissions and as often as one likes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::FakeHub;
use super::checksum;
use super::config::UserSetup;
use super::shared::grant;
use super::state::{
    Build, ExternalRepo, GroupSettings, Id, Link, Listed, Rpm, State, TagSettings, Target, Upload, User,
    build_state, repo_state,
};
use crate::xmlrpc::Value;

/// How a tag is to be set up.
#[derive(Debug, Clone, Default)]
pub struct TagPlan {
    /// Its architectures.
    pub arches: Vec<String>,
    /// The tags it inherits, most important first.
    pub inherits: Vec<String>,
    /// Its packages; all owned by `kojiadmin`, or the first user.
    pub packages: Vec<String>,
    /// The packages that are blocked in it.
    pub blocked: Vec<String>,
    /// RPM names by group.
    pub groups: BTreeMap<String, Vec<String>>,
    /// The permission that tagging needs.
    pub permission: Option<String>,
    /// Whether it is locked.
    pub is_locked: bool,
    /// Its extra data.
    pub extra: BTreeMap<String, Value>,
}

impl FakeHub {
    /// Makes a tag with architectures, or changes those of one that exists.
    pub fn plant_tag(&self, name: &str, arches: &[&str]) -> i64 {
        self.plant(|state| tag(state, name, Some(&arches.join(" "))))
    }

    /// Makes a tag as planned, or adds to one that exists. Tags it inherits are made if need be.
    pub fn plant_tag_as(&self, name: &str, plan: &TagPlan) -> i64 {
        self.plant(|state| planned(state, name, plan))
    }

    /// Makes a target; its tags too if need be.
    pub fn plant_target(&self, name: &str, build_tag: &str, destination: &str) -> i64 {
        self.plant(|state| {
            let target =
                Target { build_tag: tag(state, build_tag, None), destination: tag(state, destination, None) };
            let stamp = state.stamp();
            let id = state.targets.ensure(name);
            state.target_settings.put(id, target, stamp);
            id
        })
    }

    /// Puts packages into a tag's list.
    pub fn plant_packages(&self, tag_name: &str, packages: &[&str]) {
        self.plant(|state| {
            let tag = tag(state, tag_name, None);
            packages.iter().for_each(|package| list(state, tag, package, false));
        });
    }

    /// Makes a complete build without a task: a source RPM, and an RPM of the package's name for each architecture.
    pub fn plant_build(&self, name: &str, version: &str, release: &str, arches: &[&str]) -> i64 {
        let names: Vec<(String, String)> = std::iter::once("src")
            .chain(arches.iter().copied())
            .map(|arch| (name.to_owned(), arch.to_owned()))
            .collect();
        self.plant_build_of((name, version, release), &names, &BTreeMap::new())
    }

    /// Makes a complete build without a task, of RPMs by name and architecture, all with the same headers.
    pub fn plant_build_of(
        &self,
        (name, version, release): (&str, &str, &str),
        rpms: &[(String, String)],
        headers: &BTreeMap<String, Value>,
    ) -> i64 {
        self.plant(|state| {
            let build = build(state, (name, version, release));
            for (rpm_name, arch) in rpms {
                let file = format!("{rpm_name}-{version}-{release}.{arch}.rpm");
                let rpm = Rpm {
                    build,
                    name: rpm_name.as_str().into(),
                    version: version.into(),
                    release: release.into(),
                    epoch: None,
                    arch: arch.as_str().into(),
                    payloadhash: checksum::digest("md5", file.as_bytes()).unwrap_or_default().into(),
                    size: 4_096,
                    buildtime: state.now.0 / 1_000_000,
                    buildroot: None,
                    headers: headers
                        .iter()
                        .map(|(name, value)| (name.as_str().into(), value.clone()))
                        .collect(),
                    dependencies: Value::Array(Vec::new()),
                };
                state.add_rpm(rpm);
            }
            build
        })
    }

    /// Puts a build into a tag, and its package into the tag's list if it is not there.
    pub fn plant_tagged(&self, tag_name: &str, nvr: &str) {
        self.plant(|state| {
            let tag = tag(state, tag_name, None);
            let Some(id) = state.build_ids.get(nvr).copied() else { return };
            let name = state.builds.get(&id).map(|build| Arc::clone(&build.name)).unwrap_or_default();
            let package = state.packages.ensure(&name);
            if state.package_entry(tag, package, None).is_none() {
                list(state, tag, &name, false);
            }
            state.begin_next();
            // It may be in it already.
            drop(state.tag_build(tag, id));
        });
    }

    /// Makes a repository of a tag that is ready.
    pub fn plant_repo(&self, tag_name: &str) -> i64 {
        self.plant(|state| {
            let tag = tag(state, tag_name, None);
            state.begin_next();
            let repo = state.begin_repo(tag, None, None, BTreeMap::new());
            state.set_repo_state(repo, repo_state::READY);
            repo
        })
    }

    /// Adds an external repository to a tag.
    pub fn plant_external_repo(&self, tag_name: &str, (name, url): (&str, &str), priority: i64) {
        self.plant(|state| {
            let tag = tag(state, tag_name, None);
            let stamp = state.stamp();
            let repo = state.externals.ensure(name);
            state.external_urls.put(repo, url.into(), stamp);
            let settings = ExternalRepo { priority, merge_mode: "koji".into(), arches: None };
            state.tag_externals.put((tag, repo), settings, stamp);
        });
    }

    /// Adds a user, or gives more permissions to one that exists.
    pub fn plant_user(&self, setup: &UserSetup) -> i64 {
        self.plant(|state| {
            let known = state.user_named(&setup.name);
            let id = known.unwrap_or_else(|| {
                state.add_user(User {
                    name: setup.name.as_str().into(),
                    password: setup.password.as_deref().map(Into::into),
                    principals: setup.principals.iter().map(|name| name.as_str().into()).collect(),
                    is_blocked: setup.is_blocked,
                    kind: i64::from(setup.is_host),
                })
            });
            grant(state, id, &setup.permissions);
            id
        })
    }

    /// Puts a file where uploads are, `directory/name`.
    pub fn plant_upload(&self, path: &str, bytes: &[u8]) {
        self.plant(|state| {
            let file = Upload { bytes: Arc::new(bytes.to_vec()), changed: state.now, is_link: false };
            Arc::make_mut(&mut state.uploads).insert(path.into(), file);
        });
    }

    /// Makes a content generator that users may import for.
    pub fn plant_generator(&self, name: &str, users: &[&str]) {
        self.plant(|state| {
            let generator = state.generators.ensure(name);
            for user in users.iter().filter_map(|name| state.user_named(name)).collect::<Vec<_>>() {
                let stamp = state.stamp();
                state.generator_users.put((generator, user), (), stamp);
            }
        });
    }

    pub(super) fn plant<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut inner = self.shared.inner();
        let planted = act(&mut inner.state);
        inner.settle();
        planted
    }
}

/// Returns a tag's id; makes it, or gives it architectures.
fn tag(state: &mut State, name: &str, arches: Option<&str>) -> Id {
    let id = state.tags.id(name).filter(|id| state.tag_settings.row(id, None).is_some());
    let mut settings = id.and_then(|id| state.tag_settings.value(&id, None)).cloned().unwrap_or_default();
    if let Some(arches) = arches {
        settings.arches = arches.into();
    }
    match id {
        Some(id) => {
            state.set_tag(id, settings);
            id
        }
        None => state.make_tag(name, settings),
    }
}

fn planned(state: &mut State, name: &str, plan: &TagPlan) -> Id {
    let id = tag(state, name, Some(&plan.arches.join(" ")));
    let permission = plan.permission.as_deref().map(|name| state.permissions.ensure(name));
    let settings = state.tag_settings.value(&id, None).cloned().unwrap_or_default();
    state.set_tag(id, TagSettings { permission, is_locked: plan.is_locked, ..settings });
    for (priority, parent) in (0..).step_by(10).zip(&plan.inherits) {
        let parent = tag(state, parent, None);
        let stamp = state.stamp();
        state.inheritance.put((id, parent), Link { priority, ..Link::default() }, stamp);
    }
    plan.packages.iter().for_each(|package| list(state, id, package, false));
    plan.blocked.iter().for_each(|package| list(state, id, package, true));
    for (group, packages) in &plan.groups {
        add_group(state, id, group, packages);
    }
    for (key, value) in &plan.extra {
        state.set_extra(id, key, value.clone());
    }
    id
}

fn list(state: &mut State, tag: Id, package: &str, is_blocked: bool) {
    let owner = state.users.keys().next().copied().unwrap_or_default();
    let package = state.packages.ensure(package);
    state.list_package(tag, package, owner, Listed { is_blocked, extra_arches: None });
}

fn add_group(state: &mut State, tag: Id, name: &str, packages: &[String]) {
    let stamp = state.stamp();
    let group = state.groups.ensure(name);
    state.group_settings.put((tag, group), GroupSettings::usual(name), stamp);
    for package in packages {
        state.group_packages.put((tag, group, package.as_str().into()), (false, "mandatory".into()), stamp);
    }
}

fn build(state: &mut State, (name, version, release): (&str, &str, &str)) -> Id {
    state.begin_next();
    let stamp = state.stamp();
    let nvr = format!("{name}-{version}-{release}");
    let id = state.build_ids.get(&*nvr).copied().unwrap_or_else(|| state.next_id(&state.builds));
    let build = Build {
        id,
        package: state.packages.ensure(name),
        name: name.into(),
        version: version.into(),
        release: release.into(),
        state: build_state::COMPLETE,
        owner: state.users.keys().next().copied().unwrap_or_default(),
        event: stamp.event,
        created: state.now,
        started: Some(state.now),
        completed: Some(state.now),
        types: BTreeMap::from([("rpm".into(), Value::Nil)]),
        ..Build::default()
    };
    state.insert_build(build);
    id
}
