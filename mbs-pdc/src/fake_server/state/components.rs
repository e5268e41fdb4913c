//! Components, their branches, and until when those are supported.

use jiff::civil::Date;
use serde_json::{Value, json};

/// What is known of components. The numbers count each kind apart.
#[derive(Debug, Clone, Default)]
pub(in crate::fake_server) struct Components {
    /// The names; the number of one is its place, from 1.
    pub(in crate::fake_server) names: Vec<String>,
    /// The levels of support; the number of one is its place, from 1.
    pub(in crate::fake_server) sla_types: Vec<SlaType>,
    /// The branches; the number of one is its place, from 1.
    pub(in crate::fake_server) branches: Vec<Branch>,
    /// What support branches have; the number of one is its place, from 1.
    pub(in crate::fake_server) slas: Vec<Sla>,
}

/// A level of support.
#[derive(Debug, Clone)]
pub(in crate::fake_server) struct SlaType {
    pub(in crate::fake_server) name: String,
    pub(in crate::fake_server) description: String,
}

/// A branch of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fake_server) struct Branch {
    pub(in crate::fake_server) component: String,
    pub(in crate::fake_server) name: String,
    pub(in crate::fake_server) kind: String,
    pub(in crate::fake_server) critical_path: bool,
}

/// Until when a branch has a level of support.
#[derive(Debug, Clone)]
pub(in crate::fake_server) struct Sla {
    pub(in crate::fake_server) sla: String,
    /// The number of the branch.
    pub(in crate::fake_server) branch: usize,
    pub(in crate::fake_server) eol: Date,
}

impl Components {
    /// Returns the number of a branch.
    pub(in crate::fake_server) fn branch(&self, component: &str, name: &str, kind: &str) -> Option<usize> {
        let same = |branch: &Branch| {
            (branch.component.as_str(), branch.name.as_str(), branch.kind.as_str()) == (component, name, kind)
        };
        self.branches.iter().position(same).map(|place| place + 1)
    }

    /// Adds a branch, and returns its number.
    pub(in crate::fake_server) fn add_branch(&mut self, branch: Branch) -> usize {
        self.branches.push(branch);
        self.branches.len()
    }

    /// Says whether a branch has support on a day.
    pub(in crate::fake_server) fn is_active(&self, branch: usize, today: Date) -> bool {
        self.slas.iter().any(|sla| sla.branch == branch && sla.eol >= today)
    }

    /// Returns a branch as its endpoint shows it.
    pub(in crate::fake_server) fn shown_branch(&self, id: usize, today: Date) -> Value {
        let branch = &self.branches[id - 1];
        let own = self.slas.iter().enumerate().filter(|(_, sla)| sla.branch == id);
        let slas =
            own.map(|(place, sla)| json!({ "id": place + 1, "sla": sla.sla, "eol": sla.eol.to_string() }));
        json!({
            "id": id,
            "global_component": branch.component,
            "name": branch.name,
            "slas": slas.collect::<Vec<_>>(),
            "type": branch.kind,
            "active": self.is_active(id, today),
            "critical_path": branch.critical_path,
        })
    }

    /// Returns a branch's level of support as its endpoint shows it.
    pub(in crate::fake_server) fn shown_sla(&self, id: usize, today: Date) -> Value {
        let sla = &self.slas[id - 1];
        let branch = &self.branches[sla.branch - 1];
        json!({
            "id": id,
            "sla": sla.sla,
            "branch": {
                "id": sla.branch,
                "name": branch.name,
                "global_component": branch.component,
                "type": branch.kind,
                "active": self.is_active(sla.branch, today),
                "critical_path": branch.critical_path,
            },
            "eol": sla.eol.to_string(),
        })
    }

    /// Returns a level of support as its endpoint shows it.
    pub(in crate::fake_server) fn shown_sla_type(&self, id: usize) -> Value {
        let SlaType { name, description } = &self.sla_types[id - 1];
        json!({ "id": id, "name": name, "description": description })
    }

    /// Returns a component as its endpoint shows it.
    pub(in crate::fake_server) fn shown_component(&self, id: usize) -> Value {
        json!({
            "id": id,
            "name": self.names[id - 1],
            "dist_git_path": null,
            "contacts": [],
            "labels": [],
            "upstream": null,
            "dist_git_web_url": "",
        })
    }

    /// Makes sure that there is a component.
    pub(in crate::fake_server) fn ensure_name(&mut self, name: &str) {
        if !self.names.iter().any(|other| other == name) {
            self.names.push(name.to_owned());
        }
    }

    /// Makes sure that there is a level of support.
    pub(in crate::fake_server) fn ensure_sla_type(&mut self, name: &str) {
        if !self.sla_types.iter().any(|other| other.name == name) {
            self.sla_types.push(SlaType { name: name.to_owned(), description: String::new() });
        }
    }
}
