use std::fs;
use std::time::Instant;

use jiff::Timestamp;
use mbs_core::build_system::{Search, TaskState};
use mbs_core::context::Contexts;
use mbs_core::ident::{Batch, BuildId, Nvr};
use mbs_core::macros::MacrosPackage;
use mbs_core::model::{ComponentBuild, ComponentSource, MACROS_PACKAGE, NewBuild, RebuildStrategy};
use mbs_core::modulemd::RpmComponent;

use super::*;

mod contract;

/// Repositories are directories; a commit is all that is in them.
#[derive(Debug)]
struct Folders;

#[async_trait]
impl Checkout for Folders {
    async fn checkout(&self, repository: &str, _: &CommitId, into: &Path) -> Result<(), SourceError> {
        let not_found = |_| SourceError::NotFound { what: format!("the repository {repository}") };
        fs::create_dir_all(into).map_err(not_found)?;
        for entry in fs::read_dir(repository).map_err(not_found)?.filter_map(Result::ok) {
            fs::copy(entry.path(), into.join(entry.file_name())).map_err(not_found)?;
        }
        Ok(())
    }
}

struct Room {
    directory: tempfile::TempDir,
    system: LocalBuildSystem,
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

const DIST: &str = ".module+1+abc";

impl Room {
    /// `None` if this machine cannot build and the tests need not insist.
    async fn new() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        crate::testing::sandbox(directory.path()).await?;
        crate::testing::programs(&Program::FOR_RPMBUILD)?;
        let system = open(directory.path(), BTreeMap::new()).await.unwrap();
        Some(Self { directory, system })
    }

    /// Ends this program, as far as the build system can tell, and starts it again.
    async fn restarted(self) -> Self {
        let Self { directory, system } = self;
        drop(system);
        let system = open(directory.path(), BTreeMap::new()).await.unwrap();
        Self { directory, system }
    }

    async fn buildroot(&self, inherits: &[&str]) {
        let spec = spec(inherits);
        self.system.ensure_buildroot(&spec).await.unwrap();
        self.system.ensure_buildroot(&spec).await.unwrap();
    }

    /// Writes a repository with a package that installs one file; returns the job that builds it.
    fn job(&self, package: &str, more: &str) -> ComponentJob {
        let repository = self.directory.path().join("git").join(package);
        fs::create_dir_all(&repository).unwrap();
        fs::write(repository.join(format!("{package}.spec")), spec_file(package, more)).unwrap();
        let commit = CommitId::new("a".repeat(40)).unwrap();
        let url = repository.to_str().unwrap().to_owned();
        ComponentJob { source: ComponentSource::Git { url, commit }, macros: None, ..macros_job(package) }
    }

    async fn ended(&self, task: TaskId) -> TaskState {
        let mut hints = self.system.hints();
        loop {
            let state = self.observe_task(task).await;
            if state != TaskState::Open {
                return state;
            }
            while hints.recv().await.unwrap() != Hint::Task(task) {}
        }
    }

    async fn observe_task(&self, task: TaskId) -> TaskState {
        let questions = BuildQuestions { tasks: [task].into(), ..Default::default() };
        let answers = self.system.observe(&questions).await.unwrap();
        answers.tasks.unwrap()[&task].as_ref().unwrap().state
    }

    /// Builds a package and tags it, into the destination tag too unless it is the macros.
    async fn built(&self, job: &ComponentJob) -> Nvr {
        let task = self.system.submit(job).await.unwrap();
        let state = self.ended(task).await;
        assert_eq!(state, TaskState::Closed, "{}", self.failure(task).await);
        let questions = BuildQuestions { tasks: [task].into(), ..Default::default() };
        let answers = self.system.observe(&questions).await.unwrap();
        let nvr = answers.tasks.unwrap()[&task].clone().unwrap().builds.remove(0);
        let tags =
            if job.package.as_str() == MACROS_PACKAGE { &["app-build"][..] } else { &["app-build", "app"] };
        let request =
            |tag: &&str| TagRequest { tag: id(tag), package: job.package.clone(), nvr: nvr.clone() };
        let requests: Vec<TagRequest> = tags.iter().map(request).collect();
        self.system.ensure_tagged(&requests).await.unwrap();
        self.system.ensure_tagged(&requests).await.unwrap();
        nvr
    }

