//! What was odd about files of modules, in words for the person who named them; bounded in number.

/// The most that are kept; the rest is counted.
const MOST: usize = 1_000;

/// The problems so far, in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct Problems {
    kept: Vec<String>,
    further: usize,
}

impl Problems {
    pub(super) fn add(&mut self, problem: impl Into<String>) {
        if self.kept.len() < MOST {
            self.kept.push(problem.into());
        } else {
            self.further += 1;
        }
    }

    /// Returns them all; how many are not kept is the last.
    pub(super) fn into_texts(mut self) -> Vec<String> {
        if self.further > 0 {
            self.kept.push(format!("and {} more", self.further));
        }
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_kept_is_counted() {
        let mut problems = Problems::default();
        (0..MOST + 2).for_each(|number| problems.add(number.to_string()));
        let texts = problems.into_texts();
        assert_eq!((texts.len(), texts[MOST].as_str()), (MOST + 1, "and 2 more"));
    }
}
