//! Why a build failed, read from its log: one or two sentences for a packager.
//!
//! Knows how `rpmbuild` words its errors. Never decides whose fault it was.

/// How much of the line that broke a phase is quoted.
const QUOTED: usize = 300;

/// How many lines before the end of a phase are searched for what broke it.
const SEARCHED: usize = 40;

/// Finds the reason in what `rpmbuild` printed.
///
/// Missing build dependencies, a source file that is not there, packaging errors and the phase that failed are told apart;
/// otherwise the last line is quoted.
///
/// ```
/// let log = "error: Failed build dependencies:\n\tlibfoo-devel >= 2 is needed by bar-1-1.x86_64\n";
/// let reason = mbs_local::build_log::failure_reason(log);
/// assert_eq!(reason, "missing build dependencies: libfoo-devel >= 2");
/// ```
pub fn failure_reason(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    missing_dependencies(&lines)
        .or_else(|| missing_source(&lines))
        .or_else(|| failed_phase(&lines))
        .or_else(|| last_error(&lines))
        .unwrap_or_else(|| last_line(&lines))
}

fn missing_dependencies(lines: &[&str]) -> Option<String> {
    let start = lines.iter().position(|line| line.trim() == "error: Failed build dependencies:")?;
    let after = &lines[start + 1..];
    let needs = after.iter().map_while(|line| line.trim().split_once(" is needed by ").map(|(need, _)| need));
    let needs: Vec<&str> = needs.collect();
    (!needs.is_empty()).then(|| format!("missing build dependencies: {}", needs.join(", ")))
}

fn missing_source(lines: &[&str]) -> Option<String> {
    let line = lines.iter().find_map(|line| line.trim().strip_prefix("error: Bad file: "))?;
    let (path, why) = line.rsplit_once(": ")?;
    let name = path.rsplit('/').next().unwrap_or(path);
    (why == "No such file or directory").then(|| {
        format!("source file {name} is not beside the spec file (nothing is downloaded for local builds)")
    })
}

/// `%build failed: …` with the last words before the error, or the command that ended it without a word.
fn failed_phase(lines: &[&str]) -> Option<String> {
    let at = lines
        .iter()
        .position(|line| line.contains("Bad exit status from ") && line.trim_end().ends_with(')'))?;
    let phase = lines[at].trim_end().trim_end_matches(')').rsplit('(').next()?;
    let before = &lines[at.saturating_sub(SEARCHED)..at];
    Some(match (said_last(before), ran_last(before)) {
        (Some(said), _) => format!("{phase} failed: {said}"),
        (None, Some(command)) => format!("{phase} failed at the command \"{command}\""),
        (None, None) => format!("{phase} failed"),
    })
}

/// Returns an error if one of the lines is one, else what was said last, unless a command that said nothing came after it.
fn said_last(lines: &[&str]) -> Option<String> {
    let telling = || lines.iter().rev().map(|line| line.trim()).filter(|line| !is_noise(line));
    let error = telling().find(|line| traced(line).is_none() && is_compiler_error(line));
    // `exit` says what came of the line before it.
    let last = || telling().find(|line| !traced(line).is_some_and(|command| command.starts_with("exit")));
    error.or_else(last).filter(|line| traced(line).is_none()).map(cut)
}

fn ran_last(lines: &[&str]) -> Option<String> {
    lines.iter().rev().find_map(|line| traced(line.trim())).map(cut)
}

/// Returns the command that the shell is about to run by a line of its trace.
fn traced(line: &str) -> Option<&str> {
    line.strip_prefix('+').and_then(|line| line.trim_start_matches('+').strip_prefix(' '))
}

fn is_noise(line: &str) -> bool {
    let is_of_make = line.starts_with("make") && line.contains(": *** [");
    line.is_empty() || is_of_make || line.starts_with("RPM build errors") || line.starts_with("Executing(")
}

fn is_compiler_error(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    [" error:", "undefined reference", "no such file", "not found", "cannot find"]
        .iter()
        .any(|word| line.contains(word))
}

/// RPM's own errors, at most three, without doubles.
fn last_error(lines: &[&str]) -> Option<String> {
    let mut errors: Vec<String> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some(error) = line.trim().strip_prefix("error: ") else { continue };
        let mut text = cut(error);
        if text.ends_with("file(s) found:") {
            let files: Vec<&str> =
                lines[number + 1..].iter().map_while(|line| line.strip_prefix("   ")).collect();
            text = format!("{text} {}", files.join(", "));
        }
        if !errors.contains(&text) && errors.len() < 3 {
            errors.push(text);
        }
    }
    (!errors.is_empty()).then(|| errors.join("; "))
}