    async fn failure(&self, task: TaskId) -> String {
        let questions = BuildQuestions { failures: [task].into(), ..Default::default() };
        let failures = self.system.observe(&questions).await.unwrap().failures.unwrap();
        failures.get(&task).map_or_else(String::new, |failure| format!("{failure:?}"))
    }

    async fn repo(&self, tag: &str) -> Option<i64> {
        let questions = BuildQuestions { repo_of: Some(id(tag)), ..Default::default() };
        let answers = self.system.observe(&questions).await.unwrap();
        answers.repo.unwrap().map(|repo| repo.event.0)
    }

    async fn found(&self, package: &str) -> mbs_core::build_system::Found {
        let search = Search {
            tags: vec![id("app-build"), id("app")],
            packages: [(id(package), id("app"))].into(),
            module_target: id("app"),
            dist_suffix: DIST.into(),
        };
        let questions = BuildQuestions { search: Some(search), ..Default::default() };
        self.system.observe(&questions).await.unwrap().search.unwrap()
    }
}

async fn open(directory: &Path, known: BTreeMap<TagName, PathBuf>) -> Result<LocalBuildSystem, LocalError> {
    let settings = LocalSettings::new(directory.join("state"), directory.join("results"));
    let settings = LocalSettings { known, limit: Duration::from_secs(120), ..settings };
    LocalBuildSystem::open(settings, Programs::of_machine(), Arc::new(Folders)).await
}

fn spec(inherits: &[&str]) -> BuildrootSpec {
    BuildrootSpec {
        tag: id("app"),
        build_tag: id("app-build"),
        target: id("app"),
        arches: vec![id("x86_64")],
        packages: ["liba", "libb", "prog", MACROS_PACKAGE]
            .iter()
            .chain(GREETER.iter().copied().flatten())
            .map(|name| id(name))
            .collect(),
        owner: "mary".into(),
        blocked: Vec::new(),
        unblocked: Vec::new(),
        build_group: Vec::new(),
        srpm_build_group: Vec::new(),
        inherits: inherits.iter().map(|tag| id(tag)).collect(),
        repo_include_all: None,
        dynamic_buildrequires: None,
    }
}

fn spec_file(package: &str, more: &str) -> String {
    format!(
        "Name: {package}\nVersion: 1\nRelease: 1%{{?dist}}\nSummary: A test\nLicense: MIT\nBuildArch: noarch\n{more}\n\
         %description\n%package extra\nSummary: More\nLicense: BSD\n%description extra\n\
         %install\nmkdir -p %{{buildroot}}/usr/share\necho {package} >%{{buildroot}}/usr/share/{package}\n\
         echo extra >%{{buildroot}}/usr/share/{package}-extra\n\
         %files\n/usr/share/{package}\n%files extra\n/usr/share/{package}-extra\n"
    )
}

fn macros_job(package: &str) -> ComponentJob {
    let install = "mkdir -p %{buildroot}/etc/rpm\ninstall -m 644 %{SOURCE0} %{buildroot}/etc/rpm/\n";
    let spec = format!(
        "%define dist {DIST}\nName: {MACROS_PACKAGE}\nVersion: 0.1\nRelease: 1%{{dist}}\nSummary: Macros\nLicense: MIT\n\
         Source0: macros.zz-modules\nBuildArch: noarch\n%description\n%install\n{install}%files\n/etc/rpm/*\n"
    );
    ComponentJob {
        build: BuildId(1),
        package: id(package),
        source: ComponentSource::Macros,
        target: id("app"),
        module_target: id("app"),
        build_tag: Some(id("app-build")),
        macros: Some(MacrosPackage { spec, macros: format!("%dist {DIST}\n") }),
        dist: DIST.into(),
        arch_override: Vec::new(),
        not_after: Timestamp::MAX,
    }
}

