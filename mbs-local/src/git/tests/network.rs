//! Servers on loopback: the ways to a repository, and servers that misbehave.

use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::super::*;
use super::scene::{
    Scene, daemon, document, git, git_is_here, place, resolve, settings, soon, sources, web, with,
};

#[tokio::test]
async fn repositories_are_read_over_the_git_protocol() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    let old = scene.commit_of("m.yaml", "old");
    let new = scene.commit_of("m.yaml", "new");
    let url = format!("{}/repo", daemon(&scene.path("")).await);
    let sources = sources();
    for commit in [&old, &new] {
        let found = resolve(&sources, &url, &commit.as_str()[..9]).await.unwrap();
        assert_eq!(found, commit.as_str());
        let fetched =
            document(&sources, &place(&url, commit.as_str(), Some("main"), "m.yaml")).await.unwrap();
        assert_eq!(fetched.commit, *commit);
        let into = scene.path(commit.as_str());
        sources.checkout(&url, commit, &into).await.unwrap();
        assert_eq!(std::fs::read_to_string(into.join("m.yaml")).unwrap(), fetched.text);
    }
    let missing = url.replace("/repo", "/nosuch");
    let error = resolve(&sources, &missing, "main").await.unwrap_err();
    assert_eq!(error.to_string(), format!("the repository {missing} does not exist"));
}

#[tokio::test]
async fn server_without_depth_is_read_and_a_redirect_to_dot_git_is_followed() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    let old = scene.commit_of("m.yaml", "old");
    scene.commit_of("m.yaml", "new");
    let bare = scene.path("m.git");
    scene.git(&["clone", "-q", "--bare", ".", &bare.display().to_string()]);
    git(&bare, &["update-server-info"], "");
    let server = web(scene.path(""), |path| {
        let elsewhere = || (301, path.replacen("/m/", "/m.git/", 1));
        (!path.contains(".git/")).then(elsewhere)
    });
    let url = format!("{}/m", server.await);
    let fetched = document(&sources(), &place(&url, old.as_str(), Some("main"), "m.yaml")).await.unwrap();
    assert_eq!(fetched.text, "old");
    assert_eq!(resolve(&sources(), &url, "main").await.unwrap(), scene.head().as_str());
}

#[tokio::test]
async fn answers_of_web_servers_say_who_has_to_act() {
    if !git_is_here() {
        return;
    }
    let server = web("/nonexistent".into(), |path| {
        let status = path.get(1..4)?.parse().ok()?;
        Some((status, "http://169.254.0.1/x.git/info/refs".into()))
    });
    let server = server.await;
    for (status, words, is_transient) in [
        (301, "redirects to another address", false),
        (401, "wants a login", false),
        (403, "may not be read", false),
        (404, "does not exist", false),
        (429, "come back later", true),
        (503, "trouble of its own", true),
    ] {
        let error = resolve(&sources(), &format!("{server}/{status}.git"), "main").await.unwrap_err();
        assert!(error.to_string().contains(words), "{status}: {error}");
        assert_eq!(error.is_transient(), is_transient, "{error}");
    }
}

#[tokio::test]
async fn host_that_takes_no_connections_is_worth_another_try() {
    if !git_is_here() {
        return;
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for scheme in ["git", "http"] {
        let error = resolve(&sources(), &format!("{scheme}://{closed}/x"), "main").await.unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        assert!(error.to_string().contains("cannot be read: its host"), "{error}");
    }
}

#[tokio::test]
async fn server_that_never_answers_meets_the_limit_and_git_is_killed() {
    if !git_is_here() {
        return;
    }
    for scheme in ["git", "http"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{scheme}://{}/x", listener.local_addr().unwrap());
        let asking = tokio::spawn(async move { resolve(&sources(), &url, "main").await });
        let (mut stream, _) = soon(listener.accept()).await.unwrap();
        // However slow this machine is, git is connected before its time is over; only then is that counted.
        let (limit, began) = (settings().time_limit, Instant::now());
        while !asking.is_finished() && began.elapsed() < Duration::from_secs(20) {
            tokio::time::pause();
            tokio::time::advance(limit).await;
            tokio::time::resume();
            tokio::task::yield_now().await;
        }
        let error = soon(asking).await.unwrap().unwrap_err();
        assert!(error.is_transient());
        assert!(error.to_string().ends_with(&format!("did not answer within {limit:?}")), "{error}");
        soon(stream.read_to_end(&mut Vec::new())).await.expect("whoever held the connection is gone");
    }
}

#[tokio::test]
async fn question_that_is_dropped_takes_git_with_it() {
    if !git_is_here() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let asking = tokio::spawn(async move { resolve(&sources(), &url, "main").await });
    let (mut stream, _) = soon(listener.accept()).await.unwrap();
    asking.abort();
    soon(stream.read_to_end(&mut Vec::new())).await.expect("whoever held the connection is gone");
}

#[tokio::test]
async fn operator_may_redirect_addresses_through_the_environment() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    let key = format!("url.file://{}/.insteadOf", scene.path("").display().to_string().trim_end_matches('/'));
    let variables = [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", key.as_str()),
        ("GIT_CONFIG_VALUE_0", "https://src.example.test/"),
    ];
    let sources = with(GitSettings::default(), &variables);
    let head = resolve(&sources, "https://src.example.test/repo", "main").await.unwrap();
    assert_eq!(head, scene.head().as_str());
    let error = resolve(&sources, "https://src.example.test/nosuch", "main").await.unwrap_err();
    assert_eq!(error.to_string(), "the repository https://src.example.test/nosuch does not exist");
    assert!(resolve(&sources, &scene.url(), "main").await.is_err());
}
