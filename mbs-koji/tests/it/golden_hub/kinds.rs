//! Which numbers are ids of what, told by the names of members and the shape of rows; and which arguments name what.

use mbs_koji::fake_hub::RowKind;
use mbs_koji::xmlrpc::{Struct, Value};

/// A kind of id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Tag,
    Task,
    Build,
    Package,
    User,
    Permission,
    Group,
    Target,
    Repo,
    Request,
    External,
    Generator,
    Rpm,
    Archive,
    Buildroot,
    Event,
    Session,
}

/// Returns what a member's number is an id of.
pub(super) fn of_member(name: &str, row: &Struct) -> Option<Kind> {
    Some(match name {
        "tag_id" | "parent_id" | "child_id" | "build_tag" | "dest_tag" => Kind::Tag,
        "build_id" => Kind::Build,
        "task_id" => Kind::Task,
        "parent" if shape(row) == Some(Kind::Task) => Kind::Task,
        "package_id" => Kind::Package,
        "owner" | "owner_id" | "user_id" | "creator_id" | "revoker_id" => Kind::User,
        "perm_id" => Kind::Permission,
        "group_id" => Kind::Group,
        "create_event" | "creation_event_id" | "revoke_event" | "begin_event" | "end_event" | "min_event"
        | "at_event" | "query_event" | "event" => Kind::Event,
        "repo_id" => Kind::Repo,
        "external_repo_id" => Kind::External,
        "buildroot_id" | "brootid" => Kind::Buildroot,
        "cg_id" => Kind::Generator,
        "session-id" => Kind::Session,
        "id" => return shape(row),
        _ => return None,
    })
}

/// Returns what a row is about.
pub(super) fn shape(row: &Struct) -> Option<Kind> {
    let has = |names: &[&str]| names.iter().all(|name| row.member(name).is_some());
    let shapes: [(&[&str], Kind); 14] = [
        (&["payloadhash"], Kind::Rpm),
        (&["version", "release"], Kind::Build),
        (&["method", "channel_id"], Kind::Task),
        (&["build_tag", "dest_tag"], Kind::Target),
        (&["arches", "locked"], Kind::Tag),
        (&["create_event", "dist"], Kind::Repo),
        (&["min_event", "tries"], Kind::Request),
        (&["usertype", "status"], Kind::User),
        (&["url", "name", "id"], Kind::External),
        (&["id", "ts"], Kind::Event),
        (&["users", "id"], Kind::Generator),
        (&["filename", "btype"], Kind::Archive),
        (&["capacity", "task_load"], Kind::User),
        (&["id", "name", "description"], Kind::Permission),
    ];
    let found = shapes.iter().find(|(names, _)| has(names)).map(|(_, kind)| *kind);
    // Hosts, channels and build types have ids that nothing else names.
    found.filter(|_| !has(&["capacity"]) && !has(&["enabled"]))
}

/// Returns what a row that was read can be planted as, and the id of it.
pub(super) fn plantable(method: &str, row: &Struct) -> Option<(RowKind, i64)> {
    let id = |name: &str| row.member(name).and_then(Value::as_int);
    let kind = match method {
        "listPackages" | "getPackageConfig" => return Some((RowKind::Package, id("package_id")?)),
        "getTagGroups" => {
            return Some((RowKind::Group, id("group_id").filter(|_| row.member("packagelist").is_some())?));
        }
        "getInheritanceData" | "getFullInheritance" => return Some((RowKind::Link, id("parent_id")?)),
        "getTagExternalRepos" | "getExternalRepoList" => {
            return Some((RowKind::External, id("external_repo_id")?));
        }
        "getAllPerms" => RowKind::Permission,
        "listBTypes" => RowKind::BuildType,
        "listHosts" | "getHost" => RowKind::Host,
        "getChannel" => RowKind::Channel,
        "getEvent" | "untaggedBuilds" => return None,
        _ => match shape(row)? {
            Kind::Rpm => RowKind::Rpm,
            Kind::Build => RowKind::Build,
            Kind::Task => RowKind::Task,
            Kind::Target => RowKind::Target,
            Kind::Tag => RowKind::Tag,
            Kind::Repo => RowKind::Repo,
            Kind::Archive => RowKind::Archive,
            _ => return None,
        },
    };
    Some((kind, id("id").or(id("build_id"))?))
}

/// Returns what the number that a call answers is an id of.
pub(super) fn of_answer(method: &str) -> Option<Kind> {
    Some(match method {
        "createTag" | "getTagID" => Kind::Tag,
        "build" | "newRepo" | "tagBuild" | "resubmitTask" => Kind::Task,
        "getPackageID" => Kind::Package,
        "createUser" => Kind::User,
        _ => return None,
    })
}

