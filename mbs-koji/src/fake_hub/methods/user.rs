//! Users, permissions and content generators' users.

use super::{Args, Method, method};
use crate::fake_hub::config::PERMISSIONS;
use crate::fake_hub::context::{Context, nothing};
use crate::fake_hub::state::{Answer, User, id_of, known_id, refuse};
use crate::xmlrpc::{Struct, Value};

pub(super) const METHODS: &[Method] = &[
    method("getLoggedInUser", "RootExports.getLoggedInUser", "", logged_in),
    method("getUser", "get_user", "userInfo=None, strict=False, krb_princs=True, groups=False", get),
    method("createUser", "RootExports.createUser", "username, status=None, krb_principal=None", create),
    method("getPerms", "RootExports.getPerms", "", permissions),
    method("getUserPerms", "RootExports.getUserPerms", "userID=None, with_groups=True", user_permissions),
    method("hasPerm", "RootExports.hasPerm", "perm, strict=False", has_permission),
    method("getAllPerms", "RootExports.getAllPerms", "", all_permissions),
    method(
        "grantPermission",
        "RootExports.grantPermission",
        "userinfo, permission, create=False, description=None",
        grant,
    ),
    method("revokePermission", "RootExports.revokePermission", "userinfo, permission", revoke),
    method(
        "listUsers",
        "list_users",
        "userType=0, prefix=None, queryOpts=None, perm=None, inherited_perm=False",
        list,
    ),
];

fn logged_in(context: &mut Context<'_>, _: &Args) -> Answer {
    let session = context.session.and_then(|id| context.state.sessions.get(&id));
    let Some(session) = session else { return nothing() };
    let Some(mut row) = context.state.user_row(session.user) else { return nothing() };
    row.insert("authtype", session.authtype.into());
    let principals = row.member("krb_principals").and_then(Value::as_array);
    let principal = principals.and_then(<[Value]>::first).cloned().unwrap_or(Value::Nil);
    row.insert("krb_principal", principal);
    Ok(row.into())
}

fn get(context: &mut Context<'_>, args: &Args) -> Answer {
    let Some(info) = args.given("userInfo") else {
        let user = context.session.map(|_| context.user());
        return Ok(user.and_then(|user| context.state.user_row(user)).into());
    };
    let user = match args.flag("strict") {
        true => Some(context.state.user(info)?),
        false => context.state.find_user(info)?,
    };
    Ok(user.and_then(|user| context.state.user_row(user)).into())
}

fn create(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("admin")?;
    let name = args.text("username")?;
    if context.state.user_named(name).is_some() {
        return Err(refuse(format!("user already exists: {name}")));
    }
    let user = User { name: name.into(), ..User::default() };
    Ok(context.state.add_user(user).into())
}

fn permissions(context: &mut Context<'_>, _: &Args) -> Answer {
    let user = context.assert_login()?;
    Ok(context.state.permissions_of(user).iter().map(|name| &**name).collect())
}

fn user_permissions(context: &mut Context<'_>, args: &Args) -> Answer {
    let user = match args.given("userID") {
        Some(user) => context.state.user(user)?,
        None => context.assert_login()?,
    };
    Ok(context.state.permissions_of(user).iter().map(|name| &**name).collect())
}

fn has_permission(context: &mut Context<'_>, args: &Args) -> Answer {
    let permission = args.text("perm")?;
    if args.flag("strict") {
        known_id(&context.state.permissions, "permissions", args.value("perm"))?;
    }
    Ok(context.state.has_own_permission(context.user(), permission).into())
}

fn all_permissions(context: &mut Context<'_>, _: &Args) -> Answer {
    let description =
        |name: &str| PERMISSIONS.iter().find(|(known, _)| *known == name).and_then(|(_, text)| *text);
    let row = |(id, name): (i64, &std::sync::Arc<str>)| {
        Struct::from([
            ("id", Value::from(id)),
            ("name", Value::from(&**name)),
            ("description", description(name).into()),
        ])
    };
    Ok(context.state.permissions.iter().map(row).collect())
}

fn grant(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("admin")?;
    let user = context.state.user(args.value("userinfo"))?;
    let wanted = args.value("permission");
    let permission = match id_of(&context.state.permissions, wanted)? {
        Some(id) => id,
        None if args.flag("create") => context.state.permissions.ensure(args.text("permission")?),
        None => known_id(&context.state.permissions, "permissions", wanted)?,
    };
    if context.state.user_permissions.row(&(user, permission), None).is_some() {
        let (user, name) = (context.state.user_name(user), context.state.permissions.name(permission));
        return Err(refuse(format!("user {user} already has permission: {}", name.map_or("", |name| name))));
    }
    let stamp = context.state.stamp();
    context.state.user_permissions.put((user, permission), (), stamp);
    nothing()
}

fn revoke(context: &mut Context<'_>, args: &Args) -> Answer {
    context.assert_permission("admin")?;
    let user = context.state.user(args.value("userinfo"))?;
    let permission = known_id(&context.state.permissions, "permissions", args.value("permission"))?;
    let stamp = context.state.stamp();
    if !context.state.user_permissions.revoke(&(user, permission), stamp) {
        let (user, name) = (context.state.user_name(user), context.state.permissions.name(permission));
        return Err(refuse(format!(
            "user {user} does not have permission: {}",
            name.map_or("", |name| name)
        )));
    }
    nothing()
}

fn list(context: &mut Context<'_>, args: &Args) -> Answer {
    let kind = args.optional_int("userType")?;
    let prefix = args.optional_text("prefix")?;
    let users = context.state.users.iter().filter(|(_, user)| {
        kind.is_none_or(|kind| user.kind == kind) && prefix.is_none_or(|prefix| user.name.starts_with(prefix))
    });
    let rows = users.filter_map(|(id, _)| context.state.user_row(*id));
    super::query::rows(rows.collect(), args)
}
