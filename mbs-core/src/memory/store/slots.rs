//! Slots and the line for them: who holds how many, and who becomes due when some are free.

use jiff::Timestamp;

use super::tables::Tables;
use crate::ident::BuildId;
use crate::model::ModuleBuild;
use crate::store::{Slots, StoreError};

/// So much of the line a look is shown.
const HEAD_OF_LINE: usize = 16;

impl Tables {
    /// Returns the slots as they are.
    pub(super) fn slots(&self) -> Slots {
        Slots {
            limit: self.settings.limit,
            in_use: self.index.in_use,
            is_paused: self.settings.paused,
            is_draining: self.settings.draining,
            head: self.index.line.iter().take(HEAD_OF_LINE).copied().collect(),
        }
    }

    /// Refuses a record that takes more slots than before if they do not fit, counted over all builds.
    pub(super) fn check_slots(&self, was: &ModuleBuild, now: &ModuleBuild) -> Result<(), StoreError> {
        let Some(limit) = self.settings.limit else { return Ok(()) };
        let (held, wanted) = (was.slots_held(), now.slots_held());
        let in_use = self.index.in_use;
        let others = in_use - held;
        if wanted > held && others.saturating_add(wanted) > limit {
            return Err(StoreError::NoSlot { in_use, limit });
        }
        Ok(())
    }

    /// Refuses a record that holds more slots than before.
    pub(super) fn check_no_more_slots(&self, was: &ModuleBuild, now: &ModuleBuild) -> Result<(), StoreError> {
        if now.slots_held() > was.slots_held() {
            return Err(super::rejected(format!(
                "what a person does to module build {} must not submit components",
                now.id
            )));
        }
        Ok(())
    }

    /// Returns how many slots are free; a great many if there is no limit.
    pub(super) fn free_slots(&self) -> u32 {
        self.settings.limit.map_or(u32::MAX, |limit| limit.saturating_sub(self.index.in_use))
    }

    /// Makes the first so many in line due, other than one build; no more than there are free slots.
    pub(super) fn wake_line(&mut self, slots: u32, except: Option<BuildId>, now: Timestamp) {
        let count = usize::try_from(slots.min(self.free_slots())).unwrap_or(usize::MAX);
        let others = self.index.line.iter().map(|place| place.build).filter(|build| Some(*build) != except);
        let first: Vec<BuildId> = others.take(count).collect();
        let min_gap = self.rules.min_gap;
        for id in first {
            self.change(id, |row| row.work.wake(now, min_gap));
        }
    }
}

/// Returns how many slots others may have now: those given back, and those no longer wished for though still free. Without
/// the latter a slot would stay free when the build it was meant for ends before it takes it.
pub(super) fn given_up(was: &ModuleBuild, now: &ModuleBuild) -> u32 {
    let wants = |build: &ModuleBuild| build.line.map_or(0, |line| line.wants);
    let freed = was.slots_held().saturating_sub(now.slots_held());
    let taken = now.slots_held().saturating_sub(was.slots_held());
    let not_wanted = wants(was).saturating_sub(wants(now)).saturating_sub(taken);
    freed.saturating_add(not_wanted)
}
