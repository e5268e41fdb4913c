//! Tags, and what hangs on them: targets, package lists, groups, inheritance, permissions.

use std::collections::{BTreeMap, BTreeSet};

use mbs_core::ident::{Arch, Package, TagName};

use super::{Odd, Row};
use crate::xmlrpc::{Call, Struct, Value};

/// A tag.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// Koji's id of it.
    pub id: i64,
    /// Its name.
    pub name: TagName,
    /// Its architectures, in the tag's order.
    pub arches: Vec<Arch>,
    /// Koji's id of the permission that tagging needs; `None`: anybody's.
    pub permission: Option<i64>,
    /// Whether nobody may change it.
    pub is_locked: bool,
    /// Its extra settings.
    pub extra: Struct,
}

/// A build target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The tag it builds from.
    pub build_tag: String,
    /// The tag it builds into.
    pub tag: String,
}

/// That a tag inherits another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inheritance {
    /// Koji's id of the tag that is inherited.
    pub parent: i64,
    /// Its name.
    pub name: TagName,
    /// Smaller comes first.
    pub priority: i64,
}

/// A repository outside of Koji that a tag reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalRepo {
    /// Its address, `$arch` still in it.
    pub address: String,
    /// The architectures it has; `None`: all of the tag's.
    pub arches: Option<BTreeSet<Arch>>,
}

/// A package in the list of a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPackage {
    /// Its name.
    pub package: Package,
    /// Whether builds of it are kept out.
    pub is_blocked: bool,
}

/// Asks for a tag; nil if it is unknown.
pub fn tag(name: &TagName) -> Call {
    Call::new("getTag").arg(name.as_str())
}

/// Tells the hub to make a tag with architectures, permission and extra settings; answers with its id.
pub fn create(name: &TagName, arches: &[Arch], permission: i64, extra: Struct) -> Call {
    let call = Call::new("createTag").arg(name.as_str());
    call.keyword("arches", joined(arches)).keyword("perm", permission).keyword("extra", extra)
}

/// Tells the hub to change what is given of a tag; settings are merged.
pub fn edit(name: &TagName, arches: Option<&[Arch]>, permission: Option<i64>, extra: Option<Struct>) -> Call {
    let mut call = Call::new("editTag2").arg(name.as_str());
    if let Some(arches) = arches {
        call = call.keyword("arches", joined(arches));
    }
    if let Some(permission) = permission {
        call = call.keyword("perm", permission);
    }
    match extra {
        Some(extra) => call.keyword("extra", extra),
        None => call,
    }
}

/// Asks for all permissions that exist.
pub fn permissions() -> Call {
    Call::new("getAllPerms")
}

/// Asks for a target; nil if it is unknown.
pub fn target(name: &TagName) -> Call {
    Call::new("getBuildTarget").arg(name.as_str())
}

/// Tells the hub to make a target.
pub fn create_target(name: &TagName, build_tag: &TagName, tag: &TagName) -> Call {
    Call::new("createBuildTarget").arg(name.as_str()).arg(build_tag.as_str()).arg(tag.as_str())
}

/// Tells the hub to remove a target; one that never was is a fault.
pub fn delete_target(name: &TagName) -> Call {
    Call::new("deleteBuildTarget").arg(name.as_str())
}

/// Asks for the package list of a tag, what is inherited left out; a fault if the tag is unknown.
pub fn packages(tag: &TagName) -> Call {
    Call::new("listPackages").keyword("tagID", tag.as_str())
}

/// Asks whether builds of a package may be in a tag, by its list or what it inherits.
pub fn lists_package(tag: &TagName, package: &Package) -> Call {
    Call::new("checkTagPackage").arg(tag.as_str()).arg(package.as_str())
}

/// Tells the hub that builds of a package may be in a tag.
pub fn add_package(tag: &TagName, package: &Package, owner: &str) -> Call {
    Call::new("packageListAdd").arg(tag.as_str()).arg(package.as_str()).arg(owner)
}

/// Tells the hub to keep builds of a package out of a tag; a fault if the tag does not know the package.
pub fn block_package(tag: &TagName, package: &Package) -> Call {
    Call::new("packageListBlock").arg(tag.as_str()).arg(package.as_str())
}

/// Tells the hub to let a package in again; a fault if it was not kept out.
pub fn unblock_package(tag: &TagName, package: &Package) -> Call {
    Call::new("packageListUnblock").arg(tag.as_str()).arg(package.as_str())
}

/// Asks for the groups of a tag, what is inherited left out; a fault if the tag is unknown.
pub fn groups(tag: &TagName) -> Call {
    Call::new("getTagGroups").arg(tag.as_str()).keyword("inherit", false)
}

/// Tells the hub to make a group. It does nothing if the tag inherits the group.
pub fn add_group(tag: &TagName, group: &str) -> Call {
    Call::new("groupListAdd").arg(tag.as_str()).arg(group)
}

/// Tells the hub to put an RPM into a group.
pub fn add_to_group(tag: &TagName, group: &str, rpm: &str) -> Call {
    Call::new("groupPackageListAdd").arg(tag.as_str()).arg(group).arg(rpm)
}

/// Asks what a tag inherits directly; a fault if the tag is unknown.
pub fn inheritance(tag: &TagName) -> Call {
    Call::new("getInheritanceData").arg(tag.as_str())
}

/// Asks for all that a tag inherits, nearest first, depth first.
pub fn full_inheritance(tag: &TagName) -> Call {
    Call::new("getFullInheritance").arg(tag.as_str())
}