fn module(components: Vec<ComponentBuild>, filter: &[&str]) -> FinishedModule {
    let mut document = ModuleStream {
        name: Some("app".into()),
        stream: Some("1.10".into()),
        version: Some(1),
        context: Some("abc".into()),
        summary: "A module".into(),
        description: "A module of the tests.".into(),
        module_licenses: ["MIT".to_owned()].into(),
        filter: filter.iter().map(|name| (*name).to_owned()).collect(),
        ..ModuleStream::default()
    };
    for component in &components {
        document.rpms.insert(component.package.to_string(), RpmComponent::default());
    }
    let new = NewBuild {
        nsvc: id("app:1.10:1:abc"),
        owner: "mary".into(),
        priority: 0,
        scratch: false,
        scmurl: None,
        commit: None,
        strategy: RebuildStrategy::default(),
        reuse_from: None,
        origin: None,
        document: Arc::new(document),
        contexts: Contexts::default(),
        srpms: BTreeMap::new(),
        given_srpms: Vec::new(),
        base_modules: Vec::new(),
    };
    let mut build = ModuleBuild::begin(new, BuildId(1), BuildId(1), Timestamp::UNIX_EPOCH);
    build.koji_tag = Some(id("app"));
    build.components = components.into_iter().map(Into::into).collect();
    FinishedModule { build: Box::new(build), log: vec!["it began".into(), "it ended".into()] }
}

#[tokio::test]
async fn module_is_built_batch_by_batch_and_published_without_what_it_filters() {
    let Some(room) = Room::new().await else { return };
    room.buildroot(&[]).await;
    assert_eq!(room.repo("app-build").await, None);
    room.built(&macros_job(MACROS_PACKAGE)).await;
    room.system.request_repo(&id("app-build")).await.unwrap();
    let liba = room.built(&room.job("liba", "")).await;
    assert_eq!(liba.to_string(), format!("liba-1-1{DIST}"));
    let before = room.repo("app-build").await;
    room.system.request_repo(&id("app-build")).await.unwrap();
    assert!(room.repo("app-build").await > before);
    room.built(&room.job("prog", "BuildRequires: liba = 1, liba-extra")).await;

    let components =
        ["liba", "prog"].map(|package| ComponentBuild::new(id(package), ComponentSource::Macros, Batch(2)));
    let mut module = module(components.to_vec(), &["liba-extra"]);
    module.build.components[0].task = room.found("liba").await.builds[0].task;
    room.system.import_module(&module).await.unwrap();
    room.system.import_module(&module).await.unwrap();

    let results = room.system.results_of(&module.build).join("results");
    assert!(results.ends_with("module-app-1.10-1/results"), "{results:?}");
    let mut names: Vec<String> = crate::files::files_ending(&results, ".rpm")
        .unwrap()
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    names.retain(|name| !name.ends_with(".src.rpm"));
    let rpm = |name: &str| format!("{name}-1-1{DIST}.noarch.rpm");
    assert_eq!(names, [rpm("liba"), rpm("prog"), rpm("prog-extra")]);
    assert!(results.join("liba-build.log").is_file());
    let log = fs::read_to_string(results.with_file_name("build.log")).unwrap();
    assert_eq!(log, "it began\nit ended\n");
    let documents = room.system.final_documents(&module.build).await.unwrap();
    let document = &documents[room.system.arch()];
    assert!(document.artifacts.contains(&format!("liba-0:1-1{DIST}.noarch")), "{:?}", document.artifacts);
    assert_eq!(document.content_licenses, ["BSD", "MIT"].map(str::to_owned).into());
}

