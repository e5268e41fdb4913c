//! What is said about the hub itself: its version, events, history, and methods; and calls that wrap others.

use std::collections::BTreeMap;

use super::{Args, METHODS as ALL, Method, method, run};
use crate::fake_hub::context::Context;
use crate::fake_hub::python;
use crate::fake_hub::state::{Answer, HistoryQuery, Names, TABLES, known_id, refuse};
use crate::xmlrpc::{Call, Struct, Value};

pub(super) const METHODS: &[Method] = &[
    method("echo", "RootExports.echo", "*args", |_, args| Ok(Value::Array(args.more.clone()))),
    method("hello", "RootExports.hello", "*args", |_, _| Ok("Hello World".into())),
    method("getAPIVersion", "RootExports.getAPIVersion", "", |_, _| Ok(1.into())),
    method("getKojiVersion", "RootExports.getKojiVersion", "", |context, _| {
        Ok(Value::from(&context.config.setup.version))
    }),
    method("mavenEnabled", "RootExports.mavenEnabled", "", |_, _| Ok(false.into())),
    method("winEnabled", "RootExports.winEnabled", "", |_, _| Ok(false.into())),
    method("getLastEvent", "RootExports.getLastEvent", "before=None, strict=True", last_event),
    method("getEvent", "RootExports.getEvent", "id", event),
    method("queryHistory", "query_history", "tables=None, **kwargs", history),
    method("_listapi", "ModXMLRPCRequestHandler.list_api", "", list_api),
    method("system.listMethods", "ModXMLRPCRequestHandler.system_listMethods", "", list_methods),
    method("system.methodHelp", "ModXMLRPCRequestHandler.system_methodHelp", "method", help),
    method("search", "search", "terms, type, matchType, queryOpts=None", search),
    method("filterResults", "RootExports.filterResults", "methodName, *args, **kw", filter),
    method(
        "countAndFilterResults",
        "RootExports.countAndFilterResults",
        "methodName, *args, **kw",
        count_and_filter,
    ),
    method(
        "listHosts",
        "RootExports.listHosts",
        "arches=None, channel=None, ready=None, enabled=None, userID=None, queryOpts=None",
        hosts,
    ),
    method("getHost", "get_host", "hostInfo, strict=False, event=None", host),
    method("getChannel", "get_channel", "channelInfo, strict=False", channel),
];

fn event_row(context: &Context<'_>, id: i64) -> Struct {
    let at = context.state.event_time(id).map(crate::fake_hub::time::Moment::seconds);
    Struct::from([("id", Value::from(id)), ("ts", at.into())])
}

fn last_event(context: &mut Context<'_>, _: &Args) -> Answer {
    Ok(event_row(context, context.state.last_event().0).into())
}

fn event(context: &mut Context<'_>, args: &Args) -> Answer {
    let id = args.int("id")?;
    if !context.state.has_event(id) {
        return Err(refuse("query returned no rows"));
    }
    Ok(event_row(context, id).into())
}

fn history(context: &mut Context<'_>, args: &Args) -> Answer {
    let state = &*context.state;
    let given = |name: &str| args.keywords.member(name).filter(|value| !value.is_nil());
    let number = |name: &str| given(name).and_then(Value::as_int);
    let query = HistoryQuery {
        tag: given("tag").map(|tag| known_id(&state.tags, "tag", tag)).transpose()?,
        build: given("build").map(|build| state.build(build)).transpose()?,
        package: given("package").map(|package| known_id(&state.packages, "package", package)).transpose()?,
        user: given("user").map(|user| state.user(user)).transpose()?,
        is_active: given("active").map(python::is_true),
        after_event: number("afterEvent"),
        before_event: number("beforeEvent"),
    };
    let tables: Vec<String> = match args.value("tables") {
        Value::Array(tables) => tables.iter().map(python::text).collect(),
        Value::String(table) => vec![table.to_string()],
        _ => TABLES.iter().map(|table| (*table).to_owned()).collect(),
    };
    let mut found = Struct::default();
    for table in tables {
        let rows = state.history(&table, &query).ok_or_else(|| refuse(format!("Unknown table: {table}")))?;
        found.insert(table, rows.into_iter().collect());
    }
    Ok(found.into())
}

fn list_api(context: &mut Context<'_>, _: &Args) -> Answer {
    let known = ALL.values().filter(|known| context.config.offers(known.method.name));
    let row = |known: &super::Known| {
        let argument = |(name, default): &(&'static str, Option<Value>)| match default {
            None => Value::from(*name),
            Some(default) => Value::Array(vec![Value::from(*name), default.clone()]),
        };
        let args: Value = known.signature.parameters.iter().map(argument).collect();
        Struct::from([
            ("name", Value::from(known.method.name)),
            ("argspec", Value::Nil),
            ("argdesc", format!("({})", known.method.parameters).into()),
            ("args", args),
            ("doc", Value::Nil),
        ])
    };
    Ok(known.map(row).collect())
}

