//! Documents spoilt at random, the same each time.

/// A small generator of numbers: xorshift.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Returns a number below a bound, which is above zero.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("less than a usize")
    }

    pub(crate) fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }
}

/// What people and machines put into YAML by mistake or on purpose.
pub(crate) const PIECES: [&str; 44] = [
    "\n",
    "  ",
    " ",
    "\t",
    ": ",
    ":",
    "- ",
    "-",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "\"",
    "'",
    "#",
    " #",
    "|",
    ">",
    "&a ",
    "*a",
    "!",
    "%",
    "@",
    "?",
    "? ",
    "---\n",
    "...\n",
    "é",
    "null",
    "~",
    "true",
    "0",
    "-1",
    "\\",
    "`",
    "x",
    "rpms",
    "data:",
    "buildorder: 5\n",
    "name: ",
    "\u{85}",
    "!!str ",
    "<<: ",
];

/// Gives one spoilt document after the other.
pub(crate) struct Mutations {
    sources: Vec<String>,
    random: Random,
}

impl Mutations {
    pub(crate) fn new(sources: Vec<String>, seed: u64) -> Self {
        let without_comments = |text: String| {
            let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
            lines.map(|line| format!("{line}\n")).collect()
        };
        Self { sources: sources.into_iter().map(without_comments).collect(), random: Random::new(seed) }
    }

    pub(crate) fn next_text(&mut self) -> String {
        let mut text = self.random.pick(&self.sources).clone();
        for _ in 0..=self.random.below(3) {
            text = self.spoilt(&text);
        }
        text
    }

    fn spoilt(&mut self, text: &str) -> String {
        let mut lines: Vec<&str> = text.lines().collect();
        let line = self.random.below(lines.len().max(1));
        let mut chars: Vec<char> = text.chars().collect();
        let place = self.random.below(chars.len() + 1);
        let piece = *self.random.pick(&PIECES);
        match self.random.below(6) {
            0 if line < lines.len() => drop(lines.remove(line)),
            1 if line < lines.len() => lines.insert(self.random.below(lines.len()), lines[line]),
            2 if line < lines.len() => lines[line] = lines[line].strip_prefix(' ').unwrap_or(lines[line]),
            3 => drop(chars.splice(place..chars.len().min(place + 3), [])),
            4 => drop(chars.splice(place..chars.len().min(place + piece.len()), piece.chars())),
            _ => drop(chars.splice(place..place, piece.chars())),
        }
        if lines.len() == text.lines().count() && lines.iter().copied().eq(text.lines()) {
            return chars.into_iter().collect();
        }
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}
