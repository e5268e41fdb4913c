//! What tests put in, look up and take out past the interface.

use jiff::civil::Date;

use super::FakePdc;
use super::rows::{NewRow, Row};
use super::state::{Branch, Sla};

impl FakePdc {
    /// Returns what is stored, in order of uid.
    pub fn rows(&self) -> Vec<Row> {
        self.shared.state().table.rows().map(|row| Row::clone(row)).collect()
    }

    /// Puts in an entry over what has its uid, or its name, stream, version and context. Nothing else is checked, and the audit
    /// trail does not know of it.
    pub fn plant(&self, row: NewRow) {
        self.shared.state().plant(row);
    }

    /// Says whether an entry may be used.
    ///
    /// # Panics
    /// There is no such entry.
    pub fn set_active(&self, uid: &str, is_active: bool) {
        let mut state = self.shared.state();
        let row = state.table.row(uid).map(|row| Row { active: is_active, ..Row::clone(row) });
        state.table.put(row.unwrap_or_else(|| panic!("there is no {uid}")));
    }

    /// Takes out an entry.
    ///
    /// # Panics
    /// There is no such entry.
    pub fn remove(&self, uid: &str) {
        let removed = self.shared.state().table.remove(uid);
        assert!(removed.is_some(), "there is no {uid}");
    }

    /// Puts in a branch of a component, with the levels of support that it has and the last day of each, `YYYY-MM-DD`, in the
    /// place of those that it had.
    ///
    /// # Panics
    /// A day is none.
    pub fn plant_branch(&self, component: &str, branch: &str, kind: &str, slas: &[(&str, &str)]) {
        let parsed = slas.iter().map(|(sla, eol)| {
            (*sla, eol.parse::<Date>().unwrap_or_else(|error| panic!("{eol} is no day: {error}")))
        });
        let parsed: Vec<(&str, Date)> = parsed.collect();
        let mut state = self.shared.state();
        let known = &mut state.components;
        known.ensure_name(component);
        let found = known.branch(component, branch, kind);
        let id = found.unwrap_or_else(|| {
            let (component, name, kind) = (component.to_owned(), branch.to_owned(), kind.to_owned());
            known.add_branch(Branch { component, name, kind, critical_path: false })
        });
        known.slas.retain(|sla| sla.branch != id);
        for (sla, eol) in parsed {
            known.ensure_sla_type(sla);
            known.slas.push(Sla { sla: sla.to_owned(), branch: id, eol });
        }
    }
}
