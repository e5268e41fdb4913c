//! Settings and trimming.

use super::bench::{Bench, enter, wait_in_line};
use crate::contract::promise::{Verdict, equal, holds, refused};
use crate::contract::samples::new_build;
use crate::model::State;
use crate::store::{Create, IdempotencyKey, Retention, Settings, StoreError, Trim, Trimmed};

/// `settings`, and [`Slots`](crate::store::Slots): limit, pause and drain at the moment of a load.
pub(super) async fn settings_hold_and_each_look_sees_them(bench: &Bench<'_>) -> Verdict {
    equal("the settings of a new store", bench.store.settings().await?, Settings::default())?;
    let build = bench.create("a:1:1:a").await?;
    for settings in [
        Settings { limit: Some(5), paused: true, draining: false },
        Settings { limit: None, paused: false, draining: true },
    ] {
        bench.set(settings.clone()).await?;
        equal("the settings", bench.store.settings().await?, settings.clone())?;
        let slots = bench.load(build).await?.slots;
        let seen = Settings { limit: slots.limit, paused: slots.is_paused, draining: slots.is_draining };
        equal("what a look sees", seen, settings)?;
    }
    Ok(())
}

/// `change_settings`: those who wait for slots become due if there are more now, the first in line.
pub(super) async fn a_raised_limit_makes_as_many_in_line_due(bench: &Bench<'_>) -> Verdict {
    bench.limit(0).await?;
    let line = bench.line(&[20, 10, 30]).await?;
    bench.limit(2).await?;
    bench.due_are(&line[..2]).await?;
    bench.set(Settings::default()).await?;
    bench.due_are(&line[2..]).await
}

/// `change_settings`: what a pause kept from its slot, or a drain in `init`, goes on.
pub(super) async fn what_was_paused_or_drained_goes_on_at_once(bench: &Bench<'_>) -> Verdict {
    let build = bench.create_asleep("a:1:1:a").await?;
    bench.look(build, |build| wait_in_line(build, 1)).await?;
    for settings in
        [Settings { paused: true, ..Settings::default() }, Settings { draining: true, ..Settings::default() }]
    {
        bench.set(settings).await?;
        bench.pass_the_gap().await;
        bench.due_are(&[]).await?;
        bench.set(Settings::default()).await?;
        bench.put_to_sleep(build).await?;
    }
    Ok(())
}

/// `trim`: log lines, acknowledged events and idempotency keys older than a moment. Traces stay.
pub(super) async fn trimming_takes_old_lines_and_keys_and_events_that_every_sink_has(
    bench: &Bench<'_>,
) -> Verdict {
    let key = IdempotencyKey { key: "k".into(), content: "x".into() };
    let keyed = Create { key: Some(key), ..Create::from(new_build("a:1:1:a")) };
    let build = bench.create_as(keyed.clone()).await?;
    let lease = bench.claim_only(build).await?;
    let mut moment = bench.store.now().await?;
    for note in ["old", "new"] {
        bench.pass_the_gap().await;
        moment = bench.store.now().await?;
        let mut save = bench.draft(&lease, |build| wait_in_line(build, 1)).await?;
        save.notes = vec![note.into()];
        bench.store.save(save).await?;
    }
    let first = bench.take("bus", 9).await?;
    bench.take("pdc", 9).await?;
    bench.ack("bus", &first).await?;
    let old = Retention { log: Some(moment), events: Some(moment), audit: Some(moment), keys: Some(moment) };
    let wanted = Trimmed { log: 1, keys: 1, ..Trimmed::default() };
    equal("what would go", bench.store.trim(&old, Trim::Count).await?, wanted)?;
    let nothing = bench.store.trim(&Retention::default(), Trim::Remove).await?;
    equal("what goes when all is kept", nothing, Trimmed::default())?;
    equal("the old line and the key", bench.store.trim(&old, Trim::Remove).await?, wanted)?;
    let log = bench.store.log(build).await?;
    equal("the log", log.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["new"])?;
    let again = bench.store.create(keyed).await;
    refused("a forgotten key", again, |error| matches!(error, StoreError::Taken(_)))?;
    equal("what the other sink gets", bench.take("pdc", 9).await?, &first[..])?;
    bench.ack("pdc", &first).await?;
    let wanted = Trimmed { events: 1, ..Trimmed::default() };
    equal("the event that both have", bench.store.trim(&old, Trim::Remove).await?, wanted)?;
    holds(!bench.store.trace(build).await?.is_empty(), "traces stay")?;
    bench.save(&lease, |build| enter(build, State::Wait, 1)).await?;
    let next = bench.drain_events("bus", build).await?;
    equal("the next number", next.iter().map(|e| e.event.seq).collect::<Vec<_>>(), [2])
}

/// `settings_audit`: who changed the settings, oldest first; `trim` removes old audit rows, of builds, too.
pub(super) async fn who_changed_what_is_kept_until_it_is_trimmed(bench: &Bench<'_>) -> Verdict {
    bench.limit(2).await?;
    bench.set(Settings { paused: true, ..Settings::default() }).await?;
    let audit = bench.store.settings_audit().await?;
    let told: Vec<_> = audit.iter().map(|entry| (entry.by.as_str(), entry.what.as_str())).collect();
    let wanted = [
        ("op", "changed limit from none to 2"),
        ("op", "changed limit from 2 to none, paused from false to true"),
    ];
    equal("the audit", told, wanted)?;
    let build = bench.create("a:1:1:a").await?;
    bench.amend(build, |_| {}).await?;
    bench.pass_the_gap().await;
    let before = Retention { audit: Some(bench.store.now().await?), ..Retention::default() };
    let wanted = Trimmed { audit: 3, ..Trimmed::default() };
    equal("what would go", bench.store.trim(&before, Trim::Count).await?, wanted)?;
    equal("what goes", bench.store.trim(&before, Trim::Remove).await?, wanted)?;
    equal("the audit of the settings", bench.store.settings_audit().await?, [])?;
    equal("the audit of the build", bench.store.audit(build).await?, [])
}
