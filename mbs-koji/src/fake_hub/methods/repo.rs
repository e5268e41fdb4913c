//! Repositories.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Args, Method, method, query};
use crate::fake_hub::context::{Context, nothing};
use crate::fake_hub::python::{self, is_true};
use crate::fake_hub::state::{Answer, Id, NewTask, Repo, RepoRequest, known_id, refuse, repo_state};
use crate::xmlrpc::{Call, Struct, Value};

pub(super) const METHODS: &[Method] = &[
    method(
        "newRepo",
        "RootExports.newRepo",
        "tag, event=None, src=False, debuginfo=False, separate_src=False",
        new_repo,
    ),
    method("getRepo", "RootExports.getRepo", "tag, state=None, event=None, dist=False, min_event=None", get),
    method("repoInfo", "repo_info", "repo_id, strict=False", info),
    method("repoExpire", "RootExports.repoExpire", "repo_id", expire),
    method("repoDelete", "RootExports.repoDelete", "repo_id", delete),
    method("repoProblem", "RootExports.repoProblem", "repo_id", problem),
    method("repo.get", "RepoExports.get", "tag, min_event=None, at_event=None, opts=None", get_matching),
    method(
        "repo.request",
        "RepoExports.request",
        "tag, min_event=None, at_event=None, opts=None, priority=None, force=False",
        request,
    ),
    method("repo.checkRequest", "RepoExports.checkRequest", "req_id", check_request),
    method("repo.queryQueue", "RepoExports.queryQueue", "clauses=None, fields=None, opts=None", query_queue),
];

type Options = BTreeMap<Arc<str>, Value>;

fn new_repo(context: &mut Context<'_>, args: &Args) -> Answer {
    if !context.may("repo") {
        context.assert_permission("regen-repo")?;
    }
    let at = args.event()?;
    let tag = context.state.tag(args.value("tag"), at)?;
    let name = context.state.tag_name(tag);
    let mut call = Call::new("newRepo").arg(&*name);
    for option in ["src", "debuginfo", "separate_src"].into_iter().filter(|option| args.flag(option)) {
        call = call.keyword(option, true);
    }
    if let Some(event) = at {
        call = call.keyword("event", event);
    }
    let request = call.params();
    let task =
        NewTask { method: "newRepo", request, priority: Some(15), channel: Some(2), ..NewTask::default() };
    Ok(context.state.make_task(task).into())
}

fn row(context: &Context<'_>, id: Option<Id>) -> Answer {
    Ok(id.and_then(|id| context.state.repo_row(id, context.config.is_recent())).into())
}

fn get(context: &mut Context<'_>, args: &Args) -> Answer {
    let tag = known_id(&context.state.tags, "tag", args.value("tag"))?;
    let state = args.optional_int("state")?.unwrap_or(repo_state::READY);
    let (at, min_event) = (args.event()?, args.optional_int("min_event")?);
    let fits = |repo: &Repo| {
        at.is_none_or(|event| repo.event <= event) && min_event.is_none_or(|event| repo.event >= event)
    };
    row(context, context.state.newest_repo(tag, state, fits))
}

fn info(context: &mut Context<'_>, args: &Args) -> Answer {
    let id = args.int("repo_id")?;
    if args.flag("strict") && !context.state.repos.contains_key(&id) {
        return Err(refuse("query returned no rows"));
    }
    row(context, Some(id))
}

fn set_state(context: &mut Context<'_>, args: &Args, state: i64) -> Answer {
    context.assert_permission("repo")?;
    let id = args.int("repo_id")?;
    if !context.state.repos.contains_key(&id) {
        return Err(refuse("query returned no rows"));
    }
    context.state.set_repo_state(id, state);
    nothing()
}

fn expire(context: &mut Context<'_>, args: &Args) -> Answer {
    set_state(context, args, repo_state::EXPIRED)
}

fn delete(context: &mut Context<'_>, args: &Args) -> Answer {
    set_state(context, args, repo_state::DELETED)
}

fn problem(context: &mut Context<'_>, args: &Args) -> Answer {
    set_state(context, args, repo_state::PROBLEM)
}

/// What a repository has to be like.
struct Wish {
    tag: Id,
    min_event: Option<Id>,
    at_event: Option<Id>,
    options: Options,
}

fn wish(context: &Context<'_>, args: &Args) -> Answer<Wish> {
    let tag = context.state.tag(args.value("tag"), None)?;
    let min_event = match args.value("min_event") {
        Value::Nil => None,
        Value::Int(event) => Some(*event),
        Value::String(word) if &**word == "last" => context.state.last_tag_change(tag),
        other => return Err(refuse(format!("Invalid event: {}", python::text(other)))),
    };
    let at_event = args.optional_int("at_event")?;
    if min_event.is_some() && at_event.is_some() {
        return Err(refuse("The min_event and at_event options conflict"));
    }
    let options = args.value("opts").as_struct().cloned().unwrap_or_default();
    let options = options.into_iter().filter(|(_, value)| is_true(value)).collect();
    Ok(Wish { tag, min_event, at_event, options })
}

