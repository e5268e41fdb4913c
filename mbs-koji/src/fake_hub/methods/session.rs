//! Logins and sessions.

use super::{Args, Method, method};
use crate::fake_hub::context::{Client, Context, nothing};
use crate::fake_hub::state::{Answer, Id, User, authtype, refuse};
use crate::xmlrpc::{Fault, FaultCode, Value};

pub(super) const METHODS: &[Method] = &[
    method("login", "login", "*args, **opts", login),
    method("sslLogin", "sslLogin", "*args, **opts", ssl_login),
    method("logout", "logout", "session_id=None", logout),
    method("logoutChild", "logoutChild", "session_id", logout_child),
    method("subsession", "subsession", "", subsession),
    method("exclusiveSession", "exclusiveSession", "*args, **opts", exclusive),
    method("sharedSession", "sharedSession", "", shared),
    method("showSession", "RootExports.showSession", "", show),
];

fn auth(text: impl Into<String>) -> Fault {
    Fault::new(FaultCode::AuthError, text)
}

fn login(context: &mut Context<'_>, args: &Args) -> Answer {
    let is_renewal = is_true(args, "renew");
    if context.session.is_some() && !is_renewal {
        return Err(auth("Already logged in"));
    }
    let bad = || auth("invalid username or password");
    let text = |at: usize| args.more.get(at).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (Some(name), Some(password)) = (text(0), text(1)) else { return Err(bad()) };
    let user = context.state.users.iter().find(|(_, user)| *user.name == *name);
    let user = user.filter(|(_, user)| user.password.as_deref() == Some(password));
    let user = *user.ok_or_else(bad)?.0;
    enter(context, (user, authtype::PASSWORD), args)
}

fn is_true(args: &Args, name: &str) -> bool {
    args.keywords.member(name).is_some_and(crate::fake_hub::python::is_true)
}

/// Opens a session of a user that has proved who it is, or renews the one it came with.
fn enter(context: &mut Context<'_>, (user, authtype): (Id, i64), args: &Args) -> Answer {
    if context.state.users.get(&user).is_some_and(|user| user.is_blocked) {
        return Err(auth(format!("logins by {} are not allowed", context.state.user_name(user))));
    }
    let secret = context.secret();
    let answer = match context.session.filter(|_| is_true(args, "renew")) {
        Some(session) => {
            let answer = context.state.renew_session(session, &secret);
            let is_exclusive = is_true(args, "exclusive");
            if is_exclusive {
                context.state.set_exclusive(session, true);
            }
            answer
        }
        None => context.state.open_session(user, authtype, None, &secret),
    };
    Ok(without_hint(context, answer))
}

/// Leaves out what hubs before 1.30 do not say.
fn without_hint(context: &Context<'_>, answer: Value) -> Value {
    match answer {
        Value::Struct(mut members) if !context.config.has_header_sessions() => {
            members.remove("header-auth");
            members.into()
        }
        other => other,
    }
}

fn ssl_login(context: &mut Context<'_>, args: &Args) -> Answer {
    if context.session.is_some() && !is_true(args, "renew") {
        return Err(auth("Already logged in"));
    }
    let (mut name, proof, authtype) = identity(&context.client)?;
    let proxy = args.keywords.member("proxyuser").or(args.more.first()).and_then(Value::as_str);
    if let Some(proxy) = proxy.filter(|proxy| !proxy.is_empty()) {
        let setup = &context.config.setup;
        let allowed = if authtype == authtype::SSL { &setup.proxy_subjects } else { &setup.proxy_principals };
        if !allowed.contains(&proof) {
            return Err(auth(format!("{proof} is not authorized to login other users")));
        }
        name = proxy.to_owned();
    }
    let user = match context.state.user_named(&name) {
        Some(user) => user,
        None if context.config.setup.creates_users => {
            let plain = name.split('@').next().unwrap_or(&name);
            context.state.add_user(User { name: plain.into(), ..User::default() })
        }
        None => return Err(auth(format!("Unknown user: {name}"))),
    };
    enter(context, (user, authtype), args)
}

/// Returns the user's name, what proves it, and the way it logs in.
fn identity(client: &Client) -> Answer<(String, String, i64)> {
    if let Some(principal) = &client.principal {
        return Ok((principal.clone(), principal.clone(), authtype::GSSAPI));
    }
    if client.verified.as_deref() != Some("SUCCESS") {
        let verified = client.verified.as_deref().unwrap_or("None");
        return Err(auth(format!("could not verify client: {verified}")));
    }
    let subject = client.subject.clone().unwrap_or_default();
    let name = subject.split(',').find_map(|part| part.trim().strip_prefix("CN=")).map(str::to_owned);
    let unnamed = || auth("unable to get user information (CN) from client certificate");
    Ok((name.ok_or_else(unnamed)?, subject, authtype::SSL))
}

fn own(context: &Context<'_>) -> Answer<Id> {
    context.session.ok_or_else(|| auth("Not logged in"))
}

fn logout(context: &mut Context<'_>, args: &Args) -> Answer {
    let own = own(context)?;
    match args.optional_int("session_id")? {
        Some(other) if other != own => {
            let user = context.state.sessions.get(&other).map(|session| session.user);
            if user != Some(context.user()) && !context.may("admin") {
                return Err(Fault::new(
                    FaultCode::ActionNotAllowed,
                    "only admins or owner may logout other session",
                ));
            }
            context.state.close_session(other);
        }
        _ => context.state.close_session(own),
    }
    nothing()
}

fn logout_child(context: &mut Context<'_>, args: &Args) -> Answer {
    let (own, child) = (own(context)?, args.int("session_id")?);
    if context.state.sessions.get(&child).is_none_or(|session| session.master != Some(own)) {
        return Err(auth(format!("session {child} is no child of session {own}")));
    }
    context.state.close_session(child);
    nothing()
}

fn subsession(context: &mut Context<'_>, _: &Args) -> Answer {
    let own = own(context)?;
    let Some(session) = context.state.sessions.get(&own) else { return nothing() };
    let (user, authtype, master) = (session.user, session.authtype, session.master.unwrap_or(own));
    let secret = context.secret();
    let answer = context.state.open_session(user, authtype, Some(master), &secret);
    Ok(without_hint(context, answer))
}

fn exclusive(context: &mut Context<'_>, args: &Args) -> Answer {
    let own = own(context)?;
    let session = context.state.sessions.get(&own);
    if session.is_some_and(|session| session.master.is_some()) {
        return Err(refuse("subsessions cannot become exclusive"));
    }
    match context.state.exclusive_session(context.user()) {
        Some(holder) if holder == own => {}
        Some(_) if !is_true(args, "force") => {
            return Err(Fault::new(FaultCode::AuthLockError, "Cannot get exclusive session"));
        }
        holder => {
            if let Some(holder) = holder {
                context.state.close_session(holder);
            }
            context.state.set_exclusive(own, true);
        }
    }
    nothing()
}

fn shared(context: &mut Context<'_>, _: &Args) -> Answer {
    let own = own(context)?;
    context.state.set_exclusive(own, false);
    nothing()
}

fn show(context: &mut Context<'_>, _: &Args) -> Answer {
    Ok(match context.session {
        Some(session) => context.state.session_text(session, context.callnum).into(),
        None => "session: not logged in (no Koji-Session-* headers)".into(),
    })
}