/// Tells the hub that a tag inherits others, too, without limit, filter or exception. Records not named stay.
pub fn inherit(tag: &TagName, parents: impl IntoIterator<Item = (i64, i64)>) -> Call {
    let row = |(parent, priority): (i64, i64)| {
        Struct::from([
            ("parent_id", Value::from(parent)),
            ("priority", priority.into()),
            ("maxdepth", Value::Nil),
            ("intransitive", false.into()),
            ("noconfig", false.into()),
            ("pkg_filter", "".into()),
        ])
    };
    Call::new("setInheritanceData").arg(tag.as_str()).arg(parents.into_iter().map(row).collect::<Value>())
}

/// Asks for the external repositories that a tag reaches, inherited ones too.
pub fn external_repos(tag: &TagName) -> Call {
    Call::new("getExternalRepoList").arg(tag.as_str())
}

/// Asks for the tags that hold a build, by Koji's id of it.
pub fn holding(build: i64) -> Call {
    Call::new("listTags").keyword("build", build)
}

/// Asks for a user; nil if unknown.
pub fn user(name: &str) -> Call {
    Call::new("getUser").arg(name)
}

fn joined(arches: &[Arch]) -> String {
    arches.iter().map(Arch::as_str).collect::<Vec<_>>().join(" ")
}

/// Reads a tag; `None` if it is unknown.
///
/// # Errors
/// It is none.
pub fn read(value: &Value) -> Result<Option<Tag>, Odd> {
    let method = "getTag";
    let Some(row) = Row::maybe(method, value)? else { return Ok(None) };
    let arches = row.maybe_text("arches")?.unwrap_or_default().split_ascii_whitespace().map(str::parse);
    Ok(Some(Tag {
        id: row.int("id")?,
        name: row.ident("name")?,
        arches: arches.collect::<Result<_, _>>().map_err(|error| Odd::new(method, error))?,
        permission: row.maybe_int("perm_id")?,
        is_locked: row.truth("locked")?,
        extra: row.member("extra").and_then(Value::as_struct).cloned().unwrap_or_default(),
    }))
}

/// Reads the ids of permissions by their names.
///
/// # Errors
/// It is no list of permissions.
pub fn read_permissions(value: &Value) -> Result<BTreeMap<String, i64>, Odd> {
    let read = |row: &Row| Ok((row.text("name")?.to_owned(), row.int("id")?));
    Row::all("getAllPerms", value)?.iter().map(read).collect()
}

/// Reads a target; `None` if it is unknown.
///
/// # Errors
/// It is none.
pub fn read_target(value: &Value) -> Result<Option<Target>, Odd> {
    let Some(row) = Row::maybe("getBuildTarget", value)? else { return Ok(None) };
    let text = |name| row.text(name).map(str::to_owned);
    Ok(Some(Target { build_tag: text("build_tag_name")?, tag: text("dest_tag_name")? }))
}

/// Reads a package list.
///
/// # Errors
/// It is none.
pub fn read_packages(value: &Value) -> Result<Vec<ListedPackage>, Odd> {
    let read = |row: &Row| {
        Ok(ListedPackage { package: row.ident("package_name")?, is_blocked: row.truth("blocked")? })
    };
    Row::all("listPackages", value)?.iter().map(read).collect()
}

/// Reads whether builds of a package may be in a tag.
///
/// # Errors
/// It is no truth.
pub fn read_lists_package(value: &Value) -> Result<bool, Odd> {
    value.as_bool().ok_or_else(|| Odd::new("checkTagPackage", value.kind()))
}

/// Reads groups by name, with the RPMs in each; what is blocked is left out.
///
/// # Errors
/// They are none.
pub fn read_groups(value: &Value) -> Result<BTreeMap<String, BTreeSet<String>>, Odd> {
    let method = "getTagGroups";
    let mut groups = BTreeMap::new();
    for group in Row::all(method, value)? {
        let mut names = BTreeSet::new();
        for row in group.member("packagelist").map_or(Ok(Vec::new()), |list| Row::all(method, list))? {
            if !row.truth("blocked")? {
                names.insert(row.text("package")?.to_owned());
            }
        }
        groups.insert(group.text("name")?.to_owned(), names);
    }
    Ok(groups)
}

/// Reads what a tag inherits, in the order of the answer.
///
/// # Errors
/// It is no list of that.
pub fn read_inheritance(value: &Value) -> Result<Vec<Inheritance>, Odd> {
    let read = |row: &Row| {
        Ok(Inheritance {
            parent: row.int("parent_id")?,
            name: row.ident("name")?,
            priority: row.int("priority")?,
        })
    };
    Row::all("getInheritanceData", value)?.iter().map(read).collect()
}

/// Reads external repositories, in the order in which they count.
///
/// # Errors
/// It is no list of them.
pub fn read_external_repos(value: &Value) -> Result<Vec<ExternalRepo>, Odd> {
    let method = "getExternalRepoList";
    let arches = |text: &str| text.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>();
    let read = |row: &Row| {
        let arches = row.maybe_text("arches")?.map(arches).transpose();
        let arches = arches.map_err(|error| Odd::new(method, error))?;
        Ok(ExternalRepo { address: row.text("url")?.to_owned(), arches })
    };
    Row::all(method, value)?.iter().map(read).collect()
}

/// Reads the names of tags.
///
/// # Errors
/// It is no list of tags.
pub fn read_names(value: &Value) -> Result<Vec<TagName>, Odd> {
    Row::all("listTags", value)?.iter().map(|row| row.ident("name")).collect()
}
