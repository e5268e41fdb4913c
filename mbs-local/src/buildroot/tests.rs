use rpm::{Dependency, FileOptions, PackageBuilder};

use super::*;

struct Room {
    directory: tempfile::TempDir,
    buildroots: Buildroots,
}

impl Room {
    async fn new() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let sandbox = crate::testing::sandbox(directory.path()).await?;
        let programs = crate::testing::programs(&[Program::Rpm, Program::Rpmdb])?;
        let buildroots = Buildroots::new(directory.path().join("layers"), sandbox, programs).await.unwrap();
        Some(Self { directory, buildroots })
    }

    /// Writes an RPM with one file and returns its path.
    fn rpm(&self, builder: &mut PackageBuilder, file: &str, text: &str) -> PathBuf {
        builder.with_file_contents(text.as_bytes(), FileOptions::new(file)).unwrap();
        let package = builder.build().unwrap();
        let path = self.directory.path().join(package.canonical_filename().unwrap());
        package.write_file(&path).unwrap();
        path
    }

    /// What a command in a sandbox over the layer prints.
    async fn printed(&self, layer: &Layer, script: &str) -> String {
        let build = self.directory.path().join("build");
        ensure_directory(&build).unwrap();
        let (log, lock) = (self.directory.path().join("log"), self.directory.path().join("lock"));
        let _none_yet = fs::remove_file(&log);
        let tree = layer.tree();
        let limit = Duration::from_secs(60);
        let inside = Inside { layer: Some(&tree), directory: &build, log: &log, lock: &lock, limit };
        self.buildroots.sandbox.run(&inside, ["sh", "-c", script]).await.unwrap();
        fs::read_to_string(&log).unwrap()
    }
}

fn package(name: &str, version: &str) -> PackageBuilder {
    let mut builder = PackageBuilder::new(name, version, "MIT", "noarch", "A test");
    builder.release("1").using_config(rpm::BuildConfig::v4().compression(rpm::CompressionType::None));
    builder
}

#[tokio::test]
async fn rpms_of_the_tag_are_unpacked_and_in_the_database() {
    let Some(room) = Room::new().await else { return };
    let rpm = room.rpm(&mut package("liba", "1"), "/usr/share/liba/data", "hello");
    let linked = room.rpm(&mut package("libb", "1"), "/lib64/libb.txt", "through a link");
    let layer = room.buildroots.layer(&[vec![rpm, linked]]).await.unwrap();
    let script = "cat /usr/share/liba/data /usr/lib64/libb.txt; echo; rpm --dbpath /var/lib/mbs-rpmdb -q liba libb nothing";
    let printed = room.printed(&layer, script).await;
    assert_eq!(
        printed,
        "hellothrough a link\nliba-1-1.noarch\nlibb-1-1.noarch\npackage nothing is not installed\n"
    );
    assert_eq!(layer.packages(), ["liba-0:1-1.noarch", "libb-0:1-1.noarch"]);
}

#[tokio::test]
async fn host_provides_its_programs_and_nothing_else() {
    let Some(room) = Room::new().await else { return };
    let layer = room.buildroots.layer(&[]).await.unwrap();
    let script = "rpm --dbpath /var/lib/mbs-rpmdb -q --whatprovides /usr/bin/rpmbuild 'mbs(nothing)'";
    let printed = room.printed(&layer, script).await;
    assert!(printed.contains("no package provides mbs(nothing)"), "{printed}");
    assert!(!printed.contains("no package provides /usr/bin/rpmbuild"), "{printed}");
}

#[tokio::test]
async fn first_tag_hides_packages_of_the_others_and_the_last_build_wins_within_one() {
    let Some(room) = Room::new().await else { return };
    let own = [
        room.rpm(&mut package("a", "1"), "/usr/share/a", "1"),
        room.rpm(&mut package("a", "2"), "/usr/share/a", "2"),
    ];
    let inherited = [
        room.rpm(&mut package("a", "9"), "/usr/share/a", "9"),
        room.rpm(&mut package("b", "1"), "/usr/share/b", "b"),
    ];
    let layer = room.buildroots.layer(&[own.to_vec(), inherited.to_vec()]).await.unwrap();
    assert_eq!(layer.packages(), ["a-0:2-1.noarch", "b-0:1-1.noarch"]);
    assert_eq!(room.printed(&layer, "cat /usr/share/a").await, "2");
}

#[tokio::test]
async fn what_the_macros_conflict_with_stays_out() {
    let Some(room) = Room::new().await else { return };
    let mut macros = package("module-build-macros", "0.1");
    macros.conflicts(Dependency::eq("a", "0:1-1")).conflicts(Dependency::eq("b", "0:2-1"));
    let tag = vec![
        room.rpm(&mut macros, "/etc/rpm/macros.zz-modules", "%dist .ours\n"),
        room.rpm(&mut package("a", "1"), "/usr/share/a", ""),
        room.rpm(&mut package("b", "1"), "/usr/share/b", ""),
    ];
    let layer = room.buildroots.layer(&[tag]).await.unwrap();
    assert_eq!(layer.packages(), ["b-0:1-1.noarch", "module-build-macros-0:0.1-1.noarch"]);
    assert_eq!(room.printed(&layer, "rpm --eval %dist").await, ".ours\n");
}

