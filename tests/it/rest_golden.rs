//! Whether the frontend answers as the original service did: the recorded cases are sent, and the recordings' own program
//! compares.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use mbs_bin::rest::Door;
use mbs_store_postgres::cluster::Cluster;
use mbs_tests::needed::left_out;
use mbs_tests::rest_golden::{Recorded, set_up};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::oneshot;

/// Returns the folder of the recordings: the one that `MBS_REST_GOLDEN` names, else beside the project.
pub(crate) fn recordings() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/rest-golden");
    let folder = env::var_os("MBS_REST_GOLDEN").map_or_else(beside, PathBuf::from);
    match folder.join("compare.py").is_file() {
        true => Some(folder),
        false => left_out(&format!("there are no recordings in {}", folder.display())),
    }
}

/// Sends the cases of a profile, and returns what the comparing program printed.
async fn compared(profile: &str, database: Option<String>) -> Result<Option<String>> {
    let Some(folder) = recordings() else { return Ok(None) };
    let Recorded { frontend, folder: _kept, opened: _open } = set_up(&folder, profile, database).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(mbs_bin::rest::serve(Arc::new(frontend), Door::Tcp(listener), async {
        drop(stopped.await);
    }));
    let cases = folder.join(format!("cases-{profile}.jsonl"));
    let mut compare = Command::new("python3");
    compare.arg(folder.join("compare.py")).args(["--base-url", &address, "--cases"]).arg(cases);
    let printed = compare.output().await?;
    drop(stop);
    served.await?;
    Ok(Some(String::from_utf8_lossy(&[printed.stdout, printed.stderr].concat()).into_owned()))
}

#[track_caller]
fn assert_all_passed(printed: Result<Option<String>>) {
    let Some(printed) = printed.expect("the frontend is set up") else { return };
    let last = printed.lines().last().unwrap_or_default();
    assert!(last.ends_with(" passed, 0 failed") && !last.starts_with("0 "), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_everything_allowed_the_answers_are_the_recorded_ones() {
    assert_all_passed(compared("open", None).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_they_are_the_same() {
    let cluster = Cluster::start().await.expect("scripts/test installs PostgreSQL");
    let database = cluster.bare_database().await.expect("the server makes databases");
    assert_all_passed(compared("open", Some(database.url.clone())).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_allowed_the_answers_are_the_recorded_ones() {
    assert_all_passed(compared("strict", None).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_tokens_the_answers_are_the_recorded_ones() {
    assert_all_passed(compared("oidc", None).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_tickets_the_answers_are_the_recorded_ones() {
    assert_all_passed(compared("kerberos", None).await);
}
