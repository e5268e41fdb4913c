use super::*;
use crate::modulemd::Severity;

const HEAD: &str =
    "document: modulemd\nversion: 2\ndata:\n  summary: S\n  description: D\n  license: {module: [MIT]}\n";

fn read(text: &str) -> Read {
    read_documents(text, None, &Limits::default())
}

fn stream(text: &str) -> ModuleStream {
    let mut read = read(text);
    assert!(read.is_fine(), "{:?}", read.problems);
    let Document::Stream(stream) = read.documents.remove(0).document else { panic!("no stream") };
    *stream
}

fn problems(text: &str) -> Vec<String> {
    read(text).problems.iter().map(ToString::to_string).collect()
}

#[test]
fn names_that_look_like_numbers_stay_text() {
    let read = stream(&format!(
        "{HEAD}  name: 010\n  stream: 1.10\n  context: 1e3\n  dependencies:\n  - requires: {{platform: [1.10, on]}}\n"
    ));
    assert_eq!(read.name.as_deref(), Some("010"));
    assert_eq!(read.stream.as_deref(), Some("1.10"));
    assert_eq!(read.context.as_deref(), Some("1e3"));
    let streams: Vec<_> = read.dependencies[0].requires["platform"].iter().collect();
    assert_eq!(streams, ["1.10", "on"]);
}

#[test]
fn a_packager_may_leave_out_name_stream_version_and_context() {
    let read = stream(HEAD);
    assert_eq!((read.name, read.stream, read.version, read.context), (None, None, None, None));
}

#[test]
fn version_one_is_upgraded_to_one_dependency_pair() {
    let text = "document: modulemd\nversion: 1\ndata:\n  summary: S\n  description: D\n  license: {module: [MIT]}\n  \
                eol: 2077-10-23\n  dependencies:\n    buildrequires: {platform: f27, gcc: 9}\n    requires: {platform: f27}\n";
    let read = stream(text);
    assert_eq!(read.dependencies.len(), 1);
    assert!(read.dependencies[0].buildrequires["gcc"].contains("9"));
    assert!(!read.dependencies[0].requires.contains_key("gcc"));
    assert_eq!(read.servicelevels["rawhide"].as_deref(), Some("2077-10-23"));
}

#[test]
fn problems_name_line_column_path_and_a_hint() {
    let text = format!(
        "{HEAD}  components:\n    rpms:\n      bash: {{rationale: r, buildorder: first, ref: [x]}}\n"
    );
    assert_eq!(
        problems(&text),
        [
            "9:40: data.components.rpms.bash.buildorder: must be a whole number between -(2^63) and 2^63-1, \
             not \"first\"",
            "9:52: data.components.rpms.bash.ref: must be text, not a list",
        ]
    );
}

#[test]
fn unknown_keys_are_pointed_out_and_passed_over() {
    let text = format!("{HEAD}  sumary: x\n");
    let warning =
        "7:3: warning: data.sumary: unknown key \"sumary\"; it has no effect (did you mean 'summary'?)";
    assert_eq!(problems(&text), [warning]);
    assert_eq!(stream(&text).summary, "S");
}

#[test]
fn unknown_keys_are_errors_in_a_packagers_document_of_version_three() {
    let text = "document: modulemd-packager\nversion: 3\ndata:\n  summary: S\n  description: D\n  \
                configurations: [{context: A, platform: f33}]\n  profiles: {a: {rpm: [b]}}\n";
    assert_eq!(problems(text), ["7:18: data.profiles.a.rpm: unknown key \"rpm\" (did you mean 'rpms'?)"]);
}

#[test]
fn missing_parts_are_all_named_at_once() {
    let wrong = problems("document: modulemd\nversion: 2\ndata: {}\n");
    assert_eq!(wrong.len(), 3);
    assert!(wrong.iter().all(|problem| problem.starts_with("3:7: data: the key '")), "{wrong:?}");
}

