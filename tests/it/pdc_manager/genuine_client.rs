//! Does PDC's own client, which the original services looked modules up with, read what `mbs-manager` wrote?
//!
//! `scripts/pdc-client` installs it; without it nothing is checked, unless `MBS_REFERENCE_REQUIRED` is set.

use std::path::PathBuf;
use std::process::Command;

use mbs_tests::needed::left_out;
use mbs_tests::pdc::PdcSite;
use mbs_tests::within::run_within_limit;
use serde_json::{Value, json};

use super::{BOOTSTRAP, document, done, site};

/// The lookup of the original service before September 2017, and two of its later ones.
const LOOKUPS: &str = r#"
import json, sys
from pdc_client import PDCClient
client = PDCClient(sys.argv[1], develop=True)
entries = client["unreleasedvariants"]
query = {"variant_id": "bootstrap", "variant_version": "master"}
print(json.dumps({
    "all": entries._(page_size=-1, **query),
    "active": entries._(page_size=-1, active=True, **query),
    "exact": entries._(page_size=1, variant_release="9", variant_context="00000000", **query),
    "modules": client["modules"]._(page_size=-1, name="bootstrap", active=False),
}))
"#;

/// Returns the folder of the client; `None` if it is missing and may be.
fn client() -> Option<PathBuf> {
    let script = mbs_tests::root().join("scripts/pdc-client");
    let output = Command::new(script).arg("--installed").output().expect("the script runs");
    if output.status.success() {
        return Some(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    left_out(String::from_utf8_lossy(&output.stderr).trim())
}

fn printed(command: &mut Command) -> Value {
    let ran = run_within_limit(command).unwrap();
    assert_eq!(ran.status, Some(0), "{ran:?}");
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

fn lookups(site: &PdcSite, client: &std::path::Path) -> Value {
    printed(site.command(client.join("python")).arg("-c").arg(LOOKUPS).arg(site.pdc.url()))
}

#[test]
fn pdcs_own_client_reads_what_was_entered() {
    let Some(client) = client() else { return };
    let site = site();
    done(&site, &["import", &document(&site, 9), &document(&site, 10), "--yes"]);
    let seen = lookups(&site, &client);
    let mut entry = json!({
        "variant_id": "bootstrap",
        "variant_uid": "bootstrap-master-9",
        "variant_name": "bootstrap",
        "variant_type": "module",
        "variant_version": "master",
        "variant_release": "9",
        "variant_context": "00000000",
        "koji_tag": "module-bootstrap-master",
        "modulemd": BOOTSTRAP.trim_end(),
        "runtime_deps": [],
        "build_deps": [],
        "active": false,
        "rpms": [],
    });
    assert_eq!((seen["all"].as_array().map(Vec::len), &seen["active"]), (Some(2), &json!([])));
    assert_eq!((&seen["exact"]["count"], &seen["exact"]["results"][0]), (&json!(1), &entry));
    assert_eq!(seen["modules"][1]["uid"], "bootstrap-master-9");
    done(&site, &["activate", "bootstrap-master-9", "--yes"]);
    done(&site, &["retag", "bootstrap-master-9", "f40-build", "--yes"]);
    entry["active"] = true.into();
    entry["koji_tag"] = "f40-build".into();
    assert_eq!(lookups(&site, &client)["active"], json!([entry]));
}

#[test]
fn pdcs_own_command_and_ours_see_what_the_other_did() {
    let Some(client) = client() else { return };
    let site = site();
    let folder = site.path(".config/pdc");
    std::fs::create_dir_all(&folder).unwrap();
    let described = json!({"here": {"host": site.pdc.url(), "token": "b".repeat(40)}});
    std::fs::write(folder.join("client_config.json"), described.to_string()).unwrap();
    done(&site, &["import", &document(&site, 9), "--yes"]);
    let entry = "unreleasedvariants/bootstrap-master-9";
    let pdc_client = |arguments: &[&str]| {
        let mut command = site.command(client.join("pdc_client"));
        printed(command.args(["-s", "here", "-r", entry]).args(arguments))
    };
    assert_eq!(pdc_client(&[])["active"], false);
    assert_eq!(pdc_client(&["-x", "PATCH", "-d", r#"{"active": true}"#])["active"], true);
    assert_eq!(
        done(&site, &["activate", "bootstrap-master-9", "--yes"]),
        "bootstrap-master-9 is active already\n"
    );
    done(&site, &["deactivate", "bootstrap-master-9", "--yes"]);
    assert_eq!(pdc_client(&[])["active"], false);
}
