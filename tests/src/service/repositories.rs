//! Git repositories of modules and of the packages that they are made of.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use super::Service;
use super::hub::BROKEN;

/// Where repositories seem to be.
pub(super) const PUBLIC: &str = "https://src.example.test/";

/// How many modules there are, by number from 0. The last has a package that cannot be built.
pub const MODULES: usize = 30;

/// The branch of each, and of the packages.
pub const BRANCH: &str = "1";

/// The packages, with their build order. All modules are made of the same.
const PACKAGES: [(&str, u8); 4] = [("base", 0), ("tools", 0), ("middle", 10), ("top", 20)];

/// Makes all of them below a folder.
pub(super) fn make(folder: &Path) -> Result<()> {
    for package in PACKAGES.iter().map(|(package, _)| *package).chain([BROKEN]) {
        let spec = format!("Name: {package}\nVersion: 1.0\nRelease: 1\nSummary: A package\nLicense: MIT\n");
        commit(&folder.join("git/rpms").join(package), &format!("{package}.spec"), &spec)?;
    }
    for number in 0..MODULES {
        let name = name(number);
        let path = folder.join("git/modules").join(&name);
        commit(&path, &format!("{name}.yaml"), &document(number))?;
    }
    Ok(())
}

fn name(number: usize) -> String {
    format!("mod{number:02}")
}

fn document(number: usize) -> String {
    let mut packages: Vec<(&str, u8)> = PACKAGES.to_vec();
    if number + 1 == MODULES {
        packages.push((BROKEN, 10));
    }
    let component = |(package, order): &(&str, u8)| {
        format!("      {package}: {{rationale: It is needed., buildorder: {order}}}\n")
    };
    let components: String = packages.iter().map(component).collect();
    format!(
        "document: modulemd\nversion: 2\ndata:\n  summary: A module\n  description: A module.\n  \
         license: {{module: [MIT]}}\n  dependencies:\n  - buildrequires: {{platform: [f40]}}\n    \
         requires: {{platform: [f40]}}\n  components:\n    rpms:\n{components}"
    )
}

/// Makes a repository with one commit of one file.
fn commit(path: &Path, file: &str, content: &str) -> Result<()> {
    fs::create_dir_all(path)?;
    fs::write(path.join(file), content)?;
    git(path, &["init", "-q", "-b", BRANCH])?;
    git(path, &["add", "."])?;
    git(path, &["-c", "user.name=t", "-c", "user.email=t@example.test", "commit", "-q", "-m", "first"])?;
    Ok(())
}

fn git(path: &Path, arguments: &[&str]) -> Result<String> {
    let done = Command::new("git").arg("-C").arg(path).args(arguments).output()?;
    ensure!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

/// Returns the address of a module's commit, as people submit it.
///
/// # Errors
/// Its repository cannot be asked.
pub fn scmurl(service: &Service, number: usize) -> Result<String> {
    let name = name(number);
    let commit = git(&service.folder.path().join("git/modules").join(&name), &["rev-parse", "HEAD"])?;
    Ok(format!("{PUBLIC}modules/{name}?#{commit}"))
}