/// Which argument of which call names what: by place or by name.
const ARGUMENTS: &[(&str, usize, &str, Kind)] = &[
    ("getTag", 0, "tagInfo", Kind::Tag),
    ("createTag", 1, "parent", Kind::Tag),
    ("createTag", 3, "perm", Kind::Permission),
    ("editTag2", 0, "tagInfo", Kind::Tag),
    ("editTag2", 9, "perm", Kind::Permission),
    ("deleteTag", 0, "tagInfo", Kind::Tag),
    ("getBuildConfig", 0, "tag", Kind::Tag),
    ("checkTagAccess", 0, "tag_id", Kind::Tag),
    ("checkTagAccess", 1, "user_id", Kind::User),
    ("getInheritanceData", 0, "tag", Kind::Tag),
    ("setInheritanceData", 0, "tag", Kind::Tag),
    ("getFullInheritance", 0, "tag", Kind::Tag),
    ("getTagGroups", 0, "tag", Kind::Tag),
    ("groupListAdd", 0, "taginfo", Kind::Tag),
    ("groupPackageListAdd", 0, "taginfo", Kind::Tag),
    ("groupPackageListAdd", 1, "grpinfo", Kind::Group),
    ("listPackages", 0, "tagID", Kind::Tag),
    ("listPackages", 2, "pkgID", Kind::Package),
    ("packageListAdd", 0, "taginfo", Kind::Tag),
    ("packageListBlock", 0, "taginfo", Kind::Tag),
    ("packageListBlock", 1, "pkginfo", Kind::Package),
    ("packageListUnblock", 0, "taginfo", Kind::Tag),
    ("packageListUnblock", 1, "pkginfo", Kind::Package),
    ("packageListRemove", 0, "taginfo", Kind::Tag),
    ("checkTagPackage", 0, "tag", Kind::Tag),
    ("getPackageConfig", 0, "tag", Kind::Tag),
    ("getPackage", 0, "info", Kind::Package),
    ("createBuildTarget", 1, "build_tag", Kind::Tag),
    ("createBuildTarget", 2, "dest_tag", Kind::Tag),
    ("editBuildTarget", 0, "buildTargetInfo", Kind::Target),
    ("editBuildTarget", 2, "build_tag", Kind::Tag),
    ("editBuildTarget", 3, "dest_tag", Kind::Tag),
    ("deleteBuildTarget", 0, "buildTargetInfo", Kind::Target),
    ("getBuildTarget", 0, "info", Kind::Target),
    ("getBuildTargets", 2, "buildTagID", Kind::Tag),
    ("getBuildTargets", 3, "destTagID", Kind::Tag),
    ("addExternalRepoToTag", 0, "tag_info", Kind::Tag),
    ("addExternalRepoToTag", 1, "repo_info", Kind::External),
    ("removeExternalRepoFromTag", 0, "tag_info", Kind::Tag),
    ("removeExternalRepoFromTag", 1, "repo_info", Kind::External),
    ("getTagExternalRepos", 0, "tag_info", Kind::Tag),
    ("getExternalRepoList", 0, "tag_info", Kind::Tag),
    ("tagBuild", 0, "tag", Kind::Tag),
    ("tagBuild", 1, "build", Kind::Build),
    ("untagBuild", 0, "tag", Kind::Tag),
    ("untagBuild", 1, "build", Kind::Build),
    ("listTagged", 0, "tag", Kind::Tag),
    ("listTaggedRPMS", 0, "tag", Kind::Tag),
    ("getLatestBuilds", 0, "tag", Kind::Tag),
    ("getLatestRPMS", 0, "tag", Kind::Tag),
    ("listTags", 0, "build", Kind::Build),
    ("listTags", 1, "package", Kind::Package),
    ("getBuild", 0, "buildInfo", Kind::Build),
    ("cancelBuild", 0, "buildID", Kind::Build),
    ("listBuildRPMs", 0, "build", Kind::Build),
    ("listRPMs", 0, "buildID", Kind::Build),
    ("listArchives", 0, "buildID", Kind::Build),
    ("getBuildType", 0, "buildInfo", Kind::Build),
    ("getBuildLogs", 0, "build", Kind::Build),
    ("CGRefundBuild", 1, "build_id", Kind::Build),
    ("listBuilds", 0, "packageID", Kind::Package),
    ("listBuilds", 2, "taskID", Kind::Task),
    ("getRPM", 0, "rpminfo", Kind::Rpm),
    ("getRPMHeaders", 0, "rpmID", Kind::Rpm),
    ("getRPMDeps", 0, "rpmID", Kind::Rpm),
    ("getTaskInfo", 0, "task_id", Kind::Task),
    ("getTaskChildren", 0, "task_id", Kind::Task),
    ("getTaskDescendents", 0, "task_id", Kind::Task),
    ("getTaskResult", 0, "taskId", Kind::Task),
    ("getTaskRequest", 0, "taskId", Kind::Task),
    ("taskFinished", 0, "taskId", Kind::Task),
    ("cancelTask", 0, "task_id", Kind::Task),
    ("resubmitTask", 0, "taskID", Kind::Task),
    ("setTaskPriority", 0, "task_id", Kind::Task),
    ("listTaskOutput", 0, "taskID", Kind::Task),
    ("downloadTaskOutput", 0, "taskID", Kind::Task),
    ("newRepo", 0, "tag", Kind::Tag),
    ("getRepo", 0, "tag", Kind::Tag),
    ("repo.get", 0, "tag", Kind::Tag),
    ("repo.request", 0, "tag", Kind::Tag),
    ("repo.request", 1, "min_event", Kind::Event),
    ("repo.checkRequest", 0, "req_id", Kind::Request),
    ("repoInfo", 0, "repo_id", Kind::Repo),
    ("repoExpire", 0, "repo_id", Kind::Repo),
    ("repoDelete", 0, "repo_id", Kind::Repo),
    ("getUser", 0, "userInfo", Kind::User),
    ("getEvent", 0, "id", Kind::Event),
    ("*", 99, "event", Kind::Event),
    ("*", 99, "min_event", Kind::Event),
];

/// Returns what an argument by place names.
pub(super) fn of_place(method: &str, place: usize) -> Option<Kind> {
    ARGUMENTS.iter().find(|(name, at, ..)| *name == method && *at == place).map(|(.., kind)| *kind)
}

/// Returns what an argument by name names.
pub(super) fn of_keyword(method: &str, keyword: &str) -> Option<Kind> {
    let is_it = |name: &str, word: &str| (name == method || name == "*") && word == keyword;
    ARGUMENTS.iter().find(|(name, _, word, _)| is_it(name, word)).map(|(.., kind)| *kind)
}
