//! External repositories.

use super::{Args, Method, method};
use crate::fake_hub::context::{Context, nothing};
use crate::fake_hub::state::{Answer, ExternalRepo, Id, id_of, known_id, refuse};
use crate::xmlrpc::{Struct, Value};

pub(super) const METHODS: &[Method] = &[
    method("createExternalRepo", "create_external_repo", "name, url", create),
    method("getExternalRepo", "get_external_repo", "info, strict=False, event=None", get),
    method(
        "addExternalRepoToTag",
        "RootExports.addExternalRepoToTag",
        "tag_info, repo_info, priority, merge_mode='koji', arches=None",
        add,
    ),
    method(
        "removeExternalRepoFromTag",
        "RootExports.removeExternalRepoFromTag",
        "tag_info, repo_info",
        remove,
    ),
    method(
        "getTagExternalRepos",
        "get_tag_external_repos",
        "tag_info=None, repo_info=None, event=None",
        of_tag,
    ),
    method("getExternalRepoList", "get_external_repo_list", "tag_info, event=None", list),
];

fn row(context: &Context<'_>, id: Id) -> Struct {
    let name = context.state.externals.name(id).map(|name| &**name);
    let url = context.state.external_urls.value(&id, None).map(|url| &**url);
    Struct::from([("id", Value::from(id)), ("name", name.into()), ("url", url.into())])
}

fn create(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("admin")?;
    let (name, url) = (args.text("name")?, args.text("url")?);
    let known = context.state.externals.id(name);
    if known.is_some_and(|id| context.state.external_urls.row(&id, None).is_some()) {
        return Err(refuse(format!("An external repo named \"{name}\" already exists")));
    }
    let stamp = context.state.stamp();
    let id = context.state.externals.ensure(name);
    context.state.external_urls.put(id, url.into(), stamp);
    Ok(row(context, id).into())
}

fn get(context: &mut Context<'_>, args: &Args) -> Answer {
    let info = args.value("info");
    let id = match args.flag("strict") {
        true => Some(known_id(&context.state.externals, "external_repo", info)?),
        false => id_of(&context.state.externals, info)?,
    };
    Ok(id.map(|id| row(context, id)).into())
}

fn both(context: &Context<'_>, args: &Args) -> Answer<(Id, Id)> {
    let tag = context.state.tag(args.value("tag_info"), None)?;
    Ok((tag, known_id(&context.state.externals, "external_repo", args.value("repo_info"))?))
}

fn add(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("tag")?;
    let key = both(context, args)?;
    if context.state.tag_externals.row(&key, None).is_some() {
        let repo = context.state.externals.name(key.1).cloned().unwrap_or_default();
        let tag = context.state.tag_name(key.0);
        return Err(refuse(format!("tag {tag} already associated with external repo {repo}")));
    }
    let settings = ExternalRepo {
        priority: args.int("priority")?,
        merge_mode: args.text("merge_mode")?.into(),
        arches: args.optional_text("arches")?.map(Into::into),
    };
    let stamp = context.state.stamp();
    context.state.tag_externals.put(key, settings, stamp);
    nothing()
}

fn remove(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("tag")?;
    let key = both(context, args)?;
    if context.state.tag_externals.row(&key, None).is_none() {
        let repo = context.state.externals.name(key.1).cloned().unwrap_or_default();
        let tag = context.state.tag_name(key.0);
        return Err(refuse(format!("external repo {repo} not associated with tag {tag}")));
    }
    let stamp = context.state.stamp();
    context.state.tag_externals.revoke(&key, stamp);
    nothing()
}

fn of_tag(context: &mut Context<'_>, args: &Args) -> Answer {
    let at = args.event()?;
    let state = &*context.state;
    let tags = match args.given("tag_info") {
        Some(tag) => vec![state.tag(tag, at)?],
        None => state.tags.iter().map(|(id, _)| id).collect(),
    };
    let only =
        args.given("repo_info").map(|repo| known_id(&state.externals, "external_repo", repo)).transpose()?;
    let rows = tags.into_iter().flat_map(|tag| state.external_rows(tag, at));
    let is_wanted =
        |row: &Struct| only.is_none_or(|only| row.member("external_repo_id") == Some(&only.into()));
    Ok(rows.filter(is_wanted).collect())
}

fn list(context: &mut Context<'_>, args: &Args) -> Answer {
    let at = args.event()?;
    let state = &*context.state;
    let tag = state.tag(args.value("tag_info"), at)?;
    let mut rows = state.external_rows(tag, at);
    for link in state.inherited(tag, at) {
        for row in state.external_rows(link.parent, at) {
            let id = row.member("external_repo_id");
            if rows.iter().all(|known| known.member("external_repo_id") != id) {
                rows.push(row);
            }
        }
    }
    Ok(rows.into_iter().collect())
}
