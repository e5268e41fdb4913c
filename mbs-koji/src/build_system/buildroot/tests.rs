use mbs_core::ident::Arch;

use super::*;
use crate::build_system::KojiSettings;
use crate::content_generator::{GENERATOR, Program, Settings};
use crate::xmlrpc::{Call, Struct};

fn settings() -> KojiSettings {
    let generator = Program { name: GENERATOR.into(), version: "1".into() };
    KojiSettings::new(Settings {
        generator,
        host_os: "Linux".into(),
        host_arch: ident("x86_64"),
        tools: vec![],
    })
}

fn ident<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn idents<T: std::str::FromStr<Err: std::fmt::Debug>>(texts: &[&str]) -> Vec<T> {
    texts.iter().map(|text| ident(text)).collect()
}

fn spec() -> BuildrootSpec {
    BuildrootSpec {
        tag: ident("module-app"),
        build_tag: ident("module-app-build"),
        target: ident("module-app"),
        arches: idents(&["aarch64", "x86_64"]),
        packages: idents(&["liba", "libb"]),
        owner: "jane".into(),
        blocked: idents(&["libb"]),
        unblocked: Vec::new(),
        build_group: vec!["bash".into()],
        srpm_build_group: vec!["git".into()],
        inherits: idents(&["module-lib", "f40-build"]),
        repo_include_all: Some(false),
        dynamic_buildrequires: None,
    }
}

/// A hub on which nothing of the module exists.
fn nothing() -> Standing {
    let parents = [("module-lib", 7), ("f40-build", 4)];
    Standing {
        permissions: [("admin".to_owned(), 1), ("tag".to_owned(), 3)].into(),
        tag: OneTag::default(),
        build_tag: OneTag::default(),
        groups: BTreeMap::new(),
        inherited: Vec::new(),
        target: None,
        parents: parents.into_iter().map(|(name, id)| (ident(name), tag(name, id))).collect(),
        knows_owner: true,
        event: TagEvent(1),
    }
}

fn tag(name: &str, id: i64) -> Tag {
    Tag {
        id,
        name: ident(name),
        arches: idents(&["x86_64", "aarch64"]),
        permission: Some(1),
        is_locked: false,
        extra: extra(&spec(), &settings()),
    }
}

/// A hub on which the module has its buildroot.
fn everything() -> Standing {
    let packages: BTreeMap<Package, bool> = [(ident("liba"), false), (ident("libb"), true)].into();
    let one = |name, id| OneTag { tag: Some(tag(name, id)), packages: packages.clone() };
    let row = |name: &str, parent, priority| Inheritance { parent, name: ident(name), priority };
    let group = |name: &str, rpm: &str| (name.to_owned(), BTreeSet::from([rpm.to_owned()]));
    Standing {
        tag: one("module-app", 10),
        build_tag: one("module-app-build", 11),
        groups: [group("build", "bash"), group("srpm-build", "git")].into(),
        inherited: vec![row("module-lib", 7, 0), row("f40-build", 4, 10)],
        target: Some(Target { build_tag: "module-app-build".into(), tag: "module-app".into() }),
        ..nothing()
    }
}

fn changes(spec: &BuildrootSpec, standing: &Standing) -> Result<Vec<Change>, BuildSystemError> {
    differences(spec, standing, &settings(), "mbs")
}

/// Returns methods with their first two arguments, as far as they are texts.
fn sent(changes: &[Change]) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let line = |call: &Call| {
        let arguments = call.arguments().iter().filter_map(text);
        std::iter::once(call.method().to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
    };
    changes.iter().map(|change| line(&change.call)).collect()
}

#[test]
fn a_new_buildroot_is_made_with_groups_before_inheritance_and_blocks_last() {
    let changes = changes(&spec(), &nothing()).unwrap();
    assert_eq!(
        sent(&changes),
        [
            "createTag module-app",
            "packageListAdd module-app liba jane",
            "packageListAdd module-app libb jane",
            "createTag module-app-build",
            "packageListAdd module-app-build liba jane",
            "packageListAdd module-app-build libb jane",
            "groupListAdd module-app-build build",
            "groupPackageListAdd module-app-build build bash",
            "groupListAdd module-app-build srpm-build",
            "groupPackageListAdd module-app-build srpm-build git",
            "createBuildTarget module-app module-app-build module-app",
            "setInheritanceData module-app-build",
            "packageListBlock module-app-build libb",
        ]
    );
    let keywords = changes[0].call.keywords().unwrap();
    let extra = keywords.member("extra").and_then(Value::as_struct).unwrap();
    assert_eq!(keywords.member("arches"), Some(&Value::from("aarch64 x86_64")));
    assert_eq!(keywords.member("perm"), Some(&Value::from(1)));
    assert_eq!(extra.member("repo_include_all"), Some(&Value::from(false)));
    assert_eq!(extra.member("mock.package_manager"), Some(&Value::from("dnf")));
    let inherits = |parent: i64, priority: i64| {
        move |row: &Value| {
            row.member("parent_id") == Some(&parent.into())
                && row.member("priority") == Some(&priority.into())
        }
    };
    let rows = changes[11].call.arguments()[1].as_array().unwrap();
    assert!(inherits(7, 0)(&rows[0]) && inherits(4, 10)(&rows[1]), "{rows:?}");
}

