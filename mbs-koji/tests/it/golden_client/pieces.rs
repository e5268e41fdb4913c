//! Recorded traffic cut into what one call of the client's interface does.

use mbs_koji::profile::Secret;
use mbs_koji::xmlrpc::decode_call;
use serde_json::Value as Json;

use crate::recorded::{answer, text};

/// Consecutive exchanges that belong to one call of ours.
pub(crate) enum Piece<'r> {
    /// One request without session, as often as it went out.
    Read { at: usize, run: Vec<&'r Json> },
    /// One request in a session, as often as it went out.
    Call { at: usize, run: Vec<&'r Json> },
    /// The upload of one file.
    Upload { at: usize, run: Vec<&'r Json> },
    /// A login: by password, certificate, or ticket.
    Login { at: usize, run: Vec<&'r Json>, by: By },
    /// A call that meets with an expired session, the renewal, and the call again.
    Renewal { at: usize, run: Vec<&'r Json>, by: By },
    /// What no client of ours sends.
    Foreign { at: usize, run: Vec<&'r Json>, why: &'static str },
}

/// How a recorded login proved who it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Password,
    Certificate,
    Ticket,
}

/// What a recorded request says of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) id: i64,
    pub(crate) key: Secret,
    pub(crate) callnum: i64,
    pub(crate) is_in_address: bool,
}

impl<'r> Piece<'r> {
    /// Returns where in the recording it begins.
    pub(crate) fn at(&self) -> usize {
        match self {
            Self::Read { at, .. }
            | Self::Call { at, .. }
            | Self::Upload { at, .. }
            | Self::Login { at, .. }
            | Self::Renewal { at, .. }
            | Self::Foreign { at, .. } => *at,
        }
    }

    /// Returns its exchanges, in order.
    pub(crate) fn exchanges(&self) -> &[&'r Json] {
        match self {
            Self::Read { run, .. }
            | Self::Call { run, .. }
            | Self::Upload { run, .. }
            | Self::Login { run, .. }
            | Self::Renewal { run, .. }
            | Self::Foreign { run, .. } => run,
        }
    }
}

/// Cuts a recording.
pub(crate) fn pieces(entries: &[Json]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < entries.len() {
        let piece = piece(entries, at);
        at += piece.exchanges().len();
        pieces.push(piece);
    }
    pieces
}

fn piece(entries: &[Json], at: usize) -> Piece<'_> {
    let rest = &entries[at..];
    if let Some(run) = upload(rest) {
        return Piece::Upload { at, run };
    }
    if let Some((run, by)) = renewal(rest) {
        return Piece::Renewal { at, run, by };
    }
    let run = repeats(rest);
    let foreign = |why| Piece::Foreign { at, run: run.clone(), why };
    let first = run[0];
    if first["http_method"] != "POST" {
        return foreign("no POST");
    }
    if first["method"] == "rawUpload" {
        return foreign("a part of a file beside an upload, or told otherwise than ours");
    }
    if text(first, "request_xml").is_none_or(|xml| decode_call(xml.as_bytes()).is_err()) {
        return foreign("no call in XML that can be read");
    }
    let has_any_session = first["http_request_headers"]
        .as_object()
        .is_some_and(|headers| headers.keys().any(|name| name.starts_with("Koji-")));
    let seat = seat(first);
    if is_ssl_login(first) {
        if has_any_session {
            return foreign("a login in a session that renews nothing");
        }
        return ssl_login(at, rest, run);
    }
    match seat {
        Some(_) => Piece::Call { at, run },
        None if has_any_session || text(first, "query_raw").is_some() => foreign("half a session"),
        None if is_password_login(first) => Piece::Login { at, run, by: By::Password },
        None => Piece::Read { at, run },
    }
}

/// Returns the session of a request, if it is told as clients tell it.
pub(crate) fn seat(exchange: &Json) -> Option<Seat> {
    let headers = &exchange["http_request_headers"];
    if let Some(query) = text(exchange, "query_raw").filter(|query| query.starts_with("session-id=")) {
        let mut values = query.split('&').filter_map(|pair| pair.split_once('='));
        let (_, id) = values.next()?;
        let (_, key) = values.next().filter(|(name, _)| *name == "session-key")?;
        let (_, callnum) = values.next().filter(|(name, _)| *name == "callnum")?;
        let (id, callnum) = (id.parse().ok()?, callnum.parse().ok()?);
        return Some(Seat { id, key: Secret::new(key), callnum, is_in_address: true });
    }
    let id = text(headers, "Koji-Session-Id")?.parse().ok()?;
    let key = Secret::new(text(headers, "Koji-Session-Key")?);
    let callnum = text(headers, "Koji-Session-Callnum")?.parse().ok()?;
    Some(Seat { id, key, callnum, is_in_address: false })
}

/// Returns the first exchange and those that repeat it because nothing came of it.
fn repeats(rest: &[Json]) -> Vec<&Json> {
    let count =
        rest.windows(2).take_while(|pair| invites_repeat(&pair[0]) && is_same(&pair[0], &pair[1])).count();
    rest[..=count].iter().collect()
}

fn invites_repeat(exchange: &Json) -> bool {
    match exchange["http_status"].as_u64() {
        None => true,
        Some(200) => exchange.pointer("/fault/faultCode").and_then(Json::as_i64) == Some(1014),
        Some(status) => matches!(status, 408 | 429 | 500..),
    }
}

fn is_same(one: &Json, other: &Json) -> bool {
    let members = ["method", "params", "path", "query_raw", "request_xml", "request_body_base64"];
    seat(one) == seat(other) && members.iter().all(|member| one.get(member) == other.get(member))
}

/// Returns a part of a file that goes out as ours do: its directory, name and offset.
fn part(exchange: &Json) -> Option<(&str, &str, usize)> {
    let query = exchange.get("query").filter(|_| exchange["method"] == "rawUpload")?;
    let is_ours =
        query["fileverify"] == "adler32" && query["overwrite"] == "1" && query.as_object()?.len() == 5;
    let offset = text(query, "offset")?.parse().ok()?;
    is_ours.then_some((text(query, "filepath")?, text(query, "filename")?, offset))
}

/// Returns the exchanges of an upload: a look, parts in order, and another look, up to the first that is refused.
fn upload(rest: &[Json]) -> Option<Vec<&Json>> {
    let (look, others) = rest.split_first()?;
    let seat = seat(look).filter(|_| look["method"] == "checkUpload" && look.get("result").is_some())?;
    let [directory, name] = look["params"].as_array()?.as_slice() else { return None };
    let (directory, name) = (directory.as_str()?, name.as_str()?);
    let mut run = vec![look];
    let (mut end, mut last): (usize, Option<&Json>) = (0, None);
    for exchange in others {
        let is_repeat = last.is_some_and(|last| invites_repeat(last) && is_same(last, exchange));
        let is_next = part(exchange) == Some((directory, name, end));
        if !is_repeat && !is_next {
            break;
        }
        if !is_repeat {
            end += crate::golden_client::play::body(exchange).len();
        }
        run.push(exchange);
        last = Some(exchange);
        if exchange.get("fault").is_some() {
            return Some(run);
        }
    }
    let last = last.filter(|last| last["http_status"] == 200)?;
    let check = others.get(run.len() - 1)?;
    let params = check["params"].as_array().filter(|_| check["method"] == "checkUpload")?;
    let was_repeated = run.len() > 2 && run.windows(2).any(|pair| is_same(pair[0], pair[1]));
    let is_same_place = params.first()?.as_str() == Some(directory) && params.get(1)?.as_str() == Some(name);
    let is_next =
        self::seat(check)?.callnum == self::seat(last)?.callnum + 1 && self::seat(check)?.id == seat.id;
    let is_as_ours = params.len() == if was_repeated { 3 } else { 2 };
    (is_same_place && is_next && is_as_ours && check["http_status"] == 200).then(|| {
        run.push(check);
        run
    })
}

fn is_password_login(exchange: &Json) -> bool {
    let params = exchange["params"].as_array().map(Vec::as_slice);
    let Some([user, password, options]) = params else { return false };
    let is_plain = options.as_object().is_some_and(|options| options.len() == 2) && options["opts"].is_null();
    exchange["method"] == "login" && user.is_string() && password.is_string() && is_plain
}

fn is_ssl_login(exchange: &Json) -> bool {
    exchange["method"] == "sslLogin" && text(exchange, "path").is_some_and(|path| path.ends_with("/ssllogin"))
}

fn has_token(exchange: &Json) -> bool {
    text(&exchange["http_request_headers"], "Authorization").is_some()
}

fn ssl_login<'r>(at: usize, rest: &'r [Json], mut run: Vec<&'r Json>) -> Piece<'r> {
    if has_token(run[0]) {
        return Piece::Foreign { at, run, why: "a ticket before it was asked for" };
    }
    if run[0].get("client_cert_subject").is_some() {
        return Piece::Login { at, run, by: By::Certificate };
    }
    let is_challenged = run[run.len() - 1]["http_status"] == 401;
    let next = rest.get(run.len()).filter(|next| is_challenged && is_ssl_login(next) && has_token(next));
    run.extend(next);
    Piece::Login { at, run, by: By::Ticket }
}

/// Returns a call that meets with an expired session, the login that renews it, and the call again.
fn renewal(rest: &[Json]) -> Option<(Vec<&Json>, By)> {
    let [expired, login, again, ..] = rest else { return None };
    let is_expired = expired.pointer("/fault/faultCode").and_then(Json::as_i64) == Some(1007);
    let options = login["params"].as_array()?.last()?;
    let (old, renewed, new) = (seat(expired)?, seat(login)?, seat(again)?);
    let is_renewal = options["renew"] == true && renewed.callnum == old.callnum + 1 && new.callnum == 0;
    let is_same_call = expired["method"] == again["method"] && expired["params"] == again["params"];
    let is_done = matches!(answer(login), Some(Ok(_)));
    let by = if login["method"] == "login" {
        By::Password
    } else {
        login.get("client_cert_subject").filter(|_| is_ssl_login(login))?;
        By::Certificate
    };
    (is_expired && is_renewal && is_same_call && is_done).then(|| (vec![expired, login, again], by))
}