#[tokio::test]
async fn build_dependency_that_is_not_in_a_repository_yet_fails_the_package() {
    let Some(room) = Room::new().await else { return };
    room.buildroot(&[]).await;
    room.built(&room.job("liba", "")).await;
    let task = room.system.submit(&room.job("prog", "BuildRequires: liba")).await.unwrap();
    assert_eq!(room.ended(task).await, TaskState::Failed);
    let failure = room.failure(task).await;
    assert!(failure.contains("missing build dependencies: liba (see "), "{failure}");
    assert!(failure.contains("is_package_fault: true"), "{failure}");
}

#[tokio::test]
async fn source_that_does_not_exist_fails_the_task() {
    let Some(room) = Room::new().await else { return };
    room.buildroot(&[]).await;
    let job = room.job("liba", "");
    fs::remove_dir_all(room.directory.path().join("git/liba")).unwrap();
    let task = room.system.submit(&job).await.unwrap();
    assert_eq!(room.ended(task).await, TaskState::Failed);
    assert!(room.failure(task).await.contains("git/liba does not exist"));
}

#[tokio::test]
async fn cancelled_task_is_gone_when_the_call_returns() {
    let Some(room) = Room::new().await else { return };
    room.buildroot(&[]).await;
    let began = Instant::now();
    let job = room.job("liba", "%build\nsleep 1000\n");
    let task = room.system.submit(&job).await.unwrap();
    assert_eq!(room.found("liba").await.live, [(job.package.clone(), task)]);
    while !room.system.log_directory(task).join("build.log").exists() {
        tokio::task::yield_now().await;
    }
    room.system.cancel(&[task, TaskId(99)]).await.unwrap();
    assert_eq!(room.observe_task(task).await, TaskState::Canceled);
    assert!(crate::supervise::is_over(&room.system.log_directory(task).join("lock")).unwrap());
    assert!(began.elapsed() < Duration::from_secs(100));
    room.system.cancel(&[task]).await.unwrap();
}

#[tokio::test]
async fn second_live_task_for_a_component_and_unknown_targets_are_refused() {
    let Some(room) = Room::new().await else { return };
    let job = room.job("liba", "%build\nsleep 1000\n");
    let error = room.system.submit(&job).await.unwrap_err();
    assert_eq!((error.to_string(), error.effect()), ("the target app does not exist".into(), Effect::None));
    room.buildroot(&[]).await;
    let task = room.system.submit(&job).await.unwrap();
    let error = room.system.submit(&job).await.unwrap_err();
    assert_eq!(error.to_string(), format!("task {task} builds liba already"));
    let other = BuildrootSpec { tag: id("other"), ..spec(&[]) };
    assert!(matches!(room.system.ensure_buildroot(&other).await, Err(BuildSystemError::Conflict { .. })));
    room.system.cancel(&[task]).await.unwrap();
}

