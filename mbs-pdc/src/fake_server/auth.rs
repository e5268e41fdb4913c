//! Who asks, what they may do, and the endpoints about that.
//!
//! A real server has a web server in front that checks Kerberos tickets and hands the user's name on. Here a client says
//! itself what would be found in one: `Authorization: Negotiate <ticket of USER@REALM>`.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::asked::Asked;
use super::route::{Place, Resource};
use super::setup::{Rights, User};
use super::shared::Shared;

/// The names under which rights are given, where the recordings' server had everything that a PDC can have.
const RESOURCES: &str = "auth/groups auth/permissions auth/resource-permissions global-component-contacts \
    auth/group-resource-permissions compose-tree-rtt-tests auth/resource-api-urls global-components labels \
    global-components/(?P<instance_pk>[^/.]+)/labels arches sigkeys release-components composes \
    release-component-contacts bugzilla-components composes/(?P<compose_id>[^/]+)/rpm-mapping compose-rpms \
    component-groups compose-images component-group-types rpc/where-to-file-bugs \
    rpc/find-compose-by-release-rpm/(?P<release_id>[^/]+)/(?P<rpm_name>[^/]+) component-relationship-types \
    rpc/find-composes-by-product-version-rpm/(?P<product_version>[^/]+)/(?P<rpm_name>[^/]+) contact-roles \
    release-component-relationships compose-tree-locations release-component-types changesets osbs \
    compose-image-rtt-tests component-branches modules component-sla-types images component-branch-slas \
    build-images build-image-rtt-tests unreleasedvariants rpms released-files release-schedules products \
    product-versions overrides/rpm releases base-products release-types release-groups \
    releases/(?P<release_id>[^/]+)/rpm-mapping release-variants cpes \
    rpc/find-older-compose-by-compose-rpm/(?P<compose_id>[^/]+)/(?P<rpm_name>[^/]+) variant-cpes \
    release-variant-types variant-types content-delivery-repos content-delivery-repo-families \
    content-delivery-content-categories content-delivery-content-formats content-delivery-services push-targets \
    multi-destinations contacts/people contacts/mailing-lists";

/// Finds out who asks; `None`: a stranger.
///
/// # Errors
/// The credentials are bad, or cannot be used for writing.
pub(super) fn login(pdc: &Shared, asked: &Asked) -> Result<Option<String>, Refusal> {
    let header = asked.header("authorization").unwrap_or_default();
    if let Some(name) = ticket_holder(header) {
        return by_ticket(pdc, asked, name);
    }
    let mut words = header.split_ascii_whitespace();
    if !words.next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("token")) {
        return Ok(None);
    }
    let text = match (words.next(), words.next()) {
        (None, _) => "Invalid token header. No credentials provided.",
        (Some(_), Some(_)) => "Invalid token header. Token string should not contain spaces.",
        (Some(token), None) => {
            let state = pdc.state();
            match state.users.iter().find(|user| user.token.as_deref() == Some(token)) {
                None => "Invalid token.",
                Some(user) if !user.is_active => "User inactive or deleted.",
                Some(user) => return Ok(Some(user.name.clone())),
            }
        }
    };
    Err(Refusal::unauthorized(text))
}

/// Returns who a request's credentials belong to, if they may do anything.
pub(super) fn holder(pdc: &Shared, asked: &Asked) -> Option<String> {
    let header = asked.header("authorization")?;
    let state = pdc.state();
    let mut words = header.split_ascii_whitespace();
    let has_token = words.next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("token"));
    let token = words.next().filter(|_| has_token);
    let is_holder = |user: &&User| {
        user.is_active
            && (ticket_holder(header) == Some(&user.name)
                || (token.is_some() && user.token.as_deref() == token))
    };
    state.users.iter().find(is_holder).map(|user| user.name.clone())
}

/// Returns the name in a ticket, without its realm.
pub(super) fn ticket_holder(header: &str) -> Option<&str> {
    let principal = header.strip_prefix("Negotiate <ticket of ")?.strip_suffix('>')?;
    Some(principal.split_once('@').map_or(principal, |(name, _)| name))
}

