//! Source control against real repositories: what is read, and what is said if it cannot be.

mod contract;
mod hostile;
mod network;
mod scene;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::*;
use scene::{Scene, document, git, git_is_here, place, resolve, settings, sources, with};

#[tokio::test]
async fn document_comes_with_its_commit_and_committer_time() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    let commit = scene.commit_of("m.yaml", "data: é\r\n");
    let wanted = Fetched {
        commit: commit.clone(),
        committed_at: jiff::Timestamp::from_second(1_700_000_000).unwrap(),
        text: "data: é\r\n".into(),
    };
    for revision in ["main", commit.as_str(), &commit.as_str()[..10], "HEAD", "refs/heads/main"] {
        let fetched = document(&sources(), &place(&scene.url(), revision, Some("main"), "m.yaml")).await;
        assert_eq!(fetched.as_ref(), Ok(&wanted), "{revision}");
    }
}

#[tokio::test]
async fn older_commit_of_a_branch_is_read_as_it_was() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    let old = scene.commit_of("m.yaml", "old");
    scene.commit_of("m.yaml", "new");
    let branch = Some("main");
    let fetched = document(&sources(), &place(&scene.url(), old.as_str(), branch, "m.yaml")).await.unwrap();
    assert_eq!((fetched.commit, fetched.text.as_str()), (old, "old"));
}

#[tokio::test]
async fn commit_of_another_branch_or_of_none_is_told_apart_from_a_missing_one() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    scene.git(&["checkout", "-q", "-b", "other"]);
    let other = scene.commit_of("m.yaml", "x");
    let ask = async |revision: &str, branch: &str| {
        document(&sources(), &place(&scene.url(), revision, Some(branch), "m.yaml")).await.unwrap_err()
    };
    let on = |branch: &str| SourceError::NotOnBranch { commit: other.to_string(), branch: branch.into() };
    assert_eq!(ask(other.as_str(), "main").await, on("main"));
    assert_eq!(ask(other.as_str(), "nosuch").await, on("nosuch"));
    let missing = "b".repeat(40);
    let error = ask(&missing, "main").await;
    assert_eq!(error.to_string(), format!("commit {missing} of {} does not exist", scene.url()));
    assert!(matches!(error, SourceError::NotFound { .. }));
    assert!(matches!(ask("zzz", "main").await, SourceError::NotFound { .. }));
}

#[tokio::test]
async fn documents_stand_in_the_order_of_the_places() {
    if !git_is_here() {
        return;
    }
    let (one, two) = (Scene::new(), Scene::new());
    one.commit_of("a", "1a");
    one.commit_of("b", "1b");
    two.commit_of("a", "2a");
    let place = |scene: &Scene, path: &str| place(&scene.url(), "main", None, path);
    let places = [place(&one, "b"), place(&two, "a"), place(&one, "nosuch"), place(&one, "a")];
    let answers = sources().documents(&places).await.unwrap();
    let texts: Vec<_> = answers.iter().map(|a| a.as_ref().map(|fetched| fetched.text.as_str())).collect();
    assert_eq!((texts[0], texts[1], texts[3]), (Ok("1b"), Ok("2a"), Ok("1a")));
    assert!(matches!(texts[2], Err(SourceError::NotFound { what }) if what.contains("the file nosuch")));
}

#[tokio::test]
async fn branch_beats_tag_and_annotated_tag_leads_to_its_commit() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    let tagged = scene.head();
    scene.git(&["tag", "-a", "-m", "x", "v1"]);
    scene.git(&["tag", "both"]);
    scene.git(&["checkout", "-q", "-b", "both"]);
    let newer = scene.commit();
    let tag_object = scene.git(&["rev-parse", "refs/tags/v1"]);
    let sources = sources();
    assert_eq!(resolve(&sources, &scene.url(), "v1").await.unwrap(), tagged.as_str());
    assert_eq!(resolve(&sources, &scene.url(), &tag_object).await.unwrap(), tagged.as_str());
    assert_eq!(resolve(&sources, &scene.url(), "both").await.unwrap(), newer.as_str());
    assert_eq!(resolve(&sources, &scene.url(), "refs/tags/both").await.unwrap(), tagged.as_str());
}