fn last_line(lines: &[&str]) -> String {
    let last = lines.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty());
    last.map_or_else(|| "nothing was printed".to_owned(), cut)
}

fn cut(line: &str) -> String {
    line.chars().take(QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_missing_dependencies_are_named() {
        let log = "error: Failed build dependencies:\n\ta-devel is needed by b-1-1.x86_64\n\tpkgconfig(c) >= 1.10 is needed by b-1-1.x86_64\nmore\n";
        assert_eq!(failure_reason(log), "missing build dependencies: a-devel, pkgconfig(c) >= 1.10");
    }

    #[test]
    fn failed_phase_quotes_the_compilers_error() {
        let log = "+ make\nmain.c:1:10: fatal error: liba.h: No such file or directory\ncompilation terminated.\n\
                   make: *** [Makefile:2: main] Error 1\n\
                   error: Bad exit status from /var/tmp/rpm-tmp.x (%build)\n\nRPM build errors:\n    Bad exit status from /var/tmp/rpm-tmp.x (%build)\n";
        let reason = failure_reason(log);
        assert_eq!(reason, "%build failed: main.c:1:10: fatal error: liba.h: No such file or directory");
    }

    /// Returns the reason that is read from what a phase printed, after what every phase prints.
    fn reason_of_build(printed: &str) -> String {
        failure_reason(&format!(
            "Executing(%build): /bin/sh -e /var/tmp/rpm-tmp.x\n+ umask 022\n+ cd /builddir/build/BUILD\n{printed}\n\
             error: Bad exit status from /var/tmp/rpm-tmp.x (%build)\n"
        ))
    }

    #[test]
    fn failed_phase_without_words_names_the_command() {
        assert_eq!(reason_of_build("+ false"), "%build failed at the command \"false\"");
        assert_eq!(reason_of_build("+ echo hello\nhello\n+ false"), "%build failed at the command \"false\"");
        assert_eq!(reason_of_build("++ test -e x\n"), "%build failed at the command \"test -e x\"");
        assert_eq!(reason_of_build("+ exit 1"), "%build failed at the command \"exit 1\"");
        assert_eq!(
            reason_of_build("+ make\nmake: *** [Makefile:2: all] Error 1"),
            "%build failed at the command \"make\""
        );
    }

    #[test]
    fn failed_phase_quotes_what_was_said_before_it_gave_up() {
        assert_eq!(reason_of_build("+ echo 'no x'\nno x\n+ exit 1"), "%build failed: no x");
        let make = "make: *** No rule to make target 'x'.  Stop.";
        assert_eq!(reason_of_build(&format!("+ make\n{make}")), format!("%build failed: {make}"));
        let error = "main.c:1: error: no x";
        assert_eq!(reason_of_build(&format!("+ make\n{error}\n+ false")), format!("%build failed: {error}"));
    }

    #[test]
    fn failed_phase_of_which_nothing_is_known_is_told_alone() {
        let log = "error: Bad exit status from /var/tmp/rpm-tmp.x (%install)\n";
        assert_eq!(failure_reason(log), "%install failed");
    }

    #[test]
    fn missing_source_says_that_nothing_is_downloaded() {
        let log = "error: Bad file: /builddir/rpmbuild/SOURCES/foo-1.tar.gz: No such file or directory\n";
        assert!(failure_reason(log).starts_with("source file foo-1.tar.gz is not beside the spec file"));
    }

    #[test]
    fn packaging_errors_are_told_with_their_files() {
        let log = "error: Installed (but unpackaged) file(s) found:\n   /usr/bin/x\n   /usr/bin/y\n\nRPM build errors:\n    Installed (but unpackaged) file(s) found:\n";
        assert_eq!(failure_reason(log), "Installed (but unpackaged) file(s) found: /usr/bin/x, /usr/bin/y");
    }

    #[test]
    fn without_a_known_error_the_last_line_is_quoted() {
        assert_eq!(failure_reason("one\ntwo\n\n"), "two");
        assert_eq!(failure_reason(""), "nothing was printed");
    }
}
