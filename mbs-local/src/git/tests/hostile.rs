//! Repositories, addresses and settings made to do harm.

use std::os::unix::fs::{PermissionsExt, chown, symlink};

use super::super::*;
use super::scene::{Scene, document, git, git_is_here, place, resolve, settings, sources, with};

#[tokio::test]
async fn options_in_place_of_names_never_reach_git() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    let marker = scene.path("marker");
    let option = format!("--upload-pack=touch {}", marker.display());
    let exec = option.replace(' ', "\t");
    for text in [option.as_str(), &exec, "--exec=touch", "-o", "--all"] {
        let url = scene.url();
        for place in [
            place(&url, text, None, "x"),
            place(&url, "main", Some(text), "x"),
            place(&url, "main", None, text),
            place(text, "main", None, "x"),
        ] {
            let error = document(&sources(), &place).await.unwrap_err();
            assert!(matches!(error, SourceError::Rejected { .. }), "{place:?}: {error:?}");
        }
        assert!(resolve(&sources(), &url, text).await.is_err());
        assert!(sources().default_streams(&url, text).await.is_err());
        assert!(sources().checkout(text, &scene.head(), &scene.path("out")).await.is_err());
    }
    assert!(!marker.exists());
}

#[tokio::test]
async fn helper_programs_in_addresses_are_never_started() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    let marker = scene.path("marker");
    for address in [
        format!("ext::sh -c touch% {}", marker.display()),
        format!("ext::touch://x/{}", marker.display()),
        scene.path("repo").display().to_string(),
    ] {
        assert!(resolve(&sources(), &address, "main").await.is_err(), "{address}");
    }
    assert!(!marker.exists());
    let remote_only = with(GitSettings::default(), &[]);
    let error = resolve(&remote_only, &scene.url(), "main").await.unwrap_err();
    assert!(matches!(error, SourceError::Denied { .. }), "{error:?}");
}

#[tokio::test]
async fn hooks_and_filters_of_the_environment_are_not_run() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    scene.write(".gitattributes", "* filter=evil\n");
    let commit = scene.commit_of("file", "x");
    let (hooks, marker) = (scene.path("hooks"), scene.path("marker"));
    let touch = format!("touch {}", marker.display());
    std::fs::create_dir(&hooks).unwrap();
    for hook in ["reference-transaction", "post-checkout", "post-index-change"] {
        std::fs::write(hooks.join(hook), format!("#!/bin/sh\n{touch}\n")).unwrap();
        std::fs::set_permissions(hooks.join(hook), PermissionsExt::from_mode(0o755)).unwrap();
    }
    let hooks = hooks.display().to_string();
    let variables = [
        ("GIT_CONFIG_COUNT", "2"),
        ("GIT_CONFIG_KEY_0", "core.hooksPath"),
        ("GIT_CONFIG_VALUE_0", hooks.as_str()),
        ("GIT_CONFIG_KEY_1", "filter.evil.smudge"),
        ("GIT_CONFIG_VALUE_1", touch.as_str()),
    ];
    let sources = with(settings(), &variables);
    assert_eq!(resolve(&sources, &scene.url(), &commit.as_str()[..8]).await.unwrap(), commit.as_str());
    sources.checkout(&scene.url(), &commit, &scene.path("out")).await.unwrap();
    assert!(!marker.exists());
    // The trap works: plain git springs it.
    git(&scene.path("repo"), &["-c", &format!("core.hooksPath={hooks}"), "branch", "trap"], "");
    assert!(marker.exists());
}

#[tokio::test]
async fn links_out_of_the_tree_are_refused_and_nothing_is_written_through_links() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    for (number, target) in ["/etc", "..", "../../x", "a/../.."].iter().enumerate() {
        symlink(target, scene.path("repo/link")).unwrap();
        let commit = scene.commit();
        let into = scene.path(&format!("out{number}"));
        let error = sources().checkout(&scene.url(), &commit, &into).await.unwrap_err();
        let SourceError::Rejected { reason } = error else { panic!("{error:?}") };
        assert!(reason.contains("leads out of the tree"), "{reason}");
        assert!(std::fs::symlink_metadata(into.join("link")).is_err());
        std::fs::remove_file(scene.path("repo/link")).unwrap();
    }
}

#[tokio::test]
async fn trees_that_git_would_not_make_are_refused() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    let repo = scene.path("repo");
    let blob = git(&repo, &["hash-object", "-w", "--stdin"], "evil");
    let link = git(&repo, &["hash-object", "-w", "--stdin"], "sub");
    let inner = git(&repo, &["mktree"], &format!("100644 blob {blob}\tx\n"));
    for tree in [
        format!("040000 tree {inner}\t..\n"),
        format!("040000 tree {inner}\t.git\n"),
        format!("100644 blob {blob}\t.\n"),
        format!("120000 blob {link}\ta\n040000 tree {inner}\ta\n"),
        format!("100644 blob {blob}\ta\n100644 blob {blob}\ta\n"),
    ] {
        let tree = git(&repo, &["mktree"], &tree);
        let commit = git(&repo, &["commit-tree", "-m", "x", &tree], "");
        scene.git(&["update-ref", "refs/heads/evil", &commit]);
        let into = scene.path(&format!("out/{commit}"));
        let commit = CommitId::new(commit).unwrap();
        let error = sources().checkout(&scene.url(), &commit, &into).await.unwrap_err();
        assert!(
            matches!(&error, SourceError::Rejected { reason } if reason.contains("unusable")),
            "{error:?}"
        );
        assert!(!scene.path("out/x").exists());
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    scene.write("a", "0123456789".repeat(100));
    let commit = scene.commit_of("b", "x");
    let tight = with(GitSettings { max_tree_bytes: 1000, ..settings() }, &[]);
    let error = tight.checkout(&scene.url(), &commit, &scene.path("out")).await.unwrap_err();
    assert!(error.to_string().contains("holds 1001 bytes of files, 1000 are allowed"), "{error}");
    let enough = with(GitSettings { max_tree_bytes: 1001, ..settings() }, &[]);
    enough.checkout(&scene.url(), &commit, &scene.path("out")).await.unwrap();
    let tiny = with(GitSettings { max_fetch_bytes: 100, ..settings() }, &[]);
    let error = document(&tiny, &place(&scene.url(), "main", None, "b")).await.unwrap_err();
    assert!(error.to_string().contains("sends more than 100 bytes"), "{error}");
}

#[tokio::test]
async fn repository_of_another_user_is_denied() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    for path in ["repo", "repo/.git"] {
        if let Err(error) = chown(scene.path(path), Some(12345), None) {
            println!("only root can give folders away: {error}");
            return;
        }
    }
    let error = resolve(&sources(), &scene.url(), "main").await.unwrap_err();
    assert!(matches!(&error, SourceError::Denied { what } if what.contains("another user")), "{error:?}");
}

#[tokio::test]
async fn copies_leave_nothing_behind() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    let commit = scene.commit_of("m.yaml", "x");
    let cache = scene.path("cache/deep");
    let sources = with(GitSettings { cache_dir: Some(cache.clone()), ..settings() }, &[]);
    document(&sources, &place(&scene.url(), &commit.as_str()[..7], Some("main"), "m.yaml")).await.unwrap();
    assert_eq!(std::fs::read_dir(cache).unwrap().count(), 0);
}