#[tokio::test]
async fn hashes_resolve_short_long_and_in_capitals() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    let old = scene.commit();
    scene.commit_of("a", "b");
    let sources = sources();
    for hash in [old.to_string(), old.as_str()[..8].to_owned(), old.as_str().to_uppercase()] {
        assert_eq!(resolve(&sources, &scene.url(), &hash).await.unwrap(), old.as_str(), "{hash}");
    }
    let blob = scene.git(&["rev-parse", "HEAD:a"]);
    for hash in ["00", "0123456", &"0".repeat(40), &"0".repeat(64), &blob] {
        let error = resolve(&sources, &scene.url(), hash).await.unwrap_err();
        assert!(matches!(error, SourceError::NotFound { .. }), "{hash}: {error:?}");
    }
}

#[tokio::test]
async fn short_hash_of_several_commits_is_refused() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    let mut commits = String::new();
    for number in 0..1000 {
        writeln!(commits, "commit refs/heads/many\ncommitter C <c> {number} +0000\ndata 0\n").unwrap();
    }
    git(&scene.path("repo"), &["fast-import", "--quiet"], &commits);
    let listed = scene.git(&["rev-list", "many"]);
    let mut starts: BTreeMap<&str, usize> = BTreeMap::new();
    listed.lines().for_each(|commit| *starts.entry(&commit[..4]).or_default() += 1);
    let (start, _) = starts.iter().find(|(_, count)| **count > 1).expect("a thousand hashes collide");
    let error = resolve(&sources(), &scene.url(), start).await.unwrap_err();
    assert!(matches!(&error, SourceError::Rejected { reason } if reason.contains("several")), "{error:?}");
}

#[tokio::test]
async fn every_question_is_answered_for_itself() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    scene.repository("second", &[]);
    scene.git(&["branch", "f38"]);
    let question = |repository: String, git_ref: &str| RefQuestion { repository, git_ref: git_ref.into() };
    let questions = BTreeSet::from([
        question(scene.url(), "main"),
        question(scene.url(), "f38"),
        question(scene.url(), "nosuch"),
        question(scene.url_of("second"), "main"),
        question(scene.url_of("third"), "main"),
        question("https://user:secret@host.example/x".into(), "main"),
        question("-x".into(), "main"),
    ]);
    let limited = GitSettings { parallel: 0, ..settings() };
    let answers = with(limited, &[]).resolve_refs(&questions).await.unwrap();
    assert!(answers.keys().eq(questions.iter()));
    let answer = |repository: &str, git_ref: &str| &answers[&question(repository.into(), git_ref)];
    assert_eq!(answer(&scene.url(), "main"), &Ok(scene.head()));
    assert_eq!(answer(&scene.url(), "f38"), &Ok(scene.head()));
    assert!(answer(&scene.url_of("second"), "main").is_ok());
    assert!(matches!(answer(&scene.url(), "nosuch"), Err(SourceError::NotFound { .. })));
    let missing = answer(&scene.url_of("third"), "main").as_ref().unwrap_err().to_string();
    assert_eq!(missing, format!("the repository {} does not exist", scene.url_of("third")));
    assert!(matches!(answer("-x", "main"), Err(SourceError::Rejected { .. })));
}

#[tokio::test]
async fn a_folder_without_a_repository_is_told_from_one_that_is_not_there() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    std::fs::create_dir(scene.path("bare-folder")).unwrap();
    let url = scene.url_of("bare-folder");
    let error = resolve(&sources(), &url, "main").await.unwrap_err();
    assert_eq!(error, SourceError::Rejected { reason: format!("the folder {url} is no git repository") });
}

