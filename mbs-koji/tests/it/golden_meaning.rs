//! Are recorded calls those that we send, and do we make sense of what a hub answered?

use std::collections::BTreeMap;

use mbs_core::ident::{Arch, TagEvent, TagName, TaskId};
use mbs_koji::api::task::BuildRequest;
use mbs_koji::api::{Odd, build, cg, repo, rpm, tag, task};
use mbs_koji::xmlrpc::{Call, Fault, FaultCode, Struct, Value};
use serde_json::Value as Json;

use crate::recorded::{answer, text, traffic, value};

/// A recorded call and its answer; those within a multicall count each.
struct Recorded {
    place: String,
    call: Call,
    answer: Result<Value, Fault>,
}

fn calls() -> Vec<Recorded> {
    let mut all = Vec::new();
    for recording in traffic() {
        for (at, exchange) in recording.entries.iter().enumerate() {
            let (Some(method), Some(params), Some(answer)) =
                (text(exchange, "method"), exchange.get("params").and_then(Json::as_array), answer(exchange))
            else {
                continue;
            };
            let place = format!("{} {at}", recording.name);
            let call = Call::from_params(method, params.iter().map(value).collect());
            match answer {
                Ok(Value::Array(answers)) if method == "multiCall" => {
                    all.extend(inner(&place, &call, answers));
                }
                answer => all.push(Recorded { place, call, answer }),
            }
        }
    }
    all
}

/// Takes a multicall apart.
fn inner(place: &str, call: &Call, answers: Vec<Value>) -> Vec<Recorded> {
    let calls = call.arguments().first().and_then(Value::as_array).unwrap_or_default();
    let each = calls.iter().zip(answers).map(|(call, answer)| {
        let params = call.member("params").and_then(Value::as_array).unwrap_or_default().to_vec();
        let method = call.member("methodName").and_then(Value::as_str).unwrap_or_default();
        let answer = match answer {
            Value::Array(mut values) => Ok(values.pop().expect("an answer is a list of one")),
            fault => {
                let code = fault.member("faultCode").and_then(Value::as_int).expect("a fault has a number");
                let text = fault.member("faultString").and_then(Value::as_str).expect("a fault has a text");
                Err(Fault::new(FaultCode::of(code), text))
            }
        };
        Recorded { place: format!("{place}, {method}"), call: Call::from_params(method, params), answer }
    });
    each.collect()
}

fn name(value: &Value) -> Option<TagName> {
    value.as_str()?.parse().ok()
}

/// Returns what we would send for the same purpose; `None` if the recorded call has a purpose that we do not have.
fn ours(call: &Call) -> Option<Call> {
    let arguments = call.arguments();
    let first = arguments.first();
    let as_tag = || first.and_then(name);
    let id = || first.and_then(Value::as_int).map(TaskId);
    let nvr = |value: &Value| value.as_str()?.parse().ok();
    let package = |value: &Value| value.as_str()?.parse().ok();
    let keywords = call.keywords();
    let keyword = |name: &str| keywords.and_then(|keywords| keywords.member(name));
    Some(match (call.method(), arguments.len(), keywords.map_or(0, Struct::len)) {
        ("getTag", 1, 0) => tag::tag(&as_tag()?),
        ("getAllPerms", 0, 0) => tag::permissions(),
        ("getBuildTarget", 1, 0) => tag::target(&as_tag()?),
        ("createBuildTarget", 3, 0) => {
            tag::create_target(&as_tag()?, &name(&arguments[1])?, &name(&arguments[2])?)
        }
        ("deleteBuildTarget", 1, 0) => tag::delete_target(&as_tag()?),
        ("packageListAdd", 3, 0) => {
            tag::add_package(&as_tag()?, &package(&arguments[1])?, arguments[2].as_str()?)
        }
        ("packageListBlock", 2, 0) => tag::block_package(&as_tag()?, &package(&arguments[1])?),
        ("packageListUnblock", 2, 0) => tag::unblock_package(&as_tag()?, &package(&arguments[1])?),
        ("checkTagPackage", 2, 0) => tag::lists_package(&as_tag()?, &package(&arguments[1])?),
        ("getTagGroups", 1, 1) if keyword("inherit") == Some(&Value::from(false)) => tag::groups(&as_tag()?),
        ("groupListAdd", 2, 0) => tag::add_group(&as_tag()?, arguments[1].as_str()?),
        ("groupPackageListAdd", 3, 0) => {
            tag::add_to_group(&as_tag()?, arguments[1].as_str()?, arguments[2].as_str()?)
        }
        ("getInheritanceData", 1, 0) => tag::inheritance(&as_tag()?),
        ("getFullInheritance", 1, 0) => tag::full_inheritance(&as_tag()?),
        ("getExternalRepoList", 1, 0) => tag::external_repos(&as_tag()?),
        ("getUser", 1, 0) => tag::user(first?.as_str()?),
        ("listTags", 0, 1) => tag::holding(keyword("build")?.as_int()?),
        ("getRepo", 1, 0) => repo::newest(&as_tag()?),
        ("getLastEvent", 0, 0) => repo::last_event(),
        ("newRepo", 1, 0) => repo::make(&as_tag()?),
        ("repo.request", 1, 1) => repo::request(&as_tag()?, TagEvent(keyword("min_event")?.as_int()?)),
        ("getTaskInfo", 1, 0) => task::tasks(first?.as_array()?.iter().filter_map(Value::as_int).map(TaskId)),
        ("getTaskChildren", 1, 0) => task::children(id()?),
        ("getTaskDescendents", 1, 0) => task::descendents(id()?),
        ("getTaskResult", 1, 0) => task::result(id()?),
        ("cancelTask", 1, 0) => task::cancel(id()?),
        ("build", 3, 1) => task::build(&request(arguments, keyword("priority")?)?),
        ("getBuild", 1, 0) => build::build(&nvr(first?)?),
        ("listBuilds", 0, 1) => build::of_task(TaskId(keyword("taskID")?.as_int()?)),
        ("untaggedBuilds", 0, 1) => build::untagged(&package(keyword("name")?)?),
        ("listTagged", 1, 0) => build::in_tag(&as_tag()?),
        ("getPackageID", 1, 0) => build::package_id(&package(first?)?),
        ("getAverageBuildDuration", 1, 0) => build::average_duration(&package(first?)?),
        ("tagBuild", 2, 0) => build::tag(&as_tag()?, &nvr(&arguments[1])?),
        ("listBuildRPMs", 1, 0) => rpm::of_build(&nvr(first?)?),
        ("listTaggedRPMS", 1, 1) if keyword("latest") == Some(&Value::from(true)) => rpm::of_tag(&as_tag()?),
        ("getRPM", 1, 0) => rpm::rpm(first?.as_str()?),
        ("CGImport", 2, 0) => cg::import(first?.clone(), arguments[1].as_str()?),
        _ => return None,
    })
}