#[tokio::test]
async fn layer_is_made_once_for_the_same_rpms_and_unused_ones_go() {
    let Some(room) = Room::new().await else { return };
    let rpm = room.rpm(&mut package("a", "1"), "/usr/share/a", "");
    let layers = room.directory.path().join("layers");
    ensure_directory(&layers.join("host-0123456789abcdef")).unwrap();
    let first = room.buildroots.layer(&[vec![rpm.clone()]]).await.unwrap();
    let again = room.buildroots.layer(&[vec![rpm]]).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    for version in ["2", "3", "4", "5", "6", "7"] {
        let rpm = room.rpm(&mut package("a", version), "/usr/share/a", "");
        room.buildroots.layer(&[vec![rpm]]).await.unwrap();
    }
    assert!(first.tree().is_dir());
    let count = |begin| {
        let names = fs::read_dir(&layers).unwrap().filter_map(Result::ok);
        names.filter(|entry| entry.file_name().to_string_lossy().starts_with(begin)).count()
    };
    assert_eq!((count("layer-"), count("host-")), (SPARE_LAYERS + 2, 1));
}

#[tokio::test]
async fn layer_that_somebody_still_writes_is_not_taken_away() {
    let Some(room) = Room::new().await else { return };
    let new = room.directory.path().join("layers/new");
    ensure_directory(&new).unwrap();
    let held = fs::File::create(new.join("lock")).unwrap();
    held.lock().unwrap();
    let release = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(new.join("lock").exists());
        held.unlock().unwrap();
    };
    let (layer, ()) = tokio::join!(room.buildroots.layer(&[]), release);
    assert!(layer.unwrap().tree().is_dir());
}

#[tokio::test]
async fn database_of_the_host_is_copied_where_there_is_one() {
    let Some(room) = Room::new().await else { return };
    let theirs = room.directory.path().join("theirs");
    ensure_directory(&theirs).unwrap();
    let rpm = room.rpm(&mut package("of-the-host", "1"), "/usr/share/x", "");
    let install = Invocation::of(room.buildroots.programs.find(Program::Rpm).unwrap());
    let install = install.args(["-i", "--justdb", "--nodeps", "--dbpath"]).args([&theirs, &rpm]);
    install.run().await.unwrap().printed_if_successful().unwrap();
    let host = room.buildroots.host_with_database(&theirs).await.unwrap();
    let query = Invocation::of(room.buildroots.programs.find(Program::Rpm).unwrap());
    let query = query.args(["-qa", "--dbpath"]).args([&host.database]).run().await.unwrap();
    assert_eq!(query.printed_if_successful().unwrap(), "of-the-host-1-1.noarch\n");
}

#[tokio::test]
async fn link_in_an_rpm_never_leads_a_write_out_of_the_layer() {
    let Some(room) = Room::new().await else { return };
    let victim = room.directory.path().join("victim");
    fs::write(&victim, "untouched").unwrap();
    let mut builder = package("evil", "1");
    for name in ["/etc/ld.so.conf.d/rpm-libdir.conf", "/etc/ld.so.cache"] {
        builder.with_symlink(FileOptions::symlink(name, victim.to_str().unwrap())).unwrap();
    }
    let rpm = room.rpm(&mut builder, "/usr/share/evil", "");
    let layer = room.buildroots.layer(&[vec![rpm]]).await.unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    assert!(!layer.tree().join("etc/ld.so.cache").is_symlink());
}

/// A directory of this machine, below the root, that is reached by a link and has something in it.
fn linked_directory() -> Option<PathBuf> {
    let places = ["/usr", "/usr/lib", "/usr/share", "/usr/share/perl", "/usr/share/doc", "/etc", "/var"];
    let entries = places.iter().filter_map(|place| fs::read_dir(place).ok()).flatten();
    let is_linked = |path: &PathBuf| {
        let mut entries = path.read_dir().ok().into_iter().flatten();
        path.is_symlink()
            && !path.canonicalize().is_ok_and(|to| to.starts_with("/run"))
            && entries.next().is_some()
    };
    entries.filter_map(Result::ok).map(|entry| entry.path()).find(is_linked)
}

#[tokio::test]
async fn rpm_with_files_behind_a_link_of_the_host_does_not_hide_the_hosts_files() {
    let Some(room) = Room::new().await else { return };
    let Some(link) = linked_directory() else {
        println!("left out: this machine has no link to a directory");
        return;
    };
    let rpm = room.rpm(&mut package("a", "1"), &format!("{}/zz-from-a", link.display()), "x");
    let layer = room.buildroots.layer(&[vec![rpm]]).await.unwrap();
    let seen = room.printed(&layer, &format!("ls {}/ | wc -l", link.display())).await;
    let of_host = fs::read_dir(&link).unwrap().filter_map(Result::ok);
    let visible = of_host.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')).count();
    assert_eq!(seen.trim(), (visible + 1).to_string(), "{}", link.display());
}
