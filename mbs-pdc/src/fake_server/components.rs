//! Making components, branches and levels of support.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal};
use super::asked::Asked;
use super::modules::{Wrong, date, missing, text, truth};
use super::route::Resource;
use super::shared::{Shared, Work};
use super::state::{Branch, Change, Components, Sla, SlaType};

/// What branches can be of.
const KINDS: [&str; 3] = ["rpm", "container", "module"];

/// Makes one or many, all or nothing.
///
/// # Errors
/// A body is refused.
pub(super) fn create(pdc: &Shared, asked: &Asked, resource: Resource) -> Result<Answer, Refusal> {
    let body = asked.body()?;
    let today = pdc.today();
    let made = pdc.change(asked, |work| {
        let Value::Array(items) = &body else { return one(work, resource, &body).map(|id| vec![id]) };
        let made = items.iter().enumerate().map(|(place, item)| {
            one(work, resource, item).map_err(|refusal| refusal.of_item(&place.into(), Some(item)))
        });
        made.collect()
    })?;
    let state = pdc.state();
    let known = &state.components;
    let shown = made.into_iter().map(|id| match resource {
        Resource::Branches => known.shown_branch(id, today),
        Resource::Slas => known.shown_sla(id, today),
        Resource::SlaTypes => known.shown_sla_type(id),
        _ => known.shown_component(id),
    });
    let mut shown: Vec<Value> = shown.collect();
    match body {
        Value::Array(_) => Ok(Answer::json(201, &shown)),
        _ => Ok(Answer::json(201, &shown.pop())),
    }
}

/// Makes one, and returns its number.
fn one(work: &mut Work, resource: Resource, body: &Value) -> Result<usize, Refusal> {
    let known = &mut work.state.components;
    let (class, id) = match resource {
        Resource::Branches => ("componentbranch", branch(known, body)?),
        Resource::Slas => ("slatocomponentbranch", sla(known, body)?),
        Resource::SlaTypes => ("sla", sla_type(known, body)?),
        _ => ("globalcomponent", component(known, body)?),
    };
    work.changes.push(Change::of_new(class, id as u64, body.clone()));
    Ok(id)
}

/// Reads the fields of a body, and gathers what is wrong.
struct Reader<'b> {
    members: &'b Map<String, Value>,
    errors: Map<String, Value>,
}

impl<'b> Reader<'b> {
    fn new(body: &'b Value, fields: &[&str]) -> Result<Self, Refusal> {
        let members = body.as_object();
        let members =
            members.ok_or_else(|| Refusal::details(&["Invalid input: must be a dict.".to_owned()]))?;
        let unknown =
            super::python::unknown(members.keys().map(String::as_str), |name| fields.contains(&name));
        if unknown.is_empty() {
            return Ok(Self { members, errors: Map::new() });
        }
        let quoted: Vec<String> = unknown.iter().map(|name| format!("\"{name}\"")).collect();
        Err(Refusal::detail(400, &format!("Unknown fields: {}.", quoted.join(", "))))
    }

    fn needed<T: Default>(&mut self, name: &str, read: impl FnOnce(&Value) -> Result<T, Wrong>) -> T {
        let read = self.members.get(name).ok_or_else(missing).and_then(read);
        read.unwrap_or_else(|wrong| {
            if let Wrong::Field(error) = wrong {
                self.errors.insert(name.to_owned(), error);
            }
            T::default()
        })
    }

    fn optional<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Result<T, Wrong>) -> Option<T> {
        match read(self.members.get(name)?) {
            Ok(value) => Some(value),
            Err(Wrong::Field(error)) => {
                self.errors.insert(name.to_owned(), error);
                None
            }
            Err(Wrong::All(_)) => None,
        }
    }

    fn end(self) -> Result<(), Refusal> {
        if self.errors.is_empty() { Ok(()) } else { Err(Refusal::fields(self.errors)) }
    }
}

fn name(value: &Value) -> Result<String, Wrong> {
    text(value, Some(300))
}