fn list_methods(context: &mut Context<'_>, _: &Args) -> Answer {
    Ok(ALL.keys().filter(|name| context.config.offers(name)).copied().collect())
}

fn help(context: &mut Context<'_>, args: &Args) -> Answer {
    let name = args.text("method")?;
    let known = ALL.get(name).filter(|_| context.config.offers(name));
    let known = known.ok_or_else(|| refuse(format!("Invalid method: {name}")))?;
    Ok(format!("{name}({})", known.method.parameters).into())
}

/// Says whether a text matches a pattern of the shell's kind: `*` is any text, `?` any letter.
pub(super) fn matches_glob(pattern: &str, text: &str) -> bool {
    let mut expression = String::from("^(?s:");
    for c in pattern.chars() {
        match c {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            c => expression.push_str(&regex_lite::escape(&c.to_string())),
        }
    }
    expression.push_str(")$");
    regex_lite::Regex::new(&expression).is_ok_and(|regex| regex.is_match(text))
}

fn search(context: &mut Context<'_>, args: &Args) -> Answer {
    let (terms, kind, how) = (args.text("terms")?, args.text("type")?, args.text("matchType")?);
    let regex = match how {
        "regexp" => {
            Some(regex_lite::Regex::new(terms).map_err(|_| refuse(format!("Invalid regexp: {terms}")))?)
        }
        "glob" | "exact" => None,
        _ => return Err(refuse(format!("unsupported match type: {how}"))),
    };
    let fits = |name: &str| match (how, &regex) {
        ("exact", _) => name == terms,
        (_, Some(regex)) => regex.is_match(name),
        _ => matches_glob(terms, name),
    };
    let state = &*context.state;
    let of = |names: &Names| -> Vec<(i64, String)> {
        names.iter().map(|(id, name)| (id, name.to_string())).collect()
    };
    let all = match kind {
        "package" => of(&state.packages),
        "tag" => of(&state.tags),
        "target" => of(&state.targets),
        "build" => state.builds.values().map(|build| (build.id, build.nvr())).collect(),
        "user" => state.users.iter().map(|(id, user)| (*id, user.name.to_string())).collect(),
        _ => return Err(refuse(format!("No such search type: {kind}"))),
    };
    let found = all.into_iter().filter(|(_, name)| fits(name));
    let rows = found.map(|(id, name)| Struct::from([("id", Value::from(id)), ("name", name.into())]));
    super::query::rows(rows.collect(), args)
}

fn inner(context: &mut Context<'_>, args: &Args) -> Answer<(Value, Value)> {
    let mut keywords = args.keywords.clone();
    let options = keywords.remove("filterOpts").unwrap_or(Value::Nil);
    let mut call = Call::new(args.text("methodName")?);
    for argument in &args.more {
        call = call.arg(argument.clone());
    }
    for (name, value) in keywords.iter() {
        call = call.keyword(name, value.clone());
    }
    Ok((run(context, &call)?, options))
}

fn filtered(context: &mut Context<'_>, args: &Args) -> Answer<(usize, Value)> {
    let (result, options) = inner(context, args)?;
    let Value::Array(values) = result else {
        return Err(refuse("Invalid type returned"));
    };
    let count = values.len();
    let rows: Option<Vec<Struct>> = values.iter().map(|value| value.as_struct().cloned()).collect();
    match rows {
        Some(rows) => Ok((count, super::query::apply(rows, &options)?)),
        None => Ok((count, super::query::cut(values, &options).into())),
    }
}

fn filter(context: &mut Context<'_>, args: &Args) -> Answer {
    filtered(context, args).map(|(_, values)| values)
}

fn count_and_filter(context: &mut Context<'_>, args: &Args) -> Answer {
    let (count, values) = filtered(context, args)?;
    Ok(Value::Array(vec![super::query::count(count), values]))
}

fn hosts(context: &mut Context<'_>, args: &Args) -> Answer {
    super::query::rows(context.state.hosts.values().cloned().collect(), args)
}

fn kept(rows: &BTreeMap<i64, Struct>, info: &Value, (name, is_strict): (&str, bool)) -> Answer {
    let is_meant = |row: &&Struct| [row.member("id"), row.member("name")].contains(&Some(info));
    let found = rows.values().find(is_meant).cloned();
    if found.is_none() && is_strict {
        return Err(refuse(format!("Invalid {name}: {}", python::text(info))));
    }
    Ok(found.into())
}

fn host(context: &mut Context<'_>, args: &Args) -> Answer {
    kept(&context.state.hosts, args.value("hostInfo"), ("hostInfo", args.flag("strict")))
}

fn channel(context: &mut Context<'_>, args: &Args) -> Answer {
    kept(&context.state.channels, args.value("channelInfo"), ("channelInfo", args.flag("strict")))
}
