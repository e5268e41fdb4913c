//! Slots and the line for them: who holds how many, and who becomes due when some are free.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::tables::Tables;
use crate::ident::BuildId;
use crate::share;
use crate::store::{Signal, Slots};

impl Tables {
    /// Returns the slots as they are.
    pub(super) fn slots(&self) -> Slots {
        let slots = self.slots_without_line();
        let free = slots.limit.map(|_| share::free(&slots));
        Slots { head: share::head(free, &self.index.line), ..slots }
    }

    pub(super) fn slots_without_line(&self) -> Slots {
        Slots {
            limit: self.limit(),
            in_use: self.index.in_use,
            is_paused: self.settings.paused,
            is_draining: self.settings.draining,
            head: Vec::new(),
        }
    }

    fn limit(&self) -> Option<u32> {
        self.throttle.effective(self.settings.limit)
    }

    /// Takes in how the build system behaved.
    pub(super) fn adapt(&mut self, signal: Signal, now: Timestamp) {
        let next = share::adapt(self.throttle, signal, self.settings.limit, now, self.rules.adapt_every);
        if next != self.throttle {
            self.throttle = next;
            self.generation += 1;
        }
    }

    /// Makes a change, and makes those in line due for whom it leaves a slot and who had none before. `except` is a build that
    /// sees the slots anyway.
    ///
    /// Whoever had one before was woken then, and looks, or it has taken the slot. So nothing that a change may do to the
    /// line, be it a slot that is free, a build that goes or one that moves back, leaves a slot without somebody awake.
    pub(super) fn waking_line(
        &mut self,
        except: Option<BuildId>,
        now: Timestamp,
        change: impl FnOnce(&mut Self),
    ) {
        let before = self.may_take();
        change(self);
        let mut news = self.may_take();
        news.retain(|build| !before.contains(build) && Some(*build) != except);
        self.wake_all(&news, now);
    }

    fn may_take(&self) -> BTreeSet<BuildId> {
        if self.index.line.is_empty() {
            return BTreeSet::new();
        }
        share::first_in_line(share::free(&self.slots_without_line()), &self.index.line).collect()
    }
}
