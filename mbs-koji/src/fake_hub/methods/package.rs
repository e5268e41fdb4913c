//! Package lists.

use super::{Args, Method, method};
use crate::fake_hub::context::{Context, not_allowed, nothing};
use crate::fake_hub::messages::PackageChange;
use crate::fake_hub::python;
use crate::fake_hub::state::{Answer, Id, Listed, id_of, known_id, refuse};
use crate::xmlrpc::Value;

pub(super) const METHODS: &[Method] = &[
    method(
        "listPackages",
        "RootExports.listPackages",
        "tagID=None, userID=None, pkgID=None, prefix=None, inherited=False, with_dups=False, event=None, queryOpts=None, with_owners=True, with_blocked=True",
        list,
    ),
    method(
        "packageListAdd",
        "pkglist_add",
        "taginfo, pkginfo, owner=None, block=None, extra_arches=None, force=False, update=False",
        add,
    ),
    method("packageListRemove", "pkglist_remove", "taginfo, pkginfo, force=False", remove),
    method("packageListBlock", "pkglist_block", "taginfo, pkginfo, force=False", block),
    method("packageListUnblock", "pkglist_unblock", "taginfo, pkginfo, force=False", unblock),
    method("packageListSetOwner", "pkglist_setowner", "taginfo, pkginfo, owner, force=False", set_owner),
    method("checkTagPackage", "RootExports.checkTagPackage", "tag, pkg", check),
    method("getPackageConfig", "RootExports.getPackageConfig", "tag, pkg, event=None", config),
    method("getPackageID", "RootExports.getPackageID", "name, strict=False", id),
    method("getPackage", "RootExports.getPackage", "info, strict=False, create=False", get),
];

fn list(context: &mut Context<'_>, args: &Args) -> Answer {
    let at = args.event()?;
    let state = &*context.state;
    let package = match args.given("pkgID") {
        Some(package) => match id_of(&state.packages, package)? {
            Some(id) => Some(id),
            None => return Ok(Value::Array(Vec::new())),
        },
        None => None,
    };
    let Some(tag) = args.given("tagID") else {
        let all = state.packages.iter().filter(|(id, _)| package.is_none_or(|wanted| wanted == *id));
        let row = |(id, name): (Id, &std::sync::Arc<str>)| {
            crate::xmlrpc::Struct::from([
                ("package_id", Value::from(id)),
                ("package_name", Value::from(&**name)),
            ])
        };
        return super::query::rows(all.map(row).collect(), args);
    };
    let tag = known_id(&state.tags, "tag", tag)?;
    let owner = args.given("userID").map(|user| state.user(user)).transpose()?;
    let prefix = args.optional_text("prefix")?.map(str::to_lowercase);
    let entries = match args.flag("inherited") {
        true => state.all_packages(tag, package, at),
        false => state.own_packages(tag, package, at),
    };
    let is_wanted = |entry: &_| {
        let entry: &crate::fake_hub::state::PackageEntry = entry;
        owner.is_none_or(|owner| entry.owner == owner)
            && prefix.as_ref().is_none_or(|prefix| state.package_name(entry.package).starts_with(prefix))
            && (args.flag("with_blocked") || !entry.listed.is_blocked)
    };
    let rows = entries.iter().filter(|entry| is_wanted(entry)).map(|entry| state.package_row(entry));
    super::query::rows(rows.collect(), args)
}

fn assert_policy(context: &Context<'_>) -> Answer<()> {
    match context.may("tag") {
        true => Ok(()),
        false => {
            Err(not_allowed("policy violation (package_list): Only admin/tag can do this via default policy"))
        }
    }
}

fn add(context: &mut Context<'_>, args: &Args) -> Answer {
    let wanted = Wanted {
        owner: args.given("owner").cloned(),
        block: args.optional_flag("block"),
        extra_arches: args.optional_text("extra_arches")?.map(Into::into),
        is_forced: args.flag("force"),
        is_update: args.flag("update"),
    };
    let action = match wanted.block {
        Some(true) => "block",
        _ if wanted.is_update => "update",
        _ => "add",
    };
    put(context, (args.value("taginfo"), args.value("pkginfo")), wanted, action)
}

struct Wanted {
    owner: Option<Value>,
    block: Option<bool>,
    extra_arches: Option<std::sync::Arc<str>>,
    is_forced: bool,
    is_update: bool,
}