impl Wish {
    fn fits(&self, repo: &Repo) -> bool {
        self.options == repo.options
            && self.min_event.is_none_or(|event| repo.event >= event)
            && self.at_event.is_none_or(|event| repo.event == event)
    }

    fn found(&self, context: &Context<'_>) -> Option<Id> {
        context.state.newest_repo(self.tag, repo_state::READY, |repo| self.fits(repo))
    }
}

fn get_matching(context: &mut Context<'_>, args: &Args) -> Answer {
    let wish = wish(context, args)?;
    let found = wish.found(context);
    row(context, found)
}

fn outcome(context: &Context<'_>, (repo, request): (Option<Id>, Option<Id>)) -> Answer<Struct> {
    let request = request.and_then(|id| context.state.request_row(id));
    Ok(Struct::from([("repo", row(context, repo)?), ("request", request.into())]))
}

fn request(context: &mut Context<'_>, args: &Args) -> Answer {
    let owner = context.assert_login()?;
    let wish = wish(context, args)?;
    let found = wish.found(context).filter(|_| !args.flag("force"));
    let mut is_duplicate = false;
    let mut request = None;
    if found.is_none() {
        let same = context.state.repo_requests.iter().find(|(_, known)| {
            known.is_active
                && known.tag == wish.tag
                && known.options == wish.options
                && known.at_event == wish.at_event
                && known.min_event >= wish.min_event
        });
        is_duplicate = same.is_some();
        request = Some(match same.map(|(id, _)| *id) {
            Some(id) => id,
            None => begin_request(context, wish, owner, args.optional_int("priority")?),
        });
    }
    let mut answer = outcome(context, (found, request))?;
    answer.insert("duplicate", is_duplicate.into());
    Ok(answer.into())
}

fn begin_request(context: &mut Context<'_>, wish: Wish, owner: Id, priority: Option<i64>) -> Id {
    context.state.touch();
    let id = context.state.next_id(&context.state.repo_requests);
    let min_event = match (wish.min_event, wish.at_event) {
        (None, None) => context.state.last_tag_change(wish.tag),
        (min_event, _) => min_event,
    };
    let request = RepoRequest {
        tag: wish.tag,
        owner,
        priority: 20 + priority.unwrap_or(0),
        is_active: true,
        min_event,
        at_event: wish.at_event,
        options: wish.options,
        task: None,
        repo: None,
        tries: 0,
        created: context.state.now,
        updated: context.state.now,
    };
    Arc::make_mut(&mut context.state.repo_requests).insert(id, request);
    id
}

fn check_request(context: &mut Context<'_>, args: &Args) -> Answer {
    let id = args.int("req_id")?;
    let request = context.state.repo_requests.get(&id).ok_or_else(|| refuse("No such request"))?;
    Ok(outcome(context, (request.repo, Some(id)))?.into())
}

fn query_queue(context: &mut Context<'_>, args: &Args) -> Answer {
    let ids: Vec<Id> = context.state.repo_requests.keys().copied().collect();
    let mut rows = Vec::new();
    for row in ids.into_iter().filter_map(|id| context.state.request_row(id)) {
        let mut holds =
            args.value("clauses").as_array().unwrap_or_default().iter().map(|one| clause(&row, one));
        if holds.try_fold(true, |all, one| one.map(|one| all && one))? {
            rows.push(chosen(&row, args.value("fields"))?);
        }
    }
    query::apply(rows, args.value("opts"))
}

fn member<'r>(row: &'r Struct, field: &Value) -> Answer<&'r Value> {
    let known = field.as_str().and_then(|name| row.member(name));
    known.ok_or_else(|| refuse(format!("Invalid field for query {}", python::text(field))))
}

/// Says whether a row fulfils a clause: a field, an operator, a value. Nil fulfils none, as in a database.
fn clause(row: &Struct, clause: &Value) -> Answer<bool> {
    let [field, operator, wanted] = clause.as_array().unwrap_or_default() else {
        return Err(refuse(format!("Invalid clause: {}", python::text(clause))));
    };
    let value = member(row, field)?;
    let numbers = value.as_int().zip(wanted.as_int());
    match operator.as_str() {
        Some("=") => Ok(!value.is_nil() && value == wanted),
        Some(">=") => Ok(numbers.is_some_and(|(value, wanted)| value >= wanted)),
        _ => Err(refuse(format!("Invalid operator: {}", python::text(operator)))),
    }
}

/// Returns the members of a row that were asked for.
fn chosen(row: &Struct, fields: &Value) -> Answer<Struct> {
    let Some(fields) = fields.as_array() else { return Ok(row.clone()) };
    let named =
        |field: &Value| Ok((Arc::from(field.as_str().unwrap_or_default()), member(row, field)?.clone()));
    fields.iter().map(named).collect()
}