#[tokio::test]
async fn builds_tags_and_repositories_survive_a_restart_and_a_running_task_is_lost() {
    let Some(room) = Room::new().await else { return };
    room.buildroot(&[]).await;
    let nvr = room.built(&room.job("liba", "")).await;
    room.system.request_repo(&id("app-build")).await.unwrap();
    let repo = room.repo("app-build").await;
    let task = room.directory.path().join("state/tasks/7");
    fs::create_dir_all(task.join("build")).unwrap();
    fs::write(task.join("task.json"), r#"{"package":"prog","target":"app","build_tag":"app-build"}"#)
        .unwrap();
    fs::create_dir_all(room.directory.path().join("state/tasks/8")).unwrap();

    let room = room.restarted().await;
    let questions = BuildQuestions { tasks: [TaskId(1), TaskId(7), TaskId(8)].into(), ..Default::default() };
    let tasks = room.system.observe(&questions).await.unwrap().tasks.unwrap();
    assert_eq!(tasks[&TaskId(1)].as_ref().unwrap().builds, std::slice::from_ref(&nvr));
    assert_eq!((&tasks[&TaskId(7)], &tasks[&TaskId(8)]), (&None, &None));
    assert!(!task.join("build").exists());
    assert_eq!(room.repo("app-build").await, repo);
    let found = room.found("liba").await;
    assert_eq!((found.builds[0].nvr.clone(), found.builds[0].tag.clone()), (nvr, Some(id("app-build"))));
    assert!(found.is_final && found.live.is_empty());
    let next = room.system.submit(&room.job("prog", "BuildRequires: liba")).await.unwrap();
    assert_eq!((next, room.ended(next).await), (TaskId(8), TaskState::Closed));
}

#[tokio::test]
async fn untagged_build_of_ours_is_found_by_its_dist_tag() {
    let Some(room) = Room::new().await else { return };
    room.buildroot(&[]).await;
    let task = room.system.submit(&macros_job(MACROS_PACKAGE)).await.unwrap();
    room.ended(task).await;
    let found = room.found(MACROS_PACKAGE).await;
    assert_eq!((found.builds[0].task, &found.builds[0].tag), (Some(task), &None));
    let unknown = TagRequest { tag: id("app"), package: id("x"), nvr: id("x-1-1") };
    let error = room.system.ensure_tagged(std::slice::from_ref(&unknown)).await.unwrap_err();
    assert_eq!(error.to_string(), "the build x-1-1 does not exist");
    room.system.ensure_untagged(&[unknown]).await.unwrap();
}

#[tokio::test]
async fn module_built_before_is_inherited_from_its_directory() {
    let Some(room) = Room::new().await else { return };
    room.buildroot(&[]).await;
    room.built(&room.job("liba", "")).await;
    let components = vec![ComponentBuild::new(id("liba"), ComponentSource::Macros, Batch(2))];
    let module = module(components, &[]);
    room.system.import_module(&module).await.unwrap();
    let results = room.system.results_of(&module.build).join("results");

    let elsewhere = tempfile::tempdir().unwrap();
    let system = open(elsewhere.path(), [(id("old"), results)].into()).await.unwrap();
    let other = Room { directory: elsewhere, system };
    other.buildroot(&["platform", "old"]).await;
    other.built(&other.job("prog", "BuildRequires: liba")).await;
    let questions = BuildQuestions { tag_rpms: [id("old"), id("platform")].into(), ..Default::default() };
    let rpms = other.system.observe(&questions).await.unwrap().tag_rpms.unwrap();
    assert_eq!(rpms.keys().map(TagName::as_str).collect::<Vec<_>>(), ["old"]);
    assert_eq!(rpms[&id::<TagName>("old")].len(), 2);
}

/// The batches of `examples/modules/greeter.yaml`.
const GREETER: [&[&str]; 5] = [
    &["greeter-rpm-macros"],
    &["greeter-phrasegen", "greeter-phrases"],
    &["libgreeter"],
    &["greeter", "greeter-shell"],
    &["greeter-doc"],
];

#[tokio::test]
async fn components_of_the_example_module_build_on_each_other() {
    let Some(room) = Room::new().await else { return };
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/modules/sources");
    room.buildroot(&[]).await;
    room.built(&macros_job(MACROS_PACKAGE)).await;
    for batch in GREETER {
        room.system.request_repo(&id("app-build")).await.unwrap();
        let jobs = batch.iter().map(|package| {
            let (url, commit) = (sources.join(package).to_str().unwrap().to_owned(), id(&"a".repeat(40)));
            ComponentJob { source: ComponentSource::Git { url, commit }, macros: None, ..macros_job(package) }
        });
        for job in jobs {
            let nvr = room.built(&job).await;
            assert!(nvr.release().ends_with(DIST), "{nvr}");
        }
    }
}

#[tokio::test]
async fn directory_belongs_to_one_program_at_a_time() {
    let Some(room) = Room::new().await else { return };
    let error = open(room.directory.path(), BTreeMap::new()).await.unwrap_err();
    assert!(error.to_string().starts_with("another program builds in "), "{error}");
}

#[tokio::test]
async fn state_directory_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(room) = Room::new().await else { return };
    let data = fs::metadata(room.directory.path().join("state")).unwrap();
    assert_eq!(data.permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn machine_without_rpmbuild_says_what_to_install() {
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("bin");
    fs::create_dir_all(&empty).unwrap();
    let settings = LocalSettings::new(directory.path().join("state"), directory.path().join("results"));
    let programs = Programs::in_directories([empty]);
    let error = LocalBuildSystem::open(settings, programs, Arc::new(Folders)).await.unwrap_err();
    assert!(error.is_lack_of_machine() && error.to_string().contains("is not installed"), "{error}");
}

#[tokio::test]
async fn build_whose_result_cannot_be_written_did_not_succeed() {
    let Some(room) = Room::new().await else { return };
    room.buildroot(&[]).await;
    let task = room.system.submit(&room.job("liba", "")).await.unwrap();
    fs::create_dir(room.system.log_directory(task).join("result.json")).unwrap();
    assert_eq!(room.ended(task).await, TaskState::Failed);
    let failure = room.failure(task).await;
    assert!(failure.contains("result.json") && failure.contains("is_package_fault: false"), "{failure}");
    assert!(room.found("liba").await.builds.is_empty());
}

/// Source control with a defect.
#[derive(Debug)]
struct Panicking;

#[async_trait]
impl Checkout for Panicking {
    async fn checkout(&self, _: &str, _: &CommitId, _: &Path) -> Result<(), SourceError> {
        panic!("a defect");
    }
}

#[tokio::test]
async fn task_that_panics_has_failed_and_the_package_is_not_at_fault() {
    let Some(Room { directory, system }) = Room::new().await else { return };
    let settings = system.shared.settings.clone();
    drop(system);
    let system = LocalBuildSystem::open(settings, Programs::of_machine(), Arc::new(Panicking)).await.unwrap();
    let room = Room { directory, system };
    room.buildroot(&[]).await;
    let task = room.system.submit(&room.job("liba", "")).await.unwrap();
    assert_eq!(room.ended(task).await, TaskState::Failed);
    assert!(room.failure(task).await.contains("is_package_fault: false"));
}

#[tokio::test]
async fn spec_file_of_another_name_fails_the_package() {
    let Some(room) = Room::new().await else { return };
    room.buildroot(&[]).await;
    room.built(&room.job("liba", "")).await;
    let job = room.job("libb", "");
    let spec = room.directory.path().join("git/libb/libb.spec");
    fs::write(spec, spec_file("liba", "URL: https://example.test/b")).unwrap();
    let task = room.system.submit(&job).await.unwrap();
    assert_eq!(room.ended(task).await, TaskState::Failed);
    let failure = room.failure(task).await;
    assert!(failure.contains("the spec file of libb builds liba-1-1; its Name must be libb"), "{failure}");
    assert!(failure.contains("is_package_fault: true"), "{failure}");
}

#[tokio::test]
async fn build_of_a_name_that_another_target_has_fails_and_names_the_other() {
    let Some(room) = Room::new().await else { return };
    room.buildroot(&[]).await;
    let job = room.job("liba", "");
    let first = room.system.submit(&job).await.unwrap();
    assert_eq!(room.ended(first).await, TaskState::Closed);
    let again = room.system.submit(&job).await.unwrap();
    assert_eq!(room.ended(again).await, TaskState::Closed);
    let other = BuildrootSpec { tag: id("b"), build_tag: id("b-build"), target: id("b"), ..spec(&[]) };
    room.system.ensure_buildroot(&other).await.unwrap();
    let job = ComponentJob { target: id("b"), build_tag: Some(id("b-build")), ..job };
    let task = room.system.submit(&job).await.unwrap();
    assert_eq!(room.ended(task).await, TaskState::Failed);
    let failure = room.failure(task).await;
    assert!(failure.contains(&format!("task {first} built liba-1-1 for app already")), "{failure}");
}

#[tokio::test]
async fn tag_takes_its_own_packages_only() {
    let Some(room) = Room::new().await else { return };
    room.buildroot(&[]).await;
    let nvr = room.built(&room.job("liba", "")).await;
    let narrow = BuildrootSpec { tag: id("b"), build_tag: id("b-build"), target: id("b"), ..spec(&[]) };
    let narrow = BuildrootSpec { packages: vec![id("libb")], ..narrow };
    room.system.ensure_buildroot(&narrow).await.unwrap();
    let refused = |tag: &str, package: &str| {
        let request = TagRequest { tag: id(tag), package: id(package), nvr: nvr.clone() };
        room.system.shared.ledger().tag_all(&[request]).unwrap_err()
    };
    let error = refused("b", "liba");
    assert!(
        matches!(&error, BuildSystemError::Rejected { reason } if reason == "liba is no package of the tag b")
    );
    let error = refused("app", "libb");
    assert!(
        matches!(&error, BuildSystemError::Rejected { reason } if reason == "liba-1-1 is no build of libb")
    );
}

#[tokio::test]
async fn damaged_record_is_trouble_of_the_machine() {
    let Some(Room { directory, system }) = Room::new().await else { return };
    drop(system);
    fs::write(directory.path().join("state/tags/app.json"), "{").unwrap();
    let error = open(directory.path(), BTreeMap::new()).await.unwrap_err();
    assert!(matches!(error, LocalError::Io { .. }), "{error}");
    assert!(error.to_string().contains("tags/app.json: it is damaged: "), "{error}");
}

#[tokio::test]
async fn unfinished_files_of_a_killed_program_are_removed() {
    let Some(room) = Room::new().await else { return };
    room.buildroot(&[]).await;
    room.built(&room.job("liba", "")).await;
    let places = ["tags", "targets", "tasks/1"];
    let left = places.map(|place| room.directory.path().join("state").join(place).join(".new-x"));
    left.iter().for_each(|path| fs::write(path, "half").unwrap());
    let _room = room.restarted().await;
    assert!(left.iter().all(|path| !path.exists()));
}

#[tokio::test]
async fn reason_of_a_failure_names_a_log_that_is_there() {
    let Some(room) = Room::new().await else { return };
    room.buildroot(&[]).await;
    let path = room.directory.path().join("bad.src.rpm");
    fs::write(&path, "junk").unwrap();
    let source = ComponentSource::Srpm(path.to_str().unwrap().into());
    let task = room.system.submit(&ComponentJob { source, ..macros_job("liba") }).await.unwrap();
    assert_eq!(room.ended(task).await, TaskState::Failed);
    let log = room.system.log_directory(task).join("root.log");
    let failure = room.failure(task).await;
    assert!(log.is_file() && failure.contains(&format!("(see {})", log.display())), "{failure}");
}

#[tokio::test]
async fn package_is_not_at_fault_for_those_it_is_built_with() {
    let directory = tempfile::tempdir().unwrap();
    if Room::new().await.is_none() {
        return;
    }
    fs::write(directory.path().join("bad.rpm"), "junk").unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let system = open(elsewhere.path(), [(id("old"), directory.path().to_owned())].into()).await.unwrap();
    let room = Room { directory: elsewhere, system };
    room.buildroot(&["old"]).await;
    let task = room.system.submit(&room.job("liba", "")).await.unwrap();
    assert_eq!(room.ended(task).await, TaskState::Failed);
    let failure = room.failure(task).await;
    assert!(
        failure.contains("bad.rpm is no usable RPM") && failure.contains("is_package_fault: false"),
        "{failure}"
    );
}