/// Takes a ticket. Whoever is new becomes known; and as with any login that a browser could keep, a page of another site must
/// not be able to write by it.
fn by_ticket(pdc: &Shared, asked: &Asked, name: &str) -> Result<Option<String>, Refusal> {
    let mut state = pdc.state();
    match state.users.iter().find(|user| user.name == name) {
        Some(user) if !user.is_active => return Ok(None),
        Some(_) => {}
        None => {
            let (name, rights) = (name.to_owned(), Rights::Read);
            state.users.push(User { name, token: None, rights, is_active: true });
        }
    }
    match asked.method.as_str() {
        "GET" | "HEAD" | "OPTIONS" => Ok(Some(name.to_owned())),
        _ => Err(Refusal::detail(403, "CSRF Failed: CSRF cookie not set.")),
    }
}

/// Checks that whoever asks may.
///
/// # Errors
/// They may not.
pub(super) fn check(pdc: &Shared, asked: &Asked, place: &Place) -> Result<(), Refusal> {
    let needed = match (place, asked.method.as_str()) {
        (Place::Obtain | Place::Refresh | Place::CurrentUser, _) => Rights::Read,
        (_, "POST" | "PUT" | "PATCH" | "DELETE") => match place {
            Place::List(Resource::Variants | Resource::Modules)
            | Place::Detail(Resource::Variants | Resource::Modules, _) => Rights::Modules,
            _ => Rights::All,
        },
        _ => return Ok(()),
    };
    match asked.user.as_deref().and_then(|name| pdc.rights_of(name)) {
        None => Err(Refusal::unauthorized("Authentication credentials were not provided.")),
        Some(rights) if rights < needed => {
            Err(Refusal::detail(403, "You do not have permission to perform this action."))
        }
        Some(_) => Ok(()),
    }
}

/// Answers with the user's token, and makes one for who has none.
pub(super) fn obtain(pdc: &Shared, name: &str) -> Result<Answer, Refusal> {
    let mut state = pdc.state();
    let fresh = new_token(state.next_id());
    let user = state.users.iter_mut().find(|user| user.name == name).ok_or_else(Refusal::fault)?;
    let token = user.token.get_or_insert(fresh);
    Ok(Answer::json(200, &json!({ "token": token })))
}

/// Answers with a new token in the place of the old one.
pub(super) fn refresh(pdc: &Shared, name: &str) -> Result<Answer, Refusal> {
    let mut state = pdc.state();
    let fresh = new_token(state.next_id());
    let user = state.users.iter_mut().find(|user| user.name == name).ok_or_else(Refusal::fault)?;
    if user.token.is_none() {
        let text = "You have not got a token yet, please try obtain first.";
        return Err(Refusal::new(400, json!({ "Refresh Token Error": text })));
    }
    user.token = Some(fresh.clone());
    Ok(Answer::json(200, &json!({ "token": fresh })))
}

/// Returns a token that nobody has: 40 hexadecimal digits.
fn new_token(number: u64) -> String {
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{scattered:016x}{:016x}{:08x}", scattered.rotate_left(29), number & 0xffff_ffff)
}

/// Answers what is known of the user.
pub(super) fn current_user(pdc: &Shared, name: &str) -> Result<Answer, Refusal> {
    let rights = pdc.rights_of(name).ok_or_else(Refusal::fault)?;
    let is_admin = rights == Rights::All;
    let mut permissions = Vec::new();
    for resource in RESOURCES.split_ascii_whitespace() {
        permissions.push(permission(resource, "read"));
        if is_admin || (rights == Rights::Modules && matches!(resource, "modules" | "unreleasedvariants")) {
            permissions.extend(["create", "update", "delete"].map(|action| permission(resource, action)));
        }
    }
    let answer = json!({
        "username": name,
        "fullname": "",
        "e-mail": "",
        "is_superuser": is_admin,
        "is_staff": is_admin,
        "groups": [],
        "permissions": [],
        "resource_permissions": permissions,
    });
    Ok(Answer::json(200, &answer))
}

fn permission(resource: &str, action: &str) -> Value {
    json!({ "resource": resource, "permission": action })
}