#[test]
fn build_order_is_given_one_way_only() {
    let mixed = format!(
        "{HEAD}  components:\n    rpms:\n      a: {{buildorder: 1}}\n      b: {{buildafter: [a, c]}}\n"
    );
    let wrong: Vec<String> = problems(&mixed).into_iter().filter(|text| !text.contains("warning")).collect();
    assert_eq!(wrong.len(), 2);
    assert!(
        wrong[0].starts_with("10:23: data.components.rpms.b.buildafter: mixed with 'buildorder'"),
        "{wrong:?}"
    );
    assert!(wrong[1].contains("there is no component \"c\""), "{wrong:?}");
}

#[test]
fn components_are_built_for_architectures_of_the_module() {
    let text = format!(
        "{HEAD}  buildopts: {{arches: [x86_64]}}\n  components:\n    rpms:\n      a: {{rationale: r, arches: [i686]}}\n"
    );
    assert_eq!(problems(&text).len(), 1);
    assert!(
        problems(&text)[0].starts_with("10:33: data.components.rpms.a.arches: \"i686\" is no architecture")
    );
}

#[test]
fn one_bad_list_for_many_components_is_pointed_out_up_to_the_limit() {
    let limits = Limits { problems: 5, ..Limits::default() };
    let rpms: String = (0..3_000)
        .map(|n| format!("      p{n}: {{rationale: r, arches: [a{n}], buildafter: [q{n}]}}\n"))
        .collect();
    let text = format!("{HEAD}  buildopts: {{arches: [x86_64]}}\n  components:\n    rpms:\n{rpms}");
    let read = read_documents(&text, None, &limits);
    assert_eq!((read.documents.len(), read.problems.len()), (0, 5));
}

#[test]
fn a_packagers_document_has_at_most_a_hundred_configurations() {
    let with = |count: usize| {
        let all: String = (0..count)
            .map(|n| format!("  - {{context: c{n}, platform: f32, buildopts: {{arches: [x]}}}}\n"))
            .collect();
        problems(&format!(
            "document: modulemd-packager\nversion: 3\ndata:\n  summary: S\n  description: D\n  components: {{rpms: {{a: {{rationale: r, arches: [y]}}}}}}\n  configurations:\n{all}"
        ))
    };
    let one_for_all = [
        "6:49: data.components.rpms.a.arches: \"y\" is no architecture of the module (use those of data.buildopts.arches, or extend that list)",
    ];
    assert_eq!(with(100), one_for_all);
    let too_many = with(5_000);
    assert_eq!(too_many.len(), 2, "{too_many:?}");
    assert_eq!(too_many[1], "108:5: data.configurations[100]: there are more than 100 configurations");
}

#[test]
fn of_doubled_keys_problems_point_at_the_one_that_counts() {
    let text = format!(
        "{HEAD}  static_context: true\n  context: ok\n  context: n-o\n  buildopts: {{arches: [x]}}\n  components:\n    rpms:\n      a: {{rationale: r}}\n      a: {{rationale: r, arches: [x], arches: [y]}}\n"
    );
    let errors: Vec<String> =
        problems(&text).into_iter().filter(|problem| !problem.contains("warning")).collect();
    let found: Vec<_> =
        errors.iter().map(|error| error.split(": ").take(2).collect::<Vec<_>>().join(": ")).collect();
    assert_eq!(found, ["9:12: data.context", "14:46: data.components.rpms.a.arches"]);
    let twice = problems(&format!("{HEAD}data: {{}}\n"));
    assert_eq!(twice, ["7:1: warning: data: the key was given on line 3 before; that one counts"]);
}

#[test]
fn static_contexts_are_short_words() {
    for (context, is_fine) in
        [("CTX_1", true), ("abcdefghijklm", true), ("abcdefghijklmn", false), ("'-'", false)]
    {
        let text = format!("{HEAD}  static_context: true\n  context: {context}\n");
        assert_eq!(read(&text).is_fine(), is_fine, "{context}");
    }
    assert!(read(&format!("{HEAD}  context: '-'\n")).is_fine());
}