#[tokio::test]
async fn only_plain_bounded_text_is_a_document() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    symlink("/etc/passwd", scene.path("repo/link")).unwrap();
    scene.write("dir/file", "x");
    scene.write("large", "x".repeat(11));
    scene.write("binary", [0xff, 0xfe]);
    scene.commit_of("fits", "0123456789");
    let sources = with(GitSettings { max_file_bytes: 10, ..settings() }, &[]);
    for (path, words) in [
        ("link", "symbolic link"),
        ("dir", "is a folder"),
        ("large", "is 11 bytes large, 10 are allowed"),
        ("binary", "not UTF-8"),
        ("../x", "no valid path"),
    ] {
        let error = document(&sources, &place(&scene.url(), "main", None, path)).await.unwrap_err();
        assert!(matches!(&error, SourceError::Rejected { reason } if reason.contains(words)), "{error:?}");
    }
    assert!(document(&sources, &place(&scene.url(), "main", None, "fits")).await.is_ok());
    assert!(document(&sources, &place(&scene.url(), "main", None, "dir/file")).await.is_ok());
    let through = document(&sources, &place(&scene.url(), "main", None, "link/x")).await.unwrap_err();
    assert!(matches!(through, SourceError::NotFound { .. }));
}

#[tokio::test]
async fn checkout_writes_the_files_byte_for_byte() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    scene.write(".gitattributes", "* text eol=crlf ident export-subst\nleft export-ignore\n");
    scene.write("left", "$Id$ $Format:%H$\n");
    scene.write("run.sh", "#!/bin/sh\n");
    scene.write("dir/ä b", "x");
    std::fs::set_permissions(scene.path("repo/run.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("../run.sh", scene.path("repo/dir/link")).unwrap();
    let gitlink = format!("160000,{},sub", scene.head());
    scene.git(&["update-index", "--add", "--cacheinfo", &gitlink]);
    scene.git(&["add", "."]);
    scene.git(&["commit", "-q", "-m", "x"]);
    let into = scene.path("new/out");
    sources().checkout(&scene.url(), &scene.head(), &into).await.unwrap();
    let read = |path: &str| std::fs::read_to_string(into.join(path)).unwrap();
    assert_eq!(read("left"), "$Id$ $Format:%H$\n");
    assert_eq!(read("dir/ä b"), "x");
    assert_eq!(read("dir/link"), "#!/bin/sh\n");
    assert_eq!(std::fs::metadata(into.join("run.sh")).unwrap().permissions().mode() & 0o111, 0o111);
    assert_eq!(std::fs::metadata(into.join("left")).unwrap().permissions().mode() & 0o111, 0);
    let mut names: Vec<_> =
        std::fs::read_dir(&into).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".gitattributes", "dir", "left", "run.sh"]);
}

#[tokio::test]
async fn checkout_of_a_missing_commit_or_into_a_full_folder_is_refused() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    let missing = CommitId::new("b".repeat(40)).unwrap();
    let error = sources().checkout(&scene.url(), &missing, &scene.path("out")).await.unwrap_err();
    assert!(matches!(error, SourceError::NotFound { .. }), "{error:?}");
    let error = sources().checkout(&scene.url(), &scene.head(), &scene.path("repo")).await.unwrap_err();
    assert!(error.to_string().ends_with("is not empty"), "{error}");
}

fn defaults(module: &str, stream: &str) -> String {
    format!("document: modulemd-defaults\nversion: 1\ndata:\n  module: {module}\n  stream: {stream}\n")
}

#[tokio::test]
async fn default_streams_come_from_the_branch_and_overrides_win() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    scene.git(&["checkout", "-q", "-b", "f38"]);
    scene.write("a.yaml", defaults("a", "1.10"));
    scene.write("b.yaml", defaults("b", "'8'"));
    scene.write("README", "no document");
    scene.write("deeper/c.yaml", defaults("c", "1"));
    scene.commit_of("overrides/b.yaml", &defaults("b", "10"));
    let found = sources().default_streams(&scene.url(), "f38").await.unwrap().unwrap();
    let named: Vec<_> = found.iter().map(|(name, stream)| (name.as_str(), stream.as_str())).collect();
    assert_eq!(named, [("a", "1.10"), ("b", "10")]);
    assert_eq!(sources().default_streams(&scene.url(), "main").await.unwrap().unwrap(), BTreeMap::new());
    assert_eq!(sources().default_streams(&scene.url(), "nosuch").await.unwrap(), None);
}

