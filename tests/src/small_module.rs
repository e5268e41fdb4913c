//! A module that builds in a moment: a document and packages of one file each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::built::mbs_build;
use crate::held::WAIT;

/// A folder with the repositories and the document of a module `small:1`, and its results.
#[derive(Debug)]
pub struct SmallModule {
    folder: TempDir,
    components: Vec<String>,
}

/// Which file a package installs, and what happens meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A file of so many bytes that cannot be compressed.
    Bytes(usize),
    /// A small file; the build waits on a pipe, see [`crate::held`].
    Waiting,
    /// None: there is no spec file either.
    NoSpec,
}

impl SmallModule {
    /// Makes the module; its packages are built one after the other.
    ///
    /// # Errors
    /// A file cannot be written, or git does not do what it is asked.
    pub fn new(packages: &[(&str, Content)]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("mbs-test-").tempdir()?;
        let mut module = Self { folder, components: Vec::new() };
        for (order, (package, content)) in packages.iter().enumerate() {
            module.write_package(package, *content)?;
            let repository = module.path(package);
            let repository = repository.display();
            module.components.push(format!(
                "      {package}: {{rationale: Needed., repository: 'file://{repository}', ref: main, buildorder: {order}}}\n"
            ));
        }
        module.write_document("small.yaml", &module.document())?;
        Ok(module)
    }

    /// Returns a path inside the folder.
    pub fn path(&self, inside: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(inside)
    }

    /// Where [`SmallModule::local`] puts the results.
    pub fn results(&self) -> PathBuf {
        self.path("results")
    }

    /// Returns the text of the document.
    pub fn document(&self) -> String {
        let head = "document: modulemd
version: 2
data:
  name: small
  stream: 1
  summary: A small module
  description: A module that builds in a moment.
  license:
    module: [MIT]
  dependencies:
  - buildrequires: {platform: []}
    requires: {platform: []}
  components:
    rpms:
";
        format!("{head}{}", self.components.concat())
    }

    /// Writes a document, good or bad, beside the others.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_document(&self, name: &str, text: &str) -> Result<()> {
        fs::write(self.path(name), text).with_context(|| format!("writing {name}"))
    }

    /// Returns the arguments that build a document with results in a folder.
    pub fn arguments(&self, document: &str, results: &Path) -> Vec<String> {
        let file = self.path(document).display().to_string();
        let results = results.display().to_string();
        ["local", "--platform", "platform:f40", "--results", &results, "--file", &file]
            .map(str::to_owned)
            .to_vec()
    }

    /// Returns the command that builds a document, with results in the folder `results`.
    pub fn local(&self, document: &str) -> Command {
        let mut command = self.command();
        command.args(self.arguments(document, &self.results()));
        command
    }

    /// Returns the command `mbs-build` without arguments.
    pub fn command(&self) -> Command {
        let mut command = Command::new(mbs_build());
        command.current_dir(self.folder.path()).env("NO_COLOR", "1");
        command
    }

    fn write_package(&self, package: &str, content: Content) -> Result<()> {
        let folder = self.path(package);
        fs::create_dir(&folder)?;
        let bytes = match content {
            Content::Bytes(bytes) => bytes,
            Content::Waiting | Content::NoSpec => 1,
        };
        fs::write(folder.join("content"), noise(bytes))?;
        if content != Content::NoSpec {
            fs::write(folder.join(format!("{package}.spec")), spec(package, content))?;
        }
        for arguments in [
            &["init", "--quiet", "--initial-branch=main", "."][..],
            &["add", "."],
            &[
                "-c",
                "user.name=Packager",
                "-c",
                "user.email=packager@example.com",
                "commit",
                "-qm",
                "Package",
            ],
        ] {
            let mut git = Command::new("git");
            git.current_dir(&folder).args(arguments);
            git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
            let done = git.output().context("git cannot be run")?;
            ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
        Ok(())
    }
}

fn spec(package: &str, content: Content) -> String {
    let wait = match content {
        Content::Waiting => WAIT,
        Content::Bytes(_) | Content::NoSpec => "",
    };
    format!(
        "Name:           {package}
Version:        1
Release:        1%{{?dist}}
Summary:        Part of a small module
License:        MIT
BuildArch:      noarch
Source0:        content

%description
Part of a small module.

%install
install -D -p -m 0644 %{{SOURCE0}} %{{buildroot}}%{{_datadir}}/{package}/content
{wait}

%files
%{{_datadir}}/{package}
"
    )
}

/// Bytes that no compression makes fewer: those of a shift register, always the same.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(count).collect()
}