#[test]
fn headers_are_checked_before_the_data() {
    for (header, wrong) in [
        ("document: modulemd\nversion: 3\n", "version 3 of modulemd is not known (known is 1 and 2)"),
        ("document: modulemd\nversion: 2.0\n", "must be a whole number"),
        ("document: rpm\nversion: 1\n", "unknown document type \"rpm\""),
        ("version: 2\n", "the key 'document' is missing"),
        ("document: modulemd\ndocument: modulemd\nversion: 2\n", "the key was given before"),
    ] {
        let text = format!("{header}data: {{summary: S, description: D, license: {{module: [MIT]}}}}\n");
        assert!(
            problems(&text).iter().any(|problem| problem.contains(wrong)),
            "{header}: {:?}",
            problems(&text)
        );
        assert!(!read(&text).is_fine());
    }
}

#[test]
fn one_bad_document_leaves_the_others() {
    let text = format!("---\n{HEAD}---\ndocument: modulemd\n---\n{HEAD}");
    let read = read(&text);
    let places: Vec<_> = read.documents.iter().map(|one| (one.index, one.place.line)).collect();
    assert_eq!(places, [(0, 2), (2, 11)]);
    assert!(read.problems.iter().all(|problem| problem.document == 1));
}

#[test]
fn a_submission_is_one_stream_document() {
    let limits = Limits::default();
    let two = format!("{HEAD}---\n{HEAD}");
    let defaults = "document: modulemd-defaults\nversion: 1\ndata: {module: m}\n";
    assert!(read_submission(HEAD, None, &limits).is_ok());
    for (text, line) in [("", 1), (two.as_str(), 8), (defaults, 1), ("a: [", 1)] {
        let Problems(problems) = read_submission(text, Some("x.yaml"), &limits).unwrap_err();
        let errors: Vec<_> = problems.iter().filter(|problem| problem.is_error()).collect();
        assert_eq!(errors[0].place.line, line, "{text}");
        assert_eq!(errors[0].file.as_deref(), Some("x.yaml"));
    }
}

#[test]
fn a_packagers_document_of_version_three_becomes_its_streams() {
    let text = "document: modulemd-packager\nversion: 3\ndata:\n  summary: S\n  description: D\n  configurations:\n  \
                - {context: B, platform: f33}\n  - {context: A, platform: f32, requires: {perl: [5.30]}}\n";
    let (submission, warnings) = read_submission(text, None, &Limits::default()).unwrap();
    assert_eq!(warnings, []);
    let streams = submission.into_streams();
    assert_eq!(streams[0].context.as_deref(), Some("A"));
    assert!(streams[0].dependencies[0].requires["perl"].contains("5.30"));
}

#[test]
fn bytes_that_are_no_text_are_refused_where_they_stand() {
    let read = read_bytes(b"a: b\nc: \xff\n", None, &Limits::default());
    assert_eq!(read.problems[0].to_string(), "2:4: the text is not UTF-8");
}

#[test]
fn free_form_scalars_keep_their_spelling() {
    let read =
        stream(&format!("{HEAD}  xmd: {{a: 1.10, b: ~, c: TRUE, d: [yes, {{e: }}], f: true, a: 2}}\n"));
    let emitted = read.to_yaml();
    let block = "  xmd:\n    a: \"2\"\n    b: \"~\"\n    c: TRUE\n    d:\n      - \"yes\"\n      - e: \"\"\n    f: true\n";
    assert!(emitted.contains(block), "{emitted}");
    assert!(read.xmd.at(&["f"]).unwrap().is_true() && read.xmd.at(&["c"]).unwrap().is_true());
}

#[test]
fn validation_of_an_empty_text_says_so() {
    let problems = validate("# nothing\n", "x.yaml", &Limits::default(), &[]);
    assert_eq!(
        problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["x.yaml:1:1: there is no document"]
    );
    assert_eq!(problems[0].severity, Severity::Error);
}

