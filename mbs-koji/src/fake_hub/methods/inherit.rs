//! Inheritance of tags.

use super::{Args, Method, method};
use crate::fake_hub::context::{Context, nothing};
use crate::fake_hub::python::{self, is_true};
use crate::fake_hub::state::{Answer, Id, Link, Walked, known_id, refuse};
use crate::xmlrpc::Value;

pub(super) const METHODS: &[Method] = &[
    method("getInheritanceData", "RootExports.getInheritanceData", "tag, event=None", data),
    method("setInheritanceData", "RootExports.setInheritanceData", "tag, data, clear=False", set_data),
    method("getFullInheritance", "RootExports.getFullInheritance", "tag, event=None, reverse=False", full),
];

/// Returns the tag; a number is taken as it stands.
fn tag(context: &Context<'_>, args: &Args) -> Answer<Id> {
    match args.value("tag") {
        Value::Int(id) => Ok(*id),
        name => known_id(&context.state.tags, "tag", name),
    }
}

fn data(context: &mut Context<'_>, args: &Args) -> Answer {
    let at = args.event()?;
    let state = &*context.state;
    let tag = tag(context, args)?;
    let row = |(parent, link): (Id, Link)| link.row(tag, (parent, &state.tag_name(parent)));
    Ok(state.links(tag, at).into_iter().map(row).collect())
}

fn full(context: &mut Context<'_>, args: &Args) -> Answer {
    let at = args.event()?;
    let state = &*context.state;
    let tag = tag(context, args)?;
    let is_reverse = args.flag("reverse");
    let links = if is_reverse { state.inheriting(tag, at) } else { state.inherited(tag, at) };
    let row = |walked: Walked| {
        let shown = if is_reverse { walked.child } else { walked.parent };
        let mut row = walked.link.row(walked.child, (walked.parent, &state.tag_name(shown)));
        if is_reverse {
            row.remove("child_id");
            row.insert("tag_id", walked.child.into());
        }
        row.insert("currdepth", walked.currdepth.into());
        row.insert("nextdepth", walked.nextdepth.into());
        row.insert("filter", walked.filter.iter().map(|pattern| &**pattern).collect());
        row
    };
    Ok(links.into_iter().map(row).collect())
}

fn set_data(context: &mut Context<'_>, args: &Args) -> Answer {
    let tag = tag(context, args)?;
    context.assert_permission("tag")?;
    let rows = match args.value("data") {
        Value::Array(rows) => rows.clone(),
        single @ Value::Struct(_) => vec![single.clone()],
        other => return Err(super::wrong_type(other, "<class 'list'>")),
    };
    let former = context.state.links(tag, None);
    let mut links = if args.flag("clear") { Vec::new() } else { former.clone() };
    for row in &rows {
        change(context, &mut links, row)?;
    }
    check_priorities(&links)?;
    if links == former {
        return nothing();
    }
    let stamp = context.state.stamp();
    for (parent, _) in former.iter().filter(|(parent, _)| links.iter().all(|(kept, _)| kept != parent)) {
        context.state.inheritance.revoke(&(tag, *parent), stamp);
    }
    for (parent, link) in links {
        if context.state.inheritance.value(&(tag, parent), None) != Some(&link) {
            context.state.inheritance.put((tag, parent), link, stamp);
        }
    }
    nothing()
}

/// What a row has to say, unless it removes a link.
const FIELDS: [&str; 6] = ["parent_id", "priority", "maxdepth", "intransitive", "noconfig", "pkg_filter"];

fn change(context: &Context<'_>, links: &mut Vec<(Id, Link)>, row: &Value) -> Answer<()> {
    let is_removal = row.member("delete link").is_some_and(is_true);
    let needed = if is_removal { &FIELDS[..1] } else { &FIELDS[..] };
    if let Some(missing) = needed.iter().find(|name| row.member(name).is_none()) {
        return Err(refuse(format!("No value for {missing}")));
    }
    let parent = row.member("parent_id").unwrap_or(&Value::Nil);
    let no_tag = || refuse(format!("No such tagInfo: {}", python::repr(parent)));
    let parent = context.state.find_tag(parent, None)?.ok_or_else(no_tag)?;
    let place = links.iter().position(|(known, _)| *known == parent);
    if is_removal {
        place.map(|place| links.remove(place));
        return Ok(());
    }
    let flag = |name| row.member(name).is_some_and(is_true);
    let link = Link {
        priority: row.member("priority").and_then(Value::as_int).unwrap_or_default(),
        maxdepth: row.member("maxdepth").and_then(Value::as_int),
        intransitive: flag("intransitive"),
        noconfig: flag("noconfig"),
        pkg_filter: row.member("pkg_filter").and_then(Value::as_str).unwrap_or_default().into(),
    };
    match place {
        Some(place) => links[place].1 = link,
        None => links.push((parent, link)),
    }
    Ok(())
}

fn check_priorities(links: &[(Id, Link)]) -> Answer<()> {
    for (at, (_, link)) in links.iter().enumerate() {
        let same = |(_, other): &&(Id, Link)| other.priority == link.priority;
        if links[..at].iter().any(|other| same(&other)) {
            let parents: Vec<String> =
                links.iter().filter(same).map(|(parent, _)| parent.to_string()).collect();
            let (priority, parents) = (link.priority, parents.join(", "));
            return Err(refuse(format!(
                "Inheritance priorities must be unique (pri {priority}: [{parents}] )"
            )));
        }
    }
    Ok(())
}