#[test]
fn a_buildroot_that_is_as_described_needs_nothing() {
    assert_eq!(changes(&spec(), &everything()), Ok(Vec::new()));
}

#[test]
fn what_differs_is_changed_and_nothing_else() {
    let mut standing = everything();
    let tag = standing.tag.tag.as_mut().unwrap();
    tag.arches.pop();
    tag.extra.insert("mock.package_manager", "yum".into());
    tag.extra.insert("somebody.elses", "stays".into());
    standing.build_tag.packages.remove(&ident::<Package>("liba"));
    standing.groups.get_mut("build").unwrap().clear();
    standing.inherited.remove(0);
    let changes = changes(&spec(), &standing).unwrap();
    assert_eq!(
        sent(&changes),
        [
            "editTag2 module-app",
            "packageListAdd module-app-build liba jane",
            "groupPackageListAdd module-app-build build bash",
            "setInheritanceData module-app-build",
        ]
    );
    let keywords = changes[0].call.keywords().unwrap();
    let extra = Struct::from([("mock.package_manager", "dnf")]);
    assert_eq!(keywords, &Struct::from([("arches", Value::from("aarch64 x86_64")), ("extra", extra.into())]));
    let priority = changes[3].call.arguments()[1].as_array().unwrap()[0].member("priority").cloned();
    assert_eq!(priority, Some(20.into()));
}

#[test]
fn a_package_is_kept_out_until_it_was_built() {
    let built = BuildrootSpec { unblocked: idents(&["libb"]), ..spec() };
    assert_eq!(sent(&changes(&built, &everything()).unwrap()), ["packageListUnblock module-app-build libb"]);
    let mut let_in = everything();
    let_in.build_tag.packages.insert(ident("libb"), false);
    assert_eq!(changes(&built, &let_in), Ok(Vec::new()));
    assert_eq!(sent(&changes(&spec(), &let_in).unwrap()), ["packageListBlock module-app-build libb"]);
    assert!(!sent(&changes(&built, &nothing()).unwrap()).iter().any(|call| call.contains("Block")));
}

#[test]
fn packages_belong_to_our_own_user_where_koji_does_not_know_their_owner() {
    let standing = Standing { knows_owner: false, ..nothing() };
    assert_eq!(sent(&changes(&spec(), &standing).unwrap())[1], "packageListAdd module-app liba mbs");
}

#[test]
fn what_only_an_administrator_can_mend_is_named() {
    let said = |standing: Standing| changes(&spec(), &standing).unwrap_err().to_string();
    let mut locked = everything();
    locked.build_tag.tag.as_mut().unwrap().is_locked = true;
    assert_eq!(said(locked), "somebody has locked the tag module-app-build");
    let target = Some(Target { build_tag: "other-build".into(), tag: "other".into() });
    assert_eq!(
        said(Standing { target, ..everything() }),
        "the target module-app builds from other-build into other, not from module-app-build into module-app"
    );
    assert_eq!(
        said(Standing { permissions: BTreeMap::new(), ..nothing() }),
        "tags of modules shall need the permission admin, which does not exist in Koji"
    );
    let mut orphan = nothing();
    orphan.parents.remove(&ident::<TagName>("f40-build"));
    assert_eq!(said(orphan), "the tag f40-build, which the buildroot shall inherit, does not exist");
}

#[test]
fn the_order_of_architectures_is_the_hubs_own() {
    let mut standing = everything();
    standing.tag.tag.as_mut().unwrap().arches = idents::<Arch>(&["x86_64", "aarch64"]);
    assert_eq!(changes(&spec(), &standing), Ok(Vec::new()));
}