#[test]
fn names_that_nothing_can_be_built_under_are_pointed_out_with_their_place() {
    let why =
        "it must not hold '/', '\\', ':', blanks or control characters; what is called so cannot be built";
    let text = format!("{HEAD}  name: \"gree ter/x\"\n  stream: '1:0'\n");
    let expected = [
        format!("7:9: warning: data.name: \"gree ter/x\" is no valid module name: {why}"),
        format!("8:11: warning: data.stream: \"1:0\" is no valid stream: {why}"),
    ];
    assert_eq!(problems(&text), expected);
    let text = format!(
        "{HEAD}  dependencies:\n  - buildrequires: {{.a: [-1, '-']}}\n  components:\n    rpms:\n      \
         b c: {{rationale: r, name: d/e}}\n    modules:\n      f g: {{rationale: r, name: h}}\n"
    );
    let named: Vec<String> = problems(&text)
        .iter()
        .map(|text| text.split(": ").skip(2).take(2).collect::<Vec<_>>().join(": "))
        .collect();
    let expected = [
        "data.dependencies[0].buildrequires..a: \"\" is no valid stream",
        "data.dependencies[0].buildrequires..a: \".a\" is no valid module name",
        "data.components.rpms.\"b c\": \"b c\" is no valid package name",
        "data.components.rpms.\"b c\".name: \"d/e\" is no valid package name",
    ];
    assert_eq!(named, expected);
}

#[test]
fn validation_wants_a_base_module_to_build_on() {
    let bases = [Name::new("platform").unwrap(), Name::new("bootstrap").unwrap()];
    let warnings = |text: &str| -> Vec<String> {
        validate(text, "x", &Limits::default(), &bases).iter().map(ToString::to_string).collect()
    };
    let expected = "no base module is buildrequired; without one the module cannot be built \
                    ('buildrequires: {platform: []}' takes any)";
    assert_eq!(warnings(HEAD), [format!("x:4:3: warning: data: {expected}")]);
    let without = format!("{HEAD}  dependencies:\n  - requires: {{platform: []}}\n");
    assert_eq!(warnings(&without), [format!("x:8:5: warning: data.dependencies: {expected}")]);
    for fine in [
        "dependencies:\n  - buildrequires: {bootstrap: [1]}",
        "xmd: {mbs_options: {contexts: {a: {buildrequires: {platform: f40}}}}}",
        "name: platform",
    ] {
        assert_eq!(warnings(&format!("{HEAD}  {fine}\n")), [""; 0], "{fine}");
    }
    assert_eq!(validate(HEAD, "x", &Limits::default(), &[]), []);
    assert_eq!(problems(HEAD), [""; 0]);
}

#[test]
fn what_is_written_reads_back_equal() {
    let text = format!(
        "{HEAD}  name: foo\n  stream: 1.10\n  version: 5\n  xmd: {{a: [TRUE, {{b: [c]}}]}}\n  dependencies:\n  \
         - buildrequires: {{platform: [-f27], a: []}}\n  - requires: {{b: [x]}}\n  profiles: {{p: {{description: d, rpms: [r]}}}}\n  \
         buildopts: {{rpms: {{macros: \"%a 1\\n%b\\n\"}}}}\n  components:\n    rpms:\n      a: {{rationale: r, buildafter: [b]}}\n      \
         b: {{rationale: r, buildonly: true}}\n    modules:\n      m: {{rationale: r, buildorder: 3}}\n  artifacts:\n    \
         rpms: ['a-0:1-1.x']\n    rpm-map: {{sha256: {{dead: {{name: a, epoch: 0, version: 1, release: 1, arch: x, nevra: 'a-0:1-1.x'}}}}}}\n"
    );
    let first = stream(&text);
    assert_eq!(stream(&first.to_yaml()), first);
}
