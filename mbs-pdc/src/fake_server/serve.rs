//! From a request to its answer: what is looked at first, and what every answer carries.

use serde_json::json;

use super::accept::{self, Form};
use super::answer::{Answer, Refusal};
use super::asked::Asked;
use super::modules::{self, Face, Kind};
use super::route::{self, Place, Resource, Route};
use super::shared::Shared;
use super::{auth, plain};

const UNAUTHORIZED: &str =
    "<html><head>\n<title>401 Unauthorized</title>\n</head><body>\n<h1>Unauthorized</h1>\n</body></html>\n";

/// Does what is asked.
pub(super) fn answer(pdc: &Shared, asked: &mut Asked) -> Answer {
    let is_about_tokens = asked.path_below_root().is_some_and(|path| path.starts_with("auth/token/"));
    let header = asked.header("authorization").unwrap_or_default();
    if pdc.setup.asks_for_negotiate && is_about_tokens && auth::ticket_holder(header).is_none() {
        let page = Answer { body: UNAUTHORIZED.into(), ..Answer::page(401, "") };
        return page.with("www-authenticate", "Negotiate");
    }
    match route::find(&asked.path, pdc.setup.flavour) {
        Route::To(place) => at(pdc, asked, &place),
        Route::Slash => {
            let query = asked.raw_query.as_ref().map_or_else(String::new, |query| format!("?{query}"));
            let location = format!("{}/{query}", asked.path);
            let moved = Answer { kind: "text/html; charset=utf-8", ..Answer::empty(301) };
            moved.with("location", location).with("vary", "Origin")
        }
        Route::Nowhere => {
            let is_json =
                asked.header("accept").is_some_and(|accepted| accepted.contains("application/json"));
            let answer = match is_json {
                true => Refusal::detail(404, "Not found").into(),
                false => Answer::page(404, "Not found"),
            };
            answer.with("vary", "Origin")
        }
    }
}

fn at(pdc: &Shared, asked: &mut Asked, place: &Place) -> Answer {
    let form = accept::choose(asked.header("accept"));
    let done = match form {
        Some(_) => perform(pdc, asked, place),
        None => Err(Refusal::detail(406, "Could not satisfy the request Accept header.")),
    };
    let is_kept = done.is_ok() && matches!(asked.method.as_str(), "GET" | "HEAD");
    let by_ticket = auth::ticket_holder(asked.header("authorization").unwrap_or_default()).is_some();
    let mut answer = done.unwrap_or_else(Answer::from);
    if form == Some(Form::Page) && !answer.body.is_empty() {
        let text = String::from_utf8_lossy(&answer.body).replace('&', "&amp;").replace('<', "&lt;");
        answer = Answer { headers: answer.headers, ..Answer::page(answer.status, &text) };
    }
    if is_kept && !by_ticket {
        answer = answer.with("cache-control", format!("max-age={}", pdc.setup.cache_seconds));
    }
    let methods = [place.methods(), &["HEAD", "OPTIONS"]].concat();
    answer.with("vary", "Accept, Cookie, Origin").with("allow", methods.join(", "))
}

/// Looks at who asks, then whether they may, then at the parameters, then at the method, and last at the body.
fn perform(pdc: &Shared, asked: &mut Asked, place: &Place) -> Result<Answer, Refusal> {
    asked.user = auth::login(pdc, asked)?;
    auth::check(pdc, asked, place)?;
    if !place.offers(&asked.method) {
        return Err(Refusal::detail(405, &format!("Method \"{}\" not allowed.", asked.method)));
    }
    check_query(pdc, asked, place)?;
    if asked.method == "OPTIONS" {
        return Ok(described(place));
    }
    let host = host(pdc, asked);
    let user = asked.user.as_deref().unwrap_or_default();
    match place {
        Place::Obtain => auth::obtain(pdc, user),
        Place::Refresh => auth::refresh(pdc, user),
        Place::CurrentUser => auth::current_user(pdc, user),
        Place::List(resource) => match face(pdc, *resource) {
            Some(face) => modules::of_list(pdc, asked, face, &host),
            None => plain::of_list(pdc, asked, *resource, &host),
        },
        Place::Detail(resource, id) => match face(pdc, *resource) {
            Some(face) => modules::of_detail(pdc, asked, face, id),
            None => plain::of_detail(pdc, asked, *resource, id),
        },
    }
}

fn check_query(pdc: &Shared, asked: &Asked, place: &Place) -> Result<(), Refusal> {
    match place {
        Place::CurrentUser => Ok(()),
        Place::Obtain | Place::Refresh => super::query::check(asked, |_| false),
        Place::List(resource) | Place::Detail(resource, _) => match face(pdc, *resource) {
            Some(face) => modules::check_query(face, asked),
            None => plain::check_query(*resource, asked),
        },
    }
}

fn face(pdc: &Shared, resource: Resource) -> Option<Face> {
    let kind = match resource {
        Resource::Variants => Kind::Variants,
        Resource::Modules => Kind::Modules,
        _ => return None,
    };
    Some(Face { kind, flavour: pdc.setup.flavour })
}

/// Returns the host that absolute addresses name.
fn host(pdc: &Shared, asked: &Asked) -> String {
    let named = pdc.setup.host.as_deref().or_else(|| asked.header("host"));
    named.unwrap_or("localhost").to_owned()
}

/// Answers what can be done with a place. The real server adds its documentation.
fn described(place: &Place) -> Answer {
    let name = match place {
        Place::List(_) => "List",
        Place::Detail(..) => "Instance",
        Place::Obtain => "Obtain",
        Place::Refresh => "Refresh",
        Place::CurrentUser => "Current User List",
    };
    let answer = json!({
        "name": name,
        "description": "",
        "renders": ["application/json", "text/html"],
        "parses": ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
    });
    Answer::json(200, &answer)
}