/// Reads the name of something that must be there.
fn one_of(value: &Value, allowed: &[&str]) -> Result<String, Wrong> {
    match value.as_str().filter(|text| allowed.contains(text)) {
        Some(text) => Ok(text.to_owned()),
        None => {
            let given = super::python::text(value);
            let allowed: Vec<String> = allowed.iter().map(|one| format!("'{one}'")).collect();
            let text = format!("'{given}' is not allowed value. Use one of {}.", allowed.join(", "));
            Err(Wrong::Field(json!([text])))
        }
    }
}

fn component_name(known: &Components, value: &Value) -> Result<String, Wrong> {
    match value.as_str().filter(|text| known.names.iter().any(|name| name == text)) {
        Some(text) => Ok(text.to_owned()),
        None => {
            let text = format!("Object with name={} does not exist.", super::python::text(value));
            Err(Wrong::Field(json!([text])))
        }
    }
}

fn component(known: &mut Components, body: &Value) -> Result<usize, Refusal> {
    let mut reader =
        Reader::new(body, &["name", "dist_git_path", "dist_git_web_url", "contacts", "upstream"])?;
    let name = reader.needed("name", |value| text(value, Some(100)));
    reader.end()?;
    if known.names.contains(&name) {
        return Err(Refusal::details(&["Global component with this Name already exists.".to_owned()]));
    }
    known.names.push(name);
    Ok(known.names.len())
}

fn sla_type(known: &mut Components, body: &Value) -> Result<usize, Refusal> {
    let mut reader = Reader::new(body, &["name", "description"])?;
    let name = reader.needed("name", name);
    let description = reader.optional("description", |value| text(value, None)).unwrap_or_default();
    reader.end()?;
    if known.sla_types.iter().any(|other| other.name == name) {
        return Err(Refusal::new(400, json!({ "name": ["sla with this name already exists."] })));
    }
    known.sla_types.push(SlaType { name, description });
    Ok(known.sla_types.len())
}

fn described(known: &Components, body: &Value) -> Result<(Branch, Option<bool>), Refusal> {
    let mut reader = Reader::new(body, &["name", "global_component", "type", "critical_path"])?;
    let critical_path = reader.optional("critical_path", truth);
    let branch = Branch {
        component: reader.needed("global_component", |value| component_name(known, value)),
        name: reader.needed("name", name),
        kind: reader.needed("type", |value| one_of(value, &KINDS)),
        critical_path: critical_path.unwrap_or_default(),
    };
    reader.end()?;
    Ok((branch, critical_path))
}

fn branch(known: &mut Components, body: &Value) -> Result<usize, Refusal> {
    let (branch, _) = described(known, body)?;
    if known.branch(&branch.component, &branch.name, &branch.kind).is_some() {
        let text = "The fields global_component, name, type must make a unique set.";
        return Err(Refusal::details(&[text.to_owned()]));
    }
    Ok(known.add_branch(branch))
}

fn sla(known: &mut Components, body: &Value) -> Result<usize, Refusal> {
    let mut reader = Reader::new(body, &["sla", "branch", "eol"])?;
    let types: Vec<&str> = known.sla_types.iter().map(|one| one.name.as_str()).collect();
    let sla = reader.needed("sla", |value| one_of(value, &types));
    let eol = reader.needed("eol", date);
    let described = reader.needed("branch", |value| {
        let read = described(known, value);
        read.map(Some).map_err(|refusal| Wrong::Field(refusal.body))
    });
    reader.end()?;
    let (branch, critical_path) = described.expect("a branch that is not described is an error");
    let found = known.branch(&branch.component, &branch.name, &branch.kind);
    if let Some(id) = found {
        if critical_path.is_some_and(|wanted| wanted != known.branches[id - 1].critical_path) {
            let text = "The found branch's critical_path field did not match the supplied value";
            return Err(Refusal::new(400, json!({ "branch.critical_path": [text] })));
        }
        if known.slas.iter().any(|other| other.sla == sla && other.branch == id) {
            let Branch { component, name, .. } = &branch;
            let text = format!(
                "The SLA \"{sla}\" tied to the component \"{component}\" and branch \"{name}\" already exists"
            );
            return Err(Refusal::new(400, json!({ "branch": [text] })));
        }
    }
    let branch = found.unwrap_or_else(|| known.add_branch(branch));
    known.slas.push(Sla { sla, branch, eol });
    Ok(known.slas.len())
}