fn put(context: &mut Context<'_>, (tag, package): (&Value, &Value), wanted: Wanted, action: &str) -> Answer {
    let tag = context.state.tag(tag, None)?;
    let owner = wanted.owner.as_ref().map(|owner| context.state.user(owner)).transpose()?;
    assert_policy(context)?;
    let package = match id_of(&context.state.packages, package)? {
        Some(id) => id,
        None => {
            let name = package.as_str();
            let name = name.ok_or_else(|| refuse(format!("Invalid package: {}", python::text(package))))?;
            context.state.packages.ensure(name)
        }
    };
    let names = (context.state.package_name(package), context.state.tag_name(tag));
    let change = PackageChange { owner, block: wanted.block, force: Some(wanted.is_forced) };
    let Some(previous) = context.state.package_entry(tag, package, None) else {
        if wanted.is_update && !wanted.is_forced {
            let text = format!("cannot update: tag {} has no data for package {}", names.1, names.0);
            return Err(refuse(text));
        }
        let owner = owner.ok_or_else(|| refuse("owner not specified"))?;
        let listed = Listed { is_blocked: wanted.block == Some(true), extra_arches: wanted.extra_arches };
        context.state.list_package(tag, package, owner, listed);
        let change = PackageChange { block: Some(wanted.block == Some(true)), ..change };
        context.state.tell_package(tag, package, action, &change);
        return nothing();
    };
    let listed = Listed {
        is_blocked: wanted.block.unwrap_or(previous.listed.is_blocked),
        extra_arches: wanted.extra_arches.or_else(|| previous.listed.extra_arches.clone()),
    };
    let owner = owner.unwrap_or(previous.owner);
    let is_changed = listed != previous.listed;
    if !is_changed && owner == previous.owner && !wanted.is_forced {
        return nothing();
    }
    if previous.listed.is_blocked && !listed.is_blocked && !wanted.is_forced {
        return Err(refuse(format!("package {} is blocked in tag {}", names.0, names.1)));
    }
    let is_blocked = listed.is_blocked;
    if is_changed || wanted.is_forced || previous.tag != tag {
        context.state.list_package(tag, package, owner, listed);
    } else {
        context.state.own_package(tag, package, owner);
    }
    let change = PackageChange { owner: Some(owner), block: Some(is_blocked), ..change };
    context.state.tell_package(tag, package, action, &change);
    nothing()
}

fn remove(context: &mut Context<'_>, args: &Args) -> Answer {
    let (tag, package) = both(context, args)?;
    assert_policy(context)?;
    context.state.unlist_package(tag, package);
    context.state.tell_package(tag, package, "remove", &PackageChange::default());
    nothing()
}

fn both(context: &Context<'_>, args: &Args) -> Answer<(Id, Id)> {
    let tag = context.state.tag(args.value("taginfo"), None)?;
    Ok((tag, known_id(&context.state.packages, "package", args.value("pkginfo"))?))
}

fn block(context: &mut Context<'_>, args: &Args) -> Answer {
    let (tag, package) = both(context, args)?;
    if context.state.package_entry(tag, package, None).is_none() {
        let (package, tag) = (context.state.package_name(package), context.state.tag_name(tag));
        return Err(refuse(format!("Package {package} is not in tag listing for {tag}")));
    }
    let is_forced = args.flag("force");
    let wanted = Wanted { owner: None, block: Some(true), extra_arches: None, is_forced, is_update: false };
    put(context, (args.value("taginfo"), args.value("pkginfo")), wanted, "block")
}

fn unblock(context: &mut Context<'_>, args: &Args) -> Answer {
    let (tag, package) = both(context, args)?;
    assert_policy(context)?;
    let names = (context.state.package_name(package), context.state.tag_name(tag));
    let Some(previous) = context.state.package_entry(tag, package, None) else {
        let text = format!("no data (blocked or otherwise) for package {} in tag {}", names.0, names.1);
        return Err(refuse(text));
    };
    if !previous.listed.is_blocked {
        return Err(refuse(format!("package {} NOT blocked in tag {}", names.0, names.1)));
    }
    if previous.tag == tag {
        context.state.unlist_package(tag, package);
    }
    // An entry is there again only if an inherited one shows through that is not blocked.
    let shows = context.state.package_entry(tag, package, None);
    if shows.is_none_or(|entry| entry.listed.is_blocked) {
        let listed = Listed { is_blocked: false, ..previous.listed };
        context.state.list_package(tag, package, previous.owner, listed);
    }
    context.state.tell_package(tag, package, "unblock", &PackageChange::default());
    nothing()
}

fn set_owner(context: &mut Context<'_>, args: &Args) -> Answer {
    let wanted = Wanted {
        owner: Some(args.value("owner").clone()),
        block: None,
        extra_arches: None,
        is_forced: args.flag("force"),
        is_update: true,
    };
    put(context, (args.value("taginfo"), args.value("pkginfo")), wanted, "update")
}

fn check(context: &mut Context<'_>, args: &Args) -> Answer {
    let tag = context.state.tag(args.value("tag"), None)?;
    let Some(package) = id_of(&context.state.packages, args.value("pkg"))? else {
        return Ok(false.into());
    };
    let entry = context.state.package_entry(tag, package, None);
    Ok(entry.is_some_and(|entry| !entry.listed.is_blocked).into())
}

fn config(context: &mut Context<'_>, args: &Args) -> Answer {
    let at = args.event()?;
    let state = &*context.state;
    let tag = state.tag(args.value("tag"), at)?;
    let Some(package) = id_of(&state.packages, args.value("pkg"))? else { return nothing() };
    Ok(state.package_entry(tag, package, at).map(|entry| state.package_row(&entry)).into())
}

fn id(context: &mut Context<'_>, args: &Args) -> Answer {
    find(context, args.value("name"), args.flag("strict")).map(Into::into)
}

fn find(context: &Context<'_>, package: &Value, is_strict: bool) -> Answer<Option<Id>> {
    match is_strict {
        true => known_id(&context.state.packages, "package", package).map(Some),
        false => id_of(&context.state.packages, package),
    }
}

fn get(context: &mut Context<'_>, args: &Args) -> Answer {
    let package = find(context, args.value("info"), args.flag("strict"))?;
    let row = |id| {
        let name = context.state.package_name(id);
        crate::xmlrpc::Struct::from([("id", Value::from(id)), ("name", Value::from(&*name))])
    };
    Ok(package.map(row).into())
}
