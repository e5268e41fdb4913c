//! Writes defaults, obsoletes and translations in the same canonical form as streams.

use super::others::{DefaultProfiles, Defaults, Obsoletes, Translations};
use super::read::Document;
use super::yaml::Writer;

impl Document {
    /// Writes the document, from `---` to `...`. Streams are always written as version 2.
    pub fn to_yaml(&self) -> String {
        match self {
            Document::Stream(stream) => stream.to_yaml(),
            Document::Packager(packager) => packager.to_yaml(),
            Document::Defaults(defaults) => defaults.to_yaml(),
            Document::Obsoletes(obsoletes) => obsoletes.to_yaml(),
            Document::Translations(translations) => translations.to_yaml(),
        }
    }
}

impl Defaults {
    /// Writes a `modulemd-defaults` document, from `---` to `...`.
    pub fn to_yaml(&self) -> String {
        let mut writer = Writer::document("modulemd-defaults", 1);
        writer.map(|out| {
            if !self.module.is_empty() {
                out.text("module", &self.module);
            }
            if let Some(modified) = self.modified {
                out.plain("modified", modified);
            }
            out.some_text("stream", self.stream.as_deref());
            default_profiles(&self.profiles, out);
            out.some_map_under("intents", |out| {
                for (name, intent) in &self.intents {
                    out.map_under(name, |out| {
                        out.some_text("stream", intent.stream.as_deref());
                        default_profiles(&intent.profiles, out);
                    });
                }
            });
        });
        writer.finish()
    }
}

fn default_profiles(profiles: &DefaultProfiles, out: &mut Writer) {
    out.some_map_under("profiles", |out| {
        profiles.iter().for_each(|(stream, names)| out.short_list(stream, names));
    });
}

impl Obsoletes {
    /// Writes a `modulemd-obsoletes` document, from `---` to `...`.
    pub fn to_yaml(&self) -> String {
        let mut writer = Writer::document("modulemd-obsoletes", 1);
        writer.map(|out| {
            out.plain("modified", &self.modified);
            if self.reset {
                out.plain("reset", true);
            }
            out.text("module", &self.module);
            out.text("stream", &self.stream);
            out.some_text("context", self.context.as_deref());
            if let Some(date) = &self.eol_date {
                out.plain("eol_date", date);
            }
            out.text("message", &self.message);
            if let Some(by) = &self.obsoleted_by {
                out.map_under("obsoleted_by", |out| {
                    out.text("module", &by.module);
                    out.text("stream", &by.stream);
                });
            }
        });
        writer.finish()
    }
}

impl Translations {
    /// Writes a `modulemd-translations` document, from `---` to `...`.
    pub fn to_yaml(&self) -> String {
        let mut writer = Writer::document("modulemd-translations", 1);
        writer.map(|out| {
            out.text("module", &self.module);
            out.text("stream", &self.stream);
            out.plain("modified", self.modified);
            out.map_under("translations", |out| {
                for (locale, texts) in &self.translations {
                    out.map_under(locale, |out| {
                        out.some_text("summary", texts.summary.as_deref());
                        out.some_text("description", texts.description.as_deref());
                        out.some_map_under("profiles", |out| {
                            texts.profiles.iter().for_each(|(profile, text)| out.text(profile, text));
                        });
                    });
                }
            });
        });
        writer.finish()
    }
}