/// Reads what a build was asked for with.
fn request(arguments: &[Value], priority: &Value) -> Option<BuildRequest> {
    let opts = &arguments[2];
    let text = |name: &str| opts.member(name).and_then(Value::as_str);
    let arches = text("arch_override").unwrap_or_default().split_ascii_whitespace();
    Some(BuildRequest {
        source: arguments[0].as_str()?.to_owned(),
        target: name(&arguments[1])?,
        package: text("mbs_artifact_name")?.to_owned(),
        module_target: text("mbs_module_target")?.parse().ok()?,
        arches: arches.map(str::parse).collect::<Result<Vec<Arch>, _>>().ok()?,
        priority: priority.as_int()?,
    })
}

#[test]
fn golden_calls_are_those_that_we_send() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for Recorded { place, call, .. } in calls() {
        if let Some(ours) = ours(&call) {
            assert_eq!(ours.params(), call.params(), "{place}: {}", call.method());
            *seen.entry(call.method().to_owned()).or_default() += 1;
        }
    }
    println!("equal: {seen:?}");
}

/// Reads an answer as we read it; `None` if we never ask so.
fn read(method: &str, call: &Call, value: &Value) -> Option<Result<(), Odd>> {
    let is_list = call.arguments().first().is_some_and(|first| first.as_array().is_some());
    Some(match method {
        "getTag" => tag::read(value).map(drop),
        "getAllPerms" => tag::read_permissions(value).map(drop),
        "getBuildTarget" => tag::read_target(value).map(drop),
        "listPackages" => tag::read_packages(value).map(drop),
        "checkTagPackage" => tag::read_lists_package(value).map(drop),
        "getTagGroups" => tag::read_groups(value).map(drop),
        "getInheritanceData" => tag::read_inheritance(value).map(drop),
        "getExternalRepoList" => tag::read_external_repos(value).map(drop),
        "listTags" => tag::read_names(value).map(drop),
        "getRepo" => repo::read(value).map(drop),
        "getLastEvent" => repo::read_event(value).map(drop),
        "newRepo" | "tagBuild" | "build" => task::read_id("newRepo", value).map(drop),
        "repo.request" => repo::read_request(value).map(drop),
        "getTaskInfo" if is_list => task::read_tasks(value).map(drop),
        "getTaskChildren" => task::read_list("getTaskChildren", value).map(drop),
        "listTasks" => task::read_list("listTasks", value).map(drop),
        "getTaskDescendents" => task::read_descendents(value).map(drop),
        "getBuild" => build::read(value).map(drop),
        "listBuilds" if value.as_array().is_some() => build::read_list(value).map(drop),
        "untaggedBuilds" => build::read_untagged(value).map(drop),
        "listTagged" => build::read_tagged(value).map(drop),
        "listBuildRPMs" => rpm::read_list(value).map(drop),
        "listTaggedRPMS" => rpm::read_tagged(value).map(drop),
        "getRPM" => rpm::read_build(value).map(drop),
        "getRPMHeaders" => rpm::read_headers(value).map(drop),
        _ => return None,
    })
}

#[test]
fn golden_answers_make_sense_to_us() {
    for Recorded { place, call, answer } in calls() {
        let Ok(value) = &answer else { continue };
        if let Some(Err(odd)) = read(call.method(), &call, value) {
            panic!("{place}: {odd}");
        }
    }
}
