//! Services: the resolver of local builds, ODCS, Freshmaker.

use serde_json::json;

use super::stage::Stage;

#[test]
fn the_resolver_of_local_builds_finds_what_it_needs() {
    let Some(stage) = Stage::set("oidc") else { return };
    let url = format!("{}/module-build-service/1/module-builds/", stage.url());
    let expected = json!({
        "one": "gtk:4:20230101000000:c44cc2b9 module-gtk-4-20230101000000-c44cc2b9",
        "one_document": "gtk:4:20230101000000:c44cc2b9",
        "newest": ["gtk:4:20230301000000:75741a8b"],
        "all_contexts": ["perl:5.36:20230110000000:c44cc2b9", "perl:5.36:20230110000000:75741a8b"],
        "against_base": ["gtk:4:20230301000000:75741a8b"],
        "compatible": ["platform:el8.1.0:1:00000000", "platform:el8.0.0:1:00000000"],
        "compatible_any":
            ["platform:el8.2.0:1:00000000", "platform:el8.1.0:1:00000000", "platform:el8.0.0:1:00000000"],
        "newest_of_virtual": "platform:el8.2.0:1:00000000",
        "no_virtual": null,
        "count": 6,
        "count_filtered": 3,
        "tagged": "nginx:1.20:20230201120000:75741a8b",
        "missing": null,
        "missing_strict": "Failed to find module in MBS gtk:99:None:None",
    });
    assert_eq!(stage.found("resolver.py", &[&url]), expected);
}

#[test]
fn odcs_finds_what_belongs_into_a_compose() {
    let Some(stage) = Stage::set("oidc") else { return };
    let url = format!("{}/module-build-service", stage.url());
    let expected = json!({
        "newest": ["gtk:4:20230301000000:75741a8b"],
        "all_contexts": ["perl:5.36:20230110000000:c44cc2b9", "perl:5.36:20230110000000:75741a8b"],
        "version": ["gtk:4:20230101000000:c44cc2b9", "gtk:4:20230101000000:75741a8b"],
        "context": ["gtk:4:20230101000000:c44cc2b9"],
        "done": ["mariadb:10.5:20230205120000:75741a8b"],
        "not_done": "Failed to find module mariadb:10.5 in ready state in the MBS.",
        "devel": ["gtk-devel:3:20230101000000:c44cc2b9", "gtk-devel:3:20230101000000:75741a8b"],
        "bases": ["ruby:2.7:20230206120001:cdc1202b"],
        "expanded": ["perl:5.36:20230110000000:c44cc2b9", "perl:5.36:20230110000000:75741a8b"],
    });
    assert_eq!(stage.found("odcs_lookup.py", &[&url]), expected);
}

#[test]
fn freshmaker_has_a_module_built_once() {
    let Some(stage) = Stage::set("oidc") else { return };
    let arguments = |token| {
        let commit = "93648553587d5acf6da37b970bc0b9bce6030291";
        [stage.url(), token, "testmod".to_owned(), "7.0".to_owned(), commit.to_owned()]
    };
    let build = |token: &str| {
        let arguments = arguments(token.to_owned());
        stage.service("freshmaker_build.py", &arguments.each_ref().map(String::as_str))
    };
    let refused = build("tok-expired");
    assert_eq!((refused.status, refused.out.trim()), (Some(0), "null"), "{}", refused.err);
    assert!(refused.err.contains("Error when triggering build"), "{}", refused.err);
    // It looks for a member that good answers of the original have not got either, and dies of it; by then the build is there.
    let made = build("tok-alice");
    assert!(made.err.ends_with("KeyError: 'status'\n"), "{}", made.err);
    let again = build("tok-alice");
    assert_eq!((again.status, again.out.trim()), (Some(0), "null"), "{}", again.err);
    assert!(again.err.contains(" is already exists in MBS"), "{}", again.err);
}