#[tokio::test]
async fn broken_defaults_are_refused_by_name() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    scene.write("a.yaml", defaults("a", "1"));
    scene.commit_of("overrides/b.yaml", "document: modulemd-defaults\nversion: 1\ndata: [\n");
    let error = sources().default_streams(&scene.url(), "main").await.unwrap_err();
    let SourceError::Rejected { reason } = error else { panic!("{error:?}") };
    assert!(reason.contains("overrides/b.yaml:"), "{reason}");
}

#[tokio::test]
async fn folder_of_reference_defaults_is_read() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/modulemd/documents/defaults");
    if !folder.is_dir() {
        assert!(std::env::var_os("MBS_REFERENCE_REQUIRED").is_none(), "{} is missing", folder.display());
        println!("{} is missing: nothing was tested", folder.display());
        return;
    }
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    for file in
        ["meson.yaml", "ninja.yaml", "nodejs.yaml", "overrides/nodejs.yaml", "overrides/testmodule.yaml"]
    {
        scene.write(file, std::fs::read(folder.join(file)).unwrap());
    }
    scene.commit();
    let found = sources().default_streams(&scene.url(), "main").await.unwrap().unwrap();
    assert_eq!(found[&Name::new("nodejs").unwrap()].as_str(), "12");
    let names: Vec<_> = found.keys().map(Name::as_str).collect();
    assert_eq!(names, ["meson", "ninja", "nodejs", "testmodule"]);
}

#[tokio::test]
async fn repository_with_long_hashes_is_read() {
    if !git_is_here() {
        return;
    }
    let scene = Scene::new();
    scene.repository("long", &["--object-format=sha256"]);
    let head = git(&scene.path("long"), &["rev-parse", "HEAD"], "");
    assert_eq!(head.len(), 64);
    let url = scene.url_of("long");
    assert_eq!(resolve(&sources(), &url, &head[..9]).await.unwrap(), head);
    sources().checkout(&url, &CommitId::new(head).unwrap(), &scene.path("out")).await.unwrap();
}

#[test]
fn versions_of_git_are_read() {
    assert_eq!(version("git version 2.47.3\n"), Some((2, 47)));
    assert_eq!(version("git version 2.50.1 (Apple Git-155)"), Some((2, 50)));
    assert_eq!(version("git 3"), None);
    assert!(version("git version 2.9.5") < Some(OLDEST));
}

#[tokio::test]
async fn lack_of_git_is_an_error_of_the_whole_question() {
    let sources = GitSourceControl::with_variables(settings(), [("PATH".into(), "/nonexistent".into())]);
    let error = sources.documents(&[]).await.unwrap_err();
    assert!(error.is_transient());
    let wanted = "git is not installed (Debian: apt-get install git; Fedora: dnf install git-core)";
    assert!(error.to_string().ends_with(wanted), "{error}");
}

#[tokio::test]
async fn a_git_that_does_not_answer_or_work_is_not_called_missing() {
    for (script, limit, wanted) in [
        ("sleep 1000", Duration::from_millis(50), "git did not start within 50ms"),
        ("exit 1", Duration::from_secs(60), "git does not work on this machine"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let git = folder.path().join("git");
        std::fs::write(&git, format!("#!/bin/sh\nexec /bin/sh -c '{script}'\n")).unwrap();
        std::fs::set_permissions(&git, std::fs::Permissions::from_mode(0o755)).unwrap();
        let settings = GitSettings { time_limit: limit, ..settings() };
        let path = std::env::join_paths([folder.path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        let sources = GitSourceControl::with_variables(settings, [("PATH".into(), path)]);
        let error = sources.default_streams("https://nowhere.test/x", "main").await.unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    }
}
