//! Who changed the settings.

use super::*;

#[test]
fn changed_settings_hold_and_who_changed_them_is_kept() {
    let bench = Bench::new();
    assert_eq!(now_or_panic(bench.store.settings()), Ok(Settings::default()));
    let settings = Settings { limit: Some(5), paused: true, draining: false };
    bench.pass(3);
    bench.set(settings.clone());
    assert_eq!(now_or_panic(bench.store.settings()), Ok(settings));
    let audit = bench.store.settings_audit();
    let kept: Vec<_> = audit.iter().map(|e| (e.at, e.by.as_str(), e.what.as_str())).collect();
    assert_eq!(kept, [(at(3), "op", "changed limit from none to 5, paused from false to true")]);
}
